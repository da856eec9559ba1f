"""Parse addresses: building, unit and room from one cell or from several columns, in every kind of sheet.

A cell must match as a whole or it is refused: the part that does not match may belong to the address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from timebank.imports.cells import places
from timebank.imports.cells.cell_values import NAME_LENGTH_MAX, Cell, plain_text, text
from timebank.imports.cells.problems import Problem, problem

ADDRESS_LENGTH_MAX = 200
_NUMERAL, _MARK = places.NUMERAL, places.BUILDING_MARK
_BUILDING_NUMBER = rf"(?:[A-Za-z]?\d{{1,4}}[A-Za-z]?|[A-Za-z]|{_NUMERAL}|{places.STEM})"
_SEPARATOR = r"[\s\-/,、_·]*"
# What may precede the building's number: the name of an estate or street. Text that ends like another numbered thing,
# such as 三组, does not match.
_ESTATE = (
    r"(?P<estate>.*(?:小区|社区|花园|家园|公寓|新村|大院|[苑园城府邸湾庭居寓坊村])|.*[路街巷道弄]\s*\d+\s*号院?|\d{1,3}\s*号院|"
    r"(?:(?!网格|单元)[^\d#\-栋幢座])*[^\dA-Za-z#\-栋幢座一二三四五六七八九十百零〇两廿卅组社队排户家层楼\s(]|)"
    r"(?<![A-Za-z\d东西南北一二三四五六七八九十][期区])(?<!组团)"
)
_PHASE = rf"\(?(?P<phase>(?:[A-Za-z\d]|[东西南北]|{_NUMERAL})(?:期|区|组团))?\)?"
_UNIT = rf"第?(?P<unit>\d{{1,2}}|[A-Za-z]|{_NUMERAL}|{places.SIDE})\s*{places.UNIT_MARK}"
_FLOOR = r"(?:\d{1,2}\s*[楼层]\s*)?"
_ROOM = (
    rf"{_FLOOR}第?(?P<room>[A-Za-z]?\d{{1,4}}[A-Za-z东西南北中左右]?(?:-\d{{1,2}})?|[〇零一二三四五六七八九]{{3,4}}|"
    r"\d{1,2}[楼层][东西南北中左右]户)\s*(?:号房|[室号房户])?"
)
_IN_WORDS = re.compile(
    rf"{_ESTATE}\s*{_PHASE}\s*第?(?:(?P<building>{_BUILDING_NUMBER})\s*(?:{_MARK}|号|楼)|(?P<joined>\d{{1,4}}-\d{{1,2}})\s*{_MARK})"
    rf"(?:{_SEPARATOR}{_UNIT})?(?:{_SEPARATOR}{_ROOM})?"
)
_BUILDING_THEN_NUMBERS = re.compile(
    rf"{_ESTATE}\s*{_PHASE}\s*第?(?P<building>{_BUILDING_NUMBER})\s*{_MARK}\s*[\-/]?"
    r"(?P<unit>\d{1,2})\s*[\-/](?P<room>[A-Za-z]?\d{2,4}[A-Za-z]?(?:-\d{1,2})?)\s*(?:号房|[室号房户])?"
)
_NUMBERS = re.compile(
    rf"{_ESTATE}\s*{_PHASE}\s*(?P<building>[A-Za-z]?\d{{1,3}}[A-Za-z]?|[A-Za-z]|{_NUMERAL})(?:"
    r"(?P<between>[\-/.]| +)(?P<unit>\d{1,2}|[A-Za-z]|[一二三四五六七八九十]{1,3})\s*(?:单元)?(?P=between)"
    r"(?P<room>[A-Za-z]?\d{1,4}[A-Za-z]?|\d{3,4}-\d{1,2}|[〇零一二三四五六七八九]{3,4})|"
    r"(?P<dash>[\-/])(?P<last>[A-Za-z]?\d{1,4}[A-Za-z]?))\s*(?P<ending>单元|号房|[室号房户])?"
)
_OF_A_KIND = re.compile(
    r"(?P<kind>平房|商铺|店铺|铺面|门面房?|门市|车库|仓库|储藏室|自建房|民房|板房|别墅|排屋|联排)\s*"
    r"(?P<number>[A-Za-z]?\d{1,4}(?:-\d{1,4})?)\s*(?P<mark>号楼|栋|幢|座)?(?:号|室|间|户|#)?"
)
_UNIT_ROOM = re.compile(
    rf"(?:(?P<unit>\d{{1,2}})-|{_UNIT.replace('?P<unit>', '?P<unit_word>')}{_SEPARATOR}{_FLOOR})"
    r"(?P<room>[A-Za-z]?\d{3,4}[A-Za-z]?|[〇零一二三四五六七八九]{3,4})\s*(?:号房|[室号房户])?"
)
_NAMED = re.compile(
    r"(?P<building>[^\d#\s,，、_·\-–—－/一二三四五六七八九十]{1,20}?[楼栋幢座])"
    rf"(?:{_SEPARATOR}{_UNIT})?(?:{_SEPARATOR}{_ROOM})?"
)
"""A building that has a name and no number: 老邮局楼2单元501."""
_STREET = re.compile(r"[路街巷道弄]\s*\d+\s*号\s*(?:\d+\s*[室号房户]?)?$")
_MARKS = re.compile(r"[栋幢#]|单元|号楼|\d\s*[\-/]\s*\d")
_ROOM_WORD = re.compile(r"[室号房户]$")
_NAME = re.compile(r"[^\d,、;.?!]*(?:\d{1,4}[^\d,、;.?!\-/~]*[^\d,、;.?!\-/~室房户])?")
_LETTER_AND_ROOM = re.compile(r"[A-Za-z]\d{3,4}")
_ABOVE_AN_ESTATE = re.compile(r"^.*(?:社区|街道|[^省市县镇乡][省市县镇乡]|[路街巷道弄]\s*\d+\s*号(?!院))")
_ROOM_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Address:
    """A building, and a unit and room where they are known.

    `estate` is the name before the building. It is left out of comparisons: it matters only where two estates have a
    building of the same number.
    """

    building: str | None = None
    unit: str | None = None
    room: str | None = None
    estate: str | None = field(default=None, compare=False)


NOWHERE = Address()


def address(cell: Cell) -> Address | Problem | None:
    """Parse an address such as "8栋3单元502室", "31#2-701", "8-3-502" or "55-2" (building and unit)."""
    value = _words_of(cell, ADDRESS_LENGTH_MAX)
    if not isinstance(value, str):
        return value
    of_a_kind = _OF_A_KIND.fullmatch(value)
    if of_a_kind:
        return _of_a_kind(of_a_kind)
    numbers = _NUMBERS.fullmatch(value)
    if numbers:
        return _of_numbers(numbers)
    found = _BUILDING_THEN_NUMBERS.fullmatch(value) or _IN_WORDS.fullmatch(value)
    if found is None and (by_name := _NAMED.fullmatch(value)) is not None:
        return _of_words(by_name, by_name["building"], value)
    if found is None or _STREET.search(value):
        return problem("address_unclear")
    building = found["building"] or f"{found.groupdict()['joined']}栋"
    if is_range(building):
        return problem("address_unclear")
    return _of_words(found, building, value)


def _of_words(found: re.Match[str], building: str, value: str) -> Address | Problem:
    unit, room = found["unit"], found["room"]
    if room and unit is None and not _ROOM_WORD.search(value) and _is_short(room):
        # "31#2": a one-digit number after the building is its unit; a two-digit number may be a unit or a room.
        return _whole(found, building, room, None) if re.fullmatch(r"\d", room) else problem("address_two_ways")
    return _whole(found, building, unit, room)


def _of_a_kind(found: re.Match[str]) -> Address:
    """A house numbered within its own kind is not a numbered building: 别墅3号 is room 3 of building 别墅."""
    if found["mark"]:
        return Address(f"{found['kind']}{found['number']}栋")
    return Address(found["kind"], None, found["number"])


def _of_numbers(found: re.Match[str]) -> Address | Problem:
    """Three numbers are building, unit and room. Of two, the second is a unit or a room according to its length."""
    building, ending = found["building"], found["ending"]
    if found["unit"]:
        return problem("address_unclear") if ending == "单元" else _whole(found, building, found["unit"], found["room"])
    last, digits = found["last"].upper(), len(re.sub(r"\D", "", found["last"]))
    if ending == "单元":
        return _whole(found, building, last, None)
    # "701/702" are two rooms, and "3/4" two buildings or units.
    if len(re.sub(r"\D", "", building)) >= _ROOM_DIGITS <= digits or (found["dash"] == "/" and digits < _ROOM_DIGITS):
        return problem("address_unclear")
    if ending or digits >= _ROOM_DIGITS:
        return _whole(found, building, None, last)
    return _whole(found, building, last, None) if digits == 1 else problem("address_two_ways")


def _whole(found: re.Match[str], building: str, unit: str | None, room: str | None) -> Address | Problem:
    """Build an address from the matched parts, each normalised to one spelling."""
    said = found.groupdict()
    named_so = building if found.re is _NAMED else places.building(building)
    parts = [named_so, places.unit(unit), places.room(room)]
    if wrong := next((part for part in parts if isinstance(part, Problem)), None):
        return wrong
    if "0栋" in parts or "0单元" in parts:
        return problem("address_unclear")
    named, unit_named, room_named = (part if isinstance(part, str) else None for part in parts)
    estate = without_wider(said.get("estate") or "").strip("（(") or None
    return Address(f"{said.get('phase') or ''}{named}", unit_named, room_named, estate)


def without_wider(written: str) -> str:
    """The name of an estate without the town, street or community that stands before it."""
    return _ABOVE_AN_ESTATE.sub("", written)


def estate_cell(cell: Cell) -> Address | Problem | None:
    """Read a cell of the estate column: the estate's name alone, or a longer part of the address."""
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    found = address(value)
    return found if isinstance(found, Address) else Address(estate=without_wider(value) or value)


def is_range(written: str) -> bool:
    """Whether a text may be a range of buildings: "3-4栋" may, "31-1栋" (a building beside 31栋) may not."""
    found = re.fullmatch(rf"第?(\d{{1,4}})-(\d{{1,2}})\s*(?:{_MARK}|号)?", written)
    return found is not None and int(found[1]) < int(found[2]) and not written[-1].isdigit()


def _is_short(room: str) -> bool:
    """Whether a room number may also be a unit number: 12 and 12-1 may, 1201 and 501-1 may not."""
    digits = len(re.sub(r"\D", "", room.partition("-")[0]))
    return digits < _ROOM_DIGITS and not re.search("[〇零一二三四五六七八九户]", room)


def building_cell(cell: Cell) -> Address | Problem | None:
    """Read a cell of the building column: a building alone, or a longer part of the address."""
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    if is_range(value):
        return problem("address_unclear")
    if places.is_building(value) and not _LETTER_AND_ROOM.fullmatch(value):
        named = places.building(value)
        return problem("address_unclear") if named == "0栋" else Address(named if isinstance(named, str) else None)
    found = address(value)
    # A proper name (老年公寓, 3号院) is one building; any other text with numbers may mean several.
    is_name = not _MARKS.search(value) and _NAME.fullmatch(value)
    return found if isinstance(found, Address) or not is_name else Address(value)


def unit_cell(cell: Cell) -> Address | Problem | None:
    """Read a cell of the unit column: a unit alone, or a longer part of the address."""
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    named = places.unit(value)
    if named is None or named == "0单元":
        return problem("address_unclear") if named else None
    if places.is_unit(value):
        return Address(unit=named if isinstance(named, str) else None)
    within = _UNIT_ROOM.fullmatch(value)
    if within:
        return _in_building(within)
    if re.fullmatch(r"\d{1,2}[\-/]\d{1,2}", value):
        return problem("address_two_ways")
    found = address(value)
    return found if isinstance(found, Address) or re.search(r"\d|单元", value) else Address(unit=value)


def room_cell(cell: Cell, *, in_building: bool, in_unit: bool = False) -> Address | Problem | None:
    """Read a cell of the room column. "2-701" is unit and room if another column has the building.

    "7-1" is a room if other columns have the building and the unit; without the unit it is ambiguous and refused.
    """
    value = _words_of(cell)
    if not isinstance(value, str):
        return value
    within = _UNIT_ROOM.fullmatch(value)
    if within and (in_building or within["unit_word"]):
        return _in_building(within)
    if re.fullmatch(r"\d{1,2}-\d{1,2}", value) and in_building:
        return Address(room=value) if in_unit else problem("address_two_ways")
    if re.fullmatch(r"[A-Za-z]?\d{3,4}[A-Za-z]?-\d{1,2}", value) or not _MARKS.search(value):
        room = places.room(value)  # 501-1, a room in a flat that is let by the room, counts as a room
        return Address(room=room) if isinstance(room, str) else room
    return address(value)


def _in_building(found: re.Match[str]) -> Address | Problem:
    unit, room = places.unit(found["unit"] or found["unit_word"]), places.room(found["room"])
    if isinstance(room, Problem) or unit == "0单元":
        return problem("address_unclear")
    return Address(unit=unit if isinstance(unit, str) else None, room=room)


def combine(parts: Mapping[str, Address | Problem | None]) -> Address | tuple[str, Problem] | None:
    """Combine the parts read from several columns into one address.

    Returns the column and its problem where a part is unclear or contradicts another, None where all are blank.
    """
    said: dict[str, str] = {}
    for meaning, part in parts.items():
        if isinstance(part, Problem):
            return meaning, part
        for name in ("building", "unit", "room", "estate"):
            value = getattr(part, name) if part else None
            if value and said.setdefault(name, value) != value and name != "estate":
                return meaning, problem("address_contradicts", first=said[name], second=value)
    return Address(**said) if said else None


def looks_like_address(cell: Cell) -> bool:
    """Whether a cell holds a building together with a unit or room."""
    found = address(cell) if plain_text(cell) else None
    return isinstance(found, Address) and (found.unit is not None or found.room is not None)


def _words_of(cell: Cell, most: int = NAME_LENGTH_MAX) -> str | Problem | None:
    if isinstance(cell, date | time | timedelta):
        return problem("place_became_date")
    value = text(cell, most)
    if not isinstance(value, str) or places.is_unknown(value):
        return value if not isinstance(value, str) else None
    # A program that reads numbers as floats writes 502 as "502.0".
    return re.sub(r"^(\d{1,4})\.0+$", r"\1", places.fold(value))
