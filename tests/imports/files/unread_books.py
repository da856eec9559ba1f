"""An untidy roster in every file format: an error, a formula without a value, an unused column, a hidden row.

Row 3 has #N/A for its room, row 4 a formula without a stored value; row 5 is hidden; the column 车牌 is not used, and a
hidden second sheet has two rows. A text file has neither hidden rows nor a second sheet.
"""

import io
import zipfile
from pathlib import Path

from openpyxl import Workbook as NewWorkbook
from openpyxl.worksheet.worksheet import Worksheet

ROWS: tuple[tuple[str, ...], ...] = (
    ("姓名", "身份证号", "楼栋", "房号", "手机", "车牌"),
    ("薛翠", "522699196809283822", "3栋", "101", "19900003050", "川A1"),
    ("夏贵福", "522699199608079415", "3栋", "#N/A", "19900003051", ""),
    ("汤琴", "522699197501011024", "3栋", "=D2&A2", "19900003052", ""),
    ("付华", "522699198406061079", "3栋", "104", "19900003058", "川A2"),
)
_HIDDEN_ROW = 5
_STRICT_WORDS = (
    (b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
    (
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    ),
)
ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
    ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
    '<office:automatic-styles><style:style style:name="ta2" style:family="table">'
    '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    "<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
)


def xlsx() -> bytes:
    book = NewWorkbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = "花名册"
    for row in ROWS:
        page.append([text or None for text in row])
    page.row_dimensions[_HIDDEN_ROW].hidden = True
    former = book.create_sheet("旧表")
    former.append(["姓名"])
    former.append(["某人"])
    former.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def strict_xlsx() -> bytes:
    return strict(xlsx())


def strict(content: bytes) -> bytes:
    """The xlsx file with the XML namespaces of ISO/IEC 29500 Strict."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            for transitional, strict in _STRICT_WORDS:
                part = part.replace(transitional, strict)
            new.writestr(name, part)
    return made.getvalue()


def xls() -> bytes:
    return (Path(__file__).parents[2] / "data" / "unread.xls").read_bytes()


def csv() -> bytes:
    return "\r\n".join(",".join(row) for row in ROWS).encode("gb18030")


def ods_cell(text: str) -> str:
    if text.startswith("#"):
        return (
            '<table:table-cell table:formula="of:=VLOOKUP([.A3];[.X1:.Y9];2;0)" office:value-type="string"'
            f' office:string-value="" calcext:value-type="error"><text:p>{text}</text:p></table:table-cell>'
        )
    if text.startswith("="):
        return '<table:table-cell table:formula="of:=[.D2]&amp;[.A2]"/>'
    if not text:
        return "<table:table-cell/>"
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def ods_table(name: str, rows: str, style: str = "ta1") -> str:
    blank = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    return f'<table:table table:name="{name}" table:style-name="{style}">{rows}{blank}</table:table>'


def ods_row(*cells: str, attributes: str = "") -> str:
    rest = '<table:table-cell table:number-columns-repeated="16000"/>'
    return f"<table:table-row{attributes}>{''.join(cells)}{rest}</table:table-row>"


def ods_file(*tables: str, content: str = ODS) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        new.writestr("content.xml", content.replace("{tables}", "".join(tables)))
    return made.getvalue()


def ods() -> bytes:
    rows = [
        ods_row(
            *map(ods_cell, row),
            attributes=' table:visibility="filter"' if number == _HIDDEN_ROW else "",
        )
        for number, row in enumerate(ROWS, 1)
    ]
    former = [ods_row(ods_cell("姓名")), ods_row(ods_cell("某人"))]
    return ods_file(ods_table("花名册", "".join(rows)), ods_table("旧表", "".join(former), "ta2"))


FORMATS = {"xlsx": xlsx, "strict.xlsx": strict_xlsx, "xls": xls, "csv": csv, "ods": ods}
