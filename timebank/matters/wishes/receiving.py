"""A gift for a wish is brought to a station: its keeper receives it, and whom it is for gets a code to collect it."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.access.pickup import change_pickups, give_pickup
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act, add_step, write
from timebank.matters.loop.notices import notify_handler, notify_people
from timebank.matters.opening.due import done_days
from timebank.matters.opening.openers import WishTooDear
from timebank.matters.schemas import Yuan
from timebank.matters.tables import WishGift
from timebank.matters.wishes.gifts import (
    NOUN,
    WishNotHere,
    act_at_counter,
    kept_gift,
    latest_gift,
    lock_wish,
    waiting_until,
)
from timebank.matters.wishes.shown import GiftOut, gift_out
from timebank.policies.values import policies
from timebank.stations.stations import station


class GiftIn(msgspec.Struct, forbid_unknown_fields=True):
    """Where the gift for a wish was handed in, and what it is worth, as the keeper judges it."""

    station_id: UUID
    value: Yuan


@retried
async def receive_gift(scope: Scope, matter_id: UUID, wanted: GiftIn) -> GiftOut:
    """Receive what was brought for a wish: it is done, waits at the station, and earns nobody anything.

    Whom it is for, or a child's guardian, gets the code; who has brought it is thanked. Of two keepers one receives it.
    Raises NotFound, Forbidden, PartyToMatter, WishTooDear, MatterMovedOn.
    """
    async with transaction(scope):
        wish = await lock_wish(scope, matter_id)
        row = wish.row
        here = await station(scope, wanted.station_id)
        act = act_at_counter(scope, wish, wanted.station_id, "receive")
        most = (await policies(scope)).wish_value_max
        if wanted.value > most:
            raise WishTooDear(most=most)
        now, gift_id = clock.now(), clock.new_id()
        until = waiting_until(clock.local_day(now))
        await WishGift.insert(
            WishGift(
                community_id=scope.community_id, id=gift_id, matter_id=matter_id, station_id=wanted.station_id,
                value=wanted.value, received_at=now, received_by=scope.login_id, waits_until=until,
                collected_at=None, collected_by=None, undone_at=None, returned_at=None, returned_by=None,
            )
        )  # fmt: skip
        changes = {
            "done_at": now, "done_by": row.assignee_id, "done_days": done_days(row.received_at, now),
        }  # fmt: skip
        step = await write(act, changes, note=here.name, station_id=wanted.station_id, value=wanted.value)
        code = await give_pickup(scope, NOUN, matter_id, wanted.station_id, until)
        await notify_of_code(act, here.name, code, until, step)
        await notify_handler(scope, row, "wish_received", step, station=here.name)
        return gift_out(row, await kept_gift(scope, matter_id), status="done")


async def notify_of_code(act: Act, station_name: str, code: str, until: datetime, event: UUID) -> None:
    """Give the code to whom the wish is for; the guardians of a child get the same message."""
    await notify_people(
        act.scope, act.row, [act.row.served_id], "wish_waits", event, station=station_name, code=code, until=until
    )


@retried
async def renew_gift(scope: Scope, matter_id: UUID) -> GiftOut:
    """Let a gift that nobody has collected wait for thirty days from today, with the same code, and say so again.

    Raises NotFound, Forbidden, PartyToMatter, WishNotHere, MatterMovedOn.
    """
    async with transaction(scope):
        wish = await lock_wish(scope, matter_id)
        row = wish.row
        gift = await latest_gift(scope, matter_id)
        if gift is None or not gift.waits or gift.code is None:
            raise WishNotHere
        act = act_at_counter(scope, wish, gift.station_id, "collect")
        until = waiting_until(clock.local_day())
        if until == gift.waits_until:
            return gift_out(row, gift)
        await WishGift.update({WishGift.waits_until: until}).where(
            (WishGift.community_id == scope.community_id) & (WishGift.id == gift.id)
        )
        await change_pickups(scope, NOUN, [matter_id], until=until)
        step = add_step(scope, row, "renew", row.status, by="keeper", note=gift.station)
        await audit.record(scope, "renew_wish", "matter", matter_id, about_id=row.served_id, until=until.isoformat())
        await notify_of_code(act, gift.station, gift.code, until, step)
        await database.flush()
        return gift_out(row, await kept_gift(scope, matter_id))
