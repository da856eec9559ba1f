"""Addresses: an area in words, and written addresses mapped to areas, many at once, with the missing areas added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from timebank.areas.places import add_area, areas_of
from timebank.areas.schemas import PlaceKind, PlaceOut
from timebank.core import clock, names
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


def area_in_words(area: str) -> str:
    """SQL expression: the words for an area, an alias of `area`: 3栋1单元 without its grid; a grid's own name."""
    return (
        f"(SELECT string_agg(step.name, '' ORDER BY cardinality(step.path)) FROM area step "  # noqa: S608
        f"WHERE step.community_id = {area}.community_id AND step.id = ANY ({area}.path) "
        f"AND (step.kind <> 'grid' OR {area}.kind = 'grid'))"
    )


def grid_in_words(area: str) -> str:
    """SQL expression: the name of the grid in which an area lies, an alias of `area`; NULL where it lies in none."""
    return (
        f"(SELECT g.name FROM area g WHERE g.community_id = {area}.community_id "  # noqa: S608  # own aliases
        f"AND g.id = ANY ({area}.path) AND g.kind = 'grid')"
    )


def place_in_words(area_id: UUID, places: Mapping[UUID, PlaceOut]) -> str:
    """The same words for an area among `places` that were read already."""
    words, area = "", places[area_id]
    while area.kind != "grid":
        words = area.name + words
        if area.parent_id is None:
            return words
        area = places[area.parent_id]
    return words or area.name


class Address(NamedTuple):
    """A written address: grid, building and unit; None for a part that is not written."""

    grid: str | None
    building: str | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Matched:
    """The smallest area of each address (None if the address is empty), and the areas that have to be added."""

    areas: dict[Address, UUID | None]
    added: list[PlaceOut]


@retried
async def find_or_add_areas(scope: Scope, addresses: set[Address]) -> dict[Address, UUID | None]:
    """The smallest area of each address; None for an empty address. Missing areas are added.

    A building without a grid in its address means the community's only building of that name, also if another of these
    addresses adds it. An address with a grid matches the only building of that name if that building has no grid.
    """
    async with transaction(scope):
        settled = match_addresses(await areas_of(scope), addresses)
        ids: dict[UUID, UUID] = {}
        for area in settled.added:  # a parent comes before its children
            parent_id = ids.get(area.parent_id, area.parent_id) if area.parent_id else None
            ids[area.id] = (await add_area(scope, area.kind, area.name, parent_id)).id
    return {address: ids.get(id_, id_) if id_ else None for address, id_ in settled.areas.items()}


def match_addresses(places: Sequence[PlaceOut], addresses: set[Address]) -> Matched:
    """What `find_or_add_areas` would return for these places; pure. New areas get temporary ids."""
    known = _Known(places)
    areas = {address: _match(known, address) for address in sorted(addresses, key=_in_order)}
    return Matched(areas, known.added)


class _Known:
    def __init__(self, places: Sequence[PlaceOut]) -> None:
        self.by_place: dict[tuple[str, str, UUID | None], UUID] = {}
        self.buildings: dict[str, list[UUID]] = {}
        self.added: list[PlaceOut] = []
        for place in places:
            self._add(place)

    def _add(self, place: PlaceOut) -> UUID:
        self.by_place[place.kind, place.name, place.parent_id] = place.id
        if place.kind == "building":
            self.buildings.setdefault(place.name, []).append(place.id)
        return place.id

    def add(self, kind: PlaceKind, written: str, parent_id: UUID | None) -> UUID:
        place = PlaceOut(
            id=clock.new_id(), kind=kind, name=names.clean(written), parent_id=parent_id, community_id=None
        )
        self.added.append(place)
        return self._add(place)

    def building(self, name: str, grid_id: UUID | None) -> UUID | None:
        found = self.by_place.get(("building", name, grid_id))
        anywhere = self.buildings.get(name, [])
        if found is None and len(anywhere) == 1:
            without_grid = self.by_place.get(("building", name, None)) == anywhere[0]
            found = anywhere[0] if grid_id is None or without_grid else None
        return found


def _match(known: _Known, address: Address) -> UUID | None:
    grid_id = building_id = None
    if address.grid:
        grid_id = known.by_place.get(("grid", address.grid, None)) or known.add("grid", address.grid, None)
    if not address.building:
        return grid_id
    building_id = known.building(address.building, grid_id) or known.add("building", address.building, grid_id)
    if not address.unit:
        return building_id
    return known.by_place.get(("unit", address.unit, building_id)) or known.add("unit", address.unit, building_id)


def _in_order(address: Address) -> tuple[bool, tuple[str, ...]]:
    """Sort key: addresses with a grid first, so that a building written without a grid finds the one added with it."""
    return address.grid is None, tuple(part or "" for part in address)
