"""The goods of a community and their stock at each station."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.columns import Column

from timebank.agreements.kinds import Kind
from timebank.agreements.proposing import done_alone
from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Count, Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import Notification, notify_many
from timebank.shop.schemas import GoodChange, GoodIn, GoodOut, StationStock
from timebank.shop.tables import Good


class GoodNameTaken(TimebankError):
    code = "good_name_taken"
    status = 409
    sentence = "已经有同名的物品了。请改用原来的那一种，或换一个名称。"
    constraint = "good_name_unique"


class _Good(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    pinyin: str
    unit: str
    points: int
    monthly_limit: int | None
    photo_id: UUID | None
    active: bool


_GOODS = (
    "SELECT g.id, g.name, g.pinyin, g.unit, g.points, g.monthly_limit, g.photo_id, g.active FROM good g "
    "WHERE g.community_id = $1"
)
_STOCK = (
    "SELECT s.good_id, s.station_id, t.name AS station, s.quantity, coalesce((SELECT sum(r.quantity) FROM redemption r "
    "WHERE r.community_id = s.community_id AND r.station_id = s.station_id AND r.status = 'reserved' "
    "AND r.good_id = s.good_id), 0)::integer AS reserved "
    "FROM stock s JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
    "WHERE s.community_id = $1 AND s.good_id = ANY ($2::text[]::uuid[]) AND t.active"
)


class _Stock(msgspec.Struct, frozen=True):
    good_id: UUID
    station_id: UUID
    station: str
    quantity: int
    reserved: int


def photo_address(good_id: UUID, photo_id: UUID | None) -> str | None:
    """The URL path of a good's photo. It changes with the photo, so that a browser may cache it."""
    return f"/api/v1/goods/{good_id}/photo?v={photo_id.hex[-12:]}" if photo_id else None


async def _in_words(scope: Scope, found: list[_Good], station_id: UUID | None = None) -> list[GoodOut]:
    asked = Filters(scope.community_id, database.as_texts([good.id for good in found]))
    asked.add_given("s.station_id = {}", station_id)
    stock = await database.rows(_Stock, f"{_STOCK}{asked.sql} ORDER BY t.pinyin, t.id", *asked.values)
    return [
        GoodOut(
            id=good.id, name=good.name, unit=good.unit, points=good.points, monthly_limit=good.monthly_limit,
            active=good.active,
            photo=photo_address(good.id, good.photo_id),
            stock=[
                StationStock(station_id=s.station_id, station=s.station, quantity=s.quantity, reserved=s.reserved)
                for s in stock
                if s.good_id == good.id
            ],
        )
        for good in found
    ]  # fmt: skip


async def list_goods(
    scope: Scope, *, station_id: UUID | None = None, with_ended: bool = False, search: str = "", limit: int = 50,
    cursor: str | None = None,
) -> Page[GoodOut]:  # fmt: skip
    """The goods sorted by name, each with its stock at every station, or at one."""
    asked = _asked_for(scope, with_ended=with_ended, search=search)
    asked.add_given(
        "EXISTS (SELECT FROM stock s WHERE s.community_id = g.community_id AND s.good_id = g.id AND s.station_id = {})",
        station_id,
    )
    asked.add_after("g.pinyin, g.id", ">", read_cursor(cursor, tuple[str, UUID]))
    by_name = f"{_GOODS}{asked.sql} ORDER BY g.pinyin, g.id LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(_Good, by_name, *asked.values)
        told = await _in_words(scope, found, station_id)
    keys = {good.id: (good.pinyin, good.id) for good in found}
    return make_page(told, limit, lambda good: keys[good.id])


async def count_goods(scope: Scope, *, with_ended: bool = False, search: str = "") -> Count:
    """How many goods there are of this name, counted no further than a list says."""
    asked = _asked_for(scope, with_ended=with_ended, search=search)
    async with transaction(scope):
        return await database.count_rows(f"SELECT FROM good g WHERE g.community_id = $1{asked.sql}", *asked.values)


def _asked_for(scope: Scope, *, with_ended: bool, search: str) -> Filters:
    asked = Filters(scope.community_id)
    if not with_ended:
        asked.add("g.active")
    asked.add_given("strpos(g.name, {}) > 0", search or None)
    return asked


async def find_good(scope: Scope, good_id: UUID) -> GoodOut:
    """One good, including one that is no longer offered."""
    async with transaction(scope):
        found = await database.rows(_Good, _GOODS + " AND g.id = $2", scope.community_id, good_id)
        if not found:
            raise NotFound
        (told,) = await _in_words(scope, found)
    return told


def _name(text: str) -> str:
    return names.required(text, _("名称是空的"))


@retried
async def add_good(scope: Scope, wanted: GoodIn) -> GoodOut:
    """Add a good. It can be redeemed at a station once that station has received it."""
    scope.require_admin()
    name, good_id = _name(wanted.name), clock.new_id()
    async with transaction(scope):
        await Good.insert(
            Good(
                community_id=scope.community_id, id=good_id, name=name, pinyin=names.pinyin(name), unit=wanted.unit,
                points=wanted.points, monthly_limit=wanted.monthly_limit, photo_id=None, active=True,
                created_at=clock.now(),
            )
        )  # fmt: skip
        await _note_price(scope, good_id, wanted.points)
        await _show_another(scope, good_id, name, wanted.points, wanted.monthly_limit)
        await audit.record(
            scope, "add_good", "good", good_id, name=name, points=wanted.points, monthly_limit=wanted.monthly_limit
        )
        return await find_good(scope, good_id)


async def _note_price(scope: Scope, good_id: UUID, points: int) -> None:
    """Record a price of the good. The ledger check compares every redemption with the recorded prices."""
    await database.execute(
        "INSERT INTO good_price (community_id, good_id, points, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        scope.community_id, good_id, points, clock.now(),
    )  # fmt: skip


@retried
async def change_good(scope: Scope, good_id: UUID, change: GoodChange) -> GoodOut:
    """Change a good from now on. Existing reservations keep their price."""
    scope.require_admin()
    values: dict[Column | str, Any] = {
        k: v for k, v in msgspec.structs.asdict(change).items() if v is not msgspec.UNSET
    }
    if "name" in values:
        values["name"] = name = _name(values["name"])
        values["pinyin"] = names.pinyin(name)
    async with transaction(scope):
        before = await find_good(scope, good_id)
        if values:
            await Good.update(values).where((Good.community_id == scope.community_id) & (Good.id == good_id))
            if "points" in values:
                await _note_price(scope, good_id, values["points"])
            await audit.record(scope, "change_good", "good", good_id, **{str(k): v for k, v in values.items()})
        if before.active and change.active is False:
            await _notify_of_withdrawal(scope, good_id)
        after = await find_good(scope, good_id)
        if _gives_more(before, after):
            await _show_another(scope, good_id, after.name, after.points, after.monthly_limit)
        return after


def _gives_more(before: GoodOut, after: GoodOut) -> bool:
    """Whether a change lowers the price, raises the monthly limit, or renames the good or its unit."""
    limits = [most or LIMIT_NONE for most in (before.monthly_limit, after.monthly_limit)]
    renamed = (before.name, before.unit) != (after.name, after.unit)
    return after.points < before.points or limits[1] > limits[0] or renamed


async def _show_another(scope: Scope, good_id: UUID, name: str, points: int, limit: int | None) -> None:
    """List a good's terms for a second person to see; until then their setter and that household cannot redeem it."""
    if scope.system:
        return
    says = {"good": name, "points": points, "limit": str(limit or "none")}
    await done_alone(scope, GOOD_TERMS, str(good_id), says)


LIMIT_NONE = 1_000_000
GOOD_TERMS = Kind(
    name="good_terms",
    sentence=_("物品“{good}”由一个人定为 {points} 分，每户每月限换：{limit}"),
    needs="another", in_force=True,
    words={"limit": {"none": _("不限")}},
)  # fmt: skip


class _Reserved(msgspec.Struct, frozen=True):
    id: UUID
    person_id: UUID
    good: str
    station: str
    expires_at: datetime


async def _notify_of_withdrawal(scope: Scope, good_id: UUID) -> None:
    """Notify the people with a reservation of a good that is no longer offered, with the last day to collect it."""
    waiting = await database.rows(
        _Reserved,
        "SELECT r.id, r.person_id, g.name AS good, t.name AS station, r.expires_at FROM redemption r "
        "JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id "
        "JOIN station t ON t.community_id = r.community_id AND t.id = r.station_id "
        "WHERE r.community_id = $1 AND r.good_id = $2 AND r.status = 'reserved' ORDER BY r.id",
        scope.community_id, good_id,
    )  # fmt: skip
    to_send = [
        Notification(
            each.person_id,
            phrase("good_withdrawn", good=each.good, station=each.station, until=each.expires_at),
            f"redemption:{each.id}:withdrawn", each.id,
        )
        for each in waiting
    ]  # fmt: skip
    await notify_many(scope, to_send)
