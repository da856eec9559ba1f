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
from timebank.imports.cells import Cell, Unreadable, read_text, words
from timebank.imports.columns import Header
from timebank.imports.context import above_header
from timebank.imports.intake import Kind
from timebank.imports.lines import Line, is_ditto, lines
from timebank.imports.problems import Problem
from timebank.imports.reasons import Remark
from timebank.imports.vocabulary import DEEDS, GOODS, HOURS, ROSTER, Meaning
from timebank.locale import _

TITLE = _("未导入的行")
TITLES_MAX = 10
SHEET_NAME_MAX = 31
WIDTH, PROBLEM_WIDTH = 16, 70
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
            (cells, "；".join([*of_table, *problems.get((header.sheet.name, number), [])]))
            for number, cells in _whole_rows(header, shape.carried)
            if of_table or (header.sheet.name, number) in problems
        ]
        if refused:
            name = _sheet_name(header.sheet.name or translate(TITLE), drawn.sheetnames)
            _draw(drawn.create_sheet(name), header, refused, translate(columns.REASONS))
    if not drawn.worksheets:
        drawn.create_sheet(translate(TITLE))  # Nothing was refused, and a workbook has a sheet.
    buffer = BytesIO()
    drawn.save(buffer)
    return buffer.getvalue()


def _whole_rows(header: Header, carried: Sequence[str]) -> Iterator[tuple[int, list[Cell]]]:
    """Every data row with what it leaves to the rows above written out, so that it can stand alone."""
    cells_of = {row.number: row.cells for row in header.sheet.rows}
    own = columns.own_columns(header)
    above: dict[str, Cell] = {}
    for line in lines(header):
        above = _carry(line, {} if line.fresh else above, carried)
        cells = list(cells_of[line.number])
        cells += [None] * (max(header.columns.values()) + 1 - len(cells))
        for meaning, column in header.columns.items():
            # Above it there will be another row: what "同上" means here is written out too.
            if cells[column] is None or is_ditto(cells[column]):
                cells[column] = above.get(meaning, line.values.get(meaning))
        yield line.number, [None if column in own else cell for column, cell in enumerate(cells)]


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


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """The sheet's name, which may say the year and month of its days, as an xlsx may hold it."""
    plain = re.sub(r"[\[\]:*?/\\]", "-", name)[:SHEET_NAME_MAX].strip("'") or "-"
    number, found = 1, plain
    while found.casefold() in {other.casefold() for other in taken}:
        number += 1
        found = f"{plain[: SHEET_NAME_MAX - 5]} ({number})"
    return found


def _draw(sheet: Worksheet, header: Header, rows: Sequence[tuple[list[Cell], str]], title: str) -> None:
    """The table as it stood, with its titles and merged headings: both say what its columns and days are."""
    own = columns.own_columns(header)
    labels = [[None if column in own else cell for column, cell in enumerate(label)] for label in header.labels]
    last = max(_width(cells) for cells in (*(cells for cells, _problem in rows), *labels))
    titles = _titles(header)
    for number, cells in enumerate((*titles, *labels), 1):
        is_lowest = number == len(titles) + len(labels)
        _write(sheet, number, [*_fitted(cells, last), title if is_lowest else None])
        if number > len(titles):
            for column in range(1, last + 2):
                sheet.cell(number, column).font = Font(bold=True)
    top = len(titles) + len(labels) + 1
    for number, (cells, problem) in enumerate(rows, top):
        _write(sheet, number, [*_fitted(cells, last), problem])
        sheet.cell(number, last + 1).alignment = Alignment(wrap_text=True, vertical="top")
    _merge(sheet, header, len(titles))
    for column in range(1, last + 2):
        sheet.column_dimensions[get_column_letter(column)].width = PROBLEM_WIDTH if column > last else WIDTH
    sheet.freeze_panes = f"A{top}"


def _titles(header: Header) -> list[tuple[Cell, ...]]:
    """What stands above the table, as it may say the year of its days; nothing where another table stands there."""
    return [] if header.is_below else [row.cells for row in above_header(header)][-TITLES_MAX:]


def _width(cells: Sequence[Cell]) -> int:
    return max((column for column, cell in enumerate(cells, 1) if cell is not None), default=0)


def _fitted(cells: Sequence[Cell], width: int) -> list[Cell]:
    return [*cells[:width], *[None] * (width - len(cells))]


def _merge(sheet: Worksheet, header: Header, above: int) -> None:
    """The headings that stand over several columns or rows, as they were; the header begins below so many rows."""
    for merge in header.sheet.merges:
        if header.first_row <= merge.top and merge.bottom <= header.last_row:
            top, bottom = (number - header.first_row + above + 1 for number in (merge.top, merge.bottom))
            sheet.merge_cells(start_row=top, end_row=bottom, start_column=merge.left + 1, end_column=merge.right + 1)


def _write(sheet: Worksheet, number: int, cells: Sequence[Cell]) -> None:
    for column, value in enumerate(cells, 1):
        # A spreadsheet keeps fifteen digits of a number: a longer one stays whole only as text.
        text = str(value) if isinstance(value, int) and abs(value) >= DIGITS_EXACT else value
        if isinstance(text, Unreadable):
            text = _unreadable(text)
        cell = sheet.cell(number, column, harmless(text) if isinstance(text, str) else text)
        if isinstance(text, str):
            cell.number_format = "@"


def _unreadable(cell: Unreadable) -> str:
    """What stands there for people, as long as it cannot be taken for a value when it comes back unmended."""
    return cell.shown if isinstance(read_text(harmless(cell.shown)), Unreadable) else "#VALUE!"


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, without characters that its file cannot hold."""
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{text}" if text.startswith(FORMULA) else text
