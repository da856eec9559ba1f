"""Hand-overs that need a second member of staff: to a person without code or card, or to a keeper's own household."""

from typing import Literal
from uuid import UUID

import msgspec

from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.people.locks import lock_people
from timebank.people.messages import tell_household
from timebank.shop import collection
from timebank.shop.confirmations import asking as confirmations
from timebank.shop.confirmations.asking import Wanted
from timebank.shop.confirmations.waiting import tell_here
from timebank.shop.redemption import redeem_agreed, require_takeable
from timebank.shop.schemas import Quantity, RedemptionIn


class SpendingIn(msgspec.Struct, forbid_unknown_fields=True):
    """A good that a person without phone or card takes now, for their points."""

    person_id: UUID
    good_id: UUID
    station_id: UUID
    quantity: Quantity = 1


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    decision: Literal["agree", "refuse"]


class AskedOut(msgspec.Struct, frozen=True):
    """A request to a second member of staff and its status."""

    id: UUID
    status: confirmations.Status
    redemption_id: UUID | None = None


@retried
async def ask_to_spend(scope: Scope, wanted: SpendingIn) -> AskedOut:
    """Request a second member of staff's agreement that a person without code or card takes a good for their points."""
    scope.require_keeper(wanted.station_id)
    async with transaction(scope):
        await require_takeable(scope, wanted.person_id, wanted.good_id, wanted.station_id)
        asked = Wanted("spend", wanted.person_id, wanted.station_id, wanted.good_id, wanted.quantity)
        return AskedOut(await _ask(scope, asked), "waiting")


@retried
async def ask_to_collect(scope: Scope, redemption_id: UUID) -> AskedOut:
    """Request agreement to hand over a reservation; only an administrator agrees for the keeper's own household."""
    async with transaction(scope):
        found = await collection.locked(scope, redemption_id)
        scope.require_keeper(found.station_id)
        collection.require_reserved(found)
        asked = Wanted(
            "own_collection", found.person_id, found.station_id, found.good_id, found.quantity, redemption_id
        )
        return AskedOut(await _ask(scope, asked), "waiting")


async def _ask(scope: Scope, asked: Wanted) -> UUID:
    """Record the request and at once notify the staff here who may agree, because the person waits at the counter."""
    made = await confirmations.ask(scope, asked)
    await tell_here(scope, made)
    return made


@retried
async def decide(scope: Scope, confirmation_id: UUID, decision: DecisionIn) -> AskedOut:
    """Agree as the second person, which hands the good over at once and notifies the household; or refuse.

    Raises NotSecondPerson, ConfirmationDecided, ConfirmationStale, and the errors of the hand-over.
    """
    async with transaction(scope):
        await lock_people(scope, [await confirmations.concerned(scope, confirmation_id)])
        found = await confirmations.locked(scope, confirmation_id)
        if decision.decision == "refuse":
            await confirmations.decided(scope, found, "refused", None)
            return AskedOut(found.id, "refused", found.redemption_id)
        redemption_id = await _carry_out(scope, found)
        await confirmations.decided(scope, found, "agreed", redemption_id)
        await tell_household(
            scope, found.person_id, "spent_by_agreement",
            "工作人员没有扫码，经另一位工作人员同意，用您家的积分当场交付了物品。不是您家人领取的，请马上告诉社区。",
            f"confirmation:{found.id}", redemption_id,
        )  # fmt: skip
    return AskedOut(found.id, "agreed", redemption_id)


async def _carry_out(scope: Scope, found: confirmations.Asked) -> UUID:
    if found.kind == "spend":
        wanted = RedemptionIn(found.person_id, found.good_id, found.station_id, found.quantity, collect_now=True)
        return (await redeem_agreed(scope, wanted)).id
    assert found.redemption_id is not None
    reserved = await collection.locked(scope, found.redemption_id, agreed=True)
    collection.require_reserved(reserved)
    await collection.require_other(scope, reserved.person_id)
    await collection.hand_over(scope, reserved)
    return reserved.id
