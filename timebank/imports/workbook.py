"""A file of any accepted kind as sheets of raw cells, each row with the number a person sees beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from timebank.imports import container, delimited, old_workbook
from timebank.imports.cells import Cell
from timebank.imports.refusals import (
    FileEmpty,
    FileTooLarge,
    FileTypeWrong,
    TooManyRows,
    WorkbookBroken,
    WorkbookEncrypted,
    WorkbookTooLarge,
)

BYTES_MAX = 10 * 1024 * 1024
ROWS_MAX = 50_000
_MERGES_MAX = 50_000
_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_PICTURE_OR_DOCUMENT = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")


@dataclass(frozen=True, slots=True)
class Row:
    """One row that holds something; `number` counts from 1 as the spreadsheet does."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged block: rows count from 1, columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One visible sheet with its filled rows and merged blocks."""

    name: str
    rows: tuple[Row, ...]
    merges: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True)
class Workbook:
    """Every visible sheet that holds anything, in the file's order; never empty."""

    name: str
    sheets: tuple[Sheet, ...]


def read(name: str, content: bytes) -> Workbook:
    """Read a file by what it is, not by what its name says; raises an `ImportRefused` for anything else."""
    if len(content) > BYTES_MAX:
        raise FileTooLarge(megabytes=-(-len(content) // 1024**2), most=BYTES_MAX // 1024**2)
    if not content.strip():
        raise FileEmpty
    if content.startswith(_ZIP):
        sheets = _spreadsheet(container.repack(content))
    elif content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise WorkbookEncrypted
        sheets = _spreadsheet(container.repack(old_workbook.as_xlsx(content)))
    elif content.startswith(_PICTURE_OR_DOCUMENT):
        raise FileTypeWrong
    else:
        rows = delimited.records(content, ROWS_MAX)
        sheets = [Sheet("", _filled(rows))]
    sheets = [sheet for sheet in sheets if sheet.rows]
    if not sheets:
        raise FileEmpty
    if sum(len(sheet.rows) for sheet in sheets) > ROWS_MAX:
        raise TooManyRows(most=ROWS_MAX)
    return Workbook(name, tuple(sheets))


def _spreadsheet(content: bytes) -> list[Sheet]:
    try:
        with CalamineWorkbook.from_filelike(BytesIO(content)) as opened:
            return [
                _sheet(opened.get_sheet_by_name(about.name)) for about in opened.sheets_metadata if _readable(about)
            ]
    except PasswordError as locked:
        raise WorkbookEncrypted from locked
    except CalamineError as damage:
        raise WorkbookBroken from damage


def _readable(about: SheetMetadata) -> bool:
    return about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible


def _sheet(sheet: CalamineSheet) -> Sheet:
    if sheet.total_height * sheet.total_width > container.CELLS_MAX:
        raise WorkbookTooLarge
    rows = _filled(sheet.to_python(skip_empty_area=False))
    merges = sheet.merged_cell_ranges or []
    if len(merges) > _MERGES_MAX:
        raise WorkbookTooLarge
    last_row, last_column = (rows[-1].number, sheet.total_width) if rows else (0, 0)
    # A block merged far beyond the table is cut to it, so that nobody walks a million empty rows.
    cut = [
        Merge(top + 1, left, min(bottom + 1, last_row), min(right, last_column))
        for (top, left), (bottom, right) in merges
        if top < last_row and left <= last_column
    ]
    if sum((merge.bottom - merge.top + 1) * (merge.right - merge.left + 1) for merge in cut) > container.CELLS_MAX:
        raise WorkbookTooLarge
    return Sheet(sheet.name, rows, tuple(cut))


def _filled(grid: Sequence[Sequence[Cell]]) -> tuple[Row, ...]:
    numbered = (
        Row(number, tuple(None if isinstance(cell, str) and not cell.strip() else cell for cell in cells))
        for number, cells in enumerate(grid, 1)
    )
    return tuple(row for row in numbered if any(cell is not None for cell in row.cells))
