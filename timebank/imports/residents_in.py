"""A roster taken in: places, households, people, their offices and logins, and guardians to be confirmed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from timebank import clock, database, names, vault
from timebank.access.grants import CannotHoldRole, OwnRole
from timebank.access.roster import Office, ensure_logins, grant_offices, own_offices
from timebank.areas.addresses import Address, settle_addresses
from timebank.areas.places import areas_of
from timebank.areas.schemas import PlaceOut
from timebank.imports import residents_known, roster
from timebank.imports.guardians_in import nominate
from timebank.imports.intake import Intake
from timebank.imports.map import Map
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem, refusal
from timebank.imports.residents_known import Resident
from timebank.imports.roster import RosterRow
from timebank.imports.workbook import Workbook
from timebank.people.ages import is_guarded
from timebank.people.enrolment import enrol_many
from timebank.people.schemas import Enrolled, Enrolment, Sex
from timebank.scope import Role

WORD_MAX = 20
SEX: dict[str, Sex] = {"male": "男", "female": "女"}
PLACE_OF = {Role.building_head: "building", Role.unit_head: "unit", Role.grid_worker: "grid"}


async def take_in(intake: Intake, book: Workbook) -> Parsed[RosterRow]:
    """Enter the residents who are not in the community's book yet, with all that the roster says of them."""
    parsed = await asyncio.to_thread(roster.parse, book, today=clock.local_day())
    await _judge(intake, parsed)
    parsed.settle()
    before = await areas_of(intake.scope)
    households_before = await _households(intake)
    residents, areas = await _enrol(intake, parsed.rows)
    await residents_known.compare(intake.scope, parsed, [one for one in residents if not one.is_new])
    await _tell_places(intake, parsed, before, await _households(intake) - households_before)
    new = [one for one in residents if one.is_new]
    asked = await _give_logins(intake, new)
    if asked:
        parsed.notes.append(problem("note_phones_held", count=asked))
    await _give_offices(intake, parsed, new, areas)
    await nominate(intake, parsed, residents)
    homeless = sum(areas[_address(one.row)] is None for one in new)
    if homeless:
        parsed.notes.append(problem("note_no_home", count=homeless))
    return parsed


async def _judge(intake: Intake, parsed: Parsed[RosterRow]) -> None:
    """Refuse what the community's book contradicts or has no room for."""
    buildings = Counter(area.name for area in await areas_of(intake.scope) if area.kind == "building")
    indexes = {row.identity: vault.blind_index(row.identity, "identity") for row in parsed.rows if row.identity}
    owners = await residents_known.names_by_identity(intake.scope, indexes.values())
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
        if owner is not None and names.key(owner) != names.key(row.name):
            reading.refuse("identity", problem("identity_taken"))


def _key(intake: Intake, row: RosterRow) -> bytes:
    """The number says who it is; without one, all that tells people apart."""
    if row.identity:
        return intake.key(row.identity)
    home = row.household
    place = None if row.phone else [home.grid, home.building, home.unit, home.room, home.head]
    return intake.key(row.name, row.born_on, row.phone, place)


async def _enrol(intake: Intake, rows: Sequence[RosterRow]) -> tuple[list[Resident], dict[Address, UUID | None]]:
    """Whom each row means, those who are not known yet entered, and the areas of their addresses."""
    keys = [_key(intake, row) for row in rows]
    known = await intake.known(keys)
    entering = [row for row, key in zip(rows, keys, strict=True) if key not in known]
    areas = await settle_addresses(intake.scope, {_address(row) for row in entering})
    enrolments = [_enrolment(row, areas[_address(row)]) for row in entering]
    answers = iter(await enrol_many(intake.scope, enrolments) if enrolments else [])
    residents = []
    for row, key in zip(rows, keys, strict=True):
        answer = Enrolled(known[key], created=False) if key in known else next(answers)
        residents.append(Resident(row, answer.person_id, answer.created))
        if answer.created:
            intake.row_made(key, "person", answer.person_id)
    return residents, areas


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


async def _give_offices(
    intake: Intake, parsed: Parsed[RosterRow], residents: Sequence[Resident], areas: dict[Address, UUID | None]
) -> None:
    """What the note says of somebody holds over the building, unit or grid that they live in."""
    places = Map(await areas_of(intake.scope))
    offices = []
    for one in residents:
        home = areas[_address(one.row)]
        for role in map(Role, sorted(one.row.roles)):
            area_id = places.around(home, PLACE_OF[role])
            if is_guarded(one.row.born_on):
                parsed.reading(one.row).warn("note|post", refusal(CannotHoldRole()))
            elif area_id is None:
                parsed.reading(one.row).warn("note|post", problem("role_without_place"))
            else:
                offices.append(Office(one.person_id, role, area_id))
    offices = await _of_others(intake, parsed, residents, offices)
    if not offices:
        return
    for grant_id in await grant_offices(intake.scope, offices, intake.id):
        intake.also_made("role_grant", grant_id)
    held = Counter(office.role for office in offices)
    parsed.notes.append(
        problem(
            "note_roles", building_heads=held[Role.building_head], unit_heads=held[Role.unit_head],
            grid_workers=held[Role.grid_worker],
        )
    )  # fmt: skip


async def _of_others(
    intake: Intake, parsed: Parsed[RosterRow], residents: Sequence[Resident], offices: Sequence[Office]
) -> list[Office]:
    """The offices without those of the importer's own household, which another administrator grants."""
    own = await own_offices(intake.scope, offices)
    rows = {one.person_id: one.row for one in residents}
    for person_id in {office.person_id for office in own}:
        parsed.reading(rows[person_id]).warn("note|post", refusal(OwnRole()))
    return [office for office in offices if office not in own]


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
