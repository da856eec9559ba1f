"""The rows below a header that are data: without titles, notes, totals and repeated headers, merged cells filled."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from timebank.imports.cells import Cell, Unreadable, words
from timebank.imports.columns import Header
from timebank.imports.signs import is_ditto
from timebank.imports.workbook import Row

_TOTAL = re.compile(
    r".{0,12}?(合计|总计|小计|共计|累计|总数|平均|(grand|sub)?total|sum)[:：]?[\d,.]*[人户分条项件次元个名]?(小时|分钟)?",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(填表|制表|填报|审核|审批|负责|经办|复核|统计|打印|单位|社区|日期|联系|说明|注意|注|备注|签字|签名|盖章)[^\s:：]{0,8}\s*[:：].*|第\s*\d+\s*页.*"
)

JOINED = "、"
CARRIED = frozenset({"date", "grid", "building", "unit", "room", "address", "head", "place"})
"""Where a blank cell may mean what stands above: 同上 below a blank one means the last that was written, and a blank
below a cell that cannot be read cannot be read either."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of data, its cells by meaning; 同上 and 〃 are replaced by what stands above.

    `fresh` starts a stretch: what stood above a title or total row is not carried across it.
    """

    number: int
    values: Mapping[str, Cell]
    written: frozenset[str]
    fresh: bool
    is_hidden: bool = False


def lines(header: Header) -> Iterator[Line]:
    """Every data row below the header, in order. A truly merged block has its value in each of its rows."""
    merged = _merged(header)
    wide = {(merge.top, merge.left) for merge in header.sheet.merges if merge.right > merge.left}
    fresh = True
    above: dict[str, Cell] = {}
    unreadable: dict[str, Unreadable] = {}
    for row in header.body:
        if _aside(row, header, wide):
            fresh = True
            above.clear()
            unreadable.clear()
            continue
        values: dict[str, Cell] = {}
        written = set()
        for meaning, column in header.columns.items():
            cell = row.cells[column] if column < len(row.cells) else None
            source = merged.get((row.number, column))
            if cell is None and source is not None:
                cell = source
            if is_ditto(cell):
                cell = above.get(meaning, cell)
            if meaning in header.further:
                cell = _with_further(cell, row, header.further[meaning])
            if meaning in CARRIED:
                cell = _carried_unreadable(unreadable, meaning, cell)
            if cell is not None:
                written.add(meaning)
                above[meaning] = cell
            elif meaning not in CARRIED:
                above.pop(meaning, None)
            values[meaning] = cell
        yield Line(row.number, values, frozenset(written), fresh, row.is_hidden)
        fresh = False


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
        elif words(other) != words(cell):
            cell = f"{words(cell)}{JOINED}{words(other)}"
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


def _aside(row: Row, header: Header, wide: Set[tuple[int, int]]) -> bool:
    """Whether a row is no data: a total, a title or note across the table, a signature line, the header once more."""
    filled = {column: cell for column, cell in enumerate(row.cells) if cell is not None}
    texts = [words(cell) for cell in filled.values()]
    named = words(filled.get(header.columns.get("name", -1)))
    if any(_TOTAL.fullmatch(text.replace(" ", "")) for text in (texts[0], named)):
        return True
    if any(_same(row, label) for label in header.labels):
        return True
    if any(isinstance(filled.get(column), Unreadable) for column in header.columns.values()):
        return False  # what it says is not known, so it is not left out in silence
    if len(filled) > 1:
        return all(_REMARK.fullmatch(text) for text in texts)
    column = next(iter(filled))
    belongs = column in {header.columns.get(key) for key in ("name", "phone", "identity", "item")}
    return (row.number, column) in wide or not belongs or _REMARK.fullmatch(texts[0]) is not None


def _same(row: Row, label: tuple[Cell, ...]) -> bool:
    mine = [words(cell) for cell in row.cells if cell is not None]
    return len(mine) > 1 and mine == [words(cell) for cell in label if cell is not None]
