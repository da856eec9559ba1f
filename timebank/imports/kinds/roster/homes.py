"""Maps the addresses of a roster's rows to areas: registered ones and those that the file adds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from timebank.areas.addresses import Address, match_addresses
from timebank.areas.schemas import PlaceOut
from timebank.imports.cells import places
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.words.area_index import AreaIndex, normal_name, normalise


@dataclass(frozen=True, slots=True)
class Homes:
    """The community's areas with those that a file adds, and the area of each address as written in the file."""

    town: AreaIndex
    areas: dict[Address, UUID | None]
    added: Sequence[PlaceOut]

    def of(self, row: RosterRow) -> UUID | None:
        """The area of a row; None if it names none, or if the row neither registers anybody nor gives a role."""
        return self.areas.get(written(row))

    def address(self, area_id: UUID | None) -> Address:
        """The address of an area in registered names, which do not depend on the other rows of the file."""
        named = {area.kind: area.name for area in self.town.upwards(area_id)}
        return Address(named.get("grid"), named.get("building"), named.get("unit"))

    def in_one_way(self, area_id: UUID | None) -> dict[str, str]:
        """The normalised names of an area and those that contain it, by kind."""
        return {area.kind: normal_name(area) for area in self.town.upwards(area_id)}

    def added_around(self, area_ids: Iterable[UUID | None]) -> list[PlaceOut]:
        """The new areas among these areas and those that contain them."""
        used = {area.id for area_id in area_ids for area in self.town.upwards(area_id)}
        return [area for area in self.added if area.id in used]


def homes_of(town: AreaIndex, rows: Sequence[RosterRow]) -> Homes:
    """Find the areas of the rows' addresses, under the registered names, and the areas to add. Pure."""
    before = list(town.areas.values())
    in_book = {address: town.as_in_book(address) for address in {written(row) for row in rows}}
    settled = match_addresses(before, set(in_book.values()))
    areas = {address: settled.areas[named] for address, named in in_book.items()}
    return Homes(AreaIndex([*before, *settled.added]), areas, settled.added)


def written(row: RosterRow) -> Address:
    """The address of a row as written in the file."""
    return Address(row.household.grid, row.household.building, row.household.unit)


def grids_of_buildings(areas: Sequence[PlaceOut], rows: Sequence[RosterRow]) -> dict[str, set[str | None]]:
    """The grids in which each building name occurs, registered or in this file."""
    by_id = {area.id: area for area in areas}
    found: dict[str, set[str | None]] = {}
    for area in areas:
        if area.kind == "building":
            above = by_id.get(area.parent_id) if area.parent_id else None
            found.setdefault(normalise(places.building, area.name), set()).add(
                normalise(places.grid, above.name) if above else None
            )
    for row in rows:
        if row.household.building:
            found.setdefault(row.household.building, set()).add(row.household.grid)
    return found
