"""The moral bank's book taken in: deeds filed for review and public notice like any other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.areas.places import areas_of
from timebank.deeds.caps import CapReached
from timebank.deeds.filed import Named, tell_filed_by_book
from timebank.deeds.filing import WitnessTooClose, WitnessUnknown, file_deed
from timebank.deeds.schemas import DeedIn, DeedOut
from timebank.errors import TimebankError
from timebank.imports import deeds, residents_found
from timebank.imports.deeds import DeedRow
from timebank.imports.intake import Intake
from timebank.imports.map import Map
from timebank.imports.parsed import Parsed
from timebank.imports.problems import problem, refusal
from timebank.imports.residents_found import Found, Residents
from timebank.imports.workbook import Workbook
from timebank.rules.catalogue import RuleNotFound
from timebank.scope import Scope

# Where to look when the moral bank itself refuses a row; else it is about the person.
COLUMN_OF: dict[type[TimebankError], str] = {
    CapReached: "item", RuleNotFound: "item", WitnessTooClose: "witness", WitnessUnknown: "witness",
}  # fmt: skip


async def take_in(intake: Intake, book: Workbook) -> Parsed[DeedRow]:
    """File the deeds of known residents under the community's catalogue."""
    scope = intake.scope
    catalogue = await _catalogue(scope)
    residents = await residents_found.look_up(scope, await asyncio.to_thread(deeds.mentions, book))
    parsed = await asyncio.to_thread(
        deeds.parse, book, residents.candidates, {item.name: item.worth_on for item in catalogue},
        today=clock.local_day(),
    )  # fmt: skip
    if not catalogue:
        parsed.notes.append(problem("note_no_catalogue"))
    keys = {row.where: _key(intake, row) for row in parsed.rows}
    known = await intake.known(keys.values())
    new = [row for row in parsed.rows if keys[row.where] not in known]
    town = Map(await areas_of(scope))
    filing = [(row, area_id) for row in new if (area_id := _judge(parsed, residents, town, row)) is not None]
    await _lock(scope, filing)
    codes = {item.name: item.code for item in catalogue}
    on_record = await _on_record(scope, filing)
    filed: list[Named] = []
    for row, area_id in filing:
        same = (_doer(residents, row).id, codes[row.item], row.happened_on)
        if same in on_record:
            parsed.reading(row).warn("item", problem("same_deed"))
        on_record.add(same)
        deed = await _file(intake, parsed, residents, row, codes[row.item], area_id)
        if deed is not None:
            intake.row_made(keys[row.where], "deed", deed.id)
            filed.append(Named(deed.person_id, deed.witness_id, deed.points))
    await tell_filed_by_book(scope, filed, intake.id)
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    return parsed


class _Version(msgspec.Struct, frozen=True):
    code: str
    name: str
    points: int
    active: bool
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class _Item:
    """A deed of the catalogue, with its versions from the oldest to the one in force."""

    versions: Sequence[_Version]

    @property
    def code(self) -> str:
        return self.versions[-1].code

    @property
    def name(self) -> str:
        return self.versions[-1].name

    def worth_on(self, day: date) -> int:
        """Its points at the end of a day; today's for a day before the catalogue began, as when it is filed by hand."""
        end = clock.day_bounds(day)[1]
        return next((v.points for v in reversed(self.versions) if v.valid_from < end), self.versions[-1].points)


async def _catalogue(scope: Scope) -> list[_Item]:
    versions = await database.rows(
        _Version,
        "SELECT code, name, points, active, valid_from FROM rule WHERE community_id = $1 AND kind = 'deed' "
        "AND valid_from <= $2 ORDER BY code, version",
        scope.community_id, clock.now(),
    )  # fmt: skip
    by_code: dict[str, list[_Version]] = {}
    for version in versions:
        by_code.setdefault(version.code, []).append(version)
    return [_Item(found) for found in by_code.values() if found[-1].active]


def _doer(residents: Residents, row: DeedRow) -> Found:
    assert row.person is not None  # residents were given to look in
    return residents.of(row.person)


def _key(intake: Intake, row: DeedRow) -> bytes:
    assert row.person is not None
    return intake.key(row.person.key, row.happened_on, row.item, row.points, row.witness, row.note)


def _judge(parsed: Parsed[DeedRow], residents: Residents, town: Map, row: DeedRow) -> UUID | None:
    """The building or unit that a deed was done for; None where the row was refused."""
    reading, doer = parsed.reading(row), _doer(residents, row)
    if doer.status != "active":
        reading.refuse("name", problem("person_not_active"))
        return None
    if row.witness and row.witness_person is None:
        reading.warn("witness", problem("witness_unclear"))
    elif row.witness_person is not None and residents.of(row.witness_person).status != "active":
        reading.warn("witness", problem("witness_not_active"))
    found = _places(town, doer, row)
    if len(found) != 1:
        wrong = problem("building_ambiguous", building=row.building or "", count=len(found))
        none = problem("place_unknown" if row.building or row.unit else "place_missing")
        reading.refuse("place|unit", wrong if found else none)
        return None
    if not doer.heads & _path(town, found[0]):
        reading.warn("name", problem("not_head"))
    return found[0]


def _places(town: Map, doer: Found, row: DeedRow) -> list[UUID]:
    """Where a deed may have been done: where the row says, else where the person holds office, else at home."""
    if row.building is None and row.unit is None:
        held = [area for area in doer.heads if area in town.areas and town.areas[area].kind != "grid"]
        return held if len(held) == 1 else [doer.area_id] if doer.area_id else []
    found = town.named(row.building, row.unit)
    if len(found) > 1:
        own = _path(town, doer.area_id) | doer.heads
        found = [area for area in found if area in own or _path(town, area) & doer.heads] or found
    return found


def _path(town: Map, area_id: UUID | None) -> set[UUID]:
    return {area.id for area in town.upwards(area_id)}


async def _lock(scope: Scope, filing: Sequence[tuple[DeedRow, UUID]]) -> None:
    """Hold the people and places in the order in which everybody takes them, before the first deed is filed."""
    people = {UUID(row.person.key) for row, _ in filing if row.person}
    for table, ids in (("person", people), ("area", {area_id for _, area_id in filing})):
        await database.fetch(
            f"SELECT id FROM {table} WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE",  # noqa: S608  # one of the two names above
            scope.community_id, list(ids),
        )  # fmt: skip


async def _on_record(scope: Scope, filing: Sequence[tuple[DeedRow, UUID]]) -> set[tuple[UUID, str, date]]:
    """Which deeds of which days these people have in the book already."""
    found = await database.fetch(
        "SELECT person_id, rule_code, occurred_on FROM deed WHERE community_id = $1 AND person_id = ANY ($2) "
        "AND status NOT IN ('rejected', 'reversed', 'withdrawn')",
        scope.community_id, [UUID(row.person.key) for row, _ in filing if row.person],
    )  # fmt: skip
    return {(row["person_id"], row["rule_code"], row["occurred_on"]) for row in found}


async def _file(
    intake: Intake, parsed: Parsed[DeedRow], residents: Residents, row: DeedRow, rule_code: str, area_id: UUID
) -> DeedOut | None:
    """File a row's deed; None where the moral bank itself refuses it."""
    assert row.person is not None
    witness = residents.of(row.witness_person) if row.witness_person else None
    differs = row.points != row.catalogue_points
    wanted = DeedIn(
        person_id=UUID(row.person.key), rule_code=rule_code, area_id=area_id, occurred_on=row.happened_on,
        note=row.note or f"{row.item}（台账补录：{intake.file_name}）",
        witness_id=witness.id if witness and witness.status == "active" else None,
        points=row.points if differs else None, points_reason=row.note if differs else None,
    )  # fmt: skip
    try:
        return await file_deed(intake.scope, wanted, from_book=True)
    except TimebankError as refused:
        parsed.reading(row).refuse(COLUMN_OF.get(type(refused), "name"), refusal(refused))
        return None
