"""A roster taken in: places, households, people, their offices and logins, and guardians to be confirmed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from timebank import clock, database, names, vault
from timebank.access.logins import phones_held
from timebank.access.roster import ensure_logins, grant_offices
from timebank.agreements.independence import near, side_of
from timebank.areas.addresses import Address, settle, settle_addresses
from timebank.areas.places import areas_of
from timebank.areas.schemas import PlaceOut
from timebank.database import reading
from timebank.imports import residents_known, roster
from timebank.imports.guardians_in import name_guardians, tell_guardians
from timebank.imports.intake import Intake, Planned, Ready, cells_of
from timebank.imports.map import Map
from timebank.imports.offices_in import address_of, duties_of, tell_duties
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem
from timebank.imports.residents_known import Resident
from timebank.imports.roster import RosterRow
from timebank.imports.workbook import Workbook
from timebank.people.ages import is_guarded
from timebank.people.enrolment import enrol_many, place_many
from timebank.people.schemas import Enrolled, Enrolment, Sex
from timebank.scope import Scope

WORD_MAX = 20
SEX: dict[str, Sex] = {"male": "男", "female": "女"}


class ResidentPlanned(Planned, frozen=True, kw_only=True):
    """A resident of the roster. `person_id` is null for who is to be entered."""

    resident: RosterRow
    person_id: UUID | None


async def examine(intake: Intake, book: Workbook) -> Ready[RosterRow, ResidentPlanned]:
    """Whom the roster means, and all that it would bring; the rows of the known are kept too, for their children."""
    scope = intake.scope
    parsed = await asyncio.to_thread(roster.parse, book, today=clock.local_day())
    async with reading(scope):
        before = await areas_of(scope)
        await _judge(scope, parsed, before)
        parsed.settle()
        keys = [_key(intake, row) for row in parsed.rows]
        known = await intake.known(keys)
        entering = [row for row, key in zip(parsed.rows, keys, strict=True) if key not in known]
        settled = settle(before, {address_of(row) for row in entering})
        placed = await place_many(scope, [_enrolment(row, settled.areas[address_of(row)]) for row in entering])
        residents = _residents(parsed.rows, keys, known, placed.answers)
        new = [one for one in residents if one.is_new]
        places = Map([*before, *settled.added])
        homes = {one.person_id: _home(places, settled.areas[address_of(one.row)]) for one in new}
        await residents_known.compare(scope, parsed, residents, homes)
        _tell_places(parsed, settled.added, placed.new_households)
        await _tell_held(scope, parsed, new)
        own = await _too_near(scope, residents, placed.households)
    tell_duties(parsed, duties_of(new, settled.areas, places, own))
    tell_guardians(parsed, residents, own)
    homeless = sum(settled.areas[address_of(one.row)] is None for one in new)
    if homeless:
        parsed.notes.append(problem("note_no_home", count=homeless))
    entered = {one.person_id for one in new}
    planned = [_planned(parsed, one, key, entered) for one, key in zip(residents, keys, strict=True)]
    return Ready(parsed, planned, len(new))


async def take(intake: Intake, rows: Sequence[ResidentPlanned]) -> None:
    """Enter a batch of people, with their homes and logins."""
    new = [planned for planned in rows if planned.person_id is None]
    if not new:
        return
    before = {area.id for area in await areas_of(intake.scope)}
    areas = await settle_addresses(intake.scope, {address_of(planned.resident) for planned in new})
    for area in await areas_of(intake.scope):
        if area.id not in before:
            intake.also_made("area", area.id)
    enrolments = [_enrolment(planned.resident, areas[address_of(planned.resident)]) for planned in new]
    phones = []
    for planned, answer in zip(new, await enrol_many(intake.scope, enrolments), strict=True):
        if answer.created:
            intake.row_made(planned.key, "person", answer.person_id)
            phones += [(phone, answer.person_id) for phone in _own_phone(planned.resident)]
    if phones:
        await ensure_logins(intake.scope, phones)


async def finish(intake: Intake, rows: Sequence[ResidentPlanned]) -> None:
    """Give those who were entered their offices, and name the guardians of the children."""
    scope = intake.scope
    areas = await areas_of(scope)
    homes = settle(areas, {address_of(planned.resident) for planned in rows}).areas
    residents = await _entered(intake, rows, homes)
    own = await _too_near(scope, residents, {})
    duties = duties_of([one for one in residents if one.is_new], homes, Map(areas), own)
    if duties.offices:
        for grant_id in await grant_offices(scope, duties.offices, intake.id):
            intake.also_made("role_grant", grant_id)
    for guardianship_id in await name_guardians(scope, residents, own, intake.id):
        intake.also_made("guardianship", guardianship_id)


async def _entered(
    intake: Intake, rows: Sequence[ResidentPlanned], homes: Mapping[Address, UUID | None]
) -> list[Resident]:
    """Whom each row means now: entered by this run, or known before, or entered by hand meanwhile."""
    found = await database.fetch(
        "SELECT row_key, noun_id FROM import_row WHERE community_id = $1 AND run_id = $2 AND noun = 'person'",
        intake.scope.community_id, intake.id,
    )  # fmt: skip
    entered = {row["row_key"]: UUID(bytes=row["noun_id"].bytes) for row in found}
    open_rows = [row for row in rows if row.person_id is None and row.key not in entered]
    enrolments = [_enrolment(row.resident, homes[address_of(row.resident)]) for row in open_rows]
    answers = (await place_many(intake.scope, enrolments)).answers if enrolments else []
    elsewhere = {row.key: one.person_id for row, one in zip(open_rows, answers, strict=True) if not one.created}
    residents = []
    for row in rows:
        person_id = row.person_id or entered.get(row.key) or elsewhere.get(row.key)
        if person_id is not None:
            residents.append(Resident(row.resident, person_id, row.person_id is None and row.key in entered))
    return residents


def _residents(
    rows: Sequence[RosterRow], keys: Sequence[bytes], known: Mapping[bytes, UUID], answers: Sequence[Enrolled]
) -> list[Resident]:
    """Whom each row means; the answers are those of the rows that are not known by their keys."""
    left = iter(answers)
    residents = []
    for row, key in zip(rows, keys, strict=True):
        answer = Enrolled(known[key], created=False) if key in known else next(left)
        residents.append(Resident(row, answer.person_id, answer.created))
    return residents


def _home(places: Map, area_id: UUID | None) -> dict[str, str]:
    return {area.kind: area.name for area in places.upwards(area_id)}


def _planned(parsed: Parsed[RosterRow], one: Resident, key: bytes, entered: set[UUID]) -> ResidentPlanned:
    """A row as it is kept: of two rows that mean one new person, the first enters them and the second finds them."""
    return ResidentPlanned(
        key=key, sheet=one.row.sheet, row=one.row.row, cells=cells_of(parsed.reading(one.row), "name"),
        resident=one.row, person_id=None if one.person_id in entered else one.person_id,
    )  # fmt: skip


async def _judge(scope: Scope, parsed: Parsed[RosterRow], areas: Sequence[PlaceOut]) -> None:
    """Refuse what the community's book contradicts or has no room for."""
    buildings = Counter(area.name for area in areas if area.kind == "building")
    indexes = {row.identity: vault.blind_index(row.identity, "identity") for row in parsed.rows if row.identity}
    owners = await residents_known.names_by_identity(scope, indexes.values())
    for row in parsed.rows:
        reading, home = parsed.reading(row), row.household
        for meaning, text in (("room|address", home.room), ("relation", row.relation)):
            if text and len(text) > WORD_MAX:
                reading.refuse(meaning, problem("text_too_long", length=len(text), most=WORD_MAX))
        if home.unit and not home.building:
            reading.refuse("unit|address", problem("unit_without_building"))
        if home.building and not home.grid and buildings[home.building] > 1:
            wrong = problem("building_ambiguous", building=home.building, count=buildings[home.building])
            reading.refuse("building|address", wrong)
        owner = owners.get(indexes[row.identity]) if row.identity else None
        if owner is not None and owner != names.clean(row.name):
            reading.refuse("identity", problem("identity_taken"))


def _key(intake: Intake, row: RosterRow) -> bytes:
    """The number says who it is; without one, all that tells people apart."""
    if row.identity:
        return intake.key(row.identity)
    home = row.household
    place = None if row.phone else [home.grid, home.building, home.unit, home.room, home.head]
    return intake.key(row.name, row.born_on, row.phone, place)


def _enrolment(row: RosterRow, area_id: UUID | None) -> Enrolment:
    return Enrolment(
        name=row.name, sex=SEX[row.sex] if row.sex else None, born_on=row.born_on, identity=row.identity,
        phone=row.phone, relation=row.relation, area_id=area_id, room=row.household.room or "",
        head_name=row.household.head,
    )  # fmt: skip


def _own_phone(row: RosterRow) -> list[str]:
    """The phone by which somebody signs in; none for a child whose guardian must act for it."""
    return [row.phone] if row.phone and not is_guarded(row.born_on) else []


async def _tell_held(scope: Scope, parsed: Parsed[RosterRow], new: Sequence[Resident]) -> None:
    """Say how many have a phone whose login somebody holds already, who will be asked."""
    phones = [phone for one in new for phone in _own_phone(one.row)]
    held = await phones_held(scope, set(phones)) if phones else set()
    if held:
        parsed.notes.append(problem("note_phones_held", count=sum(phone in held for phone in phones)))


async def _too_near(scope: Scope, residents: Sequence[Resident], homes: Mapping[UUID, UUID | None]) -> set[UUID]:
    """Those of these people whose offices and children another administrator decides about: the importer's household.

    `homes` are the households of those who are not in the book yet.
    """
    if scope.system:
        return set()
    close, own = await near(scope, [one.person_id for one in residents]), await side_of(scope)
    return set(close.home) | {person_id for person_id, home in homes.items() if home in own.households}


def _tell_places(parsed: Parsed[RosterRow], added: Sequence[PlaceOut], households: int) -> None:
    kinds = Counter(area.kind for area in added)
    if added or households:
        parsed.notes.append(
            problem(
                "note_places", grids=kinds["grid"], buildings=kinds["building"], units=kinds["unit"],
                households=households,
            )
        )  # fmt: skip
