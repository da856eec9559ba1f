"""What reading a file yields: typed rows, and what is wrong with the others, told so that it may be shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Generic, Protocol, TypeVar

from timebank.imports.cells import amounts
from timebank.imports.cells.identity import mask_number
from timebank.imports.cells.problems import Problem, left_out, problem
from timebank.imports.cells.signs import is_ditto, is_unclear
from timebank.imports.cells.values import Cell, Unreadable, digits_only, plain_text
from timebank.imports.files.marks import column_letters
from timebank.imports.sheets.header import Header
from timebank.imports.sheets.heading_units import counts_otherwise, with_unit
from timebank.imports.sheets.lines import Line
from timebank.imports.words.words import UnknownWord, WordKind


class InSheet(Protocol):
    """A row that knows where it stands."""

    @property
    def sheet(self) -> str: ...

    @property
    def row(self) -> int: ...


T = TypeVar("T", bound=InSheet)
V = TypeVar("V")

_MASKED = frozenset({"identity", "phone"})
_MOMENTS = frozenset({"date", "in", "out", "span", "length", "born_on"})
_FREE = frozenset({"note", "state"})  # where a mark says something: ✓ and × of attendance
_COMPARED = frozenset({"birth_differs", "sex_differs", "duration_differs"})
_VALUE_LENGTH_MAX = 60
# A phone or identity number that strayed into another column, also when it is written in groups.
_STRAY = re.compile(r"\d(?:[ \-]?\d){9,}[Xx]?")
_STRAY_AMONG_MOMENTS = re.compile(r"\d{11,}[Xx]?")


def without_numbers(text: str, stray: re.Pattern[str] = _STRAY) -> str:
    """A text in which whatever may be a phone or an identity number is masked."""
    return stray.sub(lambda found: mask_number(found[0].replace("-", "")), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Something wrong at one place: the row's number in the spreadsheet, the heading and value as they stand there.

    `letter` is the column's own; empty where no single cell is meant.

    Identity numbers and phones are masked here already, so that nothing later can show them.
    """

    sheet: str
    row: int
    column: str
    value: str
    problem: Problem
    letter: str = ""


@dataclass(frozen=True, slots=True)
class UnusedColumn:
    """A column that nobody read, though so many data rows have something in it."""

    sheet: str
    column: str
    heading: str
    rows: int


@dataclass(frozen=True, slots=True)
class UsedColumn:
    """A column and what it was read as, by the first heading of that meaning."""

    sheet: str
    column: str
    heading: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownUse:
    """A word at one place that the community has nothing for, with the points that stand beside it.

    `whole` is more of the same cells: the building with its unit.
    """

    value: str
    sheet: str
    row: int
    points: int | None = None
    kind: WordKind = "item"
    whole: str | None = None


@dataclass(slots=True, kw_only=True)
class Parsed(Generic[T]):
    """The outcome for a whole file: `total` data rows, of which `rows` can be taken in."""

    total: int = 0
    rows: list[T] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """What there is to say of the whole file."""
    unused: list[UnusedColumn] = field(default_factory=list)
    """The filled columns that nobody read."""
    used: list[UsedColumn] = field(default_factory=list)
    unknown: list[UnknownUse] = field(default_factory=list)
    """Where the sheets have words that the community has nothing for."""
    listed: dict[str, int] = field(default_factory=dict)
    """The items of a catalogue that stands beside the book, with their points."""
    words: list[UnknownWord] = field(default_factory=list)
    """These words, each once, with what they may mean."""
    readings: dict[tuple[str, int], "Reading[T]"] = field(default_factory=dict)
    """Every line by its sheet and row number, so that a row may still be refused for what only the database knows."""

    def uses(self, kind: WordKind) -> list[UnknownUse]:
        """Where the sheets have unknown words of a kind."""
        return [use for use in self.unknown if use.kind == kind]

    def reading(self, row: T) -> "Reading[T]":
        """The line that a row was read from."""
        return self.readings[row.sheet, row.row]

    def settle(self) -> None:
        """Leave out what was refused after it had been read, and bring the remarks into the sheet's order."""
        self.rows = [row for row in self.rows if not self.reading(row).refused]
        self.warnings = [odd for odd in self.warnings if not self.readings[odd.sheet, odd.row].refused]
        told = [*self.readings, *((found.sheet, found.row) for found in self.problems)]
        sheets = {sheet: place for place, sheet in enumerate(dict.fromkeys(sheet for sheet, _ in told))}
        for remarks in (self.problems, self.warnings):
            remarks.sort(key=lambda found: (sheets[found.sheet], found.row))


class Reading(Generic[T]):
    """One line being read; it is refused as soon as one of its cells is."""

    # A book has thousands of them at a time.
    __slots__ = ("_told_of", "header", "line", "parsed", "refused")

    def __init__(self, parsed: Parsed[T], header: Header, line: Line) -> None:
        self.parsed = parsed
        self.header = header
        self.line = line
        self.refused = False
        self._told_of: tuple[str, ...] = ()
        parsed.total += 1
        parsed.readings[self.sheet, self.number] = self
        if line.is_struck:
            # Offices strike out a line where they mean to delete it.
            self.refuse("name|phone|item", problem("row_struck"))
        if line.is_shifted:
            self.refuse("name|phone|item", problem("row_shifted"))

    @property
    def number(self) -> int:
        """The row's number in the spreadsheet."""
        return self.line.number

    @property
    def sheet(self) -> str:
        """The name of the row's sheet; empty for a text file."""
        return self.header.sheet.name

    def cell(self, meaning: str) -> Cell:
        """The raw cell, blank when the sheet has no such column."""
        return self.line.values.get(meaning)

    def read(self, meaning: str, read: Callable[[Cell], V | Problem]) -> V | Problem:
        """The cell's value or what is wrong with it; nobody is refused for it yet."""
        cell = self.cell(meaning)
        if isinstance(cell, Unreadable):
            return cell.problem
        if is_ditto(cell):
            return problem("ditto_nothing_above")
        heading = self.header.heading(meaning)
        if counts_otherwise(meaning, heading) and cell is not None:
            return problem("date_calendar")
        cell = with_unit(meaning, heading, cell)
        return problem("mark_unclear") if meaning not in _FREE and is_unclear(cell) else read(cell)

    def take(self, meaning: str, read: Callable[[Cell], V | Problem]) -> V | None:
        """The cell's value; a problem refuses the row and counts as no value."""
        value = self.read(meaning, read)
        if isinstance(value, Problem):
            self.refuse(meaning, value)
            return None
        return value

    def need(self, meaning: str, read: Callable[[Cell], V | Problem | None]) -> V | None:
        """Like `take`, and a blank cell refuses the row."""
        value = self.read(meaning, read)
        if isinstance(value, Problem):
            self.refuse(meaning, value)
            return None
        if value is None:
            self.refuse(meaning, problem("blank", column=self.header.heading(meaning)))
        return value

    def beside(self, meaning: str, read: Callable[[Cell], V | Problem]) -> V | None:
        """The value of a cell that decides nothing: where it cannot be read, the row goes in without it and says so."""
        value = self.read(meaning, read)
        if isinstance(value, Problem):
            self.leave_out(meaning, value)
            return None
        return value

    def leave_out(self, meaning: str, wrong: Problem) -> None:
        """Take the row without this cell and tell why."""
        self.warn(meaning, left_out(wrong))

    def refuse_several_times(self) -> None:
        """Refuse a row that says it stands for several: a row is one."""
        count = self.beside("times", lambda cell: amounts.parse_points(cell, 0))
        if count is not None and count != 1:
            self.refuse("times", problem("several_times", count=count))

    def split(self, people: int) -> None:
        """Count a line that names several people once for each of them."""
        self.parsed.total += people - 1

    def row_words(self, sheet: str, row: int) -> str:
        """Another row as this row's problem names it: its number, with its sheet when that is another."""
        return str(row) if sheet == self.sheet else f"{sheet}!{row}"

    def refuse(self, meaning: str, wrong: Problem) -> None:
        """Keep the row out, with the reason. "unit|building" is the first of these columns that the sheet has."""
        self.refused = True
        self.parsed.problems.append(self._told(meaning, wrong))

    def warn(self, meaning: str, odd: Problem) -> None:
        """Let the row in and tell what to look at. A cell that cannot be read contradicts nothing."""
        if isinstance(self.cell(meaning), Unreadable) and odd.code in _COMPARED:
            return
        self.parsed.warnings.append(self._told(meaning, odd))

    def tell_unreadable(self) -> None:
        """Tell of every cell that cannot be read and that nothing has been said of, whether or not it was needed."""
        for meaning, cell in self.line.values.items():
            if isinstance(cell, Unreadable) and meaning not in self._told_of:
                remarks = self.parsed.problems if self.refused else self.parsed.warnings
                remarks.append(self._told(meaning, cell.problem))

    def remark(self, meanings: str, wrong: Problem) -> RowProblem:
        """A problem at one of these columns, without refusing the row for it."""
        return self._told(meanings, wrong)

    def place(self, meanings: str) -> tuple[str, str, str]:
        """The heading, the value and the address at one of these columns, as they are told."""
        meaning = self._first(meanings)
        letter = self.letter(meaning)
        return self.header.heading(meaning), self.shown(meaning), f"{letter}{self.number}" if letter else ""

    def _first(self, meanings: str) -> str:
        choices = meanings.split("|")
        return next((each for each in choices if each in self.header.columns), choices[0])

    def _told(self, meanings: str, wrong: Problem) -> RowProblem:
        meaning = self._first(meanings)
        self._told_of += (meaning,)
        return RowProblem(
            sheet=self.sheet,
            row=self.number,
            column=self.header.heading(meaning),
            value=self.shown(meaning),
            problem=wrong,
            letter=self.letter(meaning),
        )

    def letter(self, meaning: str) -> str:
        """The letter of a column; empty when the sheet has no such column."""
        column = self.header.columns.get(meaning)
        return "" if column is None else column_letters(column)

    def shown(self, meaning: str) -> str:
        """A cell as anybody who may read the report may see it."""
        cell = self.cell(meaning)
        if meaning in _MASKED and (not isinstance(cell, Unreadable) or cell.is_struck):
            return mask_number(digits_only(cell).removeprefix("+86"))
        value = without_numbers(_as_seen(cell), _STRAY_AMONG_MOMENTS if meaning in _MOMENTS else _STRAY)
        return value if len(value) <= _VALUE_LENGTH_MAX else value[:_VALUE_LENGTH_MAX] + "…"


def _as_seen(cell: Cell) -> str:
    """The words of a cell; a time or a length as a spreadsheet shows it, 9:05 or 25:30."""
    if isinstance(cell, time) and not cell.second:
        return f"{cell.hour}:{cell.minute:02}"
    if isinstance(cell, timedelta):
        hours, minutes = divmod(round(cell.total_seconds() / 60), 60)
        return f"{hours}:{minutes:02}"
    return plain_text(cell)
