"""The units of a county: departments, firms and schools that communities work with."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from timebank.areas.reach import require_region
from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Invalid, NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.units.schemas import UnitChange, UnitIn, UnitKind, UnitOut
from timebank.units.tables import Unit


class UnitNameTaken(TimebankError):
    code = "unit_name_taken"
    status = 409
    sentence = "县里已经有同名的单位。请直接用它，或换一个名称。"
    constraint = "unit_name_unique"


class UnitUnknown(TimebankError):
    code = "unit_unknown"
    status = 422
    sentence = "请选一个本县在用的单位。"


class _Listed(UnitOut, frozen=True, kw_only=True):
    """A unit with its sort key."""

    pinyin: str


_SHOWN = """
SELECT u.id, u.county_id, u.name, u.kind, u.active, u.pinyin, ARRAY(
    SELECT DISTINCT l.kind::text FROM unit_link l
    WHERE l.community_id = $1 AND l.unit_id = u.id AND coalesce(l.ends_on > $2, true) ORDER BY 1) AS links
FROM unit u WHERE u.county_id = (SELECT path[1] FROM region WHERE id = $1)
"""


async def units(
    scope: Scope, *, kind: UnitKind | None = None, q: str = "", active: bool | None = True, limit: int = 200,
    cursor: str | None = None,
) -> Page[UnitOut]:  # fmt: skip
    """The units of the community's county by name, each with what it is to the community.

    `q` is a part of the name, or the beginning of its pinyin.
    """
    scope.require_use("units")
    asked = Filters(scope.community_id, clock.local_day())
    asked.add_given("u.active = {}", active)
    asked.add_given("u.kind = {}", kind)
    if typed := names.clean(q).lower():
        asked.add("(strpos(lower(u.name), {0}) > 0 OR strpos(replace(u.pinyin, ' ', ''), {0}) = 1)", typed)
    asked.add_after("u.pinyin, u.id", ">", read_cursor(cursor, tuple[str, UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Listed, f"{_SHOWN}{asked.sql} ORDER BY u.pinyin, u.id LIMIT {most(limit + 1)}", *asked.values
        )
    listed = make_page(found, limit, lambda u: (u.pinyin, u.id))
    return Page([msgspec.convert(u, UnitOut, from_attributes=True) for u in listed.items], listed.next)


async def open_unit(scope: Scope, unit_id: UUID) -> UnitOut:
    """One unit of the community's county. Raises NotFound."""
    scope.require_use("units")
    async with transaction(scope):
        return await _unit(scope, unit_id)


async def _unit(scope: Scope, unit_id: UUID) -> UnitOut:
    found = await database.row(_Listed, f"{_SHOWN} AND u.id = $3", scope.community_id, clock.local_day(), unit_id)
    if found is None:
        raise NotFound
    return msgspec.convert(found, UnitOut, from_attributes=True)


@retried
async def found_unit(scope: Scope, wanted: UnitIn) -> UnitOut:
    """Enter a unit of the county once, for every community of it. For the county's administrators."""
    unit_id, name = clock.new_id(), _named(wanted.name)
    county = await require_region(scope, wanted.county_id)
    if county.kind != "county":
        raise Invalid(why=_("单位登记在县里"))
    async with transaction(scope):
        await Unit.insert(
            Unit(
                id=unit_id, county_id=county.id, name=name, pinyin=names.pinyin(name), kind=wanted.kind, active=True,
                created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(scope, "found_unit", "county_unit", unit_id, kind=wanted.kind)
    return UnitOut(id=unit_id, county_id=county.id, name=name, kind=wanted.kind, active=True, links=[])


@retried
async def change_unit(scope: Scope, unit_id: UUID, wanted: UnitChange) -> UnitOut:
    """Rename a unit, correct its kind, or take it out of use. For the county's administrators."""
    changed = msgspec.to_builtins(wanted)
    if "name" in changed:
        changed["name"] = _named(changed["name"])
        changed["pinyin"] = names.pinyin(changed["name"])
    stands = await open_unit(scope, unit_id)
    await require_region(scope, stands.county_id)
    async with transaction(scope):
        if changed:
            await Unit.update(changed).where(Unit.id == unit_id)
            await audit.record(scope, "change_unit", "county_unit", unit_id, **msgspec.to_builtins(wanted))
        return await _unit(scope, unit_id)


def _named(text: str) -> str:
    return names.required(text, _("单位要有名称"))


async def unit_options(scope: Scope) -> list[tuple[UUID, str]]:
    """The units in use of the community's county by name, for a field where one is chosen."""
    async with transaction(scope):
        found = await database.fetch_unlimited(
            "SELECT id, name FROM unit WHERE active AND county_id = (SELECT path[1] FROM region WHERE id = $1) "
            "ORDER BY pinyin, id",
            scope.community_id,
        )
    return [(UUID(bytes=row["id"].bytes), row["name"]) for row in found]


async def is_unit_of_county(scope: Scope, unit_id: UUID | None) -> bool:
    """Whether it is a unit in use of the county that the scope's community lies in."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM unit WHERE id = $1 AND active AND county_id = ("
        "SELECT path[1] FROM region WHERE id = $2))",
        unit_id, scope.community_id,
    )  # fmt: skip
    return found


async def units_in_use(scope: Scope, unit_ids: Collection[UUID]) -> set[UUID]:
    """Those of these that are units in use of the county that the scope's community lies in."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id FROM unit WHERE id = ANY ($2) AND active AND county_id = ("
            "SELECT path[1] FROM region WHERE id = $1)",
            scope.community_id, list(unit_ids),
        )  # fmt: skip
    return {UUID(bytes=row["id"].bytes) for row in found}


async def unit_names(scope: Scope, unit_ids: list[UUID]) -> dict[UUID, str]:
    """The names of these units by id, also of those that are no longer in use."""
    async with transaction(scope):
        found = await database.fetch("SELECT id, name FROM unit WHERE id = ANY ($1)", unit_ids)
    return {UUID(bytes=row["id"].bytes): row["name"] for row in found}
