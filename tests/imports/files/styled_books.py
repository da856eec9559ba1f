"""A list of goods in every file format with styles: units, currency, per cent, and text that is struck through.

Row 2 shows 5箱 for the stock, row 3 ¥5 for the points, row 4 1.2万 for a stock of 12000; row 5 is struck through, row 6
only in its stock; row 7 shows 10 % for the points; row 8 is plain. The stock's column is hidden.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook as NewWorkbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from tests.imports.files.unread_books import ODS, ods_cell, ods_file, ods_row, ods_table, strict

HEADINGS = ("物品", "单位", "所需积分", "库存", "兑换站点")
_GOODS: Sequence[tuple[str, str, float, float]] = (
    ("香皂", "块", 5, 5),
    ("牙刷", "支", 5, 30),
    ("毛巾", "条", 5, 12_000),
    ("盐", "袋", 5, 3),
    ("米", "袋", 7, 3),
    ("油", "桶", 0.1, 1),
    ("面", "袋", 5, 2),
)
_FORMATS = {"D2": '0"箱"', "C3": '"¥"#,##0.00', "D4": '0!.0,"万"', "C7": "0%"}
_ODS_STYLES = (
    '<style:style style:name="ce9" style:family="table-cell"><style:text-properties'
    ' style:text-line-through-style="solid"/></style:style></office:automatic-styles>'
)


def xlsx() -> bytes:
    book = NewWorkbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = "货架"
    for row in (HEADINGS, *((*good, "东站") for good in _GOODS)):
        page.append(list(row))
    for place, code in _FORMATS.items():
        page[place].number_format = code
    for struck in (*page[5], page["D6"]):
        struck.font = Font(strike=True)
    page["A8"].comment = Comment("下月停兑", "王姐")
    page.column_dimensions["D"].hidden = True
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def xls() -> bytes:
    return (Path(__file__).parents[2] / "data" / "styled.xls").read_bytes()


def ods() -> bytes:
    shown = {(2, 3): "5箱", (3, 2): "¥5.00", (4, 3): "1.2万", (7, 2): "10%"}
    rows = [ods_row(*map(ods_cell, HEADINGS))]
    for number, (name, unit, points, stock) in enumerate(_GOODS, 2):
        cells = [ods_cell(name), ods_cell(unit)]
        cells += [
            _number(value, shown.get((number, column), f"{value:g}")) for column, value in enumerate((points, stock), 2)
        ]
        cells.append(ods_cell("东站"))
        for column in {5: range(5), 6: [3]}.get(number, []):
            cells[column] = cells[column].replace("<table:table-cell", '<table:table-cell table:style-name="ce9"')
        rows.append(ods_row(*cells))
    columns = '<table:table-column table:number-columns-repeated="3"/><table:table-column table:visibility="collapse"/>'
    content = ODS.replace("</office:automatic-styles>", _ODS_STYLES)
    return ods_file(ods_table("货架", columns + "".join(rows)), content=content)


def _number(value: float, shown: str) -> str:
    kind = "percentage" if shown.endswith("%") else "currency" if shown.startswith("¥") else "float"
    given = f'office:value-type="{kind}" office:value="{value}"'
    return f"<table:table-cell {given}><text:p>{shown}</text:p></table:table-cell>"


FORMATS = {"xlsx": xlsx, "strict.xlsx": lambda: strict(xlsx()), "xls": xls, "et": xls, "ods": ods}
