"""Imports an old book: its matters count in the figures, earn nobody anything, and nobody is notified of them.

A later book ends the matters that an earlier one left open.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.areas.places import areas_of
from timebank.core import clock, names
from timebank.core.database import reading
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Planned, Ready, cells_of
from timebank.imports.kinds import residents_found
from timebank.imports.kinds.matters import read as read_book
from timebank.imports.kinds.matters.judging import Categories, Placed, kind_in, place_of_matter
from timebank.imports.kinds.matters.known import LEFT_ALONE, Known, differing, is_to_end, known_matters
from timebank.imports.kinds.matters.read import SPOT_MAX, BookRow, identity_of
from timebank.imports.kinds.members.units_named import Units
from timebank.imports.kinds.residents_found import Residents
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.buildings import Buildings, buildings_of
from timebank.matters.categories.categories import CategoryOut, list_categories
from timebank.matters.figures.counting import recount_days
from timebank.matters.opening.importing import BookMatter, import_matters, received_days
from timebank.matters.opening.later_books import BookEnd, end_booked, matters_ended_by
from timebank.units.units import unit_options

NOTE_MAX = 500


class MatterPlanned(Planned, frozen=True, kw_only=True):
    """A row to write: a matter, or how one of an earlier book ended."""

    matter: BookMatter | None = None
    end: BookEnd | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the rows of a book are looked up in."""

    town: Buildings
    categories: Categories
    units: Units
    residents: Residents


async def examine(intake: Intake, book: Workbook) -> Ready[BookRow, MatterPlanned]:
    """Find the matters of a book that are not entered yet, and those that it ends; writes nothing."""
    scope, mentioned = intake.scope, await asyncio.to_thread(read_book.mentions, book)
    units = Units(await unit_options(scope))
    async with reading(scope):
        town = await buildings_of(scope)
        categories = Categories(await list_categories(scope, inactive=True))
        residents = await residents_found.look_up(scope, mentioned)
    town.suppose(intake.answered("building"))
    ground = _Ground(town, categories, units, residents)
    parsed = await asyncio.to_thread(read_book.parse, book, now=clock.now())
    async with reading(scope):
        known = await known_matters(scope, intake, town, parsed.rows)
    ends: dict[UUID, MatterPlanned] = {}
    for row in parsed.rows:
        _add_end(intake, parsed, ground, row, known, ends)
    planned = [one for row in parsed.rows if (one := _planned(intake, parsed, ground, row, known)) is not None]
    parsed.words = town.unknown(parsed.uses("building"))
    _count(parsed, known, planned, list(ends.values()))
    return Ready(parsed, [*planned, *ends.values()], len(planned) + len(ends))


def _add_end(
    intake: Intake, parsed: Parsed[BookRow], ground: _Ground, row: BookRow, known: Known,
    ends: dict[UUID, MatterPlanned],
) -> None:  # fmt: skip
    """Add how a known matter of an earlier book ends; one that stays as it is has a warning that says why."""
    there, line = known.found.get((row.sheet, row.row)), parsed.reading(row)
    if there is None:
        return
    if there.id in ends:
        line.refuse("number|said", problem("duplicate", row=line.row_words(ends[there.id].sheet, ends[there.id].row)))
        return
    if (row.sheet, row.row) in known.by_words:
        line.warn("number|said", problem("matter_by_words"))
    is_ending, differs = is_to_end(row, there), differing(row, there, ground.categories, ground.town)
    if differs:
        columns = "、".join(line.place(each)[0] for each in differs)
        line.warn(differs[0], problem("known_matter_differs", columns=columns))
    if isinstance(is_ending, Problem):
        line.warn("out|state|said", is_ending)
    elif is_ending:
        ends[there.id] = MatterPlanned(
            key=intake.key("ended", there.id), sheet=row.sheet, row=row.row, cells=cells_of(line, "out|state|said"),
            end=_end(parsed, ground, row, there.id),
        )  # fmt: skip


def _end(parsed: Parsed[BookRow], ground: _Ground, row: BookRow, matter_id: UUID) -> BookEnd:
    is_done = row.dropped is None
    return BookEnd(
        id=clock.new_id(), matter_id=matter_id,
        status="closed" if is_done else "withdrawn" if row.dropped == "withdrawn" else "refused",
        because=row.dropped if row.dropped in ("not_ours", "untrue") else None, ended_at=row.done_at,
        unit_id=_unit(parsed, ground.units, row) if is_done else None, result=row.result,
        solved=row.answer.solved if row.answer else None, stars=row.answer.stars if row.answer else None,
        note=_note(parsed, row),
    )  # fmt: skip


def _planned(
    intake: Intake, parsed: Parsed[BookRow], ground: _Ground, row: BookRow, known: Known
) -> MatterPlanned | None:
    """The matter of a row; None where it is known, or the row is refused."""
    line = parsed.reading(row)
    if (row.sheet, row.row) in known.found:
        return None
    if row.dropped is not None:
        line.refuse("state", problem("matter_void"))
        return None
    if count := known.unclear.get((row.sheet, row.row)):
        line.refuse("number|said", problem("matter_ambiguous", count=count))
        return None
    category, placed = ground.categories.of(row.category), place_of_matter(parsed, ground.town, row)
    if isinstance(category, Problem):
        line.refuse("category|said", category)
    elif category[1] is not None:
        line.warn("category|said", category[1])
    if isinstance(category, Problem) or placed is None:
        return None
    cells = cells_of(line, "number|said", "category|said", "grid|building|spot")
    matter = _matter(parsed, ground, row, category[0], placed)
    return MatterPlanned(key=intake.key(*identity_of(row)), sheet=row.sheet, row=row.row, cells=cells, matter=matter)


def _matter(
    parsed: Parsed[BookRow], ground: _Ground, row: BookRow, category: CategoryOut, placed: Placed
) -> BookMatter:  # fmt: skip
    place = " ".join(filter(None, (placed.left, row.spot)))[:SPOT_MAX]
    return BookMatter(
        id=clock.new_id(), external_number=row.number, kind=kind_in(category), category_code=category.code,
        level=category.level, due_days=category.due_days, due_counts=category.due_counts, area_id=placed.area_id,
        place=place, said=row.said, reporter_id=_reporter(parsed, ground.residents, row),
        unit_id=_unit(parsed, ground.units, row), received_at=row.received_at, done_at=row.done_at,
        result=row.result if row.done_at else None, solved=row.answer.solved if row.answer else None,
        stars=row.answer.stars if row.answer else None, note=_note(parsed, row),
    )  # fmt: skip


def _reporter(parsed: Parsed[BookRow], residents: Residents, row: BookRow) -> UUID | None:
    """The active resident with this name and phone. Nobody else is linked, and a name alone means nobody."""
    if row.reporter is None:
        return None
    name, phone = row.reporter
    found = [
        one
        for one in residents.candidates.by_phone.get(phone, ())
        if names.key(one.name) == names.key(name) and residents.of(one).status == "active"
    ]
    if len(found) == 1 and not residents.of(found[0]).lacks_consent:
        return UUID(found[0].key)
    parsed.reading(row).warn("name|phone", problem("reporter_not_linked"))
    return None


def _unit(parsed: Parsed[BookRow], units: Units, row: BookRow) -> UUID | None:
    """The county's unit that handled it; another one stays in words."""
    found = units.of(row.handler) if row.handler else None
    if isinstance(found, Problem):
        parsed.reading(row).warn("handler", problem("handler_in_words"))
        return None
    return found


def _note(parsed: Parsed[BookRow], row: BookRow) -> str | None:
    """What the book says besides, under its own headings: for staff and handlers, without who spoke."""
    line = parsed.reading(row)
    said = (
        ("category", row.category), ("handler", row.handler), ("result", None if row.done_at else row.result),
        ("note", row.note),
    )  # fmt: skip
    return "；".join(f"{line.header.heading(meaning)}：{text}" for meaning, text in said if text)[:NOTE_MAX] or None


def _count(
    parsed: Parsed[BookRow], known: Known, planned: Sequence[MatterPlanned], ends: Sequence[MatterPlanned]
) -> None:
    """Note on the whole book how many are new and open, ended, left alone, and as they were."""
    alone = {(odd.sheet, odd.row) for odd in parsed.warnings if odd.problem.code in LEFT_ALONE} & known.found.keys()
    ended = {(one.sheet, one.row) for one in ends}
    closed = sum(one.end is not None and one.end.status == "closed" for one in ends)
    counts = {
        "note_matters_known": len(known.found.keys() - ended - alone),
        "note_matters_ended": closed,
        "note_matters_dropped": len(ends) - closed,
        "note_matters_left_alone": len(alone),
        "note_matters_open": sum(one.matter is not None and one.matter.done_at is None for one in planned),
    }
    parsed.notes += [problem(code, count=count) for code, count in counts.items() if count]


async def take(intake: Intake, rows: Sequence[MatterPlanned]) -> None:
    """Write a batch of matters and ends; those that may not be written any more are refused late."""
    there = {area.id for area in await areas_of(intake.scope)}
    good: list[tuple[MatterPlanned, BookMatter]] = []
    for row in rows:
        if row.matter is not None and row.matter.area_id in there:
            good.append((row, row.matter))
        elif row.matter is not None:
            intake.refuse_late(row, "grid|building|spot", problem("place_unknown"))
    written = await import_matters(intake.scope, [matter for _row, matter in good])
    for (row, matter), refused in zip(good, written, strict=True):
        if refused is None:
            intake.row_made(row.key, "matter", matter.id)
        else:
            intake.refuse_late(row, "number|said", refusal(refused))
    ends = [(row, row.end) for row in rows if row.end is not None]
    ended = await end_booked(intake.scope, [end for _row, end in ends]) if ends else []
    for (row, end), refused in zip(ends, ended, strict=True):
        if refused is None:
            intake.row_made(row.key, "matter_step", end.id)
        else:
            intake.refuse_late(row, "out|state|said", refusal(refused))


async def finish(intake: Intake, _rows: Sequence[MatterPlanned]) -> None:
    """Count the days of the book, so that the figures hold its matters at once."""
    ended = await matters_ended_by(intake.scope, await intake.made_by_run("matter_step"))
    made = await intake.made_by_run("matter")
    await recount_days(intake.scope, await received_days(intake.scope, [*made, *ended]))
