"""The one grammar of addresses: building, unit and room out of one cell or of several, in every kind of sheet.

A cell is read as a whole or refused: what stands in it and is not understood may be the other half of the address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from timebank.imports import places
from timebank.imports.cells import NAME_LENGTH_MAX, Cell, text, words
from timebank.imports.problems import Problem, problem

ADDRESS_LENGTH_MAX = 200
_NUMERAL = "[一二三四五六七八九十]{1,3}"
_BUILDING_NUMBER = rf"(?:[A-Za-z]?\d{{1,4}}[A-Za-z]?|[A-Za-z]|{_NUMERAL})"
_SEPARATOR = r"[\s\-–—－/,，、_·]*"
_ESTATE = (
    r"(?:.*(?:小区|社区|花园|家园|公寓|新村|大院|[苑园城府邸湾庭居寓坊村])|.*[路街巷道弄]\s*\d+\s*号院?|"
    r"[^\d#一二三四五六七八九十\-栋幢座]*?)"
)
_PHASE = rf"(?P<phase>(?:[A-Za-z\d]|[东西南北]|{_NUMERAL})(?:期|区|组团))?"
_UNIT = rf"第?(?P<unit>\d{{1,2}}|[A-Za-z]|{_NUMERAL})\s*(?:单元|门洞?)"
_FLOOR = r"(?:\d{1,2}\s*[楼层]\s*)?"
_ROOM = rf"{_FLOOR}(?P<room>[A-Za-z]?\d{{1,4}}[A-Za-z]?)\s*(?:号房|[室号房户])?"
_IN_WORDS = re.compile(
    rf"{_ESTATE}\s*{_PHASE}\s*第?(?P<building>{_BUILDING_NUMBER})\s*(?:号楼|号栋|号|栋|幢|#楼?|座|楼)"
    rf"(?:{_SEPARATOR}{_UNIT})?(?:{_SEPARATOR}{_ROOM})?"
)
_BUILDING_THEN_NUMBERS = re.compile(
    rf"{_ESTATE}\s*{_PHASE}\s*第?(?P<building>{_BUILDING_NUMBER})\s*(?:号楼|号栋|栋|幢|#楼?|座)\s*[\-–—－/]?\s*"
    r"(?P<unit>\d{1,2})\s*[\-–—－/]\s*(?P<room>[A-Za-z]?\d{2,4}[A-Za-z]?)\s*(?:号房|[室号房户])?"
)
_NUMBERS = re.compile(
    r"(?P<building>[A-Za-z]?\d{1,3}|[A-Za-z])\s*[\-–—－/]\s*(?:(?P<unit>\d{1,2})\s*(?:单元)?\s*[\-–—－/]\s*)?"
    r"(?P<last>[A-Za-z]?\d{1,4}[A-Za-z]?)\s*(?P<ending>单元|号房|[室号房户])?"
)
_UNIT_ROOM = re.compile(
    rf"(?:(?P<unit>\d{{1,2}})\s*[\-–—－/]\s*|{_UNIT.replace('unit', 'unit_word')}{_SEPARATOR})"
    r"(?P<room>[A-Za-z]?\d{3,4}[A-Za-z]?)\s*(?:号房|[室号房户])?"
)
_NAMED = re.compile(
    r"(?P<building>[^\d#\s,，、_·\-–—－/一二三四五六七八九十]{1,20}?[楼栋幢座])"
    rf"(?:{_SEPARATOR}{_UNIT})?(?:{_SEPARATOR}{_ROOM})?"
)
"""A building that has a name and no number: 老邮局楼2单元501."""
_STREET = re.compile(r"[路街巷道弄]\s*\d+\s*号\s*(?:\d+\s*[室号房户]?)?$")
_MARKS = re.compile(r"[栋幢#单]|单元|号楼|\d\s*[\-–—－/]\s*\d")
_ROOM_WORD = re.compile(r"[室号房户]$")


@dataclass(frozen=True, slots=True)
class Address:
    """A building, and a unit and room where they are known."""

    building: str | None = None
    unit: str | None = None
    room: str | None = None


NOWHERE = Address()


def address(cell: Cell) -> Address | Problem | None:
    """The parts of "8栋3单元502室", "31#2-701", "8-3-502" or "55-2" (building and unit)."""
    value = _words_of(cell, ADDRESS_LENGTH_MAX)
    if not isinstance(value, str):
        return value
    numbers = _NUMBERS.fullmatch(value)
    if numbers:
        return _of_numbers(numbers)
    found = _BUILDING_THEN_NUMBERS.fullmatch(value) or _IN_WORDS.fullmatch(value)
    if found is None and (by_name := _NAMED.fullmatch(value)) is not None:
        return _of_words(by_name, by_name["building"], value)
    if found is None or _STREET.search(value):
        return problem("address_unclear")
    return _of_words(found, f"{found['phase'] or ''}{_building(found['building'])}", value)


def _of_words(found: re.Match[str], building: str, value: str) -> Address | Problem:
    unit = found["unit"]
    room = found["room"]
    if room and unit is None and not _ROOM_WORD.search(value) and len(re.sub(r"\D", "", room)) < 3:
        # "31#2": a number of one digit behind the building is its unit; of two it may be either.
        return Address(building, _unit(room)) if re.fullmatch(r"\d", room) else problem("address_two_ways")
    return Address(building, _unit(unit) if unit else None, room.upper() if room else None)


def _of_numbers(found: re.Match[str]) -> Address | Problem:
    """Three numbers are building, unit and room; of two, the length of the second says whether it is a unit or room."""
    building, last, ending = _building(found["building"]), found["last"].upper(), found["ending"]
    if found["unit"]:
        return problem("address_unclear") if ending == "单元" else Address(building, _unit(found["unit"]), last)
    if ending == "单元":
        return Address(building, _unit(last))
    digits = len(re.sub(r"\D", "", last))
    if ending or digits >= 3:
        return Address(building, None, last)
    return Address(building, _unit(last)) if digits == 1 else problem("address_two_ways")


def building_cell(cell: Cell) -> Address | Problem | None:
    """A cell of a building's column: a building alone, or more of the address."""
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    named = places.building(value)
    if named != value or places.is_building(value):
        return Address(named if isinstance(named, str) else None)
    found = address(value)
    return found if isinstance(found, Address) or _MARKS.search(value) else Address(value)


def unit_cell(cell: Cell) -> Address | Problem | None:
    """A cell of a unit's column: a unit alone, or more of the address."""
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    named = places.unit(value)
    if named != value or places.is_unit(value):
        return Address(unit=named if isinstance(named, str) else None)
    found = address(value)
    return found if isinstance(found, Address) or re.search(r"\d", value) else Address(unit=value)


def room_cell(cell: Cell, *, in_building: bool) -> Address | Problem | None:
    """A cell of a room's column. "2-701" is unit and room where another column has the building."""
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    within = _UNIT_ROOM.fullmatch(value)
    if within and (in_building or within["unit_word"]):
        return Address(unit=_unit(within["unit"] or within["unit_word"]), room=within["room"].upper())
    if re.fullmatch(r"[A-Za-z]?\d{3,4}[A-Za-z]?[\-–—]\d{1,2}", value) or not _MARKS.search(value):
        room = places.room(value)  # a part of a flat that is let by rooms, 501-1, is a room of its own
        return Address(room=room) if isinstance(room, str) else room
    return address(value)


def together(parts: Mapping[str, Address | Problem | None]) -> Address | tuple[str, Problem] | None:
    """The address that several columns say; with the column at fault where one is unclear or two contradict."""
    said: dict[str, str] = {}
    for meaning, part in parts.items():
        if isinstance(part, Problem):
            return meaning, part
        for name in ("building", "unit", "room"):
            value = getattr(part, name) if part else None
            if value and said.setdefault(name, value) != value:
                return meaning, problem("address_contradicts", first=said[name], second=value)
    return Address(**said) if said else None


def looks_like_address(cell: Cell) -> bool:
    """Whether a cell holds a building together with a unit or room."""
    found = address(cell) if words(cell) else None
    return isinstance(found, Address) and (found.unit is not None or found.room is not None)


def _words_of(cell: Cell, most: int = NAME_LENGTH_MAX) -> str | Problem | None:
    value = text(cell, most)
    # A program that reads numbers as floats writes 502 as "502.0".
    return re.sub(r"^(\d{1,4})\.0+$", r"\1", value) if isinstance(value, str) else value


def _building(number: str) -> str:
    named = places.building(number)
    return named if isinstance(named, str) else number


def _unit(number: str) -> str:
    named = places.unit(number)
    return named if isinstance(named, str) else number
