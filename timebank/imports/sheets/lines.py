"""The rows below a header that are data: without titles, notes, totals and repeated headers, merged cells filled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from timebank.imports.cells.signs import is_ditto
from timebank.imports.cells.values import Cell, Unreadable, plain_text
from timebank.imports.files.workbook import Row
from timebank.imports.sheets.asides import NAMED, aside, repeats_title
from timebank.imports.sheets.header import Header

_DAYS = frozenset({"date", "born_on", "in", "out", "in2", "out2"})
_DAYS_UNTIL_1904, _SERIALS_END = 1462, 73_051
JOINED = "、"
CARRIED = frozenset({"date", "grid", "estate", "building", "unit", "room", "address", "head", "place"})
"""Where a blank cell may mean what stands above: 同上 below a blank one means the last that was written, and a blank
below a cell that cannot be read cannot be read either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of data, its cells by meaning; 同上 and 〃 are replaced by what stands above.

    `fresh` starts a stretch: what stood above a title or total row is not carried across it. `titles` are the rows
    between the data right above its stretch.
    """

    number: int
    values: Mapping[str, Cell]
    fresh: bool
    is_hidden: bool = False
    titles: tuple[Row, ...] = ()
    is_struck: bool = False
    is_shifted: bool = False
    """Whether a line of a text has more fields than the header, so that nobody knows which is which."""

    @property
    def written(self) -> frozenset[str]:
        """The meanings of which the line says something."""
        return frozenset(meaning for meaning, cell in self.values.items() if cell is not None)


def lines(header: Header) -> Iterator[Line]:
    """Every data row below the header, in order. A truly merged block has its value in each of its rows."""
    merged, wide, shifted = _merged(header), _wide(header), _shifted(header)
    carried = _Above()
    titles: tuple[Row, ...] = ()
    fresh, follows_title = True, False
    for row in header.body:
        kind = aside(row, header, wide)
        if kind == "header" or (kind == "section" and not titles and repeats_title(row, header)):
            continue  # at the top of a printed page the table goes on
        if kind == "section":
            titles = (*titles, row) if follows_title else (row,)
        follows_title = kind == "section"
        if kind is not None:
            fresh, carried = True, _Above()
            continue
        values = {meaning: _value(row, header, meaning, merged, carried) for meaning in header.columns}
        values |= header.says
        yield Line(
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
    """The last cells above a row, of its stretch of the table."""

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
    """The rows below the header that were taken for titles or examples: somebody may have wanted to have them read."""
    wide = _wide(header)
    return (row for row in header.body if aside(row, header, wide) in NAMED and not repeats_title(row, header))


def _wide(header: Header) -> set[tuple[int, int]]:
    return {(merge.top, merge.left) for merge in header.sheet.merges if merge.right > merge.left}


def _shifted(header: Header) -> set[int]:
    """The lines of a text that have more fields than its header: a program writes as many in each."""
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
    """What a cell says together with those of further columns of the same meaning."""
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
    """The value of every merged block that runs down below the header, at each of its places."""
    rows = {row.number: row.cells for row in header.sheet.rows}
    known = set(header.columns.values())
    values: dict[tuple[int, int], Cell] = {}
    for merge in header.sheet.merges:
        source = rows.get(merge.top, ())
        if merge.top <= header.last_row or merge.bottom == merge.top or merge.left >= len(source):
            continue
        # A block over several columns says what its first column says; nothing is known of the others.
        if merge.left in known:
            values |= {(number, merge.left): source[merge.left] for number in range(merge.top, merge.bottom + 1)}
    return values
