"""Request a second member of staff's agreement to a hand-over, and agree or refuse as that second person."""

from typing import Literal
from uuid import UUID

import msgspec

from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.people.locks import lock_people
from timebank.people.messages import notify_household
from timebank.presence.evidence.acted_for import require_nothing_for
from timebank.shop import collection
from timebank.shop.confirmations import asking
from timebank.shop.confirmations.asking import ConfirmationRequest
from timebank.shop.confirmations.listing import notify_second_persons_here
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
    status: asking.Status
    redemption_id: UUID | None = None


@retried
async def ask_to_spend(scope: Scope, wanted: SpendingIn) -> AskedOut:
    """Request a second member of staff's agreement that a person without code or card takes a good for their points."""
    scope.require_keeper(wanted.station_id)
    async with transaction(scope):
        await require_takeable(scope, wanted.person_id, wanted.good_id, wanted.station_id)
        asked = ConfirmationRequest(
            kind="spend",
            person_id=wanted.person_id,
            station_id=wanted.station_id,
            good_id=wanted.good_id,
            quantity=wanted.quantity,
        )
        return AskedOut(await _ask(scope, asked), "waiting")


@retried
async def ask_to_collect(scope: Scope, redemption_id: UUID) -> AskedOut:
    """Request agreement to hand over a reservation; only an administrator agrees for the keeper's own household."""
    async with transaction(scope):
        found = await collection.lock_redemption(scope, redemption_id)
        scope.require_keeper(found.station_id)
        collection.require_reserved(found)
        require_nothing_for(found)
        asked = ConfirmationRequest(
            kind="own_collection",
            person_id=found.person_id,
            station_id=found.station_id,
            good_id=found.good_id,
            quantity=found.quantity,
            redemption_id=redemption_id,
        )
        return AskedOut(await _ask(scope, asked), "waiting")


async def _ask(scope: Scope, asked: ConfirmationRequest) -> UUID:
    """Record the request and at once notify the staff here who may agree, because the person waits at the counter."""
    made = await asking.request_confirmation(scope, asked)
    await notify_second_persons_here(scope, made)
    return made


@retried
async def decide_confirmation(scope: Scope, confirmation_id: UUID, decision: DecisionIn) -> AskedOut:
    """Agree as the second person, which hands the good over at once and notifies the household; or refuse.

    Raises NotSecondPerson, ConfirmationDecided, ConfirmationStale, and the errors of the hand-over.
    """
    async with transaction(scope):
        await lock_people(scope, [await asking.person_concerned(scope, confirmation_id)])
        found = await asking.lock_confirmation(scope, confirmation_id)
        if decision.decision == "refuse":
            await asking.record_confirmation_decision(scope, found, "refused", None)
            return AskedOut(found.id, "refused", found.redemption_id)
        redemption_id = await _carry_out(scope, found)
        await asking.record_confirmation_decision(scope, found, "agreed", redemption_id)
        await notify_household(
            scope, found.person_id, "spent_by_agreement", f"confirmation:{found.id}", redemption_id, urgent=True
        )
    return AskedOut(found.id, "agreed", redemption_id)


async def _carry_out(scope: Scope, found: asking.LockedConfirmation) -> UUID:
    if found.kind == "spend":
        wanted = RedemptionIn(
            person_id=found.person_id,
            good_id=found.good_id,
            station_id=found.station_id,
            quantity=found.quantity,
            collect_now=True,
        )
        return (await redeem_agreed(scope, wanted)).id
    assert found.redemption_id is not None
    reserved = await collection.lock_redemption(scope, found.redemption_id, agreed=True)
    collection.require_reserved(reserved)
    require_nothing_for(reserved)
    await collection.require_not_family(scope, reserved.person_id)
    await collection.hand_over(scope, reserved)
    return reserved.id
