"""The names of grids, buildings, units and rooms in one way of writing."""

import re

from timebank.imports.cells import Cell, chinese_number, text
from timebank.imports.problems import Problem

_NUMBER = r"(?:[A-Za-z]?\d{1,4}[A-Za-z]?|[A-Za-z]|[一二三四五六七八九十]{1,3})"
_BUILDING = re.compile(
    rf"第?({_NUMBER})\s*(?:号楼|号栋|栋|幢|#楼?|号|座|楼)?|(?:building|block|bldg)\.?\s*({_NUMBER})", re.IGNORECASE
)
_UNIT = re.compile(rf"第?({_NUMBER})\s*(?:单元|门)?|unit\.?\s*({_NUMBER})", re.IGNORECASE)
_DIGITS = "零一二三四五六七八九"


def _one_way(pattern: re.Pattern[str], value: str, ending: str) -> str:
    found = pattern.fullmatch(value)
    if found is None:
        return value
    number = next(group for group in found.groups() if group)
    counted = chinese_number(number)
    return f"{number.upper() if counted is None else counted}{ending}"


def building(cell: Cell) -> str | Problem | None:
    """“3栋” for 3, 3幢, 3号楼, 三栋, 3# and Building 3; other names as they are."""
    value = text(cell)
    return _one_way(_BUILDING, value, "栋") if isinstance(value, str) else value


def is_building(value: str) -> bool:
    """Whether words are a building's number and nothing more."""
    return _BUILDING.fullmatch(value) is not None


def is_unit(value: str) -> bool:
    """Whether words are a unit's number and nothing more."""
    return _UNIT.fullmatch(value) is not None


def unit(cell: Cell) -> str | Problem | None:
    """“2单元” for 2, 二单元 and Unit 2."""
    value = text(cell)
    return _one_way(_UNIT, value, "单元") if isinstance(value, str) else value


def room(cell: Cell) -> str | Problem | None:
    """“502” for 502, 502室 and 502号."""
    value = text(cell)
    return re.sub(r"(?<=\d)\s*[室号房户]$", "", value) if isinstance(value, str) else value


def grid(cell: Cell) -> str | Problem | None:
    """“第一网格” for 1, 1网格, 第1网格 and 网格一."""
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
    return ("" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十") + (_DIGITS[ones] if ones else "")
