"""Reserving a good against points, at home or at the counter."""

from uuid import UUID

from msgspec.structs import replace

from timebank.agreements.own_terms import require_seen_terms
from timebank.core import audit, clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.ledger.resting import require_spendable
from timebank.people.messages import notify_household
from timebank.presence.at_counter import require_proof
from timebank.shop import collection
from timebank.shop.goods import GOOD_TERMS
from timebank.shop.reserving import (
    Customer,
    Reservation,
    ReservationFacts,
    decide,
    lock_customer,
    offered,
    require_may_have,
    reservation_facts,
    rows_of,
)
from timebank.shop.schemas import Redeemed, RedemptionIn
from timebank.shop.tables import Redemption


async def redeem(scope: Scope, wanted: RedemptionIn) -> Redeemed:
    """Reserve a good against the person's points for the `hold_days` of the policy.

    With `collect_now` a keeper of the station hands it over at once to a person whose presence a scan proves. Raises
    OutOfStock, MonthlyLimitReached, GoodNotOffered, Insufficient, OwnRedemption, PresenceNeeded, OwnTerms.
    """
    if wanted.reason is not None:
        scope.require_admin()
        return await _reserve_for(scope, wanted)
    own = scope.stands_for(wanted.person_id)
    if not own and not (wanted.collect_now and scope.keeps(wanted.station_id)):
        raise Forbidden if scope.kept_stations or scope.reads_all else NotFound
    if own and not wanted.collect_now:
        require_spendable(scope, [wanted.person_id])
    return await _redeem(scope, wanted, agreed=False)


async def _reserve_for(scope: Scope, wanted: RedemptionIn) -> Redeemed:
    """Reserve for a resident as an administrator: with the points, the limits and the rests of the person.

    The caller does not learn the collection code: it is handed over to the person, by another hand. The person and the
    household are notified, with the reason. Raises NotIndependent, SpendingRests, and what `redeem` raises.
    """
    made = await _redeem(scope, wanted, agreed=False)
    return replace(made, code=None)


async def redeem_agreed(scope: Scope, wanted: RedemptionIn) -> Redeemed:
    """Redeem a good for a person without code or card, once a second member of staff has agreed.

    Runs in the transaction of that agreement.
    """
    return await _redeem(scope, wanted, agreed=True)


async def require_takeable(scope: Scope, person_id: UUID, good_id: UUID, station_id: UUID) -> None:
    """Refuse a redemption that no second person's agreement can allow. Runs in the caller's transaction.

    Raises NotFound, PersonNotActive, NotGuardian, GoodNotOffered, OwnTerms.
    """
    wanted = RedemptionIn(person_id=person_id, good_id=good_id, station_id=station_id)
    customer = await lock_customer(scope, person_id)
    facts = await reservation_facts(scope, wanted, customer, agreed=True)
    require_may_have(scope, wanted, customer, facts)
    await _require_seen(scope, wanted, facts)


@retried
async def _redeem(scope: Scope, wanted: RedemptionIn, *, agreed: bool) -> Redeemed:
    async with transaction(scope):
        customer = await lock_customer(scope, wanted.person_id)
        if wanted.collect_now and not agreed:
            scope.require_keeper(wanted.station_id)
        facts = await reservation_facts(scope, wanted, customer, agreed=agreed)
        require_may_have(scope, wanted, customer, facts)
        if wanted.collect_now and not agreed:
            await require_proof(scope, facts.scan)
        await _require_seen(scope, wanted, facts)
        return await _reserve(scope, wanted, customer, decide(wanted, facts, clock.now()))


async def _require_seen(scope: Scope, wanted: RedemptionIn, facts: ReservationFacts) -> None:
    """Refuse terms that the person's household has set and nobody else has seen. Raises GoodNotOffered, OwnTerms."""
    offer = offered(facts)
    if offer.unseen:
        await require_seen_terms(scope, GOOD_TERMS, wanted.good_id, wanted.person_id, offer.name)


async def _reserve(scope: Scope, wanted: RedemptionIn, customer: Customer, reserved: Reservation) -> Redeemed:
    """Hold the points and queue the rows."""
    redemption_id, now, points, offer = clock.new_id(), clock.now(), reserved.points, reserved.offer
    note = Posting(
        kind="hold",
        key=f"redemption:{redemption_id}:hold",
        source_kind="redemption",
        source_id=redemption_id,
        memo=phrase(
            "entry.good_reserved",
            good=offer.name,
            quantity=wanted.quantity,
            unit=offer.unit,
            station=offer.station,
        ),
    )
    held = await posting.hold(scope, customer.id, points, note, grace_days=reserved.grace_days)
    row = database.insert(Redemption(
        community_id=scope.community_id, id=redemption_id, person_id=customer.id, household_id=customer.counted_as,
        good_id=wanted.good_id, station_id=wanted.station_id, quantity=wanted.quantity, points=points,
        status="reserved", entry_id=held.entry_id, settled_entry_id=None, reserved_at=now,
        expires_at=reserved.expires_at, ended_at=None, ended_by=None, ended_by_login=None,
        returned_at=None,
        reserved_by=scope.actor_id if wanted.reason else None,
        reserved_by_login=scope.login_id if wanted.reason else None, reserved_because=wanted.reason,
    ))  # fmt: skip
    database.queue(row, *rows_of(scope, redemption_id, wanted, customer, reserved))
    await audit.record(
        scope, "reserve_for" if wanted.reason else "reserve", "redemption", redemption_id, reason=wanted.reason,
        person_id=customer.id, good_id=wanted.good_id, station_id=wanted.station_id, quantity=wanted.quantity,
        points=points,
    )  # fmt: skip
    if wanted.reason is not None:
        await notify_household(
            scope, customer.id, "reserved_for", f"redemption:{redemption_id}:reserved_for", redemption_id, urgent=True,
            person=names.masked(customer.name), what=reserved.what(wanted.quantity), points=points,
            station=offer.station, until=reserved.expires_at, reason=wanted.reason,
        )  # fmt: skip
    if wanted.collect_now:
        await database.flush()
        await collection.hand_over(scope, await collection.lock_redemption(scope, redemption_id, agreed=True))
    return Redeemed(
        id=redemption_id, status="collected" if wanted.collect_now else "reserved", code=reserved.code, points=points,
        expires_at=reserved.expires_at,
    )  # fmt: skip
