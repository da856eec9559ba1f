"""Returns: a collected good comes back, and its points, its stock and the monthly limit are restored.

A hand-over that was a mistake is undone by the keeper who has just made it; later it is a return.
"""

from uuid import UUID

from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.grace import came_back
from timebank.ledger.posting import Posting, Returned
from timebank.people.messages import notify
from timebank.presence.undoing.acts import is_within_the_minute, note_undone
from timebank.shop.cancelling import restock
from timebank.shop.collection import LockedRedemption, lock_redemption, require_not_family
from timebank.shop.schemas import Redeemed
from timebank.shop.shelves import stock
from timebank.shop.tables import Redemption


class NotCollected(TimebankError):
    code = "redemption_not_collected"
    status = 409
    sentence = "这份兑换没有领走过，或已经退过货，不能退货。"


class GoodsNotBack(TimebankError):
    code = "goods_not_back"
    status = 422
    sentence = "物品还没有放回货架，不能撤销交付。请先收回物品，再点「已放回，撤销」。"


class HandOverStands(TimebankError):
    code = "hand_over_stands"
    status = 409
    sentence = (
        "这次交付不能撤销：只有刚办的那个账号，在一分钟以内可以撤销，刚清点少了的物品也不行。"
        "物品退回来了，请按退货办理。"
    )


@retried
async def undo_hand_over(scope: Scope, redemption_id: UUID, *, goods_back: bool) -> Redeemed:
    """Undo a hand-over within a minute, by the login that made it, once the goods are back on the shelf.

    It ends as a return does, so that a count which lowers the same stock later waits for somebody else, and one that
    has lowered it lately refuses the undo. A repeated call changes nothing.
    Raises GoodsNotBack, HandOverStands, OwnRedemption, NotFound.
    """
    async with transaction(scope):
        found = await lock_redemption(scope, redemption_id)
        scope.require_keeper(found.station_id)
        await require_not_family(scope, found.person_id)
        if scope.login_id is None or found.ended_by_login != scope.login_id:
            raise HandOverStands
        if found.status != "returned":
            await _require_undoable(scope, found)
            if not goods_back:
                raise GoodsNotBack
            assert found.settled_entry_id is not None
            back = await _restore(scope, found, found.settled_entry_id)
            await Redemption.update({Redemption.undone_at: clock.now()}).where(
                (Redemption.community_id == scope.community_id) & (Redemption.id == found.id)
            )
            await note_undone(
                scope, "hand_over", found.id, found.station_id, found.person_id, points=found.points,
                what=f"{found.good} {found.quantity} {found.unit}",
            )  # fmt: skip
            await audit.record(
                scope, "undo_hand_over", "redemption", found.id, about_id=found.person_id, station_id=found.station_id,
                points=found.points,
            )  # fmt: skip
            await notify(
                scope, found.person_id, "hand_over_undone", f"redemption:{found.id}:undone", found.id,
                what=found.what, back=came_back(back), station=found.station,
            )  # fmt: skip
    return Redeemed(id=found.id, status="returned", code=None, points=found.points, expires_at=found.expires_at)


async def _require_undoable(scope: Scope, found: LockedRedemption) -> None:
    if found.status != "collected" or not is_within_the_minute(found.ended_at):
        raise HandOverStands
    if await stock.changed_by_same_party(scope, found.good_id, found.station_id, "counted"):
        raise HandOverStands


@retried
async def return_goods(scope: Scope, redemption_id: UUID, reason: str) -> Redeemed | Waiting:
    """Take a collected good back, with a reason; restore its points, the stock and the monthly limit.

    If the caller, or somebody who is not independent of the caller, has lowered this stock by a count in the last 30
    days, the return waits for an administrator: together the two would turn goods that never came back into points.
    """
    async with transaction(scope):
        found = await lock_redemption(scope, redemption_id)
        scope.require_keeper(found.station_id)
        await require_not_family(scope, found.person_id)
        if found.status != "collected" or found.settled_entry_id is None:
            raise NotCollected
        if not scope.system and await stock.changed_by_same_party(scope, found.good_id, found.station_id, "counted"):
            return await propose(
                scope, RETURN, str(redemption_id), {"redemption_id": redemption_id, "reason": reason},
                {"what": found.what, "station": found.station, "reason": reason}, person_id=found.person_id,
            )  # fmt: skip
        return await _take_back(scope, found, found.settled_entry_id, reason)


async def _restore(scope: Scope, found: LockedRedemption, entry_id: UUID) -> Returned:
    """Put goods, monthly limit and points back, and end the redemption as returned."""
    await restock(scope, found)
    note = Posting(
        kind="reversal",
        key=f"redemption:{found.id}:return",
        source_kind="redemption",
        source_id=found.id,
        memo=phrase("entry.good_returned", good=found.good, quantity=found.quantity, unit=found.unit),
    )
    reversal = await posting.reverse(scope, entry_id, note)
    await Redemption.update({Redemption.status: "returned", Redemption.returned_at: clock.now()}).where(
        (Redemption.community_id == scope.community_id) & (Redemption.id == found.id)
    )
    return reversal.returned


async def _take_back(scope: Scope, found: LockedRedemption, entry_id: UUID, reason: str) -> Redeemed:
    back = await _restore(scope, found, entry_id)
    await audit.record(
        scope, "return_goods", "redemption", found.id, reason=reason, about_id=found.person_id, points=found.points
    )
    await notify(
        scope, found.person_id, "redemption_returned", f"redemption:{found.id}:returned", found.id,
        what=found.what, back=came_back(back), reason=reason, station=found.station,
    )  # fmt: skip
    return Redeemed(id=found.id, status="returned", code=None, points=found.points, expires_at=found.expires_at)


async def return_agreed(scope: Scope, change: Change) -> None:
    found = await lock_redemption(scope, UUID(change.do["redemption_id"]))
    if found.status != "collected" or found.settled_entry_id is None:
        raise NotCollected
    await _take_back(scope, found, found.settled_entry_id, change.do["reason"])


RETURN = Kind(
    name="return_goods",
    sentence=_("{person}退回{what}（{station}，同一人刚清点少了）。原因：{reason}"), needs="another",
)  # fmt: skip
