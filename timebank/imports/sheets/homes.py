"""Read the address of a home, or the place of a deed, from the columns of a row together."""

import re
from typing import TypeVar

from timebank.imports.cells.addresses import (
    Address,
    address,
    building_cell,
    combine,
    estate_cell,
    room_cell,
    unit_cell,
)
from timebank.imports.cells.cell_values import Cell, plain_text
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.sheets.meanings import plain_heading
from timebank.imports.sheets.parsed import InSheet, Reading

_NO_ROOMS = re.compile("^(所在|所属)?[楼栋幢号]+单元号?$")
_ROOMS = re.compile("房号|门牌|^室|房间|^room")

T = TypeVar("T", bound=InSheet)


def home_of(reading: Reading[T], building_above: str | None) -> Address | None:
    """The home address in a roster row; refuses the row if a part of it is not understood.

    An address column that is not understood is left out if other columns give the building.
    """
    in_building, in_unit = "building" in reading.header.columns, bool(plain_text(reading.cell("unit")))

    def room(cell: Cell) -> Address | Problem | None:
        return room_cell(cell, in_building=in_building, in_unit=in_unit)

    # A room column whose cells hold more than the room may have been recognised as the address column.
    heading = plain_heading(reading.header.heading("address"))
    of_rooms = _ROOMS.search(heading) is not None
    written = reading.read("address", room if of_rooms else building_cell if _NO_ROOMS.search(heading) else address)
    parts = {
        "estate": reading.read("estate", estate_cell),
        "building": reading.read("building", building_cell),
        "unit": reading.read("unit", unit_cell),
        "room": reading.read("room", room),
    }
    beside = combine(parts)
    above = building_above if in_building else None
    building = (beside.building if isinstance(beside, Address) else None) or above
    if isinstance(written, Problem) and building and not of_rooms:
        within = room(reading.cell("address"))  # "2单元701" next to a building column
        written = within if isinstance(within, Address) and within.unit and within.room else written
    if isinstance(written, Problem) and isinstance(beside, Address) and building and not of_rooms:
        reading.leave_out("address", written)
        written = None
    column = "address" if of_rooms else "room"
    if _may_be_building(
        plain_text(reading.cell(column)), written if of_rooms else parts["room"], parts["unit"], building
    ):
        return _or_refuse(reading, (column, problem("address_two_ways")))
    return _or_refuse(reading, combine({"estate": parts.pop("estate"), "address": written, **parts}))


def _may_be_building(
    text: str, room: Address | Problem | None, unit: Address | Problem | None, building: str | None
) -> bool:
    """Whether the 2 of "2-701" in the room column may also be the building, because the row's building is 2."""
    return (
        isinstance(room, Address)
        and room.building is None
        and room.unit is not None
        and unit is None
        and room.unit.removesuffix("单元") == (building or "").removesuffix("栋")
        and "单元" not in text
    )


def place_of(reading: Reading[T]) -> Address | None:
    """The building, or building and unit, in a row of deeds; refuses the row if a part of it is not understood."""
    parts = {
        "estate": reading.read("estate", estate_cell),
        "place": reading.read("place", building_cell),
        "unit": reading.read("unit", unit_cell),
    }
    return _or_refuse(reading, combine(parts))


def _or_refuse(reading: Reading[T], found: Address | tuple[str, Problem] | None) -> Address | None:
    if isinstance(found, tuple):
        reading.refuse(*found)
        return None
    return found
