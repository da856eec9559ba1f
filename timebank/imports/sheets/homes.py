"""Where a row of a sheet says that somebody lives or that a deed was done: its columns read together."""

import re
from typing import TypeVar

from timebank.imports.cells.addresses import (
    Address,
    address,
    building_cell,
    estate_cell,
    room_cell,
    together,
    unit_cell,
)
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.cells.values import Cell, words
from timebank.imports.sheets.parsed import InSheet, Reading
from timebank.imports.sheets.vocabulary import plain_heading

_NO_ROOMS = re.compile("^(所在|所属)?[楼栋幢号]+单元号?$")
_ROOMS = re.compile("房号|门牌|^室|房间|^room")

T = TypeVar("T", bound=InSheet)


def home_of(reading: Reading[T], building_above: str | None) -> Address | None:
    """Where a row of a roster says that somebody lives; refuses the row for what is not understood.

    An address that says no building is left out where the columns beside it do.
    """
    in_building, in_unit = "building" in reading.header.columns, bool(words(reading.cell("unit")))

    def room(cell: Cell) -> Address | Problem | None:
        return room_cell(cell, in_building=in_building, in_unit=in_unit)

    # A column of rooms that hold more than the room is found as that of the addresses.
    heading = plain_heading(reading.header.heading("address"))
    of_rooms = _ROOMS.search(heading) is not None
    written = reading.read("address", room if of_rooms else building_cell if _NO_ROOMS.search(heading) else address)
    parts = {
        "estate": reading.read("estate", estate_cell),
        "building": reading.read("building", building_cell),
        "unit": reading.read("unit", unit_cell),
        "room": reading.read("room", room),
    }
    beside = together(parts)
    above = building_above if in_building else None
    building = (beside.building if isinstance(beside, Address) else None) or above
    if isinstance(written, Problem) and building and not of_rooms:
        within = room(reading.cell("address"))  # "2单元701" beside the building's column
        written = within if isinstance(within, Address) and within.unit and within.room else written
    if isinstance(written, Problem) and isinstance(beside, Address) and building and not of_rooms:
        reading.leave_out("address", written)
        written = None
    column = "address" if of_rooms else "room"
    if _may_be_building(words(reading.cell(column)), written if of_rooms else parts["room"], parts["unit"], building):
        return _or_refuse(reading, (column, problem("address_two_ways")))
    return _or_refuse(reading, together({"estate": parts.pop("estate"), "address": written, **parts}))


def _may_be_building(
    text: str, room: Address | Problem | None, unit: Address | Problem | None, building: str | None
) -> bool:
    """Whether the first number of "2-701" in the room's column may as well be that of building 2."""
    return (
        isinstance(room, Address)
        and room.building is None
        and room.unit is not None
        and unit is None
        and room.unit.removesuffix("单元") == (building or "").removesuffix("栋")
        and "单元" not in text
    )


def place_of(reading: Reading[T]) -> Address | None:
    """The building, or building and unit, that a row of deeds speaks of; refuses the row for what is not understood."""
    parts = {
        "estate": reading.read("estate", estate_cell),
        "place": reading.read("place", building_cell),
        "unit": reading.read("unit", unit_cell),
    }
    return _or_refuse(reading, together(parts))


def _or_refuse(reading: Reading[T], found: Address | tuple[str, Problem] | None) -> Address | None:
    if isinstance(found, tuple):
        reading.refuse(*found)
        return None
    return found
