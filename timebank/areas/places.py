"""Places: county > street > community (regions), and inside a community grid > building > unit (areas)."""

import re
from uuid import UUID

import msgspec

from timebank.areas.reach import require_region
from timebank.areas.schemas import AREA_KINDS, PlaceKind, PlaceOut
from timebank.areas.tables import Area, Region
from timebank.core import audit, clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, Forbidden, NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope

ABOVE: dict[str, frozenset[str | None]] = {
    "county": frozenset({None}),
    "street": frozenset({"county"}),
    "community": frozenset({"street"}),
    "grid": frozenset({None}),
    "building": frozenset({None, "grid"}),
    "unit": frozenset({"building"}),
}
WORDS = 10**9  # the sort number of a word: numbers come before words
NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")}


class WrongParent(TimebankError):
    code = "wrong_parent"
    status = 422
    sentence = "上级不对：街道在县下，社区在街道下，楼栋在网格下，单元在楼栋下。"


class PlaceNameTaken(Conflict):
    code = "place_name_taken"
    sentence = "这里已经有同名的地方了。请换个名称，或直接用原来的。"
    constraint = ("area_name_unique", "region_name_unique")


class NamelessPlace(TimebankError):
    code = "nameless_place"
    status = 422
    sentence = "名称是空的，请填上。"


def _named(text: str) -> str:
    name = names.clean(text)
    if not name:
        raise NamelessPlace
    return name


@retried
async def add_region(scope: Scope, kind: PlaceKind, name: str, parent_id: UUID | None) -> PlaceOut:
    """Add a street to a county, or a community to a street, that the caller administers; a county only by command.

    Raises WrongParent, PlaceNameTaken, NamelessPlace, Forbidden, NotFound.
    """
    region_id, name = clock.new_id(), _named(name)
    async with transaction(scope):
        if parent_id is None and not scope.system:
            raise Forbidden
        above = await require_region(scope, parent_id) if parent_id else None
        if kind in AREA_KINDS or (above.kind if above else None) not in ABOVE[kind]:
            raise WrongParent
        path = [*(above.path if above else []), region_id]
        await Region.insert(
            Region(
                id=region_id, parent_id=parent_id, kind=kind, name=name, pinyin=names.pinyin(name), path=path,
                created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(scope, "found_region", kind, region_id, parent_id=parent_id)
    return PlaceOut(
        id=region_id, kind=kind, name=name, parent_id=parent_id, community_id=region_id if kind == "community" else None
    )


@retried
async def add_area(scope: Scope, kind: PlaceKind, name: str, parent_id: UUID | None) -> PlaceOut:
    """Add a grid, building or unit to the community. Raises WrongParent, PlaceNameTaken, NamelessPlace, NotFound."""
    scope.require_admin()
    area_id, name = clock.new_id(), _named(name)
    async with transaction(scope):
        above = await area(scope, parent_id) if parent_id else None
        if kind not in AREA_KINDS or (above.kind if above else None) not in ABOVE[kind]:
            raise WrongParent
        path = [*(above.path if above else []), area_id]
        await Area.insert(
            Area(
                community_id=scope.community_id, id=area_id, parent_id=parent_id, kind=kind, name=name,
                pinyin=names.pinyin(name), path=path, created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(scope, "add_area", kind, area_id, parent_id=parent_id)
    return PlaceOut(id=area_id, kind=kind, name=name, parent_id=parent_id, community_id=scope.community_id)


class AreaRow(msgspec.Struct, frozen=True):
    """An area. `path` holds the ids from the highest area down to the area itself."""

    kind: str
    path: list[UUID]


async def area(scope: Scope, area_id: UUID) -> AreaRow:
    """An area of the scope's community. Raises NotFound."""
    async with transaction(scope):
        found = await database.row(
            AreaRow, "SELECT kind, path FROM area WHERE community_id = $1 AND id = $2", scope.community_id, area_id
        )
    if found is None:
        raise NotFound
    return found


@retried
async def rename_area(scope: Scope, area_id: UUID, name: str) -> PlaceOut:
    """Rename a grid, building or unit. Raises PlaceNameTaken, NamelessPlace, NotFound."""
    scope.require_admin()
    name = _named(name)
    async with transaction(scope):
        renamed = await database.row(
            PlaceOut,
            "UPDATE area SET name = $3, pinyin = $4 WHERE community_id = $1 AND id = $2 "
            "RETURNING id, kind, name, parent_id, community_id",
            scope.community_id, area_id, name, names.pinyin(name),
        )  # fmt: skip
        if renamed is None:
            raise NotFound
        await audit.record(scope, "rename_area", renamed.kind, area_id, name=name)
    return renamed


async def places(scope: Scope, *, limit: int, cursor: str | None = None) -> Page[PlaceOut]:
    """The regions in reach, then the community's areas; each after its parent, siblings in the order of creation."""
    path, in_community = read_cursor(cursor, tuple[list[UUID], bool]) or ([], False)
    async with transaction(scope):
        found = [] if in_community else await _regions_after(scope, path, limit + 1)
        if len(found) <= limit:
            found += await _areas_after(scope, path if in_community else [], limit + 1 - len(found))
    shown = make_page(found, limit, lambda place: (place.path, place.kind in AREA_KINDS))
    return Page([place.out() for place in shown.items], shown.next)


async def _regions_after(scope: Scope, path: list[UUID], most: int) -> list["_Placed"]:
    return await database.rows(
        _Placed,
        f"{_REGIONS} AND path > $2::uuid[] ORDER BY path LIMIT $3",
        database.as_texts(scope.reach),
        path,
        most,
    )


async def _areas_after(scope: Scope, path: list[UUID], most: int) -> list["_Placed"]:
    return await database.rows(
        _Placed, f"{_AREAS} AND path > $2::uuid[] ORDER BY path LIMIT $3", scope.community_id, path, most
    )


_REGIONS = (
    "SELECT id, kind, name, parent_id, path, CASE WHEN kind = 'community' THEN id END AS community_id "
    "FROM region "
    "WHERE id IN (SELECT unnest(path) FROM region WHERE kind = 'community' AND path && $1::text[]::uuid[])"
)
_AREAS = "SELECT id, kind, name, parent_id, path, community_id FROM area WHERE community_id = $1"


async def regions_in_reach(scope: Scope) -> list[PlaceOut]:
    """The caller's communities and the streets and counties above them, each after its parent, in natural order."""
    async with transaction(scope):
        found = await database.rows(_Placed, _REGIONS, database.as_texts(scope.reach))
    return _as_tree(found)


async def areas_of(scope: Scope) -> list[PlaceOut]:
    """The community's grids, buildings and units, each after its parent, in natural order (2栋 before 10栋)."""
    async with transaction(scope):
        found = await database.rows(_Placed, _AREAS, scope.community_id)
    return _as_tree(found)


class _Placed(msgspec.Struct, kw_only=True):
    id: UUID
    kind: PlaceKind
    name: str
    parent_id: UUID | None
    path: list[UUID]
    community_id: UUID | None

    def out(self) -> PlaceOut:
        return PlaceOut(
            id=self.id, kind=self.kind, name=self.name, parent_id=self.parent_id, community_id=self.community_id
        )


def _as_tree(found: list[_Placed]) -> list[PlaceOut]:
    keys = {place.id: natural_key(place.name) for place in found}
    ordered = sorted(found, key=lambda place: [keys[step] for step in place.path if step in keys])
    return [place.out() for place in ordered]


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """A sort key that puts 2栋 before 10栋 and 第二网格 before 第十网格; words are sorted by pinyin."""
    parts = re.findall(r"\d{1,9}|[零一二三四五六七八九十]+|[^\d零一二三四五六七八九十]+", name, re.ASCII)
    return tuple((_number(part), names.pinyin(part) if _number(part) == WORDS else "") for part in parts)


def _number(part: str) -> int:
    if part.isascii() and part.isdigit():
        return int(part)
    tens, ten, ones = part.rpartition("十")
    if set(tens + ones) <= NUMERALS.keys() and len(tens) <= 1 and len(ones) <= 1:
        return (NUMERALS.get(tens, 1) * 10 if ten else 0) + NUMERALS.get(ones, 0)
    return WORDS


async def public_communities() -> list[str]:
    """The names of all communities of this installation, for everybody."""
    async with transaction(None):
        found = await database.fetch("SELECT name FROM region WHERE kind = 'community' ORDER BY path")
    return [record["name"] for record in found]
