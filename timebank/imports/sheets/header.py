"""Find the header of a table and the meaning of each of its columns."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from timebank.core.locale import LANGUAGES, _, translate
from timebank.imports.cells.cell_values import Cell, plain_text
from timebank.imports.files.workbook import Merge, Row, Sheet
from timebank.imports.sheets.fits import NO_FIT, Fit, fit_of, numberless, says_something, second_columns
from timebank.imports.sheets.meanings import Meaning

_HEADER_SEARCHED = 40


_HEADING_LENGTH_MAX = 30


_VALUES_SAMPLED = 40


_KNOWN_LEAST = 2


REASONS = _("没有导入的原因")
"""The heading of the reason column that this software adds to the workbook of refused rows; never read as data."""


_OWN_HEADINGS = frozenset(translate(REASONS, language) for language in LANGUAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The position of a table's header in its sheet, the column of each meaning, and the headings as written.

    `further` are columns that are read together with another column of the same meaning. The table ends before
    `end_row`, where the title or header of the next one begins. `titles` are the rows above the header that apply to
    this table, `sheet_titles` those above the first table of the sheet.
    """

    sheet: Sheet
    first_row: int
    last_row: int
    columns: Mapping[str, int]
    headings: Mapping[str, str]
    labels: tuple[tuple[Cell, ...], ...]
    names: Mapping[int, str] = field(default_factory=dict)
    further: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    twice: tuple[tuple[str, int], ...] = ()
    end_row: int | None = None
    titles: tuple[Row, ...] = ()
    sheet_titles: tuple[Row, ...] = ()
    page_titles: frozenset[int] = frozenset()
    """The numbers of the rows right above a repeated header, as at the top of a printed page."""
    says: Mapping[str, str] = field(default_factory=dict)
    """Values that a heading gives for every row, such as the station of a stock column."""
    elsewhere: frozenset[int] = frozenset()
    """Columns that are read by another table made from the same rows."""
    lowest: Mapping[int, str] = field(default_factory=dict)
    """The heading right above each column's cells."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """The usual heading, which is the first one, of each meaning by its key."""

    @property
    def body(self) -> Iterator[Row]:
        """The rows below the header, up to the next header."""
        for row in self.sheet.rows:
            if row.number > self.last_row and (self.end_row is None or row.number < self.end_row):
                yield row

    def heading(self, meaning: str) -> str:
        """The heading as written in the sheet; empty when the sheet has no such column."""
        return self.headings.get(meaning, "")


_IN_BRACKETS = re.compile(r"[(\[【（](?P<within>[^)\]】）]*)[)\]】）]|(?<=[^\W\d_])[/／:：](?P<behind>[^\W\d_]{1,2})$")


_TIMES = r"[×xX*]\s*\d+|[十百千万]"


_UNITS: Mapping[str, re.Pattern[str]] = {
    "points": re.compile(rf"{_TIMES}|[元角¥￥]|块钱|rmb|人民币", re.IGNORECASE),
    "stock": re.compile(rf"{_TIMES}|[打箱捆扎吨包桶袋盒瓶条提套双盘板斤]|公斤|千克|kg|克|元", re.IGNORECASE),
    "limit": re.compile(r".*(每[人天日周季年次]|/[人天日周季年次]).*|.*[元打箱]"),
    "length": re.compile(rf"{_TIMES}|天|日|半天|秒|次|周|月|工日|mins?|minutes?|h|hrs?|hours?", re.IGNORECASE),
}


_BARE = re.compile(r"\d{1,9}(\.\d{1,6})?")


_OTHER_CALENDAR = re.compile(r"农历|阴历|旧历|民国|回历|佛历|lunar", re.IGNORECASE)


_DAYS = frozenset({"date", "born_on"})


def find(sheet: Sheet, wanted: Sequence[Meaning]) -> Header | None:
    """The header of a sheet, one or two rows high; `None` when fewer than two wanted columns are found."""
    best: Header | None = None
    for position, row in enumerate(sheet.rows[:_HEADER_SEARCHED]):
        below = sheet.rows[position + 1] if position + 1 < len(sheet.rows) else None
        heights: list[tuple[Row, ...]] = [(row,)]
        if below is not None and below.number == row.number + 1 and _splits(sheet, row):
            heights.append((row, below))
        for height in heights:
            header = read_header(sheet, height, sheet.rows[position + len(height) :], wanted)
            known = len(header.columns)
            is_better = best is None or known > len(best.columns)
            if best is not None and len(height) > 1 and best.first_row == row.number and _only_splits(sheet, *height):
                is_better = known >= len(best.columns)
            if known >= _KNOWN_LEAST and is_better:
                best = header
    return best


def missing(header: Header, required: Sequence[str]) -> list[str]:
    return [keys for keys in required if not any(key in header.columns for key in keys.split("|"))]


def _splits(sheet: Sheet, row: Row) -> bool:
    """Whether a heading of this row is merged over several columns, which have their own headings in the next row."""
    filled = sum(cell is not None for cell in row.cells)
    return filled > 1 and any(
        merge.top == merge.bottom == row.number and merge.right > merge.left for merge in sheet.merges
    )


def _only_splits(sheet: Sheet, row: Row, below: Row) -> bool:
    """Whether all cells of `below` are under merged headings of `row`, so that it is header, not data."""
    split = {
        column
        for merge in sheet.merges
        if merge.top == merge.bottom == row.number
        for column in range(merge.left, merge.right + 1)
    }
    return all(column in split for column, cell in enumerate(below.cells) if cell is not None)


def read_header(sheet: Sheet, height: tuple[Row, ...], body: Sequence[Row], wanted: Sequence[Meaning]) -> Header:
    labels = _labels(sheet, height)
    for column in _own(row.cells for row in height):
        labels[column] = []
    sample = [row.cells for row in body[:_VALUES_SAMPLED]]
    fits: list[tuple[float, int, str]] = []
    known: dict[tuple[int, str], Fit] = {}
    for column, candidates in enumerate(labels):
        values = [cells[column] for cells in sample if column < len(cells) and says_something(cells[column])]
        for meaning in wanted:
            fit = max((fit_of(label, meaning, values) for label in candidates), default=NO_FIT)
            if fit.total > 0:
                fits.append((-fit.total, column, meaning.key))
                known[column, meaning.key] = fit
    columns: dict[str, int] = {}
    for _total, column, key in sorted(fits):
        if key not in columns and column not in columns.values():
            columns[key] = column
    names = {column: candidates[-1] for column, candidates in enumerate(labels) if candidates}
    headings = {key: names[column] for key, column in columns.items()}
    further, twice = second_columns(columns, known, labels)
    twice = _second_pair(columns, headings, names, twice, sample)
    lowest = {column: candidates[0] for column, candidates in enumerate(labels) if candidates}
    return Header(
        sheet=sheet, first_row=height[0].number, last_row=height[-1].number, columns=columns, headings=headings,
        labels=tuple(row.cells for row in height),
        names=names, further=further, twice=twice, lowest=lowest,
        meanings={meaning.key: meaning.headings[0] for meaning in wanted},
    )  # fmt: skip


def own_columns(header: Header) -> frozenset[int]:
    """The reason columns that this software added to a table; they are not part of its data."""
    return _own(header.labels)


def _own(labels: Iterable[Sequence[Cell]]) -> frozenset[int]:
    return frozenset(
        column for cells in labels for column, cell in enumerate(cells) if plain_text(cell) in _OWN_HEADINGS
    )


def _second_pair(
    columns: dict[str, int],
    headings: dict[str, str],
    names: Mapping[int, str],
    twice: tuple[tuple[str, int], ...],
    sample: Sequence[tuple[Cell, ...]],
) -> tuple[tuple[str, int], ...]:
    """Read a second pair of sign-in and sign-out columns, with the same headings, as the second service of the day.

    The pair must be to the right of the first. Returns `twice` without the pair.
    """
    pair = sorted(twice, key=lambda second: second[1])
    if [key for key, _column in pair] != ["in", "out"] or {"in2", "out2", "span2"} & columns.keys():
        return twice
    (_, first), (_, last) = pair
    same_names = all(numberless([names[first]]) == numberless([headings[key]]) for key, first in pair)
    if not same_names or not columns["in"] < columns["out"] < first < last:
        return twice
    if all(cells[columns["in"] : columns["in"] + 1] == cells[first : first + 1] for cells in sample):
        return twice  # a copy of the first column
    columns |= {"in2": first, "out2": last}
    headings |= {"in2": names[first], "out2": names[last]}
    return ()


def _labels(sheet: Sheet, height: tuple[Row, ...]) -> list[list[str]]:
    """The possible readings of each column's heading: of two rows the lower one, then both joined."""
    width = max(len(row.cells) for row in height)
    lines = []
    for row in height:
        line = [plain_text(cell) for cell in row.cells] + [""] * (width - len(row.cells))
        for merge in sheet.merges:
            if merge.top <= row.number <= merge.bottom and not (merge.left == 0 and merge.right >= width - 1):
                _spread(line, merge, row.number, sheet)
        lines.append(line)
    if len(lines) == 1:
        return [[label] if 0 < len(label) <= _HEADING_LENGTH_MAX else [] for label in lines[0]]
    labels = []
    for upper, lower in zip(*lines, strict=True):
        both = upper if upper == lower else upper + lower
        labels.append([label for label in (lower, both) if 0 < len(label) <= _HEADING_LENGTH_MAX])
    return labels


def _spread(line: list[str], merge: Merge, number: int, sheet: Sheet) -> None:
    if number == merge.top:
        source = line[merge.left] if merge.left < len(line) else ""
    else:
        above = next((row.cells for row in sheet.rows if row.number == merge.top), ())
        source = plain_text(above[merge.left]) if merge.left < len(above) else ""
    for column in range(merge.left, min(merge.right + 1, len(line))):
        line[column] = source


def with_unit(meaning: str, heading: str, cell: Cell) -> Cell:
    """Add the unit in a column's heading to a bare number, as if it were written there; other cells stay."""
    pattern = _UNITS.get(meaning)
    if pattern is None or isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return cell
    if not _BARE.fullmatch(plain_text(cell)):
        return cell
    for found in _IN_BRACKETS.finditer(heading):
        unit = (found["within"] or found["behind"] or "").strip()
        if pattern.fullmatch(unit):
            return f"{plain_text(cell)}{unit}"
    return cell


def counts_otherwise(meaning: str, heading: str) -> bool:
    """Whether the heading of a date column names a calendar other than the Gregorian."""
    return meaning in _DAYS and _OTHER_CALENDAR.search(heading) is not None
