"""A roster taken in: places, households, people, their offices and logins, and guardians to be confirmed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from timebank import clock, database, names, vault
from timebank.access.roster import ensure_logins
from timebank.areas.addresses import Address, settle_addresses
from timebank.areas.places import areas_of
from timebank.areas.schemas import PlaceOut
from timebank.imports import places, residents_known, roster
from timebank.imports.guardians_in import nominate
from timebank.imports.intake import Intake
from timebank.imports.map import Map, one_way
from timebank.imports.offices_in import give_offices
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem
from timebank.imports.residents_known import Resident
from timebank.imports.roster import WORD_MAX, RosterRow
from timebank.imports.workbook import Workbook
from timebank.people.ages import is_guarded
from timebank.people.enrolment import enrol_many
from timebank.people.schemas import Enrolled, Enrolment, Sex

SEX: dict[str, Sex] = {"male": "男", "female": "女"}


async def take_in(intake: Intake, book: Workbook) -> Parsed[RosterRow]:
    """Enter the residents who are not in the community's book yet, with all that the roster says of them."""
    parsed = await asyncio.to_thread(roster.parse, book, today=clock.local_day())
    await _judge(intake, parsed)
    parsed.settle()
    before = await areas_of(intake.scope)
    households_before = await _households(intake)
    residents, areas = await _enrol(intake, parsed.rows)
    new = [one for one in residents if one.is_new]
    entered = {one.person_id for one in new}
    await residents_known.compare(intake.scope, parsed, [one for one in residents if one.person_id not in entered])
    await _tell_places(intake, parsed, before, await _households(intake) - households_before)
    asked = await _give_logins(intake, new)
    if asked:
        parsed.notes.append(problem("note_phones_held", count=asked))
    await give_offices(intake, parsed, [(one, areas.get(_address(one.row))) for one in residents])
    await nominate(intake, parsed, residents)
    homeless = sum(areas[_address(one.row)] is None for one in new)
    if homeless:
        parsed.notes.append(problem("note_no_home", count=homeless))
    return parsed


async def _judge(intake: Intake, parsed: Parsed[RosterRow]) -> None:
    """Refuse what the community's book contradicts or has no room for."""
    buildings = _grids_of_buildings(await areas_of(intake.scope), parsed.rows)
    indexes = {row.identity: vault.blind_index(row.identity, "identity") for row in parsed.rows if row.identity}
    owners = await residents_known.names_by_identity(intake.scope, indexes.values())
    for row in parsed.rows:
        reading, home = parsed.reading(row), row.household
        if home.room and len(home.room) > WORD_MAX:
            reading.refuse("room|address", problem("text_too_long", length=len(home.room), most=WORD_MAX))
        if home.unit and not home.building:
            reading.refuse("unit|address", problem("unit_without_building"))
        grids = buildings.get(home.building or "", set()) - {None}
        if not home.grid and len(grids) > 1:
            wrong = problem("building_ambiguous", building=home.building or "", count=len(grids))
            reading.refuse("building|address", wrong)
        owner = owners.get(indexes[row.identity]) if row.identity else None
        if owner is not None and owner != names.clean(row.name):
            reading.refuse("identity", problem("identity_taken"))


def _grids_of_buildings(areas: Sequence[PlaceOut], rows: Sequence[RosterRow]) -> dict[str, set[str | None]]:
    """In which grids there is a building of a name, in the book or by this file."""
    by_id = {area.id: area for area in areas}
    found: dict[str, set[str | None]] = {}
    for area in areas:
        if area.kind == "building":
            above = by_id.get(area.parent_id) if area.parent_id else None
            found.setdefault(one_way(places.building, area.name), set()).add(
                one_way(places.grid, above.name) if above else None
            )
    for row in rows:
        if row.household.building:
            found.setdefault(row.household.building, set()).add(row.household.grid)
    return found


def _key(intake: Intake, row: RosterRow) -> bytes:
    """The number says who it is; without one, all that tells people apart."""
    if row.identity:
        return intake.key(row.identity)
    home = row.household
    place = None if row.phone else [home.grid, home.building, home.unit, home.room, home.head]
    return intake.key(row.name, row.born_on, row.phone, place)


async def _enrol(intake: Intake, rows: Sequence[RosterRow]) -> tuple[list[Resident], dict[Address, UUID | None]]:
    """Whom each row means, those who are not known yet entered, and the areas of their addresses."""
    # Who stands on two sheets is entered by the row that says most of them.
    ordered = sorted(rows, key=lambda row: (row.identity is None, row.household.room is None))
    keys = [_key(intake, row) for row in ordered]
    known = await intake.known(keys)
    entering = [row for row, key in zip(ordered, keys, strict=True) if key not in known]
    placed = [row for row, key in zip(ordered, keys, strict=True) if key not in known or row.named]
    areas = await _areas(intake, {_address(row) for row in placed})
    enrolments = [_enrolment(row, areas[_address(row)]) for row in entering]
    answers = iter(await enrol_many(intake.scope, enrolments) if enrolments else [])
    residents = []
    for row, key in zip(ordered, keys, strict=True):
        answer = Enrolled(known[key], created=False) if key in known else next(answers)
        residents.append(Resident(row, answer.person_id, answer.created))
        if answer.created:
            intake.row_made(key, "person", answer.person_id)
    return residents, areas


async def _areas(intake: Intake, addresses: set[Address]) -> dict[Address, UUID | None]:
    """The area of each address as the sheet has it, under the names that the book has for its places."""
    town = Map(await areas_of(intake.scope))
    named = {address: town.as_in_book(address) for address in addresses}
    areas = await settle_addresses(intake.scope, set(named.values()))
    return {address: areas[in_book] for address, in_book in named.items()}


def _address(row: RosterRow) -> Address:
    return Address(row.household.grid, row.household.building, row.household.unit)


def _enrolment(row: RosterRow, area_id: UUID | None) -> Enrolment:
    return Enrolment(
        name=row.name, sex=SEX[row.sex] if row.sex else None, born_on=row.born_on, identity=row.identity,
        phone=row.phone, relation=row.relation, area_id=area_id, room=row.household.room or "",
        head_name=row.household.head,
    )  # fmt: skip


async def _give_logins(intake: Intake, residents: Sequence[Resident]) -> int:
    """A login for everybody with a phone, but not for a child whose guardian must act for it; how many wait."""
    phones = [(one.row.phone, one.person_id) for one in residents if one.row.phone and not is_guarded(one.row.born_on)]
    return await ensure_logins(intake.scope, phones) if phones else 0


async def _households(intake: Intake) -> int:
    counted: int = await database.fetch_value(
        "SELECT count(*) FROM household WHERE community_id = $1", intake.scope.community_id
    )
    return counted


async def _tell_places(intake: Intake, parsed: Parsed[RosterRow], before: Sequence[PlaceOut], households: int) -> None:
    known = {area.id for area in before}
    added = [area for area in await areas_of(intake.scope) if area.id not in known]
    for area in added:
        intake.also_made("area", area.id)
    kinds = Counter(area.kind for area in added)
    if added or households:
        parsed.notes.append(
            problem(
                "note_places", grids=kinds["grid"], buildings=kinds["building"], units=kinds["unit"],
                households=households,
            )
        )  # fmt: skip
