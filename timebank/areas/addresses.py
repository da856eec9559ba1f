"""From written addresses to areas: many at once, the missing ones added."""

from typing import NamedTuple
from uuid import UUID

from timebank.areas.places import add_area, areas_of
from timebank.areas.schemas import PlaceOut
from timebank.database import retried, transaction
from timebank.scope import Scope


class Address(NamedTuple):
    """Grid, building and unit as they are written; None where nothing is."""

    grid: str | None
    building: str | None
    unit: str | None


@retried
async def settle_addresses(scope: Scope, addresses: set[Address]) -> dict[Address, UUID | None]:
    """The narrowest area of each address. An area that is not there yet is added; one that names nothing is None.

    A building written without its grid is the community's only building of that name, where there is just one, also
    where another of these addresses has brought it; so is one that has no grid yet, when an address names a grid.
    """
    async with transaction(scope):
        known = _Known(await areas_of(scope))
        return {address: await _settle(scope, known, address) for address in sorted(addresses, key=_in_order)}


class _Known:
    def __init__(self, places: list[PlaceOut]) -> None:
        self.by_place: dict[tuple[str, str, UUID | None], UUID] = {}
        self.buildings: dict[str, list[UUID]] = {}
        for place in places:
            self.add(place)

    def add(self, place: PlaceOut) -> UUID:
        self.by_place[place.kind, place.name, place.parent_id] = place.id
        if place.kind == "building":
            self.buildings.setdefault(place.name, []).append(place.id)
        return place.id

    def building(self, name: str, grid_id: UUID | None) -> UUID | None:
        found = self.by_place.get(("building", name, grid_id))
        anywhere = self.buildings.get(name, [])
        if found is None and len(anywhere) == 1:
            without_grid = self.by_place.get(("building", name, None)) == anywhere[0]
            found = anywhere[0] if grid_id is None or without_grid else None
        return found


async def _settle(scope: Scope, known: _Known, address: Address) -> UUID | None:
    grid_id = building_id = None
    if address.grid:
        grid_id = known.by_place.get(("grid", address.grid, None))
        grid_id = grid_id or known.add(await add_area(scope, "grid", address.grid, None))
    if not address.building:
        return grid_id
    building_id = known.building(address.building, grid_id)
    building_id = building_id or known.add(await add_area(scope, "building", address.building, grid_id))
    if not address.unit:
        return building_id
    unit_id = known.by_place.get(("unit", address.unit, building_id))
    return unit_id or known.add(await add_area(scope, "unit", address.unit, building_id))


def _in_order(address: Address) -> tuple[bool, tuple[str, ...]]:
    """Those with a grid first, so that a building without one finds the one of that name."""
    return address.grid is None, tuple(part or "" for part in address)
