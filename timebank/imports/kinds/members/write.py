"""Imports a list of who has reported in: registers who is new, without a household, and reports everybody in.

The skills that the community knows are entered too, and nobody is found by them. Who belongs to a team is not: people
ask for themselves, and a leader confirms.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from timebank.access.roster import ensure_logins
from timebank.core import clock
from timebank.core.database import reading
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.imports.cells.identity import Sex
from timebank.imports.cells.problems import problem, refusal
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Planned, Ready, cells_of
from timebank.imports.kinds.members.matching import Known, People, known_people, said_by
from timebank.imports.kinds.members.offers import read_offers
from timebank.imports.kinds.members.read import MemberRow, parse
from timebank.imports.kinds.members.units_named import Units
from timebank.imports.kinds.roster.finish import SEX
from timebank.imports.sheets.parsed import Parsed
from timebank.people.enrolment.enrolling import enrol_many
from timebank.people.identity.ages import is_guarded
from timebank.people.schemas import Enrolment
from timebank.teams.importing import Listed as ListedSkill
from timebank.teams.importing import notify_entered, offer_many
from timebank.units.affiliations import Stand, require_may_report
from timebank.units.importing import Listed, notify_reported, report_in_many, stands_of
from timebank.units.units import UnitUnknown, unit_options

WHO, WHEN, WHENCE, WHAT = "name", "date", "from_unit", "skill"


class MemberPlanned(Planned, frozen=True, kw_only=True):
    """A row to write. `person_id` is None for somebody who is to be registered.

    Whoever has reported in already has only `skills` to be entered; then `reports` is false.
    """

    person_id: UUID | None
    unit_id: UUID
    since: date
    name: str
    sex: Sex | None
    identity: str | None
    born_on: date | None
    phone: str | None
    reports: bool = True
    skills: tuple[UUID, ...] = ()

    @property
    def enrolment(self) -> Enrolment:
        """A person without a household: they live elsewhere, and report in here."""
        return Enrolment(
            name=self.name, sex=SEX[self.sex] if self.sex else None, born_on=self.born_on, identity=self.identity,
            phone=self.phone,
        )  # fmt: skip


async def examine(intake: Intake, book: Workbook) -> Ready[MemberRow, MemberPlanned]:
    """Find who of a list is to be registered and reported in; writes nothing."""
    scope, today = intake.scope, clock.local_day()
    units = Units(await unit_options(scope))
    parsed = await asyncio.to_thread(parse, book, units, today=today)
    said = [said_by(row) for row in parsed.rows]
    keys = {(row.sheet, row.row): _key(intake, row) for row in parsed.rows}
    async with reading(scope):
        people = People(await known_people(scope, said))
        meant = {(row.sheet, row.row): people.meant(one) for row, one in zip(parsed.rows, said, strict=True)}
        persons = {where: one.id for where, one in meant.items() if isinstance(one, Known)}
        stands = await stands_of(scope, set(persons.values()))
        known = await intake.known(keys.values())
        offers = await read_offers(scope, set(persons.values()))
    there = 0
    planned, taken = [], set[UUID]()
    for row in parsed.rows:
        where = row.sheet, row.row
        found = meant[where]
        if isinstance(found, tuple):
            parsed.reading(row).refuse(*found)
            continue
        person_id = persons.get(where)
        is_there = keys[where] in known or _is_there(row, person_id, stands)
        if not is_there and not _may_be_planned(scope, parsed, row, person_id, stands, taken, today):
            continue
        skills = offers.to_enter(parsed.reading(row), row, person_id, stands.get(person_id) if person_id else None)
        if is_there and not skills:
            there += 1
        else:
            planned.append(_planned(parsed, row, keys[where], person_id, today, reports=not is_there, skills=skills))
    if there:
        parsed.notes.append(problem("note_known", count=there))
    _count(parsed, planned)
    parsed.notes += offers.notes
    return Ready(parsed, planned, len(planned))


def _is_there(row: MemberRow, person_id: UUID | None, stands: Mapping[UUID, Stand]) -> bool:
    """Whether the person has reported in from this unit already."""
    return person_id is not None and stands[person_id].open_unit == row.unit_id


def _may_be_planned(
    scope: Scope, parsed: Parsed[MemberRow], row: MemberRow, person_id: UUID | None, stands: Mapping[UUID, Stand],
    taken: set[UUID], today: date,
) -> bool:  # fmt: skip
    """Whether this person may report in; refuses the row with the reason where not."""
    line = parsed.reading(row)
    stand = stands[person_id] if person_id else Stand(
        status="active", born_on=row.born_on, open_id=None, open_unit=None, ended_on=None
    )  # fmt: skip
    if person_id in taken:
        line.refuse(WHO, problem("member_twice"))
        return False
    try:
        require_may_report(stand, row.since or today, today, own=scope.stands_for(person_id))
    except TimebankError as error:
        line.refuse(WHEN if "reported_on" in error.code or "overlaps" in error.code else WHO, refusal(error))
        return False
    if person_id is not None:
        taken.add(person_id)
    return True


def _planned(
    parsed: Parsed[MemberRow], row: MemberRow, key: bytes, person_id: UUID | None, today: date, *, reports: bool,
    skills: tuple[UUID, ...],
) -> MemberPlanned:  # fmt: skip
    return MemberPlanned(
        key=key, sheet=row.sheet, row=row.row, cells=cells_of(parsed.reading(row), WHO, WHEN, WHENCE, WHAT),
        person_id=person_id, unit_id=row.unit_id, since=row.since or today, name=row.name, sex=row.sex,
        identity=row.identity, born_on=row.born_on, phone=row.phone, reports=reports, skills=skills,
    )  # fmt: skip


def _count(parsed: Parsed[MemberRow], planned: Sequence[MemberPlanned]) -> None:
    new = sum(one.person_id is None for one in planned)
    if new:
        parsed.notes.append(problem("note_members_new", count=new))
    skills = sum(len(one.skills) for one in planned)
    if skills:
        parsed.notes.append(problem("note_skills", count=skills))


def _key(intake: Intake, row: MemberRow) -> bytes:
    """The row's key: its person and unit, so that the same list, or a later one with the same person, is known."""
    who = (row.identity,) if row.identity else (row.name, row.born_on, row.phone)
    return intake.key(row.unit_id, *who)


async def take(intake: Intake, rows: Sequence[MemberPlanned]) -> None:
    """Register the new people of a batch with their logins, and report everybody in; the others are refused late."""
    scope = intake.scope
    persons = {row.key: row.person_id for row in rows if row.person_id is not None}
    new = [row for row in rows if row.person_id is None]
    phones = []
    for row, answer in zip(new, await enrol_many(scope, [row.enrolment for row in new]) if new else [], strict=True):
        persons[row.key] = answer.person_id
        if answer.created:
            intake.also_made("person", answer.person_id)
            phones += [(row.phone, answer.person_id)] if row.phone and not is_guarded(row.born_on) else []
    if phones:
        await ensure_logins(scope, phones)
    reporting = [row for row in rows if row.reports]
    listed = [
        Listed(id=clock.new_id(), person_id=persons[row.key], unit_id=row.unit_id, since=row.since) for row in reporting
    ]
    refused = set[bytes]()
    for row, answered in zip(reporting, await report_in_many(scope, listed), strict=True):
        if isinstance(answered, Listed):
            intake.row_made(row.key, "affiliation", answered.id)
        elif isinstance(answered, TimebankError):
            refused.add(row.key)
            column = WHENCE if isinstance(answered, UnitUnknown) else WHO
            intake.refuse_late(row, column, refusal(answered))
    await _enter_skills(intake, [(row, persons[row.key]) for row in rows if row.skills and row.key not in refused])


async def _enter_skills(intake: Intake, rows: Sequence[tuple[MemberPlanned, UUID]]) -> None:
    """Enter the skills of these rows; a row that only brings skills counts as one that made something."""
    listed = [
        (row, ListedSkill(id=clock.new_id(), person_id=person_id, skill_id=skill_id))
        for row, person_id in rows
        for skill_id in row.skills
    ]
    if not listed:
        return
    made, wrong = set[bytes](), dict[bytes, TimebankError]()
    for (row, one), answered in zip(listed, await offer_many(intake.scope, [one for _row, one in listed]), strict=True):
        if isinstance(answered, ListedSkill):
            intake.also_made("person_skill", one.id)
            made.add(row.key)
        elif isinstance(answered, TimebankError):
            wrong[row.key] = answered
    for row, _person_id in rows:
        if not row.reports and row.key in made:
            intake.created += 1
        elif not row.reports and row.key in wrong:
            intake.refuse_late(row, WHAT, refusal(wrong[row.key]))


async def finish(intake: Intake, _rows: Sequence[MemberPlanned]) -> None:
    """Notify each person once that the community has entered them, and which skills the list says that they have."""
    await notify_reported(intake.scope, await intake.made_by_run("affiliation"), intake.id)
    await notify_entered(intake.scope, await intake.made_by_run("person_skill"), intake.id)
