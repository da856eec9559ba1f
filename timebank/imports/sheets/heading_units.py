"""Recognise units and calendars in a heading that change the meaning of its values: 库存（打）, 日期（农历）."""

import re
from collections.abc import Mapping

from timebank.imports.cells.values import Cell, plain_text

_IN_BRACKETS = re.compile(r"[(\[【（](?P<within>[^)\]】）]*)[)\]】）]|(?<=[^\W\d_])[/／:：](?P<behind>[^\W\d_]{1,2})$")
_TIMES = r"[×xX*]\s*\d+|[十百千万]"
_UNITS: Mapping[str, re.Pattern[str]] = {
    "points": re.compile(rf"{_TIMES}|[元角¥￥]|块钱|rmb|人民币", re.IGNORECASE),
    "stock": re.compile(rf"{_TIMES}|[打箱捆扎吨包桶袋盒瓶条提套双盘板斤]|公斤|千克|kg|克|元", re.IGNORECASE),
    "limit": re.compile(r".*(每[人天日周季年次]|/[人天日周季年次]).*|.*[元打箱]"),
    "length": re.compile(rf"{_TIMES}|天|日|半天|秒|次|周|月|工日|mins?|minutes?|h|hrs?|hours?", re.IGNORECASE),
}
_BARE = re.compile(r"\d{1,9}(\.\d{1,6})?")
_OTHER_CALENDAR = re.compile(r"农历|阴历|旧历|民国|回历|佛历|lunar", re.IGNORECASE)
_DAYS = frozenset({"date", "born_on"})


def with_unit(meaning: str, heading: str, cell: Cell) -> Cell:
    """Add the unit in a column's heading to a bare number, as if it were written there; other cells stay."""
    pattern = _UNITS.get(meaning)
    if pattern is None or isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return cell
    if not _BARE.fullmatch(plain_text(cell)):
        return cell
    for found in _IN_BRACKETS.finditer(heading):
        unit = (found["within"] or found["behind"] or "").strip()
        if pattern.fullmatch(unit):
            return f"{plain_text(cell)}{unit}"
    return cell


def counts_otherwise(meaning: str, heading: str) -> bool:
    """Whether the heading of a date column names a calendar other than the Gregorian."""
    return meaning in _DAYS and _OTHER_CALENDAR.search(heading) is not None
