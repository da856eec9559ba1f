"""Reads a file of any accepted type into sheets of raw cells, each row with the number that a spreadsheet shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from timebank.imports.cells.cell_values import Cell, Unreadable, plain_text, read_text
from timebank.imports.files import container, delimited, old_workbook, open_document
from timebank.imports.files.marks import Marks, column_letters
from timebank.imports.files.refusals import (
    FileEmpty,
    FileTooLarge,
    FileTypeWrong,
    TooManyRows,
    WorkbookBroken,
    WorkbookEncrypted,
    WorkbookTooLarge,
)
from timebank.imports.files.styles import Style

BYTES_MAX = 10 * 1024 * 1024
ROWS_MAX = 50_000
_MERGES_MAX = 50_000
_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_PICTURE_OR_DOCUMENT = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank; `number` counts from 1 as in the spreadsheet."""

    number: int
    cells: tuple[Cell, ...]
    is_hidden: bool = False
    is_struck: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged block: rows count from 1, columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One visible sheet with its filled rows and merged blocks; with `from_1904`, serial dates count from 1904."""

    name: str
    rows: tuple[Row, ...]
    merges: tuple[Merge, ...] = ()
    hidden_columns: frozenset[int] = frozenset()
    from_1904: bool = False
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Workbook:
    """Every visible sheet that is not blank, in the file's order; there is at least one.

    `hidden_sheets` gives the number of filled rows of each hidden sheet, and `comments` the number of comments; neither
    are read.
    """

    name: str
    sheets: tuple[Sheet, ...]
    hidden_sheets: Mapping[str, int] = field(default_factory=dict)
    comments: int = 0


def read_workbook(name: str, content: bytes) -> Workbook:
    """Read a file; its content, not its name, decides its type. Raises an `ImportRefused` if it cannot be read."""
    if len(content) > BYTES_MAX:
        raise FileTooLarge(megabytes=-(-len(content) // 1024**2), most=BYTES_MAX // 1024**2)
    if not content.strip():
        raise FileEmpty
    sheets, hidden, comments = _sheets(content)
    sheets = [sheet for sheet in sheets if sheet.rows]
    if not sheets:
        raise FileEmpty
    if sum(len(sheet.rows) for sheet in sheets) > ROWS_MAX:
        raise TooManyRows(most=ROWS_MAX)
    return Workbook(name, tuple(sheets), hidden, comments)


def _sheets(content: bytes) -> tuple[list[Sheet], dict[str, int], int]:
    """The visible sheets, the number of rows of each hidden one, and the number of comments."""
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise WorkbookEncrypted
        content = old_workbook.as_xlsx(content)
    if content.startswith(_ZIP):
        unpacked = container.unpack(content)
        return _tables(unpacked) if isinstance(unpacked, bytes) else _spreadsheet(unpacked)
    if content.startswith(_PICTURE_OR_DOCUMENT):
        raise FileTypeWrong
    return (
        [Sheet(name="", rows=_filled(enumerate(delimited.records(content, ROWS_MAX), 1), Marks()), is_text=True)],
        {},
        0,
    )


def _tables(content: bytes) -> tuple[list[Sheet], dict[str, int], int]:
    tables = open_document.tables(content, ROWS_MAX)
    sheets = [
        _cut(table.name, _filled(table.rows, table.marks), table.merges, table.marks)
        for table in tables
        if table.visible
    ]
    hidden = {table.name: len(table.rows) for table in tables if table.rows and not table.visible}
    return sheets, hidden, sum(table.marks.comments for table in tables)


def _spreadsheet(packed: container.Repacked) -> tuple[list[Sheet], dict[str, int], int]:
    sheets: list[Sheet] = []
    hidden: dict[str, int] = {}
    try:
        with CalamineWorkbook.from_filelike(BytesIO(packed.content)) as opened:
            for about in opened.sheets_metadata:
                if about.typ != SheetTypeEnum.WorkSheet:
                    continue
                sheet = _sheet(opened.get_sheet_by_name(about.name), packed.marks.get(about.name))
                if about.visible == SheetVisibleEnum.Visible:
                    sheets.append(sheet)
                elif sheet.rows:
                    hidden[sheet.name] = len(sheet.rows)
    except PasswordError as locked:
        raise WorkbookEncrypted from locked
    except CalamineError as damage:
        raise WorkbookBroken from damage
    return sheets, hidden, packed.comments


def _sheet(sheet: CalamineSheet, marks: Marks | None) -> Sheet:
    if marks is None:
        # Without the sheet's XML part its unreadable cells cannot be recognised.
        raise WorkbookBroken
    if sheet.total_height * sheet.total_width > container.CELLS_MAX:
        raise WorkbookTooLarge
    left: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)  # blank columns that calamine omits
    rows = _filled(enumerate(([*left, *cells] for cells in sheet.iter_rows()), 1), marks)
    return _cut(sheet.name, rows, [(*first, *last) for first, last in sheet.merged_cell_ranges or []], marks)


def _cut(name: str, rows: tuple[Row, ...], merges: Sequence[tuple[int, int, int, int]], marks: Marks) -> Sheet:
    """A sheet with its blocks (top, left, bottom, right, all from 0) cut to the rows and columns that are filled."""
    if len(merges) > _MERGES_MAX:
        raise WorkbookTooLarge
    last_row, last_column = (rows[-1].number, max(len(row.cells) for row in rows) - 1) if rows else (0, -1)
    # A block merged far beyond the table is cut to it, to avoid a loop over a million empty rows.
    cut = [
        Merge(top + 1, left, min(bottom + 1, last_row), min(right, last_column))
        for top, left, bottom, right in merges
        if top < last_row and left <= last_column
    ]
    if sum((merge.bottom - merge.top + 1) * (merge.right - merge.left + 1) for merge in cut) > container.CELLS_MAX:
        raise WorkbookTooLarge
    return Sheet(
        name=name,
        rows=rows,
        merges=tuple(cut),
        hidden_columns=frozenset(marks.hidden_columns),
        from_1904=marks.from_1904,
    )


def _filled(grid: Iterable[tuple[int, Sequence[Cell]]], marks: Marks) -> tuple[Row, ...]:
    by_row: dict[int, _RowMarks] = {}
    for number, column in {*marks.unreadable, *marks.styles, *marks.struck}:
        of_row = by_row.setdefault(number, _RowMarks())
        place = number, column
        if place in marks.unreadable:
            of_row.unreadable[column] = marks.unreadable[place]
        if place in marks.styles:
            of_row.styles[column] = marks.styles[place]
        if place in marks.struck:
            of_row.struck.add(column)
    found: dict[int, Row] = {}
    texts: dict[str, Cell] = {}  # the same texts occur in thousands of rows: each is stored once
    for number, cells in grid:
        row = _row(number, cells, by_row.pop(number, None), texts, is_hidden=number in marks.hidden)
        if any(cell is not None for cell in row.cells):
            found[number] = row
    # calamine omits trailing rows that contain only errors.
    for number, below in by_row.items():
        found[number] = _row(number, (), below, texts, is_hidden=number in marks.hidden)
    return tuple(found[number] for number in sorted(found))


@dataclass(slots=True)
class _RowMarks:
    unreadable: dict[int, str] = field(default_factory=dict)
    styles: dict[int, Style] = field(default_factory=dict)
    struck: set[int] = field(default_factory=set)


def _row(
    number: int, cells: Sequence[Cell], marks: _RowMarks | None, texts: dict[str, Cell], *, is_hidden: bool
) -> Row:
    whole: list[Cell] = [_text(cell, texts) if isinstance(cell, str) else cell for cell in cells]
    is_struck = False
    if marks is not None:
        for column, shown in marks.unreadable.items():
            whole += [None] * (column + 1 - len(whole))
            whole[column] = Unreadable(shown)
        is_struck = _apply(marks, whole)
    for column, cell in enumerate(whole):
        if isinstance(cell, Unreadable):
            whole[column] = replace(cell, place=f"{column_letters(column)}{number}")
    return Row(number, tuple(whole), is_hidden, is_struck)


def _text(cell: str, texts: dict[str, Cell]) -> Cell:
    if cell not in texts:
        texts[cell] = read_text(cell)
    return texts[cell]


def _apply(marks: _RowMarks, cells: list[Cell]) -> bool:
    """Apply the styles to the cells in place; return whether the whole row is struck through."""
    for column, style in marks.styles.items():
        cell = cells[column] if column < len(cells) else None
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            cells[column] = style.shown(cell)
        elif isinstance(cell, date):
            cells[column] = style.shown_day(cell)
    filled = {column for column, cell in enumerate(cells) if cell is not None}
    if filled and filled <= marks.struck:
        return True
    for column in marks.struck & filled:
        cells[column] = Unreadable(plain_text(cells[column]), is_struck=True)
    return False
