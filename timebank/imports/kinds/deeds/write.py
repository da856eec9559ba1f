"""Import the moral-bank book: file its deeds for review and public notice like any other deed."""

import asyncio
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import reading
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.deeds.filing.bulk import file_imported_deeds, try_deeds
from timebank.deeds.filing.caps import CapReached
from timebank.deeds.filing.filing import WitnessTooClose, WitnessUnknown
from timebank.deeds.filing.notices import Named, notify_deeds_imported
from timebank.deeds.schemas import BookDeed
from timebank.imports.cells.problems import problem, refusal
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Planned, Ready, cells_of
from timebank.imports.kinds import residents_found
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.deeds.read import DeedRow
from timebank.imports.kinds.residents_found import Found, Residents
from timebank.imports.sheets.parsed import Parsed, Reading, UnknownUse
from timebank.imports.words.area_index import AreaIndex
from timebank.imports.words.buildings import Buildings, buildings_of, words_of
from timebank.imports.words.items import Items, items_of
from timebank.imports.words.own_words import barred
from timebank.imports.words.words import word_key
from timebank.people.residents import resident_states
from timebank.rules.catalogue import RuleNotFound

# The column to name when filing refuses a row with this error; any other error is about the person.
COLUMN_OF: dict[type[TimebankError], str] = {
    CapReached: "item", RuleNotFound: "item", WitnessTooClose: "witness", WitnessUnknown: "witness",
}  # fmt: skip


class DeedPlanned(Planned, frozen=True, kw_only=True):
    """A row to write: a deed to file."""

    deed: BookDeed


async def examine(intake: Intake, book: Workbook) -> Ready[DeedRow, DeedPlanned]:
    """Find the deeds of known residents to file under the community's catalogue; writes nothing."""
    scope, mentioned = intake.scope, await asyncio.to_thread(read_deeds.mentions, book)
    async with reading(scope):
        items, buildings = await items_of(scope), await buildings_of(scope)
        residents = await residents_found.look_up(scope, mentioned)
    items.suppose(intake.answered("item"), by_operator=scope.system)
    buildings.suppose(intake.answered("building"))
    parsed = await asyncio.to_thread(
        read_deeds.parse, book, residents.candidates, {item.name: item.worth_on for item in items.by_name.values()},
        today=clock.local_day(), aliases=items.aliases, waiting=items.waiting, town=buildings,
    )  # fmt: skip
    if not items.by_name:
        parsed.notes.append(problem("note_no_catalogue"))
    keys = {row.where: _keys(intake, residents, row) for row in parsed.rows}
    async with reading(scope):
        known = await intake.known_rows(keys)
        new = [row for row in parsed.rows if row.where not in known]
        filed = {(row.sheet, row.row) for row in parsed.rows} - {(row.sheet, row.row) for row in new}
        parsed.unknown = [use for use in parsed.unknown if (use.sheet, use.row) not in filed]
        await _refuse_own_words(intake, parsed, items, buildings, new)
        ready = await _planned(intake, parsed, residents, items, buildings, [(row, keys[row.where][0]) for row in new])
    if known:
        parsed.notes.append(problem("note_known", count=len(known)))
    parsed.words = items.unknown(parsed.uses("item"), parsed.listed) + buildings.unknown(parsed.uses("building"))
    return Ready(parsed, ready, len(ready))


async def _planned(
    intake: Intake, parsed: Parsed[DeedRow], residents: Residents, items: Items, buildings: Buildings,
    rows: Sequence[tuple[DeedRow, bytes]],
) -> list[DeedPlanned]:  # fmt: skip
    """The deeds that may be filed, each with its key; the other rows are refused with the reason."""
    judged = [(row, key, _judge(parsed, residents, buildings, row)) for row, key in rows]
    # A row is imported whole or not at all, so that whoever corrects it sees all of its people again.
    filing = [(row, key, area_id) for row, key, area_id in judged if area_id and not parsed.reading(row).refused]
    wanted = [_deed(intake, residents, row, items.by_name[row.item].code, area_id) for row, _, area_id in filing]
    refusals = await try_deeds(intake.scope, wanted, areas=buildings.tried, rules=items.tried)
    on_record = await _on_record(intake.scope, [row for row, _, _ in filing])
    planned = []
    for (row, key, _), deed, refused in zip(filing, wanted, refusals, strict=True):
        _report(parsed.reading(row), deed, refused, on_record)
        cells = cells_of(parsed.reading(row), "name", "item", "witness")
        planned.append(DeedPlanned(key=key, sheet=row.sheet, row=row.row, cells=cells, deed=deed))
    return [one for one, (row, _, _) in zip(planned, filing, strict=True) if not parsed.reading(row).refused]


async def _refuse_own_words(
    intake: Intake, parsed: Parsed[DeedRow], items: Items, buildings: Buildings, rows: Sequence[DeedRow]
) -> None:
    """Refuse a deed if its person, their family or guardian decided what its item or building word means.

    The item decides the points, the building whose cap the deed counts towards. Somebody else has to decide the word:
    in their trial run it is listed as unknown again.
    """
    people = [(row, UUID(row.person.key)) for row in rows if row.person]
    of_items = await barred(intake, "item", items.words, {(word_key(row.word), by) for row, by in people})
    places = {(key, by) for row, by in people for key in buildings.keys(row.place)}
    of_places = await barred(intake, "building", buildings.words, places)
    for row, by in people:
        line, word, at = parsed.reading(row), [word_key(row.word)], buildings.keys(row.place)
        if of_items.of(word, by):
            line.refuse("item", problem("own_word"))
        if of_items.is_asked(word, by):
            parsed.unknown.append(UnknownUse(value=row.word, sheet=row.sheet, row=row.row, points=row.points))
        if of_places.of(at, by):
            line.refuse("place|unit", problem("own_word"))
        asked = [word for word in words_of(row.place) if of_places.is_asked([word_key(word)], by)]
        parsed.unknown += [UnknownUse(value=word, sheet=row.sheet, row=row.row, kind="building") for word in asked]


def _report(
    line: Reading[DeedRow], deed: BookDeed, refused: TimebankError | None, on_record: set[tuple[UUID, str, date]]
) -> None:
    """Refuse the row if filing would refuse its deed, and warn if the same deed of that day is on record."""
    same = (deed.person_id, deed.rule_code, deed.occurred_on)
    if same in on_record:
        line.warn("item", problem("same_deed"))
    on_record.add(same)
    if refused is not None:
        line.refuse(COLUMN_OF.get(type(refused), "name"), refusal(refused))


async def take(intake: Intake, rows: Sequence[DeedPlanned]) -> None:
    """File a batch of deeds; those that may not be filed any more are refused late."""
    answers = list(zip(rows, await file_imported_deeds(intake.scope, [row.deed for row in rows]), strict=True))
    unfound = {row.deed.person_id for row, answer in answers if isinstance(answer, NotFound)}
    stand = await resident_states(intake.scope, unfound) if unfound else {}
    for row, answer in answers:
        if isinstance(answer, NotFound) and (who := stand.get(row.deed.person_id)) and who.status != "active":
            intake.refuse_late(row, "name", problem("person_not_active"))
        elif isinstance(answer, TimebankError):
            intake.refuse_late(row, COLUMN_OF.get(type(answer), "name"), refusal(answer))
        else:
            intake.row_made(row.key, "deed", answer.id)


async def finish(intake: Intake, _rows: Sequence[DeedPlanned]) -> None:
    """Notify each person and witness once of all their deeds in this import."""
    filed = await database.rows(
        Named,
        "SELECT person_id, witness_id, points FROM deed WHERE community_id = $1 AND id = ANY ($2) ORDER BY id",
        intake.scope.community_id, await intake.made_by_run("deed"),
    )  # fmt: skip
    await notify_deeds_imported(intake.scope, filed, intake.id)


def _doer(residents: Residents, row: DeedRow) -> Found:
    assert row.person is not None  # residents were given to match against
    return residents.of(row.person)


def _keys(intake: Intake, residents: Residents, row: DeedRow) -> list[bytes]:
    """The keys under which a deed may have been imported; this import stores the first.

    They keep a repeated import idempotent after the word was decided anew or became an item's name, the item was
    renamed, or two records of the person were merged.
    """
    by_word = ("word", word_key(row.word), row.said_points)
    is_name = word_key(row.word) == word_key(row.item)
    said = [(row.item, row.points), by_word] if is_name else [by_word, (row.word, row.points)]
    return [
        intake.key(record, row.happened_on, *item, row.witness, row.note)
        for record in _doer(residents, row).records
        for item in said
    ]


def _judge(parsed: Parsed[DeedRow], residents: Residents, town: Buildings, row: DeedRow) -> UUID | None:
    """Check a deed's person, witness and place. Returns the building or unit; None where the row is refused."""
    reading, doer = parsed.reading(row), _doer(residents, row)
    if doer.status != "active":
        reading.refuse("name", problem("person_not_active"))
        return None
    if row.witness and row.witness_person is None:
        reading.warn("witness", problem("witness_unclear"))
    elif row.witness_person is not None and residents.of(row.witness_person).status != "active":
        reading.warn("witness", problem("witness_not_active"))
    found = _places(town.town, doer, row)
    if len(found) != 1:
        wrong = problem("building_ambiguous", building=row.building or "", count=len(found))
        none = problem("place_unknown" if row.building or row.unit else "place_missing")
        reading.refuse("place|unit", wrong if found else none)
        return None
    if not doer.heads & _path(town.town, found[0]):
        reading.warn("name", problem("not_head"))
    return found[0]


def _places(town: AreaIndex, doer: Found, row: DeedRow) -> list[UUID]:
    """The areas where a deed may have been done: as the row says, else the one the person heads, else their home."""
    if row.building is None and row.unit is None:
        held = [area for area in doer.heads if area in town.areas and town.areas[area].kind != "grid"]
        return held if len(held) == 1 else [doer.area_id] if doer.area_id else []
    in_estate = town.named(f"{row.estate or ''}{row.building or ''}", row.unit)
    found = in_estate or town.named(row.building, row.unit)
    if len(found) > 1:
        own = _path(town, doer.area_id) | doer.heads
        found = [area for area in found if area in own or _path(town, area) & doer.heads] or found
    return found


def _path(town: AreaIndex, area_id: UUID | None) -> set[UUID]:
    return {area.id for area in town.upwards(area_id)}


async def _on_record(scope: Scope, rows: Sequence[DeedRow]) -> set[tuple[UUID, str, date]]:
    """Person, rule and day of the deeds that these people have on record already."""
    found = await database.fetch(
        "SELECT person_id, rule_code, occurred_on FROM deed WHERE community_id = $1 AND person_id = ANY ($2) "
        "AND status NOT IN ('rejected', 'reversed', 'withdrawn')",
        scope.community_id, [UUID(row.person.key) for row in rows if row.person],
    )  # fmt: skip
    return {(row["person_id"], row["rule_code"], row["occurred_on"]) for row in found}


def _deed(intake: Intake, residents: Residents, row: DeedRow, rule_code: str, area_id: UUID) -> BookDeed:
    assert row.person is not None
    witness = residents.of(row.witness_person) if row.witness_person else None
    differs = row.points != row.catalogue_points
    return BookDeed(
        person_id=UUID(row.person.key), rule_code=rule_code, area_id=area_id, occurred_on=row.happened_on,
        note=row.note or "",
        note_said=None if row.note else phrase("note.deed_from_book", item=row.item or "", file=intake.file_name),
        witness_id=witness.id if witness and witness.status == "active" else None,
        points=row.points if differs else None, points_reason=row.note if differs else None,
    )  # fmt: skip
