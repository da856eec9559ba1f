"""The result of reading a file: typed rows, and problems with the others whose values are masked for display."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Generic, Protocol, TypeVar

from timebank.imports.cells import amounts
from timebank.imports.cells.cell_values import Cell, Unreadable, digits_only, plain_text
from timebank.imports.cells.identity import mask_number
from timebank.imports.cells.problems import Problem, left_out, problem
from timebank.imports.cells.signs import is_ditto, is_unclear
from timebank.imports.files.marks import column_letters
from timebank.imports.sheets.header import Header, counts_otherwise, with_unit
from timebank.imports.sheets.lines import DataRow
from timebank.imports.words.words import UnknownWord, WordKind


class InSheet(Protocol):
    """A row with its sheet and number."""

    @property
    def sheet(self) -> str: ...

    @property
    def row(self) -> int: ...


T = TypeVar("T", bound=InSheet)
V = TypeVar("V")

_MASKED = frozenset({"identity", "phone"})
_MOMENTS = frozenset({"date", "in", "out", "span", "length", "born_on"})
_FREE = frozenset({"note", "state"})  # columns where a lone mark has a meaning: ✓ and × of attendance
_COMPARED = frozenset({"birth_differs", "sex_differs", "duration_differs"})
_VALUE_LENGTH_MAX = 60
# A phone or identity number that was written in another column, also in groups of digits.
_STRAY = re.compile(r"\d(?:[ \-]?\d){9,}[Xx]?")
_STRAY_AMONG_MOMENTS = re.compile(r"\d{11,}[Xx]?")


def without_numbers(text: str, stray: re.Pattern[str] = _STRAY) -> str:
    """The text with everything masked that may be a phone or identity number."""
    return stray.sub(lambda found: mask_number(found[0].replace("-", "")), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A problem in one row: the row's number in the spreadsheet, and the heading and value of the column.

    `letter` is the column's letter, empty if no single cell is meant. Identity numbers and phones in `value` are masked
    already, so that nothing can show them later.
    """

    sheet: str
    row: int
    column: str
    value: str
    problem: Problem
    letter: str = ""


@dataclass(frozen=True, slots=True)
class UnusedColumn:
    """A column that was not read although `rows` data rows have a value in it."""

    sheet: str
    column: str
    heading: str
    rows: int


@dataclass(frozen=True, slots=True)
class UsedColumn:
    """A column and its meaning, named by the first known heading of that meaning."""

    sheet: str
    column: str
    heading: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownUse:
    """An unknown word in one row, with the points of that row.

    `whole` is the longer word from the same cells: the building with its unit.
    """

    value: str
    sheet: str
    row: int
    points: int | None = None
    kind: WordKind = "item"
    whole: str | None = None


@dataclass(slots=True, kw_only=True)
class Parsed(Generic[T]):
    """The result for a whole file: `total` counts its data rows, and `rows` are those that can be imported."""

    total: int = 0
    rows: list[T] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """Remarks on the whole file."""
    unused: list[UnusedColumn] = field(default_factory=list)
    """The columns with values that were not read."""
    used: list[UsedColumn] = field(default_factory=list)
    unknown: list[UnknownUse] = field(default_factory=list)
    """Every use of an unknown word."""
    listed: dict[str, int] = field(default_factory=dict)
    """The items and points of a catalogue that is on another sheet of the workbook."""
    words: list[UnknownWord] = field(default_factory=list)
    """The unknown words, each once, with suggestions."""
    readings: dict[tuple[str, int], "Reading[T]"] = field(default_factory=dict)
    """Every line by sheet and row number, so that a row can still be refused after a look at the database."""

    def uses(self, kind: WordKind) -> list[UnknownUse]:
        """The uses of unknown words of a kind."""
        return [use for use in self.unknown if use.kind == kind]

    def reading(self, row: T) -> "Reading[T]":
        """The reading that a row came from."""
        return self.readings[row.sheet, row.row]

    def finish(self) -> None:
        """Drop the rows that were refused after parsing and their warnings; sort the remarks by sheet and row."""
        self.rows = [row for row in self.rows if not self.reading(row).refused]
        self.warnings = [odd for odd in self.warnings if not self.readings[odd.sheet, odd.row].refused]
        told = [*self.readings, *((found.sheet, found.row) for found in self.problems)]
        sheets = {sheet: place for place, sheet in enumerate(dict.fromkeys(sheet for sheet, _ in told))}
        for remarks in (self.problems, self.warnings):
            remarks.sort(key=lambda found: (sheets[found.sheet], found.row))


class Reading(Generic[T]):
    """One line that is being read; refusing one of its cells refuses the line."""

    # A workbook has thousands of readings in memory at once.
    __slots__ = ("_told_of", "header", "line", "parsed", "refused")

    def __init__(self, parsed: Parsed[T], header: Header, line: DataRow) -> None:
        self.parsed = parsed
        self.header = header
        self.line = line
        self.refused = False
        self._told_of: tuple[str, ...] = ()
        parsed.total += 1
        parsed.readings[self.sheet, self.number] = self
        if line.is_struck:
            # Communities strike a line through when they mean to delete it.
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
        """The raw cell; None if it is blank or the sheet has no such column."""
        return self.line.values.get(meaning)

    def read(self, meaning: str, read: Callable[[Cell], V | Problem]) -> V | Problem:
        """The cell's value or its problem; does not refuse the row."""
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
        """The cell's value; a problem refuses the row and gives None."""
        value = self.read(meaning, read)
        if isinstance(value, Problem):
            self.refuse(meaning, value)
            return None
        return value

    def need(self, meaning: str, read: Callable[[Cell], V | Problem | None]) -> V | None:
        """Like `take`, but a blank cell refuses the row too."""
        value = self.read(meaning, read)
        if isinstance(value, Problem):
            self.refuse(meaning, value)
            return None
        if value is None:
            self.refuse(meaning, problem("blank", column=self.header.heading(meaning)))
        return value

    def beside(self, meaning: str, read: Callable[[Cell], V | Problem]) -> V | None:
        """The value of an optional cell: if it cannot be read, the row is imported without it, with a warning."""
        value = self.read(meaning, read)
        if isinstance(value, Problem):
            self.leave_out(meaning, value)
            return None
        return value

    def leave_out(self, meaning: str, wrong: Problem) -> None:
        """Import the row without this cell, with a warning that gives the reason."""
        self.warn(meaning, left_out(wrong))

    def refuse_several_times(self) -> None:
        """Refuse a row whose 次数 is not 1, because each row is one service or deed."""
        count = self.beside("times", lambda cell: amounts.parse_points(cell, 0))
        if count is not None and count != 1:
            self.refuse("times", problem("several_times", count=count))

    def split(self, people: int) -> None:
        """Count a line that names several people as that many data rows."""
        self.parsed.total += people - 1

    def row_words(self, sheet: str, row: int) -> str:
        """How this row's problem names another row: its number, preceded by the sheet's name if that differs."""
        return str(row) if sheet == self.sheet else f"{sheet}!{row}"

    def refuse(self, meaning: str, wrong: Problem) -> None:
        """Refuse the row with a problem. For "unit|building" the problem is shown at the first column that exists."""
        self.refused = True
        self.parsed.problems.append(self._told(meaning, wrong))

    def warn(self, meaning: str, odd: Problem) -> None:
        """Add a warning without refusing the row. Problems of comparison are not added for an unreadable cell."""
        if isinstance(self.cell(meaning), Unreadable) and odd.code in _COMPARED:
            return
        self.parsed.warnings.append(self._told(meaning, odd))

    def report_unreadable(self) -> None:
        """Add a remark on every unreadable cell that has none yet, also where its value was not needed."""
        for meaning, cell in self.line.values.items():
            if isinstance(cell, Unreadable) and meaning not in self._told_of:
                remarks = self.parsed.problems if self.refused else self.parsed.warnings
                remarks.append(self._told(meaning, cell.problem))

    def remark(self, meanings: str, wrong: Problem) -> RowProblem:
        """A problem at the first of these columns that exists, without refusing the row."""
        return self._told(meanings, wrong)

    def place(self, meanings: str) -> tuple[str, str, str]:
        """The heading, the masked value and the cell name (such as C12) at the first of these columns that exists."""
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
        """The letter of a column; empty if the sheet has no such column."""
        column = self.header.columns.get(meaning)
        return "" if column is None else column_letters(column)

    def shown(self, meaning: str) -> str:
        """The cell's text for the report: identity numbers and phones masked, cut to _VALUE_LENGTH_MAX."""
        cell = self.cell(meaning)
        if meaning in _MASKED and (not isinstance(cell, Unreadable) or cell.is_struck):
            return mask_number(digits_only(cell).removeprefix("+86"))
        value = without_numbers(_as_seen(cell), _STRAY_AMONG_MOMENTS if meaning in _MOMENTS else _STRAY)
        return value if len(value) <= _VALUE_LENGTH_MAX else value[:_VALUE_LENGTH_MAX] + "…"


def _as_seen(cell: Cell) -> str:
    """The text of a cell; a time or a length as a spreadsheet shows it, such as 9:05 or 25:30."""
    if isinstance(cell, time) and not cell.second:
        return f"{cell.hour}:{cell.minute:02}"
    if isinstance(cell, timedelta):
        hours, minutes = divmod(round(cell.total_seconds() / 60), 60)
        return f"{hours}:{minutes:02}"
    return plain_text(cell)
