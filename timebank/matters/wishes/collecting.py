"""A gift is collected at the station by its code, or by a scan of whom it is for; and undoing what was a mistake."""

from datetime import datetime
from uuid import UUID

from timebank.access.pickup import count_try, end_pickup, give_pickup
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.matters.loop.acting import Act, write
from timebank.matters.loop.notices import notify_handler, notify_people
from timebank.matters.reading.rows import MatterRow, matter_row
from timebank.matters.tables import WishGift
from timebank.matters.wishes.gifts import (
    NOUN,
    Gift,
    Wish,
    WishNotHere,
    act_at_counter,
    latest_gift,
    lock_wish,
    waiting_until,
)
from timebank.matters.wishes.receiving import notify_of_code
from timebank.matters.wishes.shown import GiftOut, gift_out
from timebank.people.guardianship.care import guardian_ids
from timebank.presence.at_counter import require_presence
from timebank.presence.undoing.acts import has_undone, is_within_the_minute, note_undone
from timebank.shop.collection import WrongCollectionCode
from timebank.shop.schemas import Collection


class GiftOverdue(TimebankError):
    code = "gift_overdue"
    status = 409
    sentence = "领取期限过了。物品还在的话，请站长在“心愿物品”里续期，再凭同一个码领。"


class GiftStands(TimebankError):
    code = "gift_stands"
    status = 409
    sentence = "只有刚办的那个账号，在一分钟以内可以撤销。过了一分钟，请找社区管理员。"


@retried
async def collect_gift(scope: Scope, matter_id: UUID, proof: Collection) -> GiftOut:
    """Hand the gift over to whom the wish is for: the wish is closed, and its giver gets a message without any name.

    The code or the scan is the proof that it was fulfilled, so nobody has to confirm it. Raises NotFound, Forbidden,
    PartyToMatter, WrongCollectionCode, TooManyAttempts, GiftOverdue, WishNotHere, PresenceNeeded, MatterMovedOn.
    """
    async with transaction(scope):
        wish = await lock_wish(scope, matter_id)
        row = wish.row
        gift = await latest_gift(scope, matter_id)
        if gift is None:
            raise WishNotHere
        act = act_at_counter(scope, wish, gift.station_id, "collect")
        if not gift.waits:
            raise WishNotHere
        await _require_proof(act, gift, proof)
        now = clock.now()
        await WishGift.update({WishGift.collected_at: now, WishGift.collected_by: scope.login_id}).where(
            (WishGift.community_id == scope.community_id) & (WishGift.id == gift.id)
        )
        changes: dict[str, object] = {
            "closed_at": now, "verified": "true", "verified_at": now, "verified_by": scope.actor_id,
        }  # fmt: skip
        step = await write(act, changes, note=gift.station, station_id=gift.station_id)
        end_pickup(scope, NOUN, matter_id)
        await notify_people(scope, row, [row.served_id], "wish_collected", step, station=gift.station)
        await notify_handler(scope, row, "wish_collected.giver", step, station=gift.station)
        await database.flush()
        return await _now(scope, row)


async def _require_proof(act: Act, gift: Gift, proof: Collection) -> None:
    if proof.code is None:
        people = await people_who_may_collect(act.scope, act.row)
        await require_presence(act.scope, people, gift.station_id, proof.presence)
    elif not await count_try(act.scope, NOUN, act.row.id, gift.code, proof.code):
        raise WrongCollectionCode
    elif gift.waits_until <= clock.now():
        raise GiftOverdue


async def people_who_may_collect(scope: Scope, row: MatterRow) -> list[UUID]:
    """Whom a wish is for, and the guardians of a child."""
    if row.served_id is None:
        return []
    guardians = await database.fetch(
        guardian_ids("$1", "$2", "$3"), scope.community_id, row.served_id, clock.local_day()
    )
    return [row.served_id, *(UUID(bytes=each["guardian_id"].bytes) for each in guardians)]


@retried
async def undo_gift(scope: Scope, matter_id: UUID) -> GiftOut:
    """Undo the receipt or the hand-over that the caller has just made; both stay in the timeline. Once done, no more.

    Undone, a hand-over needs the new code that whom it is for gets; a receipt leaves the wish to who brings it.
    Raises GiftStands, NotFound, Forbidden, PartyToMatter.
    """
    async with transaction(scope):
        wish = await lock_wish(scope, matter_id)
        row = wish.row
        gift = await latest_gift(scope, matter_id)
        if gift is None:
            raise WishNotHere
        scope.require_keeper(gift.station_id)
        if gift.undone_at is not None and await has_undone(scope, "wish_receipt", matter_id):
            return gift_out(row, gift)
        if gift.collected_at is not None:
            await _undo_collection(scope, wish, gift)
        else:
            await _undo_receipt(scope, wish, gift)
        await database.flush()
        return await _now(scope, row)


async def _undo_collection(scope: Scope, wish: Wish, gift: Gift) -> None:
    row = wish.row
    _require_just_done(scope, gift.collected_by, gift.collected_at)
    act = act_at_counter(scope, wish, gift.station_id, "uncollect")
    until = waiting_until(clock.local_day())
    await WishGift.update(
        {WishGift.collected_at: None, WishGift.collected_by: None, WishGift.waits_until: until}
    ).where((WishGift.community_id == scope.community_id) & (WishGift.id == gift.id))
    changes: dict[str, object] = {
        "closed_at": None, "verified": None, "verified_at": None, "verified_by": None,
    }  # fmt: skip
    step = await write(act, changes, note=gift.station)
    await _note(act, "wish_collection", gift)
    code = await give_pickup(scope, NOUN, row.id, gift.station_id, until)
    await notify_of_code(act, gift.station, code, until, step)
    await notify_handler(scope, row, "wish_received.back", step, station=gift.station)


async def _undo_receipt(scope: Scope, wish: Wish, gift: Gift) -> None:
    row = wish.row
    if not gift.waits:
        raise WishNotHere
    _require_just_done(scope, gift.received_by, gift.received_at)
    act = act_at_counter(scope, wish, gift.station_id, "unreceive")
    await WishGift.update({WishGift.undone_at: clock.now()}).where(
        (WishGift.community_id == scope.community_id) & (WishGift.id == gift.id)
    )
    changes = {"done_at": None, "done_by": None, "done_days": None}
    step = await write(act, changes, note=gift.station)
    await _note(act, "wish_receipt", gift)
    end_pickup(scope, NOUN, row.id)
    await notify_people(scope, row, [row.served_id], "wish_waits.undone", step, station=gift.station)
    await notify_handler(scope, row, "wish_received.undone", step, station=gift.station)


def _require_just_done(scope: Scope, by: UUID | None, at: datetime | None) -> None:
    """Raise GiftStands unless the caller's login did it within the last minute."""
    if scope.login_id is None or by != scope.login_id or not is_within_the_minute(at):
        raise GiftStands


async def _note(act: Act, kind: str, gift: Gift) -> None:
    about = act.row.assignee_id or act.row.served_id
    if about is not None:
        await note_undone(act.scope, kind, act.row.id, gift.station_id, about, what=act.row.number)


async def _now(scope: Scope, row: MatterRow) -> GiftOut:
    """The wish as it is after the verb."""
    gift = await latest_gift(scope, row.id)
    assert gift is not None
    return gift_out(await matter_row(scope, row.id), gift)
