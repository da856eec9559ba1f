"""The community's grids, buildings and units, for looking up the addresses of an import, and their role grants."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.areas.addresses import Address
from timebank.areas.schemas import PlaceOut
from timebank.core import clock, database
from timebank.core.scope import Scope
from timebank.imports.cells import places
from timebank.imports.cells.problems import Problem
from timebank.imports.words.words import word_key


class AreaIndex:
    """Areas by id, and buildings and units by their normalised names.

    `aliases` maps the key of a remembered word (one that is not an area's name) to the area that it means.
    """

    def __init__(self, areas: Sequence[PlaceOut], aliases: Mapping[str, UUID] = MappingProxyType({})) -> None:
        self.areas = {area.id: area for area in areas}
        self._aliases = aliases
        self._named: dict[tuple[str, str | None], list[UUID]] = {}
        self._units: dict[tuple[UUID, str], list[UUID]] = {}
        for area in areas:
            if area.kind == "building":
                self._named.setdefault((normalise(places.building, area.name), None), []).append(area.id)
            elif area.kind == "unit" and area.parent_id:
                building = normalise(places.building, self.areas[area.parent_id].name)
                unit = normalise(places.unit, area.name)
                self._named.setdefault((building, unit), []).append(area.id)
                self._units.setdefault((area.parent_id, unit), []).append(area.id)

    def by_name(self, building: str | None, unit: str | None) -> list[UUID]:
        """The buildings with a name, or their units with a name; several if more than one grid has such a building.

        A number without its estate also matches if only one building has that number: 3栋 matches 东苑3栋.
        """
        found = self._named.get((building or "", unit), [])
        if not found and building:
            estates = estates_of(building, (name for name, of_unit in self._named if of_unit is None))
            found = self._named.get((f"{min(estates)}{building}", unit), []) if len(estates) == 1 else []
        return list(found)

    def _decided(self, building: str | None, unit: str | None) -> tuple[UUID | None, UUID | None]:
        """The areas remembered for the building with its unit and, failing that, for the building alone, as a pair.

        Both are None if an area has the name itself.
        """
        if not building or self.by_name(building, unit):
            return None, None
        whole = self._aliases.get(word_key(f"{building}{unit or ''}"))
        around = None if whole or self.by_name(building, None) else self._aliases.get(word_key(building))
        return whole, around

    def meant(self, address: Address) -> Address | None:
        """The address, in normalised names, that the community's remembered word means; None without such a word."""
        whole, around = self._decided(address.building, address.unit)
        if whole is None and around is None:
            return None
        named = {area.kind: normal_name(area) for area in self.upwards(whole or around)}
        return Address(named.get("grid"), named.get("building"), named.get("unit") if whole else address.unit)

    def named(self, building: str | None, unit: str | None) -> list[UUID]:
        """The areas that an address may mean, by name or by the community's remembered word."""
        whole, around = self._decided(building, unit)
        if whole is not None:
            return [whole]
        if around is not None and unit is not None:
            return list(self._units.get((around, unit), ()))
        return self.by_name(building, unit)

    def as_in_book(self, address: Address) -> Address:
        """An address under the names that the community has registered: 3号楼 for a sheet's 3栋."""
        address = self.meant(address) or address
        areas = self.areas.values()
        grid = next((a for a in areas if a.kind == "grid" and _is(places.grid, a, address.grid)), None)
        buildings = [a for a in areas if a.kind == "building" and _is(places.building, a, address.building)]
        in_grid = (
            a for a in buildings if (grid is not None or address.grid is None) and a.parent_id == (grid and grid.id)
        )
        building = next(in_grid, buildings[0] if len(buildings) == 1 else None)
        units = [a for a in areas if building is not None and a.parent_id == building.id]
        unit = next((a for a in units if _is(places.unit, a, address.unit)), None)
        return Address(
            grid.name if grid else address.grid,
            building.name if building else address.building,
            unit.name if unit else address.unit,
        )

    def upwards(self, area_id: UUID | None) -> Iterator[PlaceOut]:
        """An area and all that contain it, from the inside out."""
        while area_id is not None:
            yield self.areas[area_id]
            area_id = self.areas[area_id].parent_id

    def around(self, area_id: UUID | None, kind: str) -> UUID | None:
        """The area of this kind that contains the given area or is that area."""
        return next((area.id for area in self.upwards(area_id) if area.kind == kind), None)


def estates_of(building: str | None, names: Iterable[str]) -> set[str]:
    """The estates that precede this building's number in some names: 东苑 for 3栋 and 东苑3栋."""
    if building is None:
        return set()
    found = (re.fullmatch(rf"(.*[^\d\-A-Za-z]){re.escape(building)}", name) for name in names)
    return {match[1] for match in found if match}


def _is(written: Callable[[str], str | Problem | None], area: PlaceOut, name: str | None) -> bool:
    return name is not None and normalise(written, area.name) == name


def normal_name(area: PlaceOut) -> str:
    """The normalised name of a grid, building or unit: 3栋 for 3号楼."""
    written = {"grid": places.grid, "building": places.building, "unit": places.unit}.get(area.kind)
    return normalise(written, area.name) if written else area.name


def normalise(written: Callable[[str], str | Problem | None], name: str) -> str:
    """A name as one of the readers of timebank/imports/cells/places.py writes it."""
    found = written(name)
    return found if isinstance(found, str) else name


class GrantInForce(msgspec.Struct, frozen=True):
    """A role grant that is in force today."""

    person_id: UUID
    role: str
    area_id: UUID | None


async def role_grants_of(scope: Scope, person_ids: Sequence[UUID]) -> dict[UUID, list[GrantInForce]]:
    """The role grants of each of these people that are in force today."""
    found = await database.rows(
        GrantInForce,
        "SELECT g.person_id, g.role, g.area_id FROM role_grant g WHERE g.community_id = $1 "  # noqa: S608  # no input
        f"AND g.person_id = ANY ($2) AND {is_in_force('$3')} ORDER BY g.id",
        scope.community_id, list(person_ids), clock.local_day(),
    )  # fmt: skip
    held: dict[UUID, list[GrantInForce]] = {}
    for one in found:
        held.setdefault(one.person_id, []).append(one)
    return held
