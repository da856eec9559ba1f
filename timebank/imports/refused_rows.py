"""The rows of a workbook that were refused, as a workbook to be mended and imported again."""

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

from timebank.imports import columns, deeds, goods, hours, roster, workbook
from timebank.imports.cells import Cell, Unreadable, words
from timebank.imports.context import titles_of
from timebank.imports.header import Header
from timebank.imports.intake import Kind
from timebank.imports.lines import Line, lines
from timebank.imports.problems import Problem
from timebank.imports.report import Remark
from timebank.imports.vocabulary import DEEDS, GOODS, HOURS, ROSTER, Meaning
from timebank.imports.workbook import Row
from timebank.locale import _

PROBLEM = _("问题")
TITLE = _("未导入的行")
WIDTH, PROBLEM_WIDTH, SHEET_NAME_MAX = 16, 70, 31
# A cell that begins so would be taken for a formula where it is opened.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DIGITS_EXACT = 10**15


@dataclass(frozen=True, slots=True)
class _Shape:
    """How sheets of a kind are read, and which of their cells may be blank for "as above", the widest first."""

    wanted: Sequence[Meaning]
    required: Sequence[str]
    carried: Sequence[str] = ()


SHAPES: Mapping[Kind, _Shape] = {
    "residents": _Shape(ROSTER, roster.REQUIRED, ("grid", "building", "unit", "room", "head")),
    "hours": _Shape(HOURS, hours.REQUIRED, ("date",)),
    "deeds": _Shape(DEEDS, deeds.REQUIRED),
    "goods": _Shape(GOODS, goods.REQUIRED),
}


async def refused_rows(
    kind: Kind, name: str, content: bytes, errors: Sequence[Remark], translate: Callable[[str], str]
) -> bytes:
    """An xlsx of the refused rows below their headings, each whole in itself, with its problems at the end."""
    return await asyncio.to_thread(_drawn, kind, name, content, errors, translate)


def _drawn(kind: Kind, name: str, content: bytes, errors: Sequence[Remark], translate: Callable[[str], str]) -> bytes:
    problems: dict[tuple[str, int], list[str]] = {}
    for error in errors:
        sentence = Problem(error.code, error.values).sentence(translate)
        problems.setdefault((error.sheet, error.row), []).append(sentence)
    shape, drawn = SHAPES[kind], NewWorkbook()
    if drawn.active is not None:
        drawn.remove(drawn.active)
    seen = columns.survey(workbook.read(name, content), shape.wanted, shape.required)
    refused_tables = [header for header, _why in seen.refused]
    for header in (*seen.headers, *refused_tables):
        # What is said of a whole table stands at its header, and keeps all of its rows out.
        of_table = problems.get((header.sheet.name, header.last_row), []) if header in refused_tables else []
        refused = [
            _Refused(line.titles, cells, "；".join([*of_table, *problems.get((header.sheet.name, line.number), [])]))
            for line, cells in _whole_rows(header, shape.carried)
            if of_table or (header.sheet.name, line.number) in problems
        ]
        if refused:
            _draw(
                drawn.create_sheet(_title(header.sheet.name) or translate(TITLE)), header, refused, translate(PROBLEM)
            )
    if not drawn.worksheets:
        drawn.create_sheet(translate(TITLE))  # Nothing was refused, and a workbook has a sheet.
    buffer = BytesIO()
    drawn.save(buffer)
    return buffer.getvalue()


def _title(name: str) -> str:
    """A sheet's name without what no program takes in one: that of a station's part comes from a heading."""
    return re.sub(r"[\\*?:/\[\]]", " ", name)[:SHEET_NAME_MAX]


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refused row with its problems, and the titles that it stands below."""

    titles: Sequence[Row]
    cells: list[Cell]
    problem: str


def _whole_rows(header: Header, carried: Sequence[str]) -> Iterator[tuple[Line, list[Cell]]]:
    """Every data row with what it leaves to the rows above written out, so that it can stand alone."""
    cells_of = {row.number: row.cells for row in header.sheet.rows}
    above: dict[str, Cell] = {}
    for line in lines(header):
        above = _carry(line, {} if line.fresh else above, carried)
        cells = list(cells_of[line.number])
        cells += [None] * (max(header.columns.values()) + 1 - len(cells))
        for meaning, column in header.columns.items():
            if cells[column] is None:
                cells[column] = above.get(meaning, line.values.get(meaning))
        if line.is_shifted:
            # Whoever imports it again unmended must not have it read in the wrong columns.
            cells = [*[None] * max(map(len, header.labels)), *cells]
        yield line, [_struck(cell) for cell in cells] if line.is_struck else cells


def _struck(cell: Cell) -> Cell:
    return None if cell is None else Unreadable(words(cell), is_struck=True)


def _carry(line: Line, above: Mapping[str, Cell], carried: Sequence[str]) -> dict[str, Cell]:
    """What stands in these columns, or did above; a new building ends the unit and room of the one before."""
    now: dict[str, Cell] = {}
    if words(line.values.get("relation")).lower() in roster.HEAD_WORDS:
        above = {meaning: cell for meaning, cell in above.items() if meaning not in ("room", "head")}
    for place, meaning in enumerate(carried):
        written = line.values.get(meaning)
        if written is not None and written != above.get(meaning):
            above = {wider: above[wider] for wider in carried[:place] if wider in above}
        now[meaning] = above.get(meaning) if written is None else written
    return now


def _draw(sheet: Worksheet, header: Header, rows: Sequence[_Refused], title: str) -> None:
    last = max(*(len(row.cells) for row in rows), *(len(label) for label in header.labels))
    # The titles say of the rows what their cells leave out: the month, the day, the building.
    top = _draw_titles(sheet, 0, titles_of(header), last)
    for number, label in enumerate(header.labels, top + 1):
        is_lowest = number == top + len(header.labels)
        _write(sheet, number, [*label, *[None] * (last - len(label)), title if is_lowest else None])
        for column in range(1, last + 2):
            sheet.cell(number, column).font = Font(bold=True)
    number = top = top + len(header.labels)
    titles: Sequence[Row] = ()
    for row in rows:
        if row.titles != titles:
            titles = row.titles
            number = _draw_titles(sheet, number, titles, last)
        number += 1
        _write(sheet, number, [*row.cells, *[None] * (last - len(row.cells)), row.problem])
        sheet.cell(number, last + 1).alignment = Alignment(wrap_text=True, vertical="top")
    for column in range(1, last + 2):
        sheet.column_dimensions[get_column_letter(column)].width = PROBLEM_WIDTH if column > last else WIDTH
    sheet.freeze_panes = f"A{top + 1}"


def _draw_titles(sheet: Worksheet, number: int, titles: Sequence[Row], last: int) -> int:
    """Write titles below a row, each across the table as a title stands; the number of the last of them."""
    for row in titles:
        number += 1
        _write(sheet, number, [" ".join(words(cell) for cell in row.cells if cell is not None)])
        sheet.merge_cells(start_row=number, start_column=1, end_row=number, end_column=last + 1)
    return number


def _write(sheet: Worksheet, number: int, cells: Sequence[Cell]) -> None:
    for column, value in enumerate(cells, 1):
        # A spreadsheet keeps fifteen digits of a number: a longer one stays whole only as text.
        text = str(value) if isinstance(value, int) and abs(value) >= DIGITS_EXACT else value
        is_struck = isinstance(text, Unreadable) and text.is_struck
        if isinstance(text, Unreadable):
            text = text.shown
        cell = sheet.cell(number, column, harmless(text) if isinstance(text, str) else text)
        if isinstance(text, str):
            cell.number_format = "@"
        if is_struck:
            cell.font = Font(strike=True)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, without characters that its file cannot hold."""
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{text}" if text.startswith(FORMULA) else text
