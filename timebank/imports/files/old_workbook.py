"""Converts an old .xls file into .xlsx in a child process, because reading a damaged file may abort the process.

The .xls reader does not validate the lengths in the file: a damaged file requests terabytes, and the allocator then
aborts the process, which no `except` can catch. The server process therefore never reads .xls itself.
"""

import subprocess
import sys
from io import BytesIO

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from timebank.imports.files import biff
from timebank.imports.files.marks import Marks
from timebank.imports.files.refusals import WorkbookBroken, WorkbookTooLarge

SECONDS_MAX = 30
MEMORY_BYTES_MAX = 2 * 1024**3
CELLS_MAX = 1_000_000
_BROKEN, _TOO_LARGE = 3, 4


def as_xlsx(content: bytes) -> bytes:
    """Convert .xls bytes into .xlsx bytes: values, merged blocks, styles, hidden rows and columns, unreadable cells.

    Raises WorkbookTooLarge if it takes longer than SECONDS_MAX or a sheet has more than CELLS_MAX cells, and
    WorkbookBroken if the file cannot be read.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", "timebank.imports.files.old_workbook"],
            input=content,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as endless:
        raise WorkbookTooLarge from endless
    if child.returncode == _TOO_LARGE:
        raise WorkbookTooLarge
    if child.returncode != 0 or not child.stdout:
        raise WorkbookBroken
    return child.stdout


def convert() -> None:
    """Read .xls from standard input and write .xlsx to standard output; memory is limited except on Windows."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    made = Workbook()
    made.remove(made.worksheets[0])
    content = sys.stdin.buffer.read()
    with CalamineWorkbook.from_filelike(BytesIO(content)) as opened:
        marks = biff.marks(content)
        if len(marks) != len(opened.sheets_metadata):
            sys.exit(_BROKEN)
        if any(sheet.from_1904 for sheet in marks):
            made.epoch = CALENDAR_MAC_1904
        for about, marked in zip(opened.sheets_metadata, marks, strict=True):
            if about.typ == SheetTypeEnum.WorkSheet:
                copy = _copy(opened.get_sheet_by_name(about.name), made, marked)
                if about.visible != SheetVisibleEnum.Visible:
                    copy.sheet_state = "hidden"
    if not made.worksheets:
        sys.exit(_BROKEN)
    made.save(sys.stdout.buffer)


def _copy(sheet: CalamineSheet, made: Workbook, marks: Marks) -> Worksheet:
    if sheet.total_height * sheet.total_width > CELLS_MAX:
        sys.exit(_TOO_LARGE)
    copy: Worksheet = made.create_sheet(sheet.name[:31])
    for number, row in enumerate(sheet.to_python(skip_empty_area=False), 1):
        for column, value in enumerate(row, 1):
            if value == "":
                continue
            cell = copy.cell(number, column, value)
            if cell.data_type == "f":
                # A text that begins with "=" is a text here and must not come back as a formula without a value.
                cell.data_type = "s"
    _mark(copy, marks)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        copy.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    return copy


def _mark(copy: Worksheet, marks: Marks) -> None:
    """Write the marks of the .xls sheet into its copy, so that the .xlsx reader finds them again."""
    for (number, column), shown in marks.unreadable.items():
        # An error stays one, and a formula that nobody has worked out stays a formula without a value.
        copy.cell(number, column + 1).value = shown if shown.startswith("#") else "=?"
        copy.cell(number, column + 1).data_type = "e" if shown.startswith("#") else "f"
    for (number, column), style in marks.styles.items():
        styled = copy.cell(number, column + 1)
        if styled.data_type == "d" and style.is_month:
            styled.number_format = 'yyyy"年"m"月"'
        elif styled.data_type == "n" and styled.value is not None:
            styled.number_format = "0%" if style.behind == "%" else f'"{style.before}"0"{style.behind}"'
    for number, column in marks.struck:
        copy.cell(number, column + 1).font = Font(strike=True)
    for number in range(marks.comments):
        copy.cell(1, number + 1).comment = Comment("…", "…")
    for column in marks.hidden_columns:
        copy.column_dimensions[get_column_letter(column + 1)].hidden = True
    for number in marks.hidden:
        copy.row_dimensions[number].hidden = True


if __name__ == "__main__":
    convert()
