"""The header of a sheet found by what its columns mean, wherever it stands and whatever it is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from timebank.imports.cells import Cell, words
from timebank.imports.refusals import ColumnMissing, NoKnownColumn
from timebank.imports.vocabulary import Meaning, plain_heading
from timebank.imports.workbook import Merge, Row, Sheet, Workbook

_HEADER_SEARCHED = 40
_HEADING_LENGTH_MAX = 30
_VALUES_SAMPLED = 40
_KNOWN_LEAST = 2
_EXACT, _LIKELY, _WEAK = 3.0, 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Header:
    """Where a sheet's header ends, which column holds what, and what each is called there."""

    sheet: Sheet
    first_row: int
    last_row: int
    columns: Mapping[str, int]
    headings: Mapping[str, str]
    labels: tuple[tuple[Cell, ...], ...]

    def heading(self, meaning: str) -> str:
        """The heading as it stands in the sheet; empty when the sheet has no such column."""
        return self.headings.get(meaning, "")


def find(sheet: Sheet, wanted: Sequence[Meaning]) -> Header | None:
    """The header of a sheet, one or two rows high; `None` when fewer than two wanted columns are found."""
    best: Header | None = None
    for position, row in enumerate(sheet.rows[:_HEADER_SEARCHED]):
        below = sheet.rows[position + 1] if position + 1 < len(sheet.rows) else None
        heights: list[tuple[Row, ...]] = [(row,)]
        if below is not None and below.number == row.number + 1 and _splits(sheet, row):
            heights.append((row, below))
        for height in heights:
            header = _read(sheet, height, sheet.rows[position + len(height) :], wanted)
            if len(header.columns) >= _KNOWN_LEAST and (best is None or len(header.columns) > len(best.columns)):
                best = header
    return best


def headers(book: Workbook, wanted: Sequence[Meaning], required: Sequence[str]) -> list[Header]:
    """The header of every sheet that has one; raises NoKnownColumn or ColumnMissing when no sheet can be read.

    A name in `required` may offer alternatives: "in|span".
    """
    found = [header for sheet in book.sheets if (header := find(sheet, wanted)) is not None]
    if not found:
        raise NoKnownColumn(headings="、".join(meaning.headings[0] for meaning in wanted))
    whole = [header for header in found if not _missing(header, required)]
    if not whole:
        by_key = {meaning.key: meaning for meaning in wanted}
        meaning = by_key[_missing(found[0], required)[0].partition("|")[0]]
        others = "、".join(meaning.headings[1:5])
        raise ColumnMissing(sheet=found[0].sheet.name or book.name, heading=meaning.headings[0], others=others)
    return whole


def _missing(header: Header, required: Sequence[str]) -> list[str]:
    return [keys for keys in required if not any(key in header.columns for key in keys.split("|"))]


def _splits(sheet: Sheet, row: Row) -> bool:
    """Whether a heading of this row stands over several columns, with their own headings in the next row."""
    filled = sum(cell is not None for cell in row.cells)
    return filled > 1 and any(
        merge.top == merge.bottom == row.number and merge.right > merge.left for merge in sheet.merges
    )


def _read(sheet: Sheet, height: tuple[Row, ...], body: Sequence[Row], wanted: Sequence[Meaning]) -> Header:
    labels = _labels(sheet, height)
    sample = [row.cells for row in body[:_VALUES_SAMPLED]]
    fits: list[tuple[float, int, str]] = []
    for column, candidates in enumerate(labels):
        values = [cells[column] for cells in sample if column < len(cells) and cells[column] is not None]
        for meaning in wanted:
            fit = max((_fit(label, meaning, values) for label in candidates), default=0.0)
            if fit > 0:
                fits.append((-fit, column, meaning.key))
    columns: dict[str, int] = {}
    for _, column, key in sorted(fits):
        if key not in columns and column not in columns.values():
            columns[key] = column
    headings = {key: labels[column][-1] for key, column in columns.items()}
    return Header(sheet, height[0].number, height[-1].number, columns, headings, tuple(row.cells for row in height))


def _labels(sheet: Sheet, height: tuple[Row, ...]) -> list[list[str]]:
    """Per column the ways to read its heading: of two rows the lower one, then both together."""
    width = max(len(row.cells) for row in height)
    lines = []
    for row in height:
        line = [words(cell) for cell in row.cells] + [""] * (width - len(row.cells))
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
        source = words(above[merge.left]) if merge.left < len(above) else ""
    for column in range(merge.left, min(merge.right + 1, len(line))):
        line[column] = source


def _fit(label: str, meaning: Meaning, values: Sequence[Cell]) -> float:
    """How well a heading and the values below it speak for a meaning; 0 when the heading says nothing of it."""
    shaped = _share(values, meaning)
    names = {plain_heading(label), plain_heading(_without_brackets(label))} - {""}
    if names & set(meaning.headings):
        return _EXACT + shaped
    pattern = meaning.pattern
    if pattern is not None and any(pattern.search(name) for name in names):
        return _LIKELY + shaped
    if names & set(meaning.weak) and shaped > 0.5:
        # The values have spoken: a vague heading with fitting values beats a clear heading with others.
        return _WEAK + _EXACT * shaped
    return 0.0


def _share(values: Sequence[Cell], meaning: Meaning) -> float:
    """Which part of the sampled values looks right; a half when nothing can be said."""
    if meaning.shape is None or not values:
        return 0.5
    return sum(map(meaning.shape, values)) / len(values)


def _without_brackets(label: str) -> str:
    kept: list[str] = []
    depth = 0
    for char in label:
        depth += char in "(（[【"
        if depth == 0:
            kept.append(char)
        depth -= char in ")）]】" and depth > 0
    return "".join(kept)
