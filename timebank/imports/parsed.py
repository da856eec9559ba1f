"""What reading a file yields: typed rows, and what is wrong with the others, told so that it may be shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from timebank.imports.cells import Cell, digits_only, words
from timebank.imports.columns import Header
from timebank.imports.identity import mask_number
from timebank.imports.lines import Line
from timebank.imports.problems import Problem, problem


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
_VALUE_LENGTH_MAX = 60
# A phone or identity number that strayed into another column, also when it is written in groups.
_STRAY = re.compile(r"\d(?:[ \-]?\d){9,}[Xx]?")
_STRAY_AMONG_MOMENTS = re.compile(r"\d{11,}[Xx]?")


def without_numbers(text: str, stray: re.Pattern[str] = _STRAY) -> str:
    """A text in which whatever may be a phone or an identity number is masked."""
    return stray.sub(lambda found: mask_number(found[0].replace("-", "")), text)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Something wrong at one place: the row's number in the spreadsheet, the heading and value as they stand there.

    Identity numbers and phones are masked here already, so that nothing later can show them.
    """

    sheet: str
    row: int
    column: str
    value: str
    problem: Problem


@dataclass(slots=True)
class Parsed(Generic[T]):
    """The outcome for a whole file: `total` data rows, of which `rows` can be taken in."""

    total: int = 0
    rows: list[T] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """What there is to say of the whole file."""
    readings: dict[tuple[str, int], "Reading[T]"] = field(default_factory=dict)
    """Every line by its sheet and row number, so that a row may still be refused for what only the database knows."""

    def reading(self, row: T) -> "Reading[T]":
        """The line that a row was read from."""
        return self.readings[row.sheet, row.row]

    def settle(self) -> None:
        """Leave out what was refused after it had been read, and bring the remarks into the sheet's order."""
        self.rows = [row for row in self.rows if not self.reading(row).refused]
        self.warnings = [odd for odd in self.warnings if not self.readings[odd.sheet, odd.row].refused]
        sheets = {sheet: place for place, sheet in enumerate(dict.fromkeys(sheet for sheet, _ in self.readings))}
        for remarks in (self.problems, self.warnings):
            remarks.sort(key=lambda found: (sheets[found.sheet], found.row))


class Reading(Generic[T]):
    """One line being read; it is refused as soon as one of its cells is."""

    def __init__(self, parsed: Parsed[T], header: Header, line: Line) -> None:
        self.parsed = parsed
        self.header = header
        self.line = line
        self.refused = False
        parsed.total += 1
        parsed.readings[self.sheet, self.number] = self

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

    def take(self, meaning: str, read: Callable[[Cell], V | Problem]) -> V | None:
        """The cell's value; a problem refuses the row and counts as no value."""
        value = read(self.cell(meaning))
        if isinstance(value, Problem):
            self.refuse(meaning, value)
            return None
        return value

    def need(self, meaning: str, read: Callable[[Cell], V | Problem | None]) -> V | None:
        """Like `take`, and a blank cell refuses the row."""
        value = read(self.cell(meaning))
        if isinstance(value, Problem):
            self.refuse(meaning, value)
            return None
        if value is None:
            self.refuse(meaning, problem("blank", column=self.header.heading(meaning)))
        return value

    def row_words(self, sheet: str, row: int) -> str:
        """Another row as this row's problem names it: its number, with its sheet when that is another."""
        return str(row) if sheet == self.sheet else f"{sheet}!{row}"

    def refuse(self, meaning: str, wrong: Problem) -> None:
        """Keep the row out, with the reason. "unit|building" is the first of these columns that the sheet has."""
        self.refused = True
        self.parsed.problems.append(self._told(meaning, wrong))

    def warn(self, meaning: str, odd: Problem) -> None:
        """Let the row in and tell what to look at."""
        self.parsed.warnings.append(self._told(meaning, odd))

    def remark(self, meanings: str, wrong: Problem) -> RowProblem:
        """A problem at one of these columns, without refusing the row for it."""
        return self._told(meanings, wrong)

    def _told(self, meanings: str, wrong: Problem) -> RowProblem:
        choices = meanings.split("|")
        meaning = next((each for each in choices if each in self.header.columns), choices[0])
        cell = self.cell(meaning)
        if meaning in _MASKED:
            value = mask_number(digits_only(cell).removeprefix("+86"))
        else:
            value = without_numbers(words(cell), _STRAY_AMONG_MOMENTS if meaning in _MOMENTS else _STRAY)
            if len(value) > _VALUE_LENGTH_MAX:
                value = value[:_VALUE_LENGTH_MAX] + "…"
        return RowProblem(self.sheet, self.number, self.header.heading(meaning), value, wrong)
