"""Imports an old book: its matters count in the figures, earn nobody anything, and nobody is notified of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.areas.places import areas_of
from timebank.core import clock, names
from timebank.core.database import reading
from timebank.imports.cells.problems import Problem, problem, refusal
from timebank.imports.files.workbook import Workbook
from timebank.imports.intake import Intake, Planned, Ready, Where, cells_of
from timebank.imports.kinds import residents_found
from timebank.imports.kinds.matters import read as read_book
from timebank.imports.kinds.matters.judging import Categories, Placed, kind_in, place_of_matter
from timebank.imports.kinds.matters.read import SPOT_MAX, BookRow, identity_of
from timebank.imports.kinds.members.units_named import Units
from timebank.imports.kinds.residents_found import Residents
from timebank.imports.sheets.parsed import Parsed
from timebank.imports.words.buildings import Buildings, buildings_of
from timebank.matters.categories.categories import CategoryOut, list_categories
from timebank.matters.figures.counting import recount_days
from timebank.matters.opening.importing import BookMatter, import_matters, known_external_numbers, received_days
from timebank.units.units import unit_options

NOTE_MAX = 500


class MatterPlanned(Planned, frozen=True, kw_only=True):
    """A row to write: a matter."""

    matter: BookMatter


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the rows of a book are looked up in."""

    town: Buildings
    categories: Categories
    units: Units
    residents: Residents


async def examine(intake: Intake, book: Workbook) -> Ready[BookRow, MatterPlanned]:
    """Find the matters of a book that are not entered yet; writes nothing."""
    scope, mentioned = intake.scope, await asyncio.to_thread(read_book.mentions, book)
    units = Units(await unit_options(scope))
    async with reading(scope):
        town = await buildings_of(scope)
        categories = Categories(await list_categories(scope, inactive=True))
        residents = await residents_found.look_up(scope, mentioned)
    town.suppose(intake.answered("building"))
    ground = _Ground(town, categories, units, residents)
    parsed = await asyncio.to_thread(read_book.parse, book, now=clock.now())
    keys = {(row.sheet, row.row, 0): [intake.key(*identity_of(row))] for row in parsed.rows}
    async with reading(scope):
        known = await intake.known_rows(keys)
        entered = await known_external_numbers(scope, [row.number for row in parsed.rows if row.number])
    new = [row for row in parsed.rows if (row.sheet, row.row, 0) not in known and row.number not in entered]
    if len(new) < len(parsed.rows):
        parsed.notes.append(problem("note_matters_known", count=len(parsed.rows) - len(new)))
    planned = [one for row in new if (one := _planned(parsed, ground, row, keys)) is not None]
    parsed.words = town.unknown(parsed.uses("building"))
    _count(parsed, planned)
    return Ready(parsed, planned, len(planned))


def _planned(
    parsed: Parsed[BookRow], ground: _Ground, row: BookRow, keys: Mapping[Where, Sequence[bytes]]
) -> MatterPlanned | None:
    """The matter of a row; None where the row is refused."""
    line = parsed.reading(row)
    category, placed = ground.categories.of(row.category), place_of_matter(parsed, ground.town, row)
    if isinstance(category, Problem):
        line.refuse("category|said", category)
    elif category[1] is not None:
        line.warn("category|said", category[1])
    if isinstance(category, Problem) or placed is None:
        return None
    cells = cells_of(line, "number|said", "category|said", "grid|building|spot")
    matter = _matter(parsed, ground, row, category[0], placed)
    return MatterPlanned(
        key=keys[row.sheet, row.row, 0][0], sheet=row.sheet, row=row.row, cells=cells, matter=matter
    )  # fmt: skip


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


def _count(parsed: Parsed[BookRow], planned: Sequence[MatterPlanned]) -> None:
    waiting = sum(one.matter.done_at is None for one in planned)
    if waiting:
        parsed.notes.append(problem("note_matters_open", count=waiting))


async def take(intake: Intake, rows: Sequence[MatterPlanned]) -> None:
    """Write a batch of matters; those that may not be written any more are refused late."""
    there = {area.id for area in await areas_of(intake.scope)}
    good = []
    for row in rows:
        if row.matter.area_id in there:
            good.append(row)
        else:
            intake.refuse_late(row, "grid|building|spot", problem("place_unknown"))
    for row, refused in zip(good, await import_matters(intake.scope, [row.matter for row in good]), strict=True):
        if refused is None:
            intake.row_made(row.key, "matter", row.matter.id)
        else:
            intake.refuse_late(row, "number|said", refusal(refused))


async def finish(intake: Intake, _rows: Sequence[MatterPlanned]) -> None:
    """Count the days of the book, so that the figures hold its matters at once."""
    made = await intake.made_by_run("matter")
    await recount_days(intake.scope, await received_days(intake.scope, made))
