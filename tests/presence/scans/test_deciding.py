"""What a scan does: the cases of `decide`."""

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.presence.scans.scenes import (
    CARD_CODE,
    KEEPER,
    KEEPER_LOGIN,
    NEIGHBOUR,
    OTHER_STATION,
    PERSON,
    at,
    card,
    claim,
    identified,
    keeper,
    person,
    person_code,
    related,
    scan,
    station,
    station_code,
    visit,
    volunteer,
    yesterday,
)
from timebank.core.errors import NotFound
from timebank.presence.choice import ActivityChoice, Offer
from timebank.presence.evidence.device_clock import DeviceClock
from timebank.presence.evidence.leaders_code import Led
from timebank.presence.scans.context import ScanContext
from timebank.presence.scans.deciding import Decision, decide
from timebank.presence.scans.facts import Identified, ScanFacts
from timebank.presence.words import REASONS

ACTIVITY, OTHER_ACTIVITY, SHIFT = UUID(int=91), UUID(int=92), UUID(int=93)
CLEANING, ESCORT = Offer(ACTIVITY, "清洁", False), Offer(OTHER_ACTIVITY, "护学", True)
SEAT = ActivityChoice(OTHER_ACTIVITY, "护学", SHIFT)
HOUSEHOLD = UUID(int=101)
LED = Led(UUID(int=42), SHIFT, False)
PAID = Offer(ACTIVITY, "巡逻", False, True)
CHILD = person(born_on=date(2016, 6, 1))


def own(when: str, direction: str = "auto", **asked: Any) -> ScanContext:
    return scan(volunteer(), station_code(when), when, asked={"direction": direction} | asked)


def sent_late(when: str, direction: str = "auto", received: str = "12:00") -> ScanContext:
    """A scan of the phone's code, made without network."""
    asked = {"direction": direction, "offline": True, "occurred_at": at(when)}
    return scan(keeper(), person_code(when), received, asked=asked)


def outcome(decision: Decision) -> str:
    if decision.refusal is None:
        return decision.step
    return next(reason for reason, sentence in REASONS.items() if sentence == decision.refusal.said.sentence)


IN_OR_OUT: list[tuple[str, str, str, ScanFacts, str]] = [
    # a sentence, the time of the scan, its direction, the facts, what is done
    ("nobody is in", "09:00", "auto", ScanFacts(), "check_in"),
    ("nobody is in, and in is asked for", "09:00", "in", ScanFacts(), "check_in"),
    ("nobody is in, and out is asked for", "09:00", "out", ScanFacts(), "not_in"),
    ("in for an hour", "10:00", "auto", ScanFacts(visit=visit("09:00")), "check_out"),
    ("in for an hour, and out is asked for", "10:00", "out", ScanFacts(visit=visit("09:00")), "check_out"),
    ("in for an hour, and in is asked for", "10:00", "in", ScanFacts(visit=visit("09:00")), "already_in"),
    ("in for half a minute", "09:00:30", "auto", ScanFacts(visit=visit("09:00")), "same_check_in"),
    ("in for half a minute, and in is asked for", "09:00:30", "in", ScanFacts(visit=visit("09:00")), "same_check_in"),
    ("in for half a minute, and out is asked for", "09:00:30", "out", ScanFacts(visit=visit("09:00")), "check_out"),
    ("in for 59 seconds", "09:00:59", "auto", ScanFacts(visit=visit("09:00")), "same_check_in"),
    ("in for 60 seconds", "09:01:00", "auto", ScanFacts(visit=visit("09:00")), "check_out"),
    ("in at another station", "10:00", "auto", ScanFacts(visit=visit("09:00", station_id=OTHER_STATION)),
     "open_elsewhere"),
    ("in at another station just now", "09:00:20", "in", ScanFacts(visit=visit("09:00", station_id=OTHER_STATION)),
     "open_elsewhere"),
    ("left half a minute ago", "10:00:30", "auto",
     ScanFacts(just_left=visit("09:00", out_at=at("10:00"), status="closed")), "same_check_out"),
    ("left half a minute ago, and out is asked for", "10:00:30", "out",
     ScanFacts(just_left=visit("09:00", out_at=at("10:00"), status="closed")), "same_check_out"),
    ("left half a minute ago, and in is asked for", "10:00:30", "in",
     ScanFacts(just_left=visit("09:00", out_at=at("10:00"), status="closed")), "check_in"),
    ("before the station opens", "07:30", "auto", ScanFacts(), "closed_station"),
    ("at the minute of opening", "08:00", "auto", ScanFacts(), "check_in"),
    ("at the minute of closing", "18:00", "auto", ScanFacts(), "closed_station"),
    ("leaving a quarter of an hour after closing", "18:15", "auto", ScanFacts(visit=visit("09:00")), "check_out"),
    ("half an hour after closing", "18:30", "auto", ScanFacts(visit=visit("09:00")), "check_out"),
    ("more than half an hour after closing", "18:31", "auto", ScanFacts(visit=visit("09:00")), "closed_station"),
    ("still in from yesterday", "09:00", "auto", ScanFacts(visit=yesterday("09:00")), "check_in"),
    ("still in from yesterday, and out is asked for", "09:00", "out", ScanFacts(visit=yesterday("09:00")), "not_in"),
    ("in since the future", "08:30", "auto", ScanFacts(visit=visit("09:00")), "overlap"),
    ("the claim was used", "09:00", "auto", ScanFacts(claim_is_used=True), "claim_used"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "direction", "facts", "done"), [case[1:] for case in IN_OR_OUT], ids=[case[0] for case in IN_OR_OUT]
)
def test_in_or_out(when: str, direction: str, facts: ScanFacts, done: str) -> None:
    assert outcome(decide(own(when, direction), identified(when), facts)) == done


@pytest.mark.parametrize(
    ("facts", "closed"),
    [
        (ScanFacts(visit=yesterday("09:00")), True),
        (ScanFacts(visit=visit("08:10")), False),
        (ScanFacts(), False),
        (ScanFacts(visit=visit("08:10", opens_at=time(), closes_at=time())), False),
        (ScanFacts(visit=yesterday("20:00", opens_at=time(), closes_at=time())), True),
    ],
    ids=["of yesterday", "of today", "none", "never closes, an hour", "never closes, thirteen hours"],
)
def test_a_forgotten_visit_is_closed_first_whatever_else_is_done(facts: ScanFacts, closed: bool) -> None:
    for direction in ("auto", "in", "out"):
        decision = decide(own("09:10", direction), identified("09:10"), facts)
        assert (decision.forgotten is not None) is closed


LATE: list[tuple[str, str, str, ScanFacts, str]] = [
    ("nobody was in", "09:00", "auto", ScanFacts(), "check_in"),
    ("on a visit that was closed at closing time", "17:00", "auto",
     ScanFacts(before=visit("09:00", out_by="closing_time", status="needs_confirmation")), "late_check_out"),
    ("on a visit whose end was corrected", "17:00", "out",
     ScanFacts(before=visit("09:00", out_by="corrected", status="closed")), "late_check_out"),
    ("on a visit that ended by a scan", "17:00", "out",
     ScanFacts(before=visit("09:00", out_by="card", status="closed")), "not_in"),
    ("on a forgotten visit, and in is asked for", "17:00", "in",
     ScanFacts(before=visit("09:00", out_by="closing_time")), "check_in"),
    ("at another station than the forgotten visit", "17:00", "out",
     ScanFacts(before=visit("09:00", out_by="closing_time", station_id=OTHER_STATION)), "not_in"),
    ("a second scan of the forgotten check-in", "09:00:30", "auto",
     ScanFacts(before=visit("09:00", out_by="closing_time")), "same_check_in"),
    ("long after the forgotten visit's closing time", "10:00", "out",
     ScanFacts(before=yesterday("09:00", out_by="closing_time")), "not_in"),
    ("within another visit", "09:00", "in", ScanFacts(was_in=True), "overlap"),
    ("before the present visit began", "09:00", "auto", ScanFacts(visit=visit("11:00")), "check_in"),
    ("out before the present visit began", "09:00", "out", ScanFacts(visit=visit("11:00")), "overlap"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "direction", "facts", "done"), [case[1:] for case in LATE], ids=[case[0] for case in LATE]
)
def test_a_scan_that_arrives_late(when: str, direction: str, facts: ScanFacts, done: str) -> None:
    context = sent_late(when, direction, received="17:30")
    assert outcome(decide(context, identified(when), facts)) == done


def test_a_late_check_in_before_an_open_visit_ends_where_that_one_begins() -> None:
    decision = decide(sent_late("09:00"), identified("09:00"), ScanFacts(visit=visit("11:00")))
    assert (decision.step, decision.over) == ("check_in", at("11:00"))


CHOICES: list[tuple[str, dict[str, Any], ScanFacts, ActivityChoice | str]] = [
    ("nothing is offered", {}, ScanFacts(), ActivityChoice()),
    ("one is open to all", {}, ScanFacts(offers=[CLEANING]), ActivityChoice(ACTIVITY, "清洁")),
    ("one needs a sign-up", {}, ScanFacts(offers=[ESCORT]), ActivityChoice()),
    ("the first open to all", {}, ScanFacts(offers=[ESCORT, CLEANING]), ActivityChoice(ACTIVITY, "清洁")),
    ("signed up for a shift", {}, ScanFacts(offers=[CLEANING], seat=SEAT), SEAT),
    ("paid duty by itself", {}, ScanFacts(offers=[PAID]), ActivityChoice(ACTIVITY, "巡逻", None, True)),
    ("paid duty named", {"activity_id": ACTIVITY}, ScanFacts(named=PAID), ActivityChoice(ACTIVITY, "巡逻", None, True)),
    ("named", {"activity_id": ACTIVITY}, ScanFacts(named=CLEANING), ActivityChoice(ACTIVITY, "清洁")),
    ("named by its shift", {"shift_id": SHIFT}, ScanFacts(named=CLEANING), ActivityChoice(ACTIVITY, "清洁", SHIFT)),
    ("named without the sign-up it needs", {"activity_id": OTHER_ACTIVITY}, ScanFacts(named=ESCORT), "not_signed_up"),
    ("named with the sign-up it needs", {"activity_id": OTHER_ACTIVITY}, ScanFacts(named=ESCORT, seat=SEAT), SEAT),
]


@pytest.mark.parametrize(
    ("asked", "facts", "chosen"), [case[1:] for case in CHOICES], ids=[case[0] for case in CHOICES]
)
def test_the_activity_of_a_check_in(asked: dict[str, Any], facts: ScanFacts, chosen: ActivityChoice | str) -> None:
    decision = decide(own("09:00", **asked), identified("09:00"), facts)
    assert (decision.choice or outcome(decision)) == chosen


def test_an_activity_that_is_not_offered_here_is_not_found() -> None:
    with pytest.raises(NotFound):
        decide(own("09:00", activity_id=ACTIVITY), identified("09:00"), ScanFacts())


FLAGS: list[tuple[str, ScanContext, Identified, ScanFacts, list[str]]] = [
    ("the own phone", own("09:00"), identified("09:00"), ScanFacts(), []),
    ("a code that staff had read", own("09:00"), identified("09:00"), ScanFacts(readers=[KEEPER_LOGIN]),
     ["code_read_by_staff"]),
    ("a leader's code, with a seat of that shift", own("09:00"), identified("09:00"),
     ScanFacts(led=[LED], seat=SEAT), []),
    ("a leader's code, without a seat", own("09:00"), identified("09:00"), ScanFacts(led=[LED]), ["other_shift"]),
    ("a leader's code, with a seat of another shift", own("09:00"), identified("09:00"),
     ScanFacts(led=[LED], seat=ActivityChoice(OTHER_ACTIVITY, "护学", UUID(int=94))), ["other_shift"]),
    ("the leader's own code", own("09:00"), identified("09:00"),
     ScanFacts(led=[Led(KEEPER_LOGIN, SHIFT, True)], seat=SEAT), ["leader"]),
    ("a code that the leader and another leader had", own("09:00"), identified("09:00"),
     ScanFacts(led=[LED, Led(KEEPER_LOGIN, SHIFT, True)], seat=SEAT), ["leader"]),
    ("the leader's own code without a seat", own("09:00"), identified("09:00"),
     ScanFacts(led=[Led(KEEPER_LOGIN, SHIFT, True)]), ["leader", "other_shift"]),
    ("a code that a leader and staff had", own("09:00"), identified("09:00"),
     ScanFacts(led=[LED], readers=[KEEPER_LOGIN], seat=SEAT), ["code_read_by_staff"]),
    ("a neighbour's phone at the counter", scan(keeper(), person_code("09:00"), "09:00"), identified("09:00"),
     ScanFacts(near=related(PERSON, household=HOUSEHOLD)), []),
    ("the keeper's household", scan(keeper(), person_code("09:00"), "09:00"), identified("09:00"),
     ScanFacts(near=related(PERSON, household=HOUSEHOLD, own=HOUSEHOLD)), ["served_by_family"]),
    ("the keeper", scan(keeper(), person_code("09:00"), "09:00"), identified("09:00", person=person(id=KEEPER)),
     ScanFacts(near=related(KEEPER)), ["served_by_family"]),
    ("without network, sent soon", sent_late("11:50"), identified("11:50"), ScanFacts(near=related(PERSON)),
     ["offline"]),
    ("without network, sent an hour later", sent_late("11:00"), identified("11:00"), ScanFacts(near=related(PERSON)),
     ["offline", "offline_late"]),
    ("a confirmed card", scan(keeper(), CARD_CODE, "09:00"), identified("09:00", card=card()),
     ScanFacts(near=related(PERSON)), []),
    ("an unconfirmed card of another issuer", scan(keeper(), CARD_CODE, "09:00"),
     identified("09:00", card=card(confirmed_at=None, issued_by_login=UUID(int=5))), ScanFacts(near=related(PERSON)),
     []),
    ("an unconfirmed card of this login", scan(keeper(), CARD_CODE, "09:00"),
     identified("09:00", card=card(confirmed_at=None, issued_by_login=KEEPER_LOGIN)), ScanFacts(near=related(PERSON)),
     ["own_card"]),
    ("an unconfirmed card that a tablet issued", scan(keeper(), CARD_CODE, "09:00"),
     identified("09:00", card=card(confirmed_at=None, issued_by_device=UUID(int=6))), ScanFacts(near=related(PERSON)),
     ["own_card"]),
    ("an unconfirmed card that an import made", scan(keeper(), CARD_CODE, "09:00"),
     identified("09:00", card=card(confirmed_at=None)), ScanFacts(near=related(PERSON)), []),
    ("an unconfirmed card of somebody of the keeper's household", scan(keeper(), CARD_CODE, "09:00"),
     identified("09:00", card=card(confirmed_at=None, issued_by_login=UUID(int=5))),
     ScanFacts(near=related(NEIGHBOUR, household=HOUSEHOLD, own=HOUSEHOLD)), ["own_card"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("context", "found", "facts", "flags"), [case[1:] for case in FLAGS], ids=[case[0] for case in FLAGS]
)
def test_the_flags_of_a_scan(context: ScanContext, found: Identified, facts: ScanFacts, flags: list[str]) -> None:
    decision = decide(context, found, facts)
    assert (decision.step, decision.flags) == ("check_in", flags)


def test_a_wrong_clock_is_flagged() -> None:
    asked = {"offline": True, "occurred_at": at("10:55")}
    context = scan(keeper(), person_code("11:55"), "12:00", asked=asked, clock=DeviceClock(timedelta(hours=1)))
    assert decide(context, identified("11:55"), ScanFacts(near=related(PERSON))).flags == ["offline", "skew"]


@pytest.mark.parametrize(
    ("who", "has_guardian", "done"),
    [
        (CHILD, False, "guardian_consent_missing"),
        (CHILD, True, "check_in"),
        (person(born_on=date(2012, 3, 18)), False, "check_in"),
        (person(born_on=date(2012, 3, 19)), False, "guardian_consent_missing"),
        (person(born_on=None), False, "check_in"),
    ],
    ids=["a child", "a child with consent", "fourteen today", "fourteen tomorrow", "without a birth date"],
)
def test_a_child_needs_a_guardian(who: Any, has_guardian: bool, done: str) -> None:
    facts = ScanFacts(has_guardian=has_guardian)
    assert outcome(decide(own("09:00"), identified("09:00", person=who), facts)) == done


def test_a_look_checks_nobody_in() -> None:
    context = scan(keeper(), person_code("09:00"), "09:00", asked={"purpose": "look"})
    facts = ScanFacts(near=related(PERSON), visit=yesterday("09:00"))
    decision = decide(context, identified("09:00"), facts)
    assert (decision.step, decision.forgotten) == ("identify", None)


def test_a_closed_station_lets_nobody_in() -> None:
    found = identified("09:00", station=station(active=False))
    assert outcome(decide(own("09:00"), found, ScanFacts())) == "closed_station"


def test_a_claim_of_another_station_is_not_used() -> None:
    context = scan(volunteer(), station_code("09:00"), "09:00", claim=claim("09:00", place=OTHER_STATION))
    assert decide(context, identified("09:00"), ScanFacts()).step == "check_in"


@pytest.mark.parametrize(("shift", "flags"), [(SHIFT, []), (None, ["other_shift"])])
def test_a_leaders_code_ends_a_visit_of_its_shift_that_is_over(shift: UUID | None, flags: list[str]) -> None:
    facts = ScanFacts(led=[LED], visit=visit("09:00", shift_id=shift))
    decision = decide(own("10:00"), identified("10:00"), facts)
    assert (decision.step, decision.flags, decision.read_by) == ("check_out", flags, [LED.reader_id])
