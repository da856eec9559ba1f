"""The data rows below a header: titles, notes, totals and repeated headers are skipped, merged cells are filled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from timebank.imports.cells.cell_values import Cell, Unreadable, plain_text
from timebank.imports.cells.signs import is_ditto
from timebank.imports.files.workbook import Row
from timebank.imports.sheets.asides import NAMED, aside, repeats_title
from timebank.imports.sheets.header import Header

_DAYS = frozenset({"date", "born_on", "in", "out", "in2", "out2"})
_DAYS_UNTIL_1904, _SERIALS_END = 1462, 73_051
JOINED = "、"
CARRIED = frozenset({"date", "grid", "estate", "building", "unit", "room", "address", "head", "place"})
"""Meanings whose blank cells may repeat the value above. In these columns 同上 below a blank cell means the last
written value, and a blank cell below an unreadable cell is unreadable too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRow:
    """One data row, its cells by meaning; 同上 and 〃 are replaced by the value above.

    `fresh` marks the first row of a section: values are not carried across a title or total row. `titles` are the title
    rows directly above the section.
    """

    number: int
    values: Mapping[str, Cell]
    fresh: bool
    is_hidden: bool = False
    titles: tuple[Row, ...] = ()
    is_struck: bool = False
    is_shifted: bool = False
    """Whether a line of a text file has more fields than the header: its fields cannot be assigned to columns."""

    @property
    def written(self) -> frozenset[str]:
        """The meanings whose cells are not blank."""
        return frozenset(meaning for meaning, cell in self.values.items() if cell is not None)


def data_rows(header: Header) -> Iterator[DataRow]:
    """Every data row below the header, in order. A block merged over several rows has its value in each of them."""
    merged, wide, shifted = _merged(header), _wide(header), _shifted(header)
    carried = _Above()
    titles: tuple[Row, ...] = ()
    fresh, follows_title = True, False
    for row in header.body:
        kind = aside(row, header, wide)
        if kind == "header" or (kind == "section" and not titles and repeats_title(row, header)):
            continue  # repeated at the top of a printed page: the table continues
        if kind == "section":
            titles = (*titles, row) if follows_title else (row,)
        follows_title = kind == "section"
        if kind is not None:
            fresh, carried = True, _Above()
            continue
        values = {meaning: _value(row, header, meaning, merged, carried) for meaning in header.columns}
        values |= header.says
        yield DataRow(
            number=row.number,
            values=values,
            fresh=fresh,
            is_hidden=row.is_hidden,
            titles=titles,
            is_struck=row.is_struck,
            is_shifted=row.number in shifted,
        )
        fresh = False


@dataclass(slots=True)
class _Above:
    """The last value above a row for each meaning, within its section of the table."""

    cells: dict[str, Cell] = field(default_factory=dict)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)


def _value(row: Row, header: Header, meaning: str, merged: Mapping[tuple[int, int], Cell], above: _Above) -> Cell:
    column = header.columns[meaning]
    cell = row.cells[column] if column < len(row.cells) else None
    if cell is None:
        cell = merged.get((row.number, column))
    if header.sheet.from_1904 and meaning in _DAYS and isinstance(cell, int | float) and 3_000 < cell < _SERIALS_END:
        cell += _DAYS_UNTIL_1904
    if is_ditto(cell):
        cell = above.cells.get(meaning, cell)
    if meaning in header.further:
        cell = _with_further(cell, row, header.further[meaning])
    if meaning in CARRIED:
        cell = _carried_unreadable(above.unreadable, meaning, cell)
    if cell is not None:
        above.cells[meaning] = cell
    elif meaning not in CARRIED:
        above.cells.pop(meaning, None)
    return cell


def left_aside(header: Header) -> Iterator[Row]:
    """The rows below the header that were taken for titles or examples; they are reported, since they may be data."""
    wide = _wide(header)
    return (row for row in header.body if aside(row, header, wide) in NAMED and not repeats_title(row, header))


def _wide(header: Header) -> set[tuple[int, int]]:
    return {(merge.top, merge.left) for merge in header.sheet.merges if merge.right > merge.left}


def _shifted(header: Header) -> set[int]:
    """The numbers of the lines of a text file that have more fields than the header.

    A program writes the same number of fields in each line, so an extra one probably comes from an unquoted comma.
    """
    if not header.sheet.is_text:
        return set()
    width = max(map(len, header.labels))
    return {row.number for row in header.body if any(cell is not None for cell in row.cells[width:])}


def _carried_unreadable(above: dict[str, Unreadable], meaning: str, cell: Cell) -> Cell:
    if isinstance(cell, Unreadable):
        above[meaning] = cell
    elif cell is not None:
        above.pop(meaning, None)
    return above.get(meaning) if cell is None else cell


def _with_further(cell: Cell, row: Row, columns: Sequence[int]) -> Cell:
    """The cell's value joined with those of further columns of the same meaning; equal values are not repeated."""
    for column in columns:
        other = row.cells[column] if column < len(row.cells) else None
        if other is None or isinstance(cell, Unreadable):
            continue
        if cell is None or isinstance(other, Unreadable):
            cell = other
        elif plain_text(other) != plain_text(cell):
            cell = f"{plain_text(cell)}{JOINED}{plain_text(other)}"
    return cell


def _merged(header: Header) -> dict[tuple[int, int], Cell]:
    """The value of every block below the header that is merged over several rows, by (row, column)."""
    rows = {row.number: row.cells for row in header.sheet.rows}
    known = set(header.columns.values())
    values: dict[tuple[int, int], Cell] = {}
    for merge in header.sheet.merges:
        source = rows.get(merge.top, ())
        if merge.top <= header.last_row or merge.bottom == merge.top or merge.left >= len(source):
            continue
        # A block over several columns gives its value to its first column only; the others stay blank.
        if merge.left in known:
            values |= {(number, merge.left): source[merge.left] for number in range(merge.top, merge.bottom + 1)}
    return values
