"""Split tables that stand side by side in a sheet, and goods lists with one stock column per station."""

import re
from collections.abc import Sequence
from dataclasses import replace

from timebank.imports.cells import amounts
from timebank.imports.files.marks import column_letters
from timebank.imports.files.workbook import Merge, Row, Sheet
from timebank.imports.sheets.header import Header, find
from timebank.imports.sheets.vocabulary import Meaning, plain_heading

_HEADINGS_LEAST = 2
_STOCK_WORD = re.compile(r"[()（）:：\s]|现有|库存|数量|余量|存量|stock|quantity", re.IGNORECASE)
_NO_STATION = re.compile(
    r"\d*|.*(期初|期末|上月|本月|入库|出库|总|合计|原|新|盘|进货|已兑|剩余|初始|last|total).*", re.IGNORECASE
)
_STATION = re.compile(r".*(驿站|站点|站|兑换点|服务点|超市|小屋|中心)$")
_IN_BRACKETS = re.compile(r"[(（][^)）]*[)）]")


def split_side_by_side(sheet: Sheet, wanted: Sequence[Meaning]) -> list[Sheet]:
    """Split a sheet with two or more tables side by side into one sheet per table; any other is returned alone.

    Each further table repeats the headings of the first one in the same order.
    """
    header = find(sheet, wanted)
    if header is None or header.first_row != header.last_row or not any(key == "name" for key, _ in header.twice):
        return [sheet]
    starts = _starts([plain_heading(cell) for cell in header.labels[0]])
    if len(starts) < 2:
        return [sheet]
    ends = [*starts[1:], max(len(row.cells) for row in sheet.rows)]
    return [_cut(sheet, header, start, end) for start, end in zip(starts, ends, strict=True)]


def _starts(headings: Sequence[str]) -> list[int]:
    """The columns at which the repeated series of headings begins; empty where no series repeats."""
    filled = [(column, heading) for column, heading in enumerate(headings) if heading]
    names = [heading for _, heading in filled]
    for length in range(_HEADINGS_LEAST, len(names) // 2 + 1):
        if len(names) % length == 0 and names == names[:length] * (len(names) // length):
            return [column for column, _ in filled[::length]]
    return []


def _cut(sheet: Sheet, header: Header, start: int, end: int) -> Sheet:
    """The sheet with the columns of one table only; rows above the header are kept in full."""
    rows = []
    for row in sheet.rows:
        half = row if row.number < header.first_row else replace(row, cells=(None,) * start + row.cells[start:end])
        if any(cell is not None for cell in half.cells):
            rows.append(half)
    merges = tuple(merge for merge in sheet.merges if _lies_in(merge, header, start, end))
    name = f"{sheet.name} {column_letters(start)}–{column_letters(end - 1)}".strip()
    return replace(sheet, name=name, rows=tuple(rows), merges=merges)


def _lies_in(merge: Merge, header: Header, start: int, end: int) -> bool:
    return merge.bottom < header.first_row or start <= merge.left < end


def split_by_station(header: Header) -> list[Header]:
    """Split a goods list with one stock column per station into one table per station; any other is returned alone."""
    if "station" in header.columns or not {"name", "points"} <= header.columns.keys():
        return [header]
    stations = _stations(header)
    if len(stations) < (1 if "stock" not in header.columns else 2):
        return [header]
    return [_of_station(header, column, stations) for column in stations]


def _stations(header: Header) -> dict[int, str]:
    """The station's name by stock column; empty where a heading may mean something other than a station."""
    stock = [header.columns["stock"]] if "stock" in header.columns else []
    columns = sorted({*stock, *(column for key, column in header.twice if key == "stock")})
    if not columns:
        used = set(header.columns.values())
        columns = [
            column
            for column, heading in sorted(header.names.items())
            if column not in used and _STATION.fullmatch(_without_unit(heading)) and _is_stock(header, column)
        ]
    named = {column: _STOCK_WORD.sub("", _without_unit(header.lowest.get(column, ""))) for column in columns}
    is_plain = any(_NO_STATION.fullmatch(name) for name in named.values()) or len(set(named.values())) < len(named)
    return {} if is_plain else named


def _without_unit(heading: str) -> str:
    """The heading without a bracketed unit after a station's name: 东站 for 东站(袋); 库存(东站) stays as it is."""
    name = _IN_BRACKETS.sub("", heading).strip()
    return name if _STATION.fullmatch(name) else heading


def _is_stock(header: Header, column: int) -> bool:
    """Whether at least half of the filled cells of a column are amounts; any other cell refuses only its own row."""
    cells = [row.cells[column] for row in header.body if column < len(row.cells) and row.cells[column] is not None]
    return sum(isinstance(amounts.parse_stock(cell), int) for cell in cells) * 2 >= len(cells) > 0


def _of_station(header: Header, column: int, stations: dict[int, str]) -> Header:
    """The table with the stock of one station. A good without stock anywhere is in the first station's table."""
    first = min(stations)

    def belongs(row: Row) -> bool:
        filled = {each for each in stations if each < len(row.cells) and row.cells[each] is not None}
        return row.number <= header.last_row or column in filled or (not filled and column == first)

    rows = tuple(filter(belongs, header.sheet.rows))
    heading = header.names.get(column, "")
    return replace(
        header,
        sheet=replace(header.sheet, name=f"{header.sheet.name} {stations[column]}".strip(), rows=rows),
        columns={**header.columns, "stock": column},
        headings={**header.headings, "stock": heading, "station": heading},
        twice=tuple(second for second in header.twice if second[0] != "stock"),
        says={"station": stations[column]},
        elsewhere=frozenset(stations) - {column},
    )
