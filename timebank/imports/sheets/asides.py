"""Recognise table rows that are not data: totals, titles between rows, signatures, examples, repeated headers."""

import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Literal

from timebank.imports.cells.cell_values import Cell, Unreadable, name, plain_text
from timebank.imports.files.workbook import Row
from timebank.imports.sheets.captions import is_caption
from timebank.imports.sheets.header import Header

Aside = Literal["total", "header", "signature", "form", "example", "section"]
NAMED = frozenset({"example", "section"})
"""The kinds that are reported, because such a row may have been meant as data."""

_TOTAL = re.compile(
    r".{0,12}?((合计|总计|小计|共计|累计|总数|平均|(grand|sub)?total|sum)"
    r"(积分|分值|分数|金额|库存|数量|人数|户数|件数|时长|时数|小时数?)?"
    r"|总(积分|分值|分数|金额|库存|数量|人数|户数|件数|时长|时数|小时数?))"
    r"([(].{1,4}[)])?[:：]?[\d,.]*[人户分条项件次元个名]?(小时|分钟)?"
    r"|(以上|本页)?(合计|总计|小计|共计?)\d+[人户分条项件次元个名位](次)?",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"(填表|制表|填报|审核|审批|负责|经办|复核|统计|盘点|打印|单位|社区|日期|联系|说明|注意|注|备注|签字|签名|盖章|兑换时间)"
    r"[^\s:：]{0,8}\s*[:：].*|第\s*\d+\s*页.*|[^\d]{0,10}(盖章|签字|签名|签章)[)]?\s*[:：]?"
)
_FORM = re.compile(
    r"[(*]*(必填|选填|非必填|可不填|可选|可空|必须|文本|文字|数字|日期|字符|下拉选择?|自动生成|\d+位数?字?|required|optional)"
    r"[项格]?[)*]*",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"[(\[【]?(填写|填表)?(示例|样例|范例|举例|样本|example)(数据|行)?\d*([)\]】:：,，;；。\s].*)?"
    r"|[(\[【]例[)\]】].*|例[:：].*|例子?\d*",
    re.IGNORECASE | re.DOTALL,
)
_EXAMPLE_NOTE = re.compile(r"[(\[【]?(填写|填表)?(示例|样例|范例)(数据|行)?[)\]】]?([,，。;；:：\s].*)?", re.DOTALL)
_BEGIN_DATA = ("name", "phone", "identity", "item")


def aside(row: Row, header: Header, wide: Set[tuple[int, int]]) -> Aside | None:
    """The kind of a row that is not data; None for a data row.

    `wide` holds the row and column at which each merged block over several columns begins.
    """
    filled = {column: cell for column, cell in enumerate(row.cells) if cell is not None}
    said = {column: plain_text(cell) for column, cell in filled.items()}
    texts = list(said.values())
    named, noted = (said.get(header.columns.get(key, -1), "") for key in ("name", "note"))
    if _is_total(named) or (_is_total(texts[0]) and not _is_somebodys(filled, header)):
        return "total"
    if _says_headings(said, header):
        return "header"
    if repeats_title(row, header):
        return "section"
    if all(map(_FORM.fullmatch, texts)):
        return "form"
    if any(isinstance(filled.get(column), Unreadable) for column in header.columns.values()):
        return None  # its content is unknown, so it must not be dropped without a report
    if any(map(_EXAMPLE.fullmatch, (texts[0], named))) or _EXAMPLE_NOTE.fullmatch(noted):
        return "example"
    if all(map(_SIGNATURE.fullmatch, texts)):
        return "signature"
    return _of_one_cell(row, header, filled, wide) if len(filled) == 1 else None


def _is_total(text: str) -> bool:
    return _TOTAL.fullmatch(text.replace(" ", "")) is not None


def _is_somebodys(filled: Mapping[int, Cell], header: Header) -> bool:
    """Whether a row belongs to a person: a name after the first filled cell, and a date, phone or identity number."""
    cells = {key: filled.get(header.columns.get(key, -1)) for key in ("name", "date", "phone", "identity")}
    is_named = isinstance(name(cells.pop("name")), str)
    return is_named and min(filled) != header.columns["name"] and any(cell is not None for cell in cells.values())


def repeats_headings(row: Row, header: Header) -> bool:
    """Whether every filled cell of a row repeats the heading of its column; cells covered by a merge are blank."""
    return _says_headings(
        {column: plain_text(cell) for column, cell in enumerate(row.cells) if cell is not None}, header
    )


def repeats_title(row: Row, header: Header) -> bool:
    """Whether a row repeats a title of its table, as at the top of a printed page."""
    said = [cell for cell in row.cells if cell is not None]
    return any(said == [cell for cell in title.cells if cell is not None] for title in header.titles)


def _says_headings(said: Mapping[int, str], header: Header) -> bool:
    texts = list(said.values())
    return any(
        all(column < len(label) and label[column] == text for column, text in said.items())
        or (len(texts) > 1 and texts == [text for text in label if text])
        for label in _labels(header.labels)
    )


@lru_cache(maxsize=64)
def _labels(labels: tuple[tuple[Cell, ...], ...]) -> list[list[str]]:
    return [[plain_text(cell) for cell in label] for label in labels]


def _of_one_cell(row: Row, header: Header, filled: Mapping[int, Cell], wide: Set[tuple[int, int]]) -> Aside | None:
    column, cell = next(iter(filled.items()))
    key = next((key for key in _BEGIN_DATA if header.columns.get(key) == column), None)
    if (row.number, column) not in wide:
        if key is None and plain_text(cell).isdigit():
            return "form"  # an empty row whose number was printed in advance
        if is_caption(plain_text(cell), above_header=row.number in header.page_titles):
            return "section"
        if key in ("phone", "identity") or (key is not None and isinstance(name(cell), str)):
            return None
        if key is not None and not _is_remark(plain_text(cell)):
            return None
    return "section"


def _is_remark(text: str) -> bool:
    """Whether the text of a cell where a name or item is expected is a remark about the rows around it."""
    return (
        re.search(
            r"[:：]|^[(]?[一二三四五六七八九十\d]{1,3}[)]?[、.]|^\d+[人户件]$|\d{4}\s*[-/.年]|\d\s*[月日号栋幢楼]|单元|楼栋|网格",
            text,
        )
        is not None
    )
