"""Imports a roster: areas, households, people, their role grants and logins, and guardians whose consent is pending."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.access.roster import ensure_logins
from timebank.access.sign_in.logins import phones_held
from timebank.areas.addresses import find_or_add_areas
from timebank.areas.places import areas_of
from timebank.core import clock, names, vault
from timebank.core.database import reading
from timebank.core.scope import Role, Scope
from timebank.imports.cells.problems import problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Ready, cells_of
from timebank.imports.kinds.roster import known_residents
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.estates import qualify_buildings
from timebank.imports.kinds.roster.finish import ResidentPlanned, enrolment_of, household_members_of
from timebank.imports.kinds.roster.guardians import report_guardians
from timebank.imports.kinds.roster.homes import Homes, grids_of_buildings, homes_of, written
from timebank.imports.kinds.roster.known_residents import Resident
from timebank.imports.kinds.roster.read import WORD_MAX, RosterRow
from timebank.imports.kinds.roster.role_grants import (
    COLUMN,
    Holder,
    NewGrants,
    RoleClaim,
    decide_grants,
    holders_of,
    report_grants,
)
from timebank.imports.kinds.roster.words import own_building_words, report_new_buildings
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.area_index import AreaIndex
from timebank.imports.words.buildings import Buildings, buildings_of
from timebank.people.enrolment.enrolling import Placed, enrol_many, place_many
from timebank.people.identity.ages import is_guarded
from timebank.people.schemas import Enrolled


@dataclass(frozen=True, slots=True)
class _Found:
    """The residents of the rows with the rows' keys and their homes, the rows with the most details first."""

    keys: Sequence[bytes]
    residents: Sequence[Resident]
    homes: Homes
    placed: Placed

    @property
    def new(self) -> list[Resident]:
        return [one for one in self.residents if one.is_new]

    @property
    def entered(self) -> set[UUID]:
        return {one.person_id for one in self.residents if one.is_new}


async def examine(intake: Intake, book: Workbook) -> Ready[RosterRow, ResidentPlanned]:
    """Find the residents of a roster and everything that it would create.

    The rows of known residents are planned too, because their children may need a guardian.
    """
    scope = intake.scope
    parsed = await asyncio.to_thread(read_roster.parse, book, today=clock.local_day())
    async with reading(scope):
        buildings = await buildings_of(scope)
        buildings.suppose(intake.answered("building"))
        qualify_buildings(parsed, list(buildings.town.areas.values()))
        await _judge(scope, parsed, buildings)
        parsed.finish()
        report_new_buildings(parsed, buildings)
        found = await _find(intake, buildings.town, parsed.rows)
        homes = {one.person_id: found.homes.in_one_way(found.homes.of(one.row)) for one in found.new}
        await known_residents.warn_of_differences(scope, parsed, found.residents, homes, buildings.town)
        held = await _phones_held(scope, found.new)
        own = await household_members_of(scope, found.residents, found.placed.households)
        by_own = await own_building_words(intake, parsed, buildings, found.residents, found.placed.households)
        duties = await _duties(scope, found, own, by_own)
        parsed.words = buildings.unknown(parsed.uses("building"))
    planned = _planned(parsed, found, duties)
    _report_places(parsed, found, duties)
    if held:
        parsed.notes.append(problem("note_phones_held", count=held))
    report_grants(parsed, duties)
    report_guardians(parsed, found.residents, own)
    homeless = sum(found.homes.of(one.row) is None for one in found.new)
    if homeless:
        parsed.notes.append(problem("note_no_home", count=homeless))
    return Ready(parsed, planned, len(found.entered | duties.holders))


async def _find(intake: Intake, town: AreaIndex, rows: Sequence[RosterRow]) -> _Found:
    # A person on two sheets is registered by the row with more details.
    ordered = sorted(rows, key=lambda row: (row.identity is None, row.household.room is None))
    keys = [_key(intake, row) for row in ordered]
    known = await intake.known(keys)
    entering = [row for row, key in zip(ordered, keys, strict=True) if key not in known]
    homes = homes_of(town, [row for row, key in zip(ordered, keys, strict=True) if key not in known or row.named])
    placed = await place_many(intake.scope, [enrolment_of(row, homes.of(row)) for row in entering])
    left = iter(placed.answers)
    residents = []
    for row, key in zip(ordered, keys, strict=True):
        answer = Enrolled(person_id=known[key], created=False) if key in known else next(left)
        residents.append(Resident(row, answer.person_id, answer.created))
    return _Found(keys, residents, homes, placed)


async def _duties(scope: Scope, found: _Found, own: set[UUID], by_own_word: set[tuple[str, int]]) -> NewGrants:
    """The role grants that the rows lead to; in rows of `by_own_word` the holder decided the word for the building.

    A resident who was registered before gets only the roles that a list of heads names, not those in a remark.
    """
    entered = found.entered
    naming = [one for one in found.residents if one.row.roles]
    before = await holders_of(scope, {one.person_id for one in naming} - entered)
    holders = {person_id: holder for person_id, holder in before.items() if holder.status == "active"}
    holders |= {one.person_id: Holder(one.row.born_on) for one in found.new}
    claims = [
        RoleClaim(
            one.row, one.person_id, frozenset(map(Role, one.row.roles if one.person_id in entered else one.row.named)),
            found.homes.of(one.row), by_own_word=(one.row.sheet, one.row.row) in by_own_word,
        )
        for one in naming
        if one.person_id in holders
    ]  # fmt: skip
    return decide_grants(claims, holders, found.homes.town, own)


def _planned(parsed: Parsed[RosterRow], found: _Found, duties: NewGrants) -> list[ResidentPlanned]:
    """The rows to store. Of two rows for one new person, the first registers the person and the second finds them."""
    entered, offices = found.entered, duties.by_row()
    return [
        ResidentPlanned(
            key=key, sheet=one.row.sheet, row=one.row.row, cells=cells_of(parsed.reading(one.row), "name", COLUMN),
            resident=one.row, person_id=None if one.person_id in entered else one.person_id,
            home=found.homes.address(found.homes.of(one.row)),
            offices=frozenset(offices.get((one.row.sheet, one.row.row), ())),
        )
        for one, key in zip(found.residents, found.keys, strict=True)
    ]  # fmt: skip


async def register_batch(intake: Intake, rows: Sequence[ResidentPlanned]) -> None:
    """Write a batch: register its new people with homes and logins, and add the areas that role grants need."""
    settled = {planned.home for planned in rows if planned.person_id is None or planned.offices}
    if not settled:
        return
    before = {area.id for area in await areas_of(intake.scope)}
    areas = await find_or_add_areas(intake.scope, settled)
    for area in await areas_of(intake.scope):
        if area.id not in before:
            intake.also_made("area", area.id)
    new = [planned for planned in rows if planned.person_id is None]
    enrolments = [enrolment_of(planned.resident, areas[planned.home]) for planned in new]
    phones = []
    for planned, answer in zip(new, await enrol_many(intake.scope, enrolments) if new else [], strict=True):
        if answer.created:
            intake.row_made(planned.key, "person", answer.person_id)
            phones += [(phone, answer.person_id) for phone in _own_phone(planned.resident)]
    if phones:
        await ensure_logins(intake.scope, phones)


async def _judge(scope: Scope, parsed: Parsed[RosterRow], there: Buildings) -> None:
    """Refuse the rows that contradict the community's records or do not fit into them."""
    buildings = grids_of_buildings(there.areas, parsed.rows)
    indexes = {row.identity: vault.blind_index(row.identity, "identity") for row in parsed.rows if row.identity}
    owners = await known_residents.names_by_identity(scope, indexes.values())
    for row in parsed.rows:
        reading, home = parsed.reading(row), row.household
        if home.room and len(home.room) > WORD_MAX:
            reading.refuse("room|address", problem("text_too_long", length=len(home.room), most=WORD_MAX))
        if home.unit and not home.building:
            reading.refuse("unit|address", problem("unit_without_building"))
        grids = buildings.get(home.building or "", set()) - {None}
        if not home.grid and len(grids) > 1 and there.town.meant(written(row)) is None:
            wrong = problem("building_ambiguous", building=home.building or "", count=len(grids))
            reading.refuse("building|address", wrong)
        owner = owners.get(indexes[row.identity]) if row.identity else None
        if owner is not None and names.key(owner) != names.key(row.name):
            reading.refuse("identity", problem("identity_taken"))
    for row in await known_residents.namesakes(scope, parsed.rows):
        parsed.reading(row).refuse("phone", problem("head_namesake"))


def _key(intake: Intake, row: RosterRow) -> bytes:
    """The row's key: from the identity number, or otherwise from name, birth date, phone and (without phone) home."""
    if row.identity:
        return intake.key(row.identity)
    home = row.household
    place = None if row.phone else [home.grid, home.building, home.unit, home.room, home.head]
    return intake.key(row.name, row.born_on, row.phone, place)


def _own_phone(row: RosterRow) -> list[str]:
    """The phone by which a person signs in; empty for a child under guardianship."""
    return [row.phone] if row.phone and not is_guarded(row.born_on) else []


async def _phones_held(scope: Scope, new: Sequence[Resident]) -> int:
    """The number of new people whose phone belongs to an existing login; its holder is asked to agree."""
    phones = [phone for one in new for phone in _own_phone(one.row)]
    held = await phones_held(scope, set(phones)) if phones else set()
    return sum(phone in held for phone in phones)


def _report_places(parsed: Parsed[RosterRow], found: _Found, duties: NewGrants) -> None:
    """Add a note that counts the areas and households which the new people and role grants bring."""
    used = [found.homes.of(row) for row in [*(one.row for one in found.new), *duties.offices.values()]]
    kinds, households = Counter(area.kind for area in found.homes.added_around(used)), found.placed.new_households
    if kinds or households:
        parsed.notes.append(
            problem(
                "note_places", grids=kinds["grid"], buildings=kinds["building"], units=kinds["unit"],
                households=households,
            )
        )  # fmt: skip
