"""A reservation: its facts, what is decided about them, and the rows that it writes."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access import pickup
from timebank.agreements.independence import NearFacts, near_by, near_question, signed_on
from timebank.core import database
from timebank.core.database import Write, one, read, value
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.ledger.resting import require_rested
from timebank.people.guardianship.care import consent_in_force
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.identity.ages import is_guarded
from timebank.policies.values import PolicyValue, policies_from, policy_values
from timebank.presence.at_counter import ProvingScan, proof_question
from timebank.presence.evidence.acted_for import apart_question, require_apart, rests_question
from timebank.shop import limits
from timebank.shop.collection import NOUN, OwnRedemption, PersonNotActive
from timebank.shop.goods import GOOD_TERMS
from timebank.shop.limits import MonthlyLimitReached
from timebank.shop.schemas import RedemptionIn
from timebank.shop.shelves import stock
from timebank.shop.shelves.stock import OutOfStock


class GoodNotOffered(TimebankError):
    code = "good_not_offered_here"
    status = 422
    sentence = "这种物品在这个驿站没有，或已不再兑换。请换一种物品或换一个驿站。"


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """The person whose points are spent, under the row lock."""

    id: UUID
    name: str
    household_id: UUID | None
    status: str
    born_on: date | None

    @property
    def counted_as(self) -> UUID:
        """Whose monthly limit it counts to: the household's, or the person's own without one."""
        return self.household_id or self.id


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A good at a station. `unseen`: its terms still wait for a second person to see them; `free` is its stock."""

    unseen: bool
    name: str
    unit: str
    points: int
    monthly_limit: int | None
    station: str
    free: int


class ReservationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true under the customer's lock.

    `has_guardian`: a guardian's consent is recorded; `taken` is what the household has had of the good this month,
    `codes` are drawn codes that nothing else has; `near` and `scan` are asked where a keeper hands over at once,
    `near` and `rests_until` where an administrator reserves for the customer.
    """

    has_guardian: bool
    offer: Offer | None
    taken: int
    policies: list[PolicyValue] = []
    codes: list[str] = []
    near: NearFacts | None = None
    scan: ProvingScan | None = None
    rests_until: datetime | None = None


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What is reserved, for how much, until when, and by which code it is collected; none for what is taken at once."""

    offer: Offer
    points: int
    expires_at: datetime
    grace_days: int
    code: str | None

    def what(self, quantity: int) -> str:
        return f"{self.offer.name} {quantity} {self.offer.unit}"


async def lock_customer(scope: Scope, person_id: UUID) -> Customer:
    """Lock and return the person whose points are spent. Raises NotFound."""
    found = await database.row(
        Customer,
        "SELECT id, name, household_id, status, born_on FROM person WHERE community_id = $1 AND id = $2 "
        "FOR NO KEY UPDATE",
        scope.community_id, person_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def reservation_facts(
    scope: Scope, wanted: RedemptionIn, customer: Customer, *, agreed: bool
) -> ReservationFacts:
    """Read the facts by one statement. With `agreed` a second person has agreed, and no scan is asked for."""
    questions = {
        "has_guardian": value(f"SELECT {consent_in_force('$1', '$2')}", scope.community_id, customer.id),
        "offer": one(
            "SELECT EXISTS (SELECT FROM waiting_change w WHERE w.community_id = $1 AND w.kind = $4 AND w.subject = $5 "
            "AND w.status = 'waiting') AS unseen, "
            "g.name, g.unit, g.points, g.monthly_limit, t.name AS station, s.quantity AS free FROM good g "
            "JOIN stock s ON s.community_id = g.community_id AND s.good_id = g.id "
            "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
            "WHERE s.community_id = $1 AND s.good_id = $2 AND s.station_id = $3 AND g.active AND t.active",
            scope.community_id, wanted.good_id, wanted.station_id, GOOD_TERMS.name, str(wanted.good_id),
        ),
        "taken": limits.taken_question(scope, customer.counted_as, wanted.good_id),
        "policies": policy_values(scope),
    }  # fmt: skip
    if wanted.collect_now:
        questions["near"] = near_question(signed_on(scope), [customer.id])
    else:
        questions["codes"] = pickup.free_codes(scope, pickup.draw())
    if wanted.reason is not None:
        questions["near"] = apart_question(scope, [customer.id])
        questions["rests_until"] = rests_question(scope, [customer.id])
    if wanted.collect_now and not agreed:
        questions["scan"] = proof_question(scope, [customer.id], wanted.station_id, wanted.presence)
    return await read(ReservationFacts, **questions)


def require_may_have(scope: Scope, wanted: RedemptionIn, customer: Customer, facts: ReservationFacts) -> None:
    """Refuse a person who may not redeem, a keeper who serves the own household, and who reserves for somebody near.

    Raises PersonNotActive, NotGuardian, OwnRedemption, and for an administrator who reserves for the person
    NotIndependent and SpendingRests.
    """
    if customer.status != "active":
        raise PersonNotActive
    if is_guarded(customer.born_on) and not facts.has_guardian:
        raise NotGuardian
    if facts.near is None:
        return
    if wanted.reason is not None:
        require_apart(scope, facts.near, [customer.id])
        require_rested(facts.rests_until)
    elif customer.id in near_by(signed_on(scope), facts.near).home:
        raise OwnRedemption


def offered(facts: ReservationFacts) -> Offer:
    """The good at the station. Raises GoodNotOffered."""
    if facts.offer is None:
        raise GoodNotOffered
    return facts.offer


def decide(wanted: RedemptionIn, facts: ReservationFacts, now: datetime) -> Reservation:
    """What is reserved. Raises GoodNotOffered, MonthlyLimitReached, OutOfStock."""
    offer, quantity, in_force = offered(facts), wanted.quantity, policies_from(facts.policies)
    if offer.monthly_limit is not None and facts.taken + quantity > offer.monthly_limit:
        raise MonthlyLimitReached(limit=offer.monthly_limit, taken=facts.taken)
    if offer.free < quantity:
        raise OutOfStock(left=offer.free)
    return Reservation(
        offer=offer, points=offer.points * quantity, expires_at=now + timedelta(days=in_force.hold_days),
        grace_days=in_force.grace_days, code=None if wanted.collect_now else pickup.first_free(facts.codes),
    )  # fmt: skip


def rows_of(
    scope: Scope, redemption_id: UUID, wanted: RedemptionIn, customer: Customer, reserved: Reservation
) -> Sequence[Write]:
    """What a reservation writes beside its own row: the household's count, the stock and the code.

    Each is guarded: where another reservation has taken the rest meanwhile, the whole is run again and refused.
    """
    counted = limits.count_taken(
        scope, customer.counted_as, wanted.good_id, wanted.quantity, reserved.offer.monthly_limit
    )
    taken = stock.take_from_stock(
        scope, wanted.good_id, wanted.station_id, wanted.quantity, "reserved", redemption_id=redemption_id
    )
    if reserved.code is None:
        return [counted, *taken]
    code = pickup.pickup_row(scope, reserved.code, NOUN, redemption_id, wanted.station_id, reserved.expires_at)
    return [counted, *taken, code]
