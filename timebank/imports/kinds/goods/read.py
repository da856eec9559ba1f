"""Parse the list of goods that points are exchanged for."""

from dataclasses import dataclass, replace

from timebank.imports.cells import amounts, cell_values, remarks
from timebank.imports.cells.cell_values import Cell, Unreadable
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.files.workbook import Workbook
from timebank.imports.sheets import captions, table_survey, unread
from timebank.imports.sheets.header import Header
from timebank.imports.sheets.known_headings import GOODS
from timebank.imports.sheets.lines import data_rows
from timebank.imports.sheets.parsed import Parsed, Reading

REQUIRED = ("name", "points")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodRow:
    """One good at one station; `limit` is per household and month, None for no limit."""

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
    survey = table_survey.survey(book, GOODS, REQUIRED)
    survey = replace(survey, headers=tuple(map(_with_kinds, survey.headers)))
    parsed: Parsed[GoodRow] = Parsed()
    seen: dict[tuple[str, str | None], tuple[str, int]] = {}
    for header in survey.headers:
        for line in data_rows(header):
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
    unread.report_unread(parsed, book, survey)
    return parsed


def _with_kinds(header: Header) -> Header:
    """The table without its `spec` column if no good has several specifications, because it is not needed then.

    The column stays if one of its cells is unreadable, because that cell may distinguish two goods.
    """
    kinds: dict[str, set[str]] = {}
    for line in data_rows(header):
        if isinstance(line.values.get("spec"), Unreadable):
            return header
        kinds.setdefault(cell_values.plain_text(line.values.get("name")), set()).add(
            cell_values.plain_text(line.values.get("spec"))
        )
    if any(len(several) > 1 for several in kinds.values()):
        return header
    return replace(header, columns={key: column for key, column in header.columns.items() if key != "spec"})


def _row(reading: Reading[GoodRow]) -> GoodRow | None:
    name = reading.need("name", _label)
    # 5L and 10L of one name are two goods.
    if name and (kind := reading.take("spec", _label)):
        name = f"{name} {kind}"
    # If there is no unit column, the unit is taken from the first amount that has one.
    said = (amounts.unit_said(reading.cell(meaning)) for meaning in ("stock", "limit", "points"))
    unit = reading.beside("unit", cell_values.text) or next(filter(None, said), None)
    points = reading.need("points", lambda cell: amounts.parse_price(cell, unit))
    stock = reading.take("stock", lambda cell: amounts.parse_stock(cell, unit))
    station = reading.take("station", _label)
    if station is None and stock is not None and "station" not in reading.header.columns:
        station = captions.station_of(reading.header, reading.line.titles)
    note = reading.beside("note", cell_values.note)
    limit = _limit(reading, unit, note)
    if remarks.ended(note):
        reading.refuse("note", problem("remark_ended"))
    if reading.refused or name is None or points is None:
        return None
    return GoodRow(
        sheet=reading.sheet,
        row=reading.number,
        name=name,
        unit=unit,
        points=points,
        stock=stock or 0,
        station=station,
        limit=limit,
        note=note,
    )


def _label(cell: Cell) -> str | Problem | None:
    return cell_values.text(cell, 100)


def _limit(reading: Reading[GoodRow], unit: str | None, note: str | None) -> int | None:
    """The limit from its column, else from the remark. A limit in the remark is reported, also if it is unclear."""
    written = reading.take("limit", lambda cell: amounts.parse_limit(cell, unit))
    if written is not None or not note or not amounts.says_limit(note):
        return written.pieces if written else None
    said = amounts.parse_limit(note, unit)
    if isinstance(said, amounts.Limit) and said.pieces is not None:
        reading.warn("note", problem("limit_in_note", limit=said.pieces))
        return said.pieces
    if isinstance(said, Problem):
        reading.warn("note", problem("limit_in_note_unclear"))
    return None
