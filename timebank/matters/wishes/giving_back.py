"""A gift for which nobody has come in time is given back to who brought it, and the wish may be dispatched anew."""

from datetime import datetime
from uuid import UUID

from timebank.access.pickup import end_pickup
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.matters.loop.acting import leave_helpers, write
from timebank.matters.loop.dispatching import NOBODY, UNASSIGNED
from timebank.matters.loop.notices import notify_dispatchers, notify_handler, notify_people
from timebank.matters.reading.rows import MatterRow
from timebank.matters.tables import WishGift
from timebank.matters.wishes.gifts import NOUN, WishNotHere, act_at_counter, kept_gift, latest_gift, lock_wish
from timebank.matters.wishes.shown import GiftOut, gift_out


class GiftStillAwaited(TimebankError):
    code = "gift_still_awaited"
    status = 409
    sentence = "领取期限还没有过，请等到 {until}。过了期限没有人来领，才能还给送来的人。"


@retried
async def give_back_gift(scope: Scope, matter_id: UUID) -> GiftOut:
    """Give the gift back to who brought it, once the time to collect it is over. The wish may be dispatched anew.

    Giver and receiver are each notified, so that a keeper who has kept it is found out. The same again changes nothing.
    Raises GiftStillAwaited, WishNotHere, NotFound, Forbidden, PartyToMatter, MatterMovedOn.
    """
    async with transaction(scope):
        wish = await lock_wish(scope, matter_id)
        row, gift = wish.row, await latest_gift(scope, matter_id)
        if gift is None:
            raise WishNotHere
        scope.require_keeper(gift.station_id)
        if gift.returned_at is not None and row.status == "received":
            return gift_out(row, gift)
        act = act_at_counter(scope, wish, gift.station_id, "give_back")
        if not gift.waits:
            raise WishNotHere
        if gift.waits_until > clock.now():
            raise GiftStillAwaited(until=f"{clock.local(gift.waits_until):%Y-%m-%d %H:%M}")
        await WishGift.update({WishGift.returned_at: clock.now(), WishGift.returned_by: scope.login_id}).where(
            (WishGift.community_id == scope.community_id) & (WishGift.id == gift.id)
        )
        leave_helpers(act)
        due_at = _due_anew(row)
        changes = {
            **UNASSIGNED, "done_at": None, "done_by": None, "done_days": None, "due_at": due_at, "urged": 0, "told": [],
        }  # fmt: skip
        step = await write(
            act, changes, note=gift.station, due_at=due_at, names=NOBODY, station_id=gift.station_id, gift_id=gift.id
        )
        end_pickup(scope, NOUN, matter_id)
        await notify_people(scope, row, [row.served_id], "wish_waits.given_back", step, station=gift.station)
        await notify_handler(scope, row, "wish_received.given_back", step, station=gift.station)
        notify_dispatchers(scope, row, row.level, "matter_to_dispatch.uncollected", step, station=gift.station)
        await database.flush()
        return gift_out(row, await kept_gift(scope, matter_id), status="received")


def _due_anew(row: MatterRow) -> datetime:
    """As long from now as it was from the first receipt: a wish has no term that counts."""
    return clock.now() + (row.first_due_at - row.received_at)
