"""Writes the refused rows of a workbook into a new workbook that can be corrected and imported again."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from openpyxl import Workbook as NewWorkbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from timebank.core.locale import _
from timebank.imports.cells.cell_values import Cell, Unreadable, plain_text, read_text
from timebank.imports.cells.problems import Problem
from timebank.imports.cells.signs import is_ditto
from timebank.imports.files import workbook
from timebank.imports.files.workbook import Row
from timebank.imports.intake import Kind
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.matters import headings as of_matters
from timebank.imports.kinds.members import headings as of_members
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.reports.reasons import Remark
from timebank.imports.sheets import table_survey
from timebank.imports.sheets.context import titles_of
from timebank.imports.sheets.header import REASONS, Header, own_columns
from timebank.imports.sheets.known_headings import DEEDS, GOODS, HOURS, ROSTER
from timebank.imports.sheets.lines import DataRow, data_rows
from timebank.imports.sheets.meanings import Meaning

TITLE = _("未导入的行")
TITLES_MAX = 10
SHEET_NAME_MAX = 31
WIDTH, PROBLEM_WIDTH = 16, 70
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DIGITS_EXACT = 10**15


@dataclass(frozen=True, slots=True)
class _Shape:
    """How sheets of a kind are read. In the `carried` columns (widest first) a blank cell may repeat the row above."""

    wanted: Sequence[Meaning]
    required: Sequence[str]
    carried: Sequence[str] = ()


SHAPES: Mapping[Kind, _Shape] = {
    "residents": _Shape(ROSTER, read_roster.REQUIRED, ("grid", "building", "unit", "room", "head")),
    "hours": _Shape(HOURS, read_hours.REQUIRED, ("date",)),
    "deeds": _Shape(DEEDS, read_deeds.REQUIRED),
    "goods": _Shape(GOODS, read_goods.REQUIRED),
    "members": _Shape(of_members.MEMBERS, of_members.REQUIRED),
    "matters": _Shape(of_matters.MATTERS, of_matters.REQUIRED),
}


async def refused_rows(
    kind: Kind, name: str, content: bytes, errors: Sequence[Remark], translate: Callable[[str], str]
) -> bytes:
    """An xlsx file of the refused rows below their headings, each complete by itself, with its problems at the end."""
    return await asyncio.to_thread(_drawn, kind, name, content, errors, translate)


def _drawn(kind: Kind, name: str, content: bytes, errors: Sequence[Remark], translate: Callable[[str], str]) -> bytes:
    problems: dict[tuple[str, int], list[str]] = {}
    for error in errors:
        sentence = Problem(error.code, error.values).sentence(translate)
        problems.setdefault((error.sheet, error.row), []).append(sentence)
    shape, drawn = SHAPES[kind], NewWorkbook()
    if drawn.active is not None:
        drawn.remove(drawn.active)
    seen = table_survey.survey(workbook.read_workbook(name, content), shape.wanted, shape.required)
    refused_tables = [header for header, _why in seen.refused]
    for header in (*seen.headers, *refused_tables):
        # A problem of a whole table is stored at its header's row, and refuses all of its rows.
        of_table = problems.get((header.sheet.name, header.last_row), []) if header in refused_tables else []
        refused = [
            _Refused(line.titles, cells, "；".join([*of_table, *problems.get((header.sheet.name, line.number), [])]))
            for line, cells in _whole_rows(header, shape.carried)
            if of_table or (header.sheet.name, line.number) in problems
        ]
        if refused:
            name = _sheet_name(header.sheet.name or translate(TITLE), drawn.sheetnames)
            _draw(drawn.create_sheet(name), header, refused, translate(REASONS))
    if not drawn.worksheets:
        drawn.create_sheet(translate(TITLE))  # Nothing was refused, but a workbook needs a sheet.
    buffer = BytesIO()
    drawn.save(buffer)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refused row with its problems and the title rows above it."""

    titles: Sequence[Row]
    cells: list[Cell]
    problem: str


def _whole_rows(header: Header, carried: Sequence[str]) -> Iterator[tuple[DataRow, list[Cell]]]:
    """Every data row with the values that it takes from the rows above written out, so that it is complete."""
    cells_of = {row.number: row.cells for row in header.sheet.rows}
    own = own_columns(header)
    above: dict[str, Cell] = {}
    for line in data_rows(header):
        above = _carry(line, {} if line.fresh else above, carried)
        cells = list(cells_of[line.number])
        cells += [None] * (max(header.columns.values()) + 1 - len(cells))
        for meaning, column in header.columns.items():
            # Another row will be above it in the new file, so "同上" is replaced by its value.
            if cells[column] is None or is_ditto(cells[column]):
                cells[column] = above.get(meaning, line.values.get(meaning))
        cells = [None if column in own else cell for column, cell in enumerate(cells)]
        if line.is_shifted:
            # Moved to the right of the table, so that the uncorrected row is not read in the wrong columns.
            cells = [*[None] * max(map(len, header.labels)), *cells]
        yield line, [_struck(cell) for cell in cells] if line.is_struck else cells


def _struck(cell: Cell) -> Cell:
    return None if cell is None else Unreadable(plain_text(cell), is_struck=True)


def _carry(line: DataRow, above: Mapping[str, Cell], carried: Sequence[str]) -> dict[str, Cell]:
    """The values of these columns, from this row or carried from above.

    A new building clears the unit and room carried before, and a household head's row clears the room and head.
    """
    now: dict[str, Cell] = {}
    if plain_text(line.values.get("relation")).lower() in read_roster.HEAD_WORDS:
        above = {meaning: cell for meaning, cell in above.items() if meaning not in ("room", "head")}
    for place, meaning in enumerate(carried):
        written = line.values.get(meaning)
        if written is not None and written != above.get(meaning):
            above = {wider: above[wider] for wider in carried[:place] if wider in above}
        now[meaning] = above.get(meaning) if written is None else written
    return now


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """The sheet's name, made valid and unique in an xlsx file; kept because it may give the year and month of dates."""
    plain = re.sub(r"[\[\]:*?/\\]", "-", name)[:SHEET_NAME_MAX].strip("'") or "-"
    number, found = 1, plain
    while found.casefold() in {other.casefold() for other in taken}:
        number += 1
        found = f"{plain[: SHEET_NAME_MAX - 5]} ({number})"
    return found


def _draw(sheet: Worksheet, header: Header, rows: Sequence[_Refused], title: str) -> None:
    """Write the table with its titles and merged headings, because the reader takes dates and addresses from them."""
    own = own_columns(header)
    labels = [[None if column in own else cell for column, cell in enumerate(label)] for label in header.labels]
    last = max(_width(cells) for cells in (*(row.cells for row in rows), *labels))
    top = _draw_titles(sheet, 0, titles_of(header)[-TITLES_MAX:], last)
    for number, label in enumerate(labels, top + 1):
        is_lowest = number == top + len(labels)
        _write(sheet, number, [*_fitted(label, last), title if is_lowest else None])
        for column in range(1, last + 2):
            sheet.cell(number, column).font = Font(bold=True)
    _merge(sheet, header, top)
    number = top = top + len(labels)
    titles: Sequence[Row] = ()
    for row in rows:
        if row.titles != titles:
            titles = row.titles
            number = _draw_titles(sheet, number, titles, last)
        number += 1
        _write(sheet, number, [*_fitted(row.cells, last), row.problem])
        sheet.cell(number, last + 1).alignment = Alignment(wrap_text=True, vertical="top")
    for column in range(1, last + 2):
        sheet.column_dimensions[get_column_letter(column)].width = PROBLEM_WIDTH if column > last else WIDTH
    sheet.freeze_panes = f"A{top + 1}"


def _width(cells: Sequence[Cell]) -> int:
    return max((column for column, cell in enumerate(cells, 1) if cell is not None), default=0)


def _fitted(cells: Sequence[Cell], width: int) -> list[Cell]:
    return [*cells[:width], *[None] * (width - len(cells))]


def _merge(sheet: Worksheet, header: Header, above: int) -> None:
    """Merge the header's cells as in the original sheet; the header begins below `above` rows."""
    for merge in header.sheet.merges:
        if header.first_row <= merge.top and merge.bottom <= header.last_row:
            top, bottom = (number - header.first_row + above + 1 for number in (merge.top, merge.bottom))
            sheet.merge_cells(start_row=top, end_row=bottom, start_column=merge.left + 1, end_column=merge.right + 1)


def _draw_titles(sheet: Worksheet, number: int, titles: Sequence[Row], last: int) -> int:
    """Write title rows below row `number`, each merged across the table; return the number of the last one."""
    for row in titles:
        number += 1
        _write(sheet, number, [" ".join(plain_text(cell) for cell in row.cells if cell is not None)])
        sheet.merge_cells(start_row=number, start_column=1, end_row=number, end_column=last + 1)
    return number


def _write(sheet: Worksheet, number: int, cells: Sequence[Cell]) -> None:
    for column, value in enumerate(cells, 1):
        # A spreadsheet stores only fifteen digits of a number, so a longer one is written as text.
        text = str(value) if isinstance(value, int) and abs(value) >= DIGITS_EXACT else value
        is_struck = isinstance(text, Unreadable) and text.is_struck
        if isinstance(text, Unreadable):
            text = text.shown if is_struck else _unreadable(text)
        cell = sheet.cell(number, column, harmless(text) if isinstance(text, str) else text)
        if isinstance(text, str):
            cell.number_format = "@"
        if is_struck:
            cell.font = Font(strike=True)


def _unreadable(cell: Unreadable) -> str:
    """The text that an unreadable cell shows, or #VALUE! if that text would be read as a value when imported again."""
    return cell.shown if isinstance(read_text(harmless(cell.shown)), Unreadable) else "#VALUE!"


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, without the characters that are illegal in an xlsx file."""
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{text}" if text.startswith(FORMULA) else text
