"""What is decided about a reservation and a collection: tables of cases, without a database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from timebank.agreements.independence import NearFacts, SideRow
from timebank.core import clock
from timebank.core.errors import RanIntoAnother, TimebankError
from timebank.core.scope import Grant, ResidentRecord, Role, Scope
from timebank.policies.values import PolicyValue
from timebank.shop.collection import CollectionFacts, Holder, LockedRedemption, require_collectable
from timebank.shop.reserving import Customer, Offer, ReservationFacts, decide, require_may_have
from timebank.shop.schemas import RedemptionIn

HERE, STATION, OTHER_STATION, GOOD = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
PERSON, KEEPER, MERGED = UUID(int=5), UUID(int=6), UUID(int=7)
HOME, LOGIN = UUID(int=8), UUID(int=9)
NOW = datetime(2026, 3, 18, 2, tzinfo=UTC)


def answered(decision: Callable[[], object]) -> object:
    """What was decided, or the code of the refusal."""
    try:
        return decision()
    except TimebankError as refusal:
        return refusal.code


def allowed(decision: Callable[[], object]) -> str:
    """Yes, or the code of the refusal."""
    try:
        decision()
    except TimebankError as refusal:
        return refusal.code
    return "yes"


def offer(**other: Any) -> Offer:
    known: dict[str, Any] = {
        "unseen": False, "name": "香皂", "unit": "块", "points": 10, "monthly_limit": 2, "station": "暖蜂驿站",
        "free": 5,
    }  # fmt: skip
    return Offer(**(known | other))


def facts(**other: Any) -> ReservationFacts:
    known: dict[str, Any] = {"has_guardian": False, "offer": offer(), "taken": 0, "codes": ["12345678"]}
    return ReservationFacts(**(known | other))


def wanted(quantity: int = 1, **other: Any) -> RedemptionIn:
    return RedemptionIn(person_id=PERSON, good_id=GOOD, station_id=STATION, quantity=quantity, **other)


RESERVED = [
    ("one of five", wanted(), facts(), 10),
    ("two, the whole of the month", wanted(2), facts(), 20),
    ("the last one of the shelf", wanted(), facts(offer=offer(free=1)), 10),
    ("no monthly limit", wanted(5), facts(offer=offer(monthly_limit=None)), 50),
    ("the second one of the month", wanted(), facts(taken=1), 10),
    ("the third one of the month", wanted(), facts(taken=2), "monthly_limit_reached"),
    ("three at once", wanted(3), facts(), "monthly_limit_reached"),
    ("none left", wanted(), facts(offer=offer(free=0)), "out_of_stock"),
    ("fewer left than wanted", wanted(2), facts(offer=offer(free=1)), "out_of_stock"),
    ("too many for the month and for the shelf", wanted(3), facts(offer=offer(free=1)), "monthly_limit_reached"),
    ("not offered here", wanted(), facts(offer=None), "good_not_offered_here"),
    ("every drawn code is in use", wanted(), facts(codes=[]), "busy"),
    ("taken at once, for which no code is needed", wanted(collect_now=True), facts(codes=[]), 10),
]


@pytest.mark.parametrize(("asked", "known", "points"), [c[1:] for c in RESERVED], ids=[c[0] for c in RESERVED])
def test_what_is_reserved(asked: RedemptionIn, known: ReservationFacts, points: int | str) -> None:
    assert answered(lambda: decide(asked, known, NOW).points) == points


def test_a_reservation_lasts_as_long_as_the_policy_says_and_keeps_its_grace() -> None:
    default = decide(wanted(), facts(), NOW)
    assert (default.expires_at - NOW, default.grace_days) == (timedelta(days=7), 30)
    own = facts(policies=[PolicyValue("hold_days", 3), PolicyValue("grace_days", 5)])
    changed = decide(wanted(), own, NOW)
    assert (changed.expires_at - NOW, changed.grace_days) == (timedelta(days=3), 5)


@pytest.mark.parametrize(("collect_now", "code"), [(False, "12345678"), (True, None)])
def test_what_is_taken_at_once_has_no_code(collect_now: bool, code: str | None) -> None:
    assert decide(wanted(collect_now=collect_now), facts(), NOW).code == code


def customer(**other: Any) -> Customer:
    known: dict[str, Any] = {
        "id": PERSON, "name": "张桂兰", "household_id": None, "status": "active", "born_on": date(1960, 1, 1)
    }  # fmt: skip
    return Customer(**(known | other))


def keeper(**other: Any) -> Scope:
    own = ResidentRecord(community_id=HERE, person_id=KEEPER, name="周敏", community_name="凤凰社区")
    known: dict[str, Any] = {
        "community_id": HERE, "persons": (own,), "login_id": LOGIN,
        "grants": frozenset({Grant(role=Role.station_keeper, community_id=HERE, station_id=STATION)}),
    }  # fmt: skip
    return Scope(**(known | other))


def holder(role: Role) -> Scope:
    """Somebody who holds this role over the whole community alone."""
    return keeper(grants=frozenset({Grant(role=role, community_id=HERE)}))


def near(*, household: UUID | None = None, own: UUID | None = None, who: UUID = PERSON) -> NearFacts:
    """The side of the person, and that of the keeper."""
    return NearFacts(
        people=[SideRow(who, [who], [household] if household else [], [])], logins=[],
        own=[SideRow(LOGIN, [KEEPER], [own] if own else [], [LOGIN])], care=[],
    )  # fmt: skip


CHILD = date(2016, 6, 1)
MAY_HAVE = [
    ("a grown person at home", customer(), facts(), "yes"),
    ("a blocked person", customer(status="blocked"), facts(), "person_not_active"),
    ("somebody who has left", customer(status="left"), facts(), "person_not_active"),
    ("a child without consent", customer(born_on=CHILD), facts(), "guardian_consent_missing"),
    ("a child with consent", customer(born_on=CHILD), facts(has_guardian=True), "yes"),
    ("a neighbour at the counter", customer(), facts(near=near(household=HOME)), "yes"),
    ("the keeper's household", customer(), facts(near=near(household=HOME, own=HOME)), "own_redemption"),
    ("the keeper", customer(id=KEEPER), facts(near=near(who=KEEPER)), "own_redemption"),
]


@pytest.mark.parametrize(("who", "known", "answer"), [c[1:] for c in MAY_HAVE], ids=[c[0] for c in MAY_HAVE])
def test_who_may_have_it(who: Customer, known: ReservationFacts, answer: str) -> None:
    with clock.at(NOW):
        assert allowed(lambda: require_may_have(keeper(), wanted(), who, known)) == answer


def held(**other: Any) -> LockedRedemption:
    known: dict[str, Any] = {
        "id": UUID(int=10), "person_id": PERSON, "person_status": "active", "household_id": HOME, "good_id": GOOD,
        "station_id": STATION, "quantity": 1, "points": 10, "status": "reserved", "code": "12345678",
        "entry_id": UUID(int=11), "settled_entry_id": None, "reserved_at": NOW, "expires_at": NOW + timedelta(days=7),
        "ended_at": None, "ended_by_login": None,
        "good": "香皂", "unit": "块", "station": "暖蜂驿站", "rests_until": None,
        "acted_by": None, "acted_by_login": None,
    }  # fmt: skip
    return LockedRedemption(**(known | other))


COLLECTED = [
    ("what is reserved", keeper(), held(), "yes"),
    ("what does not exist", keeper(), None, "not_found"),
    ("what waits at another station", keeper(), held(station_id=OTHER_STATION), "not_found"),
    (
        "by an administrator",
        holder(Role.community_admin),
        held(),
        "yes",
    ),
    (
        "by an auditor, who sees it",
        holder(Role.auditor),
        held(),
        "forbidden",
    ),
    ("by a neighbour", keeper(grants=frozenset()), held(), "not_found"),
    ("what was collected", keeper(), held(status="collected"), "redemption_ended"),
    ("what was cancelled", keeper(), held(status="cancelled"), "redemption_ended"),
    ("after its last moment", keeper(), held(expires_at=NOW), "redemption_overdue"),
    ("one second before its last moment", keeper(), held(expires_at=NOW + timedelta(seconds=1)), "yes"),
]


@pytest.mark.parametrize(("scope", "found", "answer"), [c[1:] for c in COLLECTED], ids=[c[0] for c in COLLECTED])
def test_what_is_collected(scope: Scope, found: LockedRedemption | None, answer: str) -> None:
    known = CollectionFacts(redemption=found, near=near(household=HOME))
    with clock.at(NOW):
        assert allowed(lambda: require_collectable(scope, known, Holder(PERSON, STATION))) == answer


def test_a_keeper_hands_nothing_to_the_own_household() -> None:
    known = CollectionFacts(redemption=held(), near=near(household=HOME, own=HOME))
    with clock.at(NOW), pytest.raises(TimebankError) as refused:
        require_collectable(keeper(), known, Holder(PERSON, STATION))
    assert refused.value.code == "own_redemption"


def test_a_person_who_was_merged_meanwhile_is_locked_anew() -> None:
    known = CollectionFacts(redemption=held(person_id=MERGED), near=near(household=HOME))
    with clock.at(NOW), pytest.raises(RanIntoAnother):
        require_collectable(keeper(), known, Holder(PERSON, STATION))
