"""The stock of each station. Every change is a row of `stock_move`; the stock is the sum of its changes."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.database import Filters, Write, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.shop.tables import StockMove

LATELY = timedelta(days=30)


class OutOfStock(TimebankError):
    code = "out_of_stock"
    status = 422
    sentence = "库存不够：现在只有 {left} 件。请少换一些，或换一个驿站。"


class CountedBelowReserved(TimebankError):
    code = "counted_below_reserved"
    status = 422
    sentence = "清点数是 {counted}，可是已有 {reserved} 件预留给居民。请先核对预留再盘点。"


class StockOut(msgspec.Struct, frozen=True):
    """The stock of a good at a station; `quantity` is what is not reserved."""

    good_id: UUID
    station_id: UUID
    quantity: int


class StockMoveOut(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a good's stock and why; `by` is the person who made it, null for a device, worker or command."""

    id: UUID
    station: str
    change: int
    reason: str
    note: str | None
    by: str | None
    moved_at: datetime


_MOVES = (
    "SELECT m.id, t.name AS station, m.change, m.reason, m.note, p.name AS by, m.moved_at FROM stock_move m "
    "JOIN station t ON t.community_id = m.community_id AND t.id = m.station_id "
    "LEFT JOIN person p ON p.community_id = m.community_id AND p.id = m.moved_by "
    "WHERE m.community_id = $1 AND m.good_id = $2"
)


async def list_stock_changes(
    scope: Scope, good_id: UUID, *, limit: int = 30, cursor: str | None = None
) -> Page[StockMoveOut]:
    """The changes of a good's stock, newest first."""
    scope.require_reader()
    asked = Filters(scope.community_id, good_id)
    asked.add_after("m.moved_at, m.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    newest = f"{_MOVES}{asked.sql} ORDER BY m.moved_at DESC, m.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(StockMoveOut, newest, *asked.values)
    return make_page(found, limit, lambda move: (move.moved_at, move.id))


@retried
async def receive(
    scope: Scope, good_id: UUID, station_id: UUID, quantity: int, note: str | None = None, *, reason: str = "received"
) -> StockOut:
    """Add received goods to a station's stock. The first receipt makes the good available there.

    `reason` is "received", or "import" for an import. A quantity of 0 only makes the good available.
    """
    async with transaction(scope):
        await _require_place(scope, good_id, station_id)
        await _begin(scope, good_id, station_id)
        if quantity:
            await put_into_stock(scope, good_id, station_id, quantity, reason, note=note)
        await audit.record(
            scope, "receive", "good", good_id, station_id=station_id, quantity=quantity, move=reason, note=note
        )
        return await _left(scope, good_id, station_id)


@retried
async def count_stock(
    scope: Scope, good_id: UUID, station_id: UUID, counted: int, note: str | None = None
) -> StockOut | Waiting:
    """Set a station's stock to what was counted on its shelf, including the reserved ones.

    A count that lowers the stock waits for an administrator if the caller, or somebody who is not independent of the
    caller, has taken this good back as returned in the last 30 days: together the two would turn goods that never came
    back into points.
    """
    async with transaction(scope):
        await _require_place(scope, good_id, station_id)
        await _begin(scope, good_id, station_id)
        change = await _difference(scope, good_id, station_id, counted)
        if change < 0 and not scope.system and await changed_by_same_party(scope, good_id, station_id, "returned"):
            names = await database.fetch_one(
                "SELECT g.name AS good, t.name AS station FROM good g "
                "JOIN station t ON t.community_id = g.community_id "
                "WHERE g.community_id = $1 AND g.id = $2 AND t.id = $3",
                scope.community_id, good_id, station_id,
            )  # fmt: skip
            assert names is not None
            do = {"good_id": good_id, "station_id": station_id, "less": -change, "note": note}
            return await propose(
                scope, COUNT, f"{good_id}:{station_id}", do, dict(names) | {"counted": counted, "less": -change}
            )
        return await _set_count(scope, good_id, station_id, counted, change, note)


async def _lock_stock(scope: Scope, good_id: UUID, station_id: UUID) -> int:
    """Lock the row of a good's stock at a station, and return the free quantity."""
    free: int = await database.fetch_value(
        "SELECT quantity FROM stock WHERE community_id = $1 AND good_id = $2 AND station_id = $3 FOR NO KEY UPDATE",
        scope.community_id, good_id, station_id,
    )  # fmt: skip
    return free


async def _difference(scope: Scope, good_id: UUID, station_id: UUID, counted: int) -> int:
    """The counted quantity less the reserved and the free stock; the stock's row stays locked.

    Raises CountedBelowReserved.
    """
    free = await _lock_stock(scope, good_id, station_id)
    reserved: int = await database.fetch_value(
        "SELECT coalesce(sum(quantity), 0)::integer FROM redemption "
        "WHERE community_id = $1 AND good_id = $2 AND station_id = $3 AND status = 'reserved'",
        scope.community_id, good_id, station_id,
    )  # fmt: skip
    if counted < reserved:
        raise CountedBelowReserved(counted=counted, reserved=reserved)
    return counted - reserved - free


async def _set_count(
    scope: Scope, good_id: UUID, station_id: UUID, counted: int, change: int, note: str | None
) -> StockOut:
    if change:
        await put_into_stock(scope, good_id, station_id, change, "counted", note=note)
    await audit.record(scope, "count_stock", "good", good_id, station_id=station_id, counted=counted, change=change)
    return await _left(scope, good_id, station_id)


async def count_agreed(scope: Scope, change: Change) -> None:
    """Subtract what was missing at the time of the count, at most what is there. Later changes are kept."""
    good_id, station_id = UUID(change.do["good_id"]), UUID(change.do["station_id"])
    lying = await _lock_stock(scope, good_id, station_id)
    less = min(change.do["less"], lying)
    await _set_count(scope, good_id, station_id, lying - less, -less, change.do["note"])


async def changed_by_same_party(
    scope: Scope, good_id: UUID, station_id: UUID, reason: Literal["returned", "counted"]
) -> bool:
    """Whether the caller, or somebody not independent of the caller, has changed this stock so in the last 30 days.

    `reason` is a return of goods ("returned") or a count that lowered the stock ("counted"). A change without a person,
    as a device makes it, counts as the caller's.
    """
    found = await database.fetch(
        "SELECT DISTINCT m.moved_by FROM stock_move m "
        "LEFT JOIN redemption r ON r.community_id = m.community_id AND r.id = m.redemption_id "
        "WHERE m.community_id = $1 AND m.good_id = $2 AND m.station_id = $3 AND m.reason = $4 AND m.moved_at > $5 "
        "AND CASE WHEN $4 = 'returned' THEN r.status = 'returned' ELSE m.change < 0 END",
        scope.community_id, good_id, station_id, reason, clock.now() - LATELY,
    )  # fmt: skip
    hands = [row["moved_by"] for row in found]
    return None in hands or (bool(hands) and not await is_uninvolved(scope, *hands))


_TAKE = (
    "UPDATE stock SET quantity = quantity - $4 "
    "WHERE community_id = $1 AND good_id = $2 AND station_id = $3 AND quantity >= $4"
)


async def take_if_enough(scope: Scope, good_id: UUID, station_id: UUID, quantity: int, reason: str) -> bool:
    """Take goods from a stock that holds so many; False where it does not, and nothing is taken."""
    taken = await database.execute(_TAKE, scope.community_id, good_id, station_id, quantity)
    if taken != "UPDATE 1":
        return False
    database.queue(_move(scope, good_id, station_id, -quantity, reason, None, None))
    return True


def take_from_stock(
    scope: Scope, good_id: UUID, station_id: UUID, quantity: int, reason: str, *, redemption_id: UUID | None = None
) -> list[Write]:
    """Take goods from a stock, while there are enough: a stock is never negative."""
    taken = database.change(_TAKE, scope.community_id, good_id, station_id, quantity)
    return [taken, _move(scope, good_id, station_id, -quantity, reason, redemption_id, None)]


async def put_into_stock(
    scope: Scope, good_id: UUID, station_id: UUID, quantity: int, reason: str, *, redemption_id: UUID | None = None,
    note: str | None = None,
) -> None:  # fmt: skip
    """Add to an existing stock. A negative quantity is the difference of a count; the caller holds the row lock."""
    await database.execute(
        "UPDATE stock SET quantity = quantity + $4 WHERE community_id = $1 AND good_id = $2 AND station_id = $3",
        scope.community_id, good_id, station_id, quantity,
    )  # fmt: skip
    database.queue(_move(scope, good_id, station_id, quantity, reason, redemption_id, note))


def _move(
    scope: Scope, good_id: UUID, station_id: UUID, change: int, reason: str, redemption_id: UUID | None,
    note: str | None,
) -> Write:  # fmt: skip
    return database.insert(
        StockMove(
            community_id=scope.community_id, id=clock.new_id(), station_id=station_id, good_id=good_id, change=change,
            reason=reason, redemption_id=redemption_id, note=note, moved_by=scope.person_id, moved_at=clock.now(),
        )
    )  # fmt: skip


async def _require_place(scope: Scope, good_id: UUID, station_id: UUID) -> None:
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM good WHERE community_id = $1 AND id = $2) "
        "AND EXISTS (SELECT FROM station WHERE community_id = $1 AND id = $3)",
        scope.community_id, good_id, station_id,
    )  # fmt: skip
    if not found:
        raise NotFound
    scope.require_keeper(station_id)


async def _begin(scope: Scope, good_id: UUID, station_id: UUID) -> None:
    await database.execute(
        "INSERT INTO stock (community_id, station_id, good_id, quantity) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING",
        scope.community_id, station_id, good_id,
    )  # fmt: skip


async def _left(scope: Scope, good_id: UUID, station_id: UUID) -> StockOut:
    quantity: int | None = await database.fetch_value(
        "SELECT quantity FROM stock WHERE community_id = $1 AND good_id = $2 AND station_id = $3",
        scope.community_id, good_id, station_id,
    )  # fmt: skip
    return StockOut(good_id, station_id, quantity or 0)


COUNT = Kind(
    name="stock_count",
    sentence=_("把{station}的{good}清点成 {counted}，少 {less} 件（同一人刚收过退货）"), needs="another",
)  # fmt: skip
