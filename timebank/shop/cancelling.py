"""Reservations that are cancelled, or expire uncollected: their points and goods come back."""

from typing import Any
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.ledger import posting
from timebank.ledger.grace import came_back
from timebank.ledger.posting import Posting, Returned
from timebank.people.locks import require_locked
from timebank.people.messages import notify
from timebank.shop import limits
from timebank.shop.collection import (
    LOCKED,
    LockedRedemption,
    end_code,
    lock_holder,
    lock_redemption,
    require_reserved,
)
from timebank.shop.schemas import Redeemed, RedemptionStatus
from timebank.shop.shelves import stock
from timebank.shop.tables import Redemption

EXPIRE_BATCH = 500


@retried
async def cancel(scope: Scope, redemption_id: UUID) -> Redeemed:
    """Cancel a reservation and return its points and stock. A repeated call changes nothing and answers the same."""
    async with transaction(scope):
        found = await lock_redemption(scope, redemption_id)
        if not (scope.stands_for(found.person_id) or scope.keeps(found.station_id)):
            raise Forbidden
        if found.status != "cancelled":
            require_reserved(found)
            why = phrase("entry.reservation_cancelled", good=found.good, quantity=found.quantity, unit=found.unit)
            back = await _give_back(scope, found, "cancelled", why)
            await audit.record(scope, "cancel", "redemption", found.id, about_id=found.person_id, points=found.points)
            own = scope.is_own(found.person_id)
            if not own or back.usable != found.points or back.graced:
                kind = "redemption_cancelled" if own else "redemption_cancelled.by_station"
                by: dict[str, Any] = {} if own else {"station": found.station}
                await notify(
                    scope, found.person_id, kind, f"redemption:{found.id}:cancelled", found.id,
                    what=found.what, back=came_back(back), **by,
                )  # fmt: skip
    return Redeemed(id=found.id, status="cancelled", code=None, points=found.points, expires_at=found.expires_at)


async def expire_redemptions(scope: Scope) -> int:
    """Expire reservations that were not collected in time, at most 500 per run; return how many.

    Each has its own transaction. A redemption that another process has locked is skipped.
    """
    async with transaction(scope):
        due = await database.fetch(
            "SELECT id FROM redemption WHERE community_id = $1 AND status = 'reserved' AND expires_at <= $2 "
            "ORDER BY expires_at, id LIMIT $3",
            scope.community_id, clock.now(), EXPIRE_BATCH,
        )  # fmt: skip
    return sum([await _expire(scope, record["id"]) for record in due])


@retried
async def _expire(scope: Scope, redemption_id: UUID) -> bool:
    async with transaction(scope):
        holder = await lock_holder(scope, redemption_id)
        found = await database.row(LockedRedemption, f"{LOCKED} SKIP LOCKED", scope.community_id, redemption_id)
        if found is None or found.status != "reserved":
            return False
        require_locked(found.person_id, [holder.person_id])
        why = phrase("entry.reservation_expired", good=found.good, quantity=found.quantity, unit=found.unit)
        back = await _give_back(scope, found, "expired", why)
        await audit.record(scope, "expire", "redemption", found.id, about_id=found.person_id, points=found.points)
        await notify(
            scope, found.person_id, "redemption_expired.again" if back.usable else "redemption_expired",
            f"redemption:{found.id}:expired", found.id, what=found.what, back=came_back(back),
        )  # fmt: skip
    return True


async def _give_back(scope: Scope, found: LockedRedemption, status: RedemptionStatus, why: Phrase) -> Returned:
    """End a locked reservation without a collection: restore the monthly count and the stock, then void the hold."""
    await restock(scope, found)
    note = Posting(
        kind="void", key=f"redemption:{found.id}:void", source_kind="redemption", source_id=found.id, memo=why
    )
    voided = await posting.void(scope, found.entry_id, note)
    await Redemption.update(
        {
            Redemption.status: status, Redemption.ended_at: clock.now(),
            Redemption.ended_by: scope.person_id, Redemption.ended_by_login: scope.login_id,
        }
    ).where((Redemption.community_id == scope.community_id) & (Redemption.id == found.id))  # fmt: skip
    end_code(scope, found)
    return voided.returned


async def restock(scope: Scope, found: LockedRedemption) -> None:
    reserved_on = clock.local_day(found.reserved_at)
    await limits.uncount_taken(scope, found.household_id, found.good_id, found.quantity, reserved_on)
    await stock.put_into_stock(
        scope, found.good_id, found.station_id, found.quantity, "returned", redemption_id=found.id
    )
