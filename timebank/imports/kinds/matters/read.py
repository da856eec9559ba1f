"""Reads an old book of matters: one row for each, with what it says of when, where, what, and how it ended."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from timebank.core import clock
from timebank.imports.cells import cell_values, group, places
from timebank.imports.cells.addresses import NOWHERE, Address, building_cell, combine, estate_cell, unit_cell
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.phones import PhoneFound, find_phone, phones
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.kinds.matters.headings import MATTERS, REQUIRED, is_running
from timebank.imports.kinds.matters.moments_said import SaidMoment, in_order, said_done, said_moment
from timebank.imports.kinds.matters.states import Answer, Dropped, dropped, ended, resident_answer
from timebank.imports.sheets import captions, table_survey, unread
from timebank.imports.sheets.candidates import Mentions
from timebank.imports.sheets.context import TitleDates
from timebank.imports.sheets.lines import data_rows
from timebank.imports.sheets.parsed import Parsed, Reading

_BUILDING = re.compile(
    rf"(?:\d{{1,4}}|{places.NUMERAL})\s*{places.BUILDING_MARK}(?:\s*第?(?:\d{{1,2}}|{places.NUMERAL})\s*单元)?"
)
NUMBER_MAX, SPOT_MAX, SAID_MAX, WORD_MAX, NOTE_MAX = 40, 120, 500, 60, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """A matter of the book. `number` is the book's own number, None where it only counts the rows of a sheet.

    `within` is the building that the place in words names, which counts only if the community has it. `reporter` is a
    name with a phone, as nobody is meant by a name alone. `note` is what else the row says. With `dropped` the matter
    ended without being done, on the day of `done_at` if the row has one.
    """

    sheet: str
    row: int
    number: str | None
    received_at: datetime
    done_at: datetime | None
    grid: str | None
    home: Address
    within: Address
    spot: str
    category: str | None
    said: str
    reporter: tuple[str, str] | None
    handler: str | None
    result: str | None
    answer: Answer | None
    note: str | None
    day_only: bool
    dropped: Dropped | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it waits any more: it is done, or was dropped."""
        return self.done_at is not None or self.dropped is not None


def parse(book: Workbook, *, now: datetime) -> Parsed[BookRow]:
    """Read a book. Raises an ImportRefused if the file holds none."""
    survey = table_survey.survey(book, MATTERS, REQUIRED)
    parsed: Parsed[BookRow] = Parsed()
    seen: dict[tuple[object, ...], tuple[str, int]] = {}
    void: dict[tuple[object, ...], tuple[str, int]] = {}
    for reading, titled in table_survey.titled_rows(parsed, survey):
        row = _row(reading, titled, now)
        if row is not None and not _repeats(reading, row, void if row.dropped else seen):
            parsed.rows.append(row)
    _refuse_written_anew(parsed, seen)
    unread.report_unread(parsed, book, survey)
    by_day = sum(row.day_only for row in parsed.rows)
    if by_day:
        parsed.notes.append(problem("note_days_alone", count=by_day))
    return parsed


def _refuse_written_anew(parsed: Parsed[BookRow], seen: Collection[tuple[object, ...]]) -> None:
    """Refuse what is struck off and stands in the book a second time as it is meant: that row counts."""
    for row in parsed.rows:
        if row.dropped and identity_of(row) in seen:
            parsed.reading(row).refuse("state", problem("matter_void"))
    parsed.rows = [row for row in parsed.rows if not parsed.reading(row).refused]


def mentions(book: Workbook) -> Mentions:
    """Every readable name and phone of a reporter, to look up before the rows are judged."""
    names: set[str] = set()
    found: set[str] = set()
    for header in table_survey.headers(book, MATTERS, REQUIRED):
        for line in data_rows(header):
            names |= group.mentioned(line.values.get("name"))
            found |= set(phones(line.values.get("phone")))
    return Mentions(frozenset(names), frozenset(found))


def _row(reading: Reading[BookRow], titled: TitleDates, now: datetime) -> BookRow | None:
    number = reading.take("number", lambda cell: cell_values.text(cell, NUMBER_MAX))
    came = reading.need("date", lambda cell: said_moment(cell, titled))
    done = reading.take("out", lambda cell: said_done(cell, titled, came))
    said = reading.need("said", lambda cell: cell_values.text(cell, SAID_MAX))
    result = reading.take("result", lambda cell: cell_values.text(cell, SAID_MAX))
    state = reading.take("state", _word)
    grid, home = _place(reading)
    spot = reading.beside("spot", lambda cell: cell_values.text(cell, SPOT_MAX)) or ""
    category, handler = reading.take("category", _word), reading.beside("handler", _word)
    answer = _answer(reading)
    note = reading.beside("note", lambda cell: cell_values.text(cell, NOTE_MAX))
    moments = _moments(reading, came, done, state, result, now)
    if reading.refused or came is None or said is None or moments is None:
        return None
    if home.building is None and home.estate and home.estate not in spot:
        spot = f"{home.estate}{spot}"[:SPOT_MAX]
    return BookRow(
        sheet=reading.sheet, row=reading.number, number=None if number and is_running(number) else number,
        received_at=moments[0], done_at=moments[1], grid=grid, home=home, within=_within(spot), spot=spot,
        category=category, said=said,
        reporter=_reporter(reading), handler=handler, result=result, answer=answer, note=note,
        day_only=came.minute is None or (done is not None and done.minute is None), dropped=dropped(state),
    )  # fmt: skip


def _word(cell: Cell) -> str | Problem | None:
    return cell_values.text(cell, WORD_MAX)


def _moments(
    reading: Reading[BookRow], came: SaidMoment | None, done: SaidMoment | None, state: str | None,
    result: str | None, now: datetime,
) -> tuple[datetime, datetime | None] | None:  # fmt: skip
    """When it came and was done; refuses the row where the book contradicts itself or leaves it open."""
    if reading.refused or came is None:
        return None
    if dropped(state) is None:
        end = ended(state, has_done=done is not None, has_result=result is not None)
        if isinstance(end, tuple):
            reading.refuse(*end)
            return None
    found = in_order(came, done, now)
    if isinstance(found[1], Problem):
        reading.refuse(str(found[0]), found[1])
        return None
    assert isinstance(found[0], datetime)
    return found[0], found[1]


def _place(reading: Reading[BookRow]) -> tuple[str | None, Address]:
    """The grid and the building of a row; the grid may be named by the title or the sheet instead.

    A blank cell is no repetition of the row above, unless the cells are merged: matters stand in the order of time.
    """
    grid = reading.take("grid", places.grid)
    found = combine({
        "estate": reading.read("estate", estate_cell),
        "building": reading.read("building", building_cell),
        "unit": reading.read("unit", unit_cell),
    })  # fmt: skip
    if isinstance(found, tuple):
        reading.leave_out(*found)
        found = None
    titled = captions.home_of(reading.header, reading.line.titles)[0] if grid is None else None
    return grid or titled, found or NOWHERE


def _within(spot: str) -> Address:
    """The building that a place in words names, such as “3栋2单元门口”; nowhere if it names none."""
    named = _BUILDING.search(spot)
    found = building_cell(named[0]) if named else None
    return found if isinstance(found, Address) else NOWHERE


def _answer(reading: Reading[BookRow]) -> Answer | None:
    return reading.beside("satisfied", lambda cell: resident_answer(_plain(cell)))


def _plain(cell: Cell) -> str | None:
    found = cell_values.text(cell, WORD_MAX)
    return found if isinstance(found, str) else None


def _reporter(reading: Reading[BookRow]) -> tuple[str, str] | None:
    """The name and phone of who spoke, if the row gives both and they can be read."""
    name, phone = reading.read("name", cell_values.name), reading.read("phone", find_phone)
    if isinstance(name, str) and isinstance(phone, PhoneFound) and phone.number:
        return name, phone.number
    return None


def _repeats(
    reading: Reading[BookRow], row: BookRow, seen: dict[tuple[object, ...], tuple[str, int]]
) -> bool:  # fmt: skip
    """Whether an accepted row above is the same matter; refuses the row if so."""
    earlier = seen.setdefault(identity_of(row), (row.sheet, row.row))
    if earlier == (row.sheet, row.row):
        return False
    reading.refuse("number|said", problem("duplicate", row=reading.row_words(*earlier)))
    return True


def identity_of(row: BookRow) -> tuple[object, ...]:
    """What makes a row this matter and no other: the book's own number, else day, place and words.

    A row that has been finished since, or whose running number has moved, is still the same matter.
    """
    if row.number is not None:
        return ("number", row.number)
    day = clock.local_day(row.received_at).isoformat()
    return (day, row.grid, row.home.estate, row.home.building, row.home.unit, row.spot, row.said, row.reporter)
