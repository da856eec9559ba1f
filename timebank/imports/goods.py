"""The list of goods that points are exchanged for."""

from dataclasses import dataclass

from timebank.imports import cells, columns, leftovers
from timebank.imports.cells import Cell
from timebank.imports.lines import lines
from timebank.imports.parsed import Parsed, Reading
from timebank.imports.problems import Problem, problem
from timebank.imports.vocabulary import GOODS
from timebank.imports.workbook import Workbook

REQUIRED = ("name", "points")
_NO_LIMIT = frozenset({"不限", "不限量", "无限制", "unlimited", "nolimit", "no limit"})


@dataclass(frozen=True, slots=True)
class GoodRow:
    """One good at one station; `limit` is per household and month, None when there is none."""

    sheet: str
    row: int
    name: str
    unit: str | None
    points: int
    stock: int
    station: str | None
    limit: int | None
    note: str | None


def parse(book: Workbook) -> Parsed[GoodRow]:
    """Read a goods list. Raises an ImportRefused when the file holds none."""
    survey = columns.survey(book, GOODS, REQUIRED)
    parsed: Parsed[GoodRow] = Parsed()
    seen: dict[tuple[str, str | None], tuple[str, int]] = {}
    for header in survey.headers:
        for line in lines(header):
            reading = Reading(parsed, header, line)
            row = _row(reading)
            if row is None:
                continue
            key = (row.name, row.station)
            if key in seen:
                reading.refuse("name", problem("duplicate", row=reading.row_words(*seen[key])))
                continue
            seen[key] = (row.sheet, row.row)
            parsed.rows.append(row)
    leftovers.tell(parsed, book, survey)
    return parsed


def _row(reading: Reading[GoodRow]) -> GoodRow | None:
    name = reading.need("name", _label)
    unit = reading.take("unit", cells.text)
    points = reading.need("points", lambda cell: cells.whole(cell, 1))
    stock = reading.take("stock", cells.whole)
    station = reading.take("station", _label)
    limit = reading.take("limit", _limit)
    note = reading.take("note", cells.note)
    if reading.refused or name is None or points is None:
        return None
    return GoodRow(reading.sheet, reading.number, name, unit, points, stock or 0, station, limit, note)


def _label(cell: Cell) -> str | Problem | None:
    return cells.text(cell, 100)


def _limit(cell: Cell) -> int | Problem | None:
    return None if cells.words(cell).lower() in _NO_LIMIT else cells.whole(cell, 1, 10_000)
