"""Normalises the names of grids, buildings, units and rooms."""

import re

from timebank.imports.cells.cell_values import Cell, text
from timebank.imports.cells.numerals import DIGITS, chinese_number
from timebank.imports.cells.problems import Problem, problem

NUMERAL = "[一二三四五六七八九十百零〇两廿卅]{1,5}"
STEM = "[甲乙丙丁戊己庚辛]"
SIDE = "[甲乙丙丁戊东西南北中左右]"
BUILDING_MARK = "(?:号楼|号栋|栋|幢|#楼?|座)"
UNIT_MARK = "(?:单元|号门|门洞?|梯|单(?!身))"
_NUMBER = rf"(?:[A-Za-z]?\d{{1,4}}[A-Za-z]?|[A-Za-z]|{NUMERAL})"
_BUILDING = re.compile(
    rf"第?({_NUMBER}|{STEM})\s*(?:{BUILDING_MARK}|号|楼)?|第?(\d{{1,4}}-\d{{1,2}}|[东西南北中])\s*{BUILDING_MARK}|"
    rf"(?:building|block|bldg)\.?\s*({_NUMBER})",
    re.IGNORECASE,
)
_OF_ESTATE = re.compile(rf"(?P<estate>.*[^\d\-#A-Za-z]|\d+号院)(?P<number>\d{{1,4}}){BUILDING_MARK}")
_UNIT = re.compile(
    rf"第?({_NUMBER}|{SIDE})\s*(?:{UNIT_MARK}|号|#)?|(?:unit\.?|单元)\s*({_NUMBER}|{SIDE})", re.IGNORECASE
)
_NO_UNIT = re.compile("(无|没有|不分)单元")
_UNKNOWN = re.compile("(地址|住址|楼栋|单元|房号)?(待定|待补|未定|未知|不清楚|不明|不知道)")
_ROOM_DIGITS = re.compile(r"[〇零一二三四五六七八九]{3,4}")
_FLOOR = re.compile(r"^\d{1,2}\s*[楼层]\s*(?=\d{3,4}(\D|$))")
# What a plain room name or number does not contain: a remark, a fraction, a letter that was typed for a digit.
_ROOM_ODD = re.compile(r"[()?!*=:;]|\d\.|\.\d|(?<=\d)[oOlI](?=\d|$)")
_NUMERALS = "零一二三四五六七八九"
_FOLDED = str.maketrans("棟單樓門號東層區戶−‐‑‒–—―－﹣\\ⅠⅡⅢⅣⅤⅥ①②③④⑤⑥⑦⑧⑨", "栋单楼门号东层区户---------/123456123456789")


def fold(written: str) -> str:
    """A place with simplified characters, ASCII dashes without spaces around them, and plain digits."""
    return re.sub(r"\s*([-/])\s*", r"\1", written.translate(_FOLDED))


def _one_way(pattern: re.Pattern[str], value: str, ending: str) -> str:
    found = pattern.fullmatch(fold(value))
    if found is None:
        return value
    number = next(group for group in found.groups() if group)
    counted = chinese_number(number)
    return f"{number.upper() if counted is None else counted}{ending}"


def building(cell: Cell) -> str | Problem | None:
    """“3栋” for 3, 3幢, 3号楼, 三栋, 3# and Building 3, “东苑3栋” for 东苑3号楼; other names unchanged."""
    value = _words(cell)
    if not isinstance(value, str):
        return value
    named = _one_way(_BUILDING, value, "栋")
    found = _OF_ESTATE.fullmatch(fold(value)) if named == value else None
    return f"{found['estate']}{int(found['number'])}栋" if found else named


def is_building(value: str) -> bool:
    """Whether a text is just a building's number."""
    return _BUILDING.fullmatch(fold(value)) is not None


def is_unit(value: str) -> bool:
    """Whether a text is just a unit's number."""
    return _UNIT.fullmatch(fold(value)) is not None


def unit(cell: Cell) -> str | Problem | None:
    """“2单元” for 2, 二单元, 2号门 and Unit 2, “乙单元” for 乙; None for 无单元 (a building without units)."""
    value = _words(cell)
    if not isinstance(value, str):
        return value
    return None if _NO_UNIT.fullmatch(value) else _one_way(_UNIT, value, "单元")


def room(cell: Cell) -> str | Problem | None:
    """“502” for 502, 502室, 502号, 五〇二 and 5楼502; a Problem if the cell holds more than a room."""
    value = _words(cell)
    if not isinstance(value, str):
        return value
    plain = re.sub(r"(?<=[\d〇零一二三四五六七八九])\s*[室号房户]$", "", fold(value)).replace(",", "、")
    plain = _FLOOR.sub("", plain)
    if _ROOM_DIGITS.fullmatch(plain):
        return "".join(str(DIGITS[digit]) for digit in plain)
    return problem("room_unclear") if _ROOM_ODD.search(plain) or not plain.strip("0") else plain.upper()


def is_unknown(value: str) -> bool:
    """Whether a text says that the place is unknown, such as 待定 or 地址不明."""
    return _UNKNOWN.fullmatch(value) is not None


def _words(cell: Cell) -> str | Problem | None:
    value = text(cell)
    return None if isinstance(value, str) and is_unknown(value) else value


def grid(cell: Cell) -> str | Problem | None:
    """“第一网格” for 1, 1网格, 第1网格 and 网格一; other names unchanged."""
    value = text(cell)
    if not isinstance(value, str):
        return value
    found = re.fullmatch(
        r"第?(\d{1,2}|[一二三四五六七八九十]{1,3})(?:号?网格)?|(?:网格|grid)\s*(\d{1,2}|[一二三四五六七八九十]{1,3})",
        value,
        re.IGNORECASE,
    )
    number = chinese_number(found[1] or found[2]) if found else None
    return f"第{_numeral(number)}网格" if number else value


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{_NUMERALS[tens]}十") + (_NUMERALS[ones] if ones else "")
