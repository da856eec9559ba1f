"""Reserving a good against points, at home or at the counter."""

import secrets
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.agreements.own_terms import require_seen_terms
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Busy, Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import memo
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.ledger.resting import require_spendable
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.identity.ages import is_guarded
from timebank.policies.values import policies
from timebank.presence.at_counter import require_presence
from timebank.shop import collection, limits, stock
from timebank.shop.collection import PersonNotActive
from timebank.shop.goods import GOOD_TERMS
from timebank.shop.schemas import Redeemed, RedemptionIn

CODE_TRIES = 5


class GoodNotOffered(TimebankError):
    code = "good_not_offered_here"
    status = 422
    sentence = "这种物品在这个驿站没有，或已不再兑换。请换一种物品或换一个驿站。"


class _Customer(msgspec.Struct, frozen=True):
    id: UUID
    household_id: UUID | None
    status: str
    born_on: date | None
    consented: bool  # a guardian's consent is on record


class _Offer(msgspec.Struct, frozen=True, kw_only=True):
    unseen: bool  # its terms still wait for a second person to see them
    name: str
    unit: str
    points: int
    monthly_limit: int | None
    station: str


@retried
async def redeem(scope: Scope, wanted: RedemptionIn) -> Redeemed:
    """Reserve a good against the person's points for the `hold_days` of the policy.

    With `collect_now` a keeper of the station hands it over at once to a person whose presence a scan proves. Raises
    OutOfStock, MonthlyLimitReached, GoodNotOffered, Insufficient, OwnRedemption, PresenceNeeded, OwnTerms.
    """
    async with transaction(scope):
        customer = await _customer(scope, wanted)
        if wanted.collect_now:
            await require_presence(scope, [customer.id], wanted.station_id, wanted.presence)
        return await _taken(scope, wanted, customer)


async def require_takeable(scope: Scope, person_id: UUID, good_id: UUID, station_id: UUID) -> None:
    """Refuse a redemption that no second person's agreement can allow. Runs in the caller's transaction.

    Raises NotFound, PersonNotActive, NotGuardian, GoodNotOffered, OwnTerms.
    """
    wanted = RedemptionIn(person_id=person_id, good_id=good_id, station_id=station_id)
    await _locked_customer(scope, wanted)
    await _offer(scope, wanted)


async def redeem_agreed(scope: Scope, wanted: RedemptionIn) -> Redeemed:
    """Redeem a good for a person without code or card, once a second member of staff has agreed.

    Runs in the transaction of that agreement.
    """
    return await _taken(scope, wanted, await _customer(scope, wanted, agreed=True))


async def _taken(scope: Scope, wanted: RedemptionIn, customer: _Customer) -> Redeemed:
    offer = await _offer(scope, wanted)
    household_id = customer.household_id or customer.id
    redemption_id, now, points = clock.new_id(), clock.now(), offer.points * wanted.quantity
    await limits.count_taken(scope, household_id, wanted.good_id, wanted.quantity, offer.monthly_limit)
    await stock.take_from_stock(
        scope, wanted.good_id, wanted.station_id, wanted.quantity, "reserved", redemption_id=redemption_id
    )
    note = Posting(
        kind="hold",
        key=f"redemption:{redemption_id}:hold",
        source_kind="redemption",
        source_id=redemption_id,
        memo=memo("good_reserved", good=offer.name, quantity=wanted.quantity, unit=offer.unit, station=offer.station),
    )
    chosen = await policies(scope)
    held = await posting.hold(scope, customer.id, points, note, grace_days=chosen.grace_days)
    expires_at = now + timedelta(days=chosen.hold_days)
    code = await _record(scope, redemption_id, wanted, household_id, points, held.entry_id, now, expires_at)
    await audit.record(
        scope, "reserve", "redemption", redemption_id, person_id=customer.id, good_id=wanted.good_id,
        station_id=wanted.station_id, quantity=wanted.quantity, points=points,
    )  # fmt: skip
    if wanted.collect_now:
        await collection.hand_over(scope, await collection.lock_redemption(scope, redemption_id, agreed=True))
        return Redeemed(id=redemption_id, status="collected", code=None, points=points, expires_at=expires_at)
    return Redeemed(id=redemption_id, status="reserved", code=code, points=points, expires_at=expires_at)


async def _customer(scope: Scope, wanted: RedemptionIn, *, agreed: bool = False) -> _Customer:
    """Lock and return the person whose points are spent.

    That is the caller; with `collect_now` anybody whom a keeper of the station serves; with `agreed` anybody.
    """
    own = scope.stands_for(wanted.person_id)
    if not own and not agreed and not (wanted.collect_now and scope.keeps(wanted.station_id)):
        raise Forbidden if scope.kept_stations or scope.reads_all else NotFound
    if own and not wanted.collect_now:
        require_spendable(scope, [wanted.person_id])
    found = await _locked_customer(scope, wanted)
    if wanted.collect_now:
        if not agreed:
            scope.require_keeper(wanted.station_id)
        await collection.require_not_family(scope, found.id)
    return found


async def _locked_customer(scope: Scope, wanted: RedemptionIn) -> _Customer:
    found = await database.row(
        _Customer,
        "SELECT p.id, p.household_id, p.status, p.born_on, EXISTS (SELECT FROM guardianship g "
        "WHERE g.community_id = p.community_id AND g.child_id = p.id AND g.consented_at IS NOT NULL "
        "AND g.ended_at IS NULL) AS consented FROM person p WHERE p.community_id = $1 AND p.id = $2 "
        "FOR NO KEY UPDATE OF p",
        scope.community_id, wanted.person_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    if found.status != "active":
        raise PersonNotActive
    if is_guarded(found.born_on) and not found.consented:
        raise NotGuardian
    return found


async def _offer(scope: Scope, wanted: RedemptionIn) -> _Offer:
    found = await database.row(
        _Offer,
        "SELECT EXISTS (SELECT FROM waiting_change w WHERE w.community_id = $1 AND w.kind = $4 AND w.subject = $5 "
        "AND w.status = 'waiting') AS unseen, "
        "g.name, g.unit, g.points, g.monthly_limit, t.name AS station FROM good g "
        "JOIN stock s ON s.community_id = g.community_id AND s.good_id = g.id "
        "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
        "WHERE g.community_id = $1 AND g.id = $2 AND t.id = $3 AND g.active AND t.active",
        scope.community_id, wanted.good_id, wanted.station_id, GOOD_TERMS.name, str(wanted.good_id),
    )  # fmt: skip
    if found is None:
        raise GoodNotOffered
    if found.unseen:
        await require_seen_terms(scope, GOOD_TERMS, wanted.good_id, wanted.person_id, found.name)
    return found


async def _record(
    scope: Scope, redemption_id: UUID, wanted: RedemptionIn, household_id: UUID, points: int, entry_id: UUID,
    now: datetime, expires_at: datetime,
) -> str:  # fmt: skip
    """Insert the redemption under a collection code that no other open one has; return the code. Raises Busy."""
    for _ in range(CODE_TRIES):
        code = f"{secrets.randbelow(10**8):08}"
        written = await database.execute(
            "INSERT INTO redemption (community_id, id, person_id, household_id, good_id, station_id, quantity, points, "
            "status, code, entry_id, reserved_at, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'reserved', $9, $10, $11, $12) "
            "ON CONFLICT ON CONSTRAINT redemption_code_unique DO NOTHING",
            scope.community_id, redemption_id, wanted.person_id, household_id, wanted.good_id, wanted.station_id,
            wanted.quantity, points, code, entry_id, now, expires_at,
        )  # fmt: skip
        if written == "INSERT 0 1":
            return code
    raise Busy
