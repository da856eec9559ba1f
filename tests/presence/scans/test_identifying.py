"""Who was scanned, where and when: the cases of `identify`."""

from datetime import timedelta
from typing import Any

import pytest

from tests.presence.scans.scenes import (
    CARD,
    CARD_CODE,
    DEVICE,
    ELSEWHERE,
    HERE,
    KEEPER,
    OTHER_SESSION,
    OTHER_STATION,
    PERSON,
    STATION,
    at,
    card,
    claim,
    keeper,
    person,
    person_code,
    scan,
    station,
    station_code,
    volunteer,
)
from timebank.core import clock
from timebank.core.codes import CardCode
from timebank.core.errors import Forbidden, NotFound
from timebank.presence.evidence.device_clock import DeviceClock
from timebank.presence.scans.context import ScanContext
from timebank.presence.scans.facts import FirstFacts, Identified
from timebank.presence.scans.identifying import identify
from timebank.presence.words import REASONS, ScanRefused

KNOWN = FirstFacts(station=station(), person=person(), card=card())


def said(context: ScanContext, first: FirstFacts = KNOWN) -> str:
    """ "at" the time that the scan counts from, or why it is refused."""
    found = Identified(context.received_at)
    try:
        identify(context, first, found)
    except ScanRefused as refusal:
        return next(reason for reason, sentence in REASONS.items() if sentence == refusal.said.sentence)
    except (Forbidden, NotFound) as error:
        return error.code
    return f"{clock.local(found.at):%H:%M:%S}"


def own(made_at: str = "09:00", received: str = "09:00", **other: Any) -> ScanContext:
    """刘洋 scans the code of 暖蜂驿站 with the own phone."""
    more = {name: other.pop(name) for name in ("place", "epoch", "community") if name in other}
    return scan(other.pop("scope", volunteer()), station_code(made_at, **more), received, **other)


def shown(made_at: str = "09:00", received: str = "09:00", **other: Any) -> ScanContext:
    """The keeper scans the code on 刘洋's phone."""
    more = {name: other.pop(name) for name in ("who", "epoch", "community") if name in other}
    return scan(other.pop("scope", keeper()), person_code(made_at, **more), received, **other)


def of_card(received: str = "09:00", **other: Any) -> ScanContext:
    return scan(other.pop("scope", keeper()), other.pop("code", CARD_CODE), received, **other)


def offline(told: str, **other: Any) -> dict[str, Any]:
    return {"offline": True, "occurred_at": at(told)} | other


TABLET = {"device_id": DEVICE, "device_kind": "counter", "device_station_id": STATION}

OWN_PHONE = [
    ("the code of this step", own(), "09:00:00"),
    ("the code of the step before", own("08:59:50", "09:00:10"), "09:00:10"),
    ("a code of two steps ago", own("08:59:30", "09:00:10"), "expired_code"),
    ("a code of the future", own("09:05", "09:00"), "expired_code"),
    ("a code opened a minute ago by this session", own("09:00", "09:01", claim=claim("09:00:05")), "09:00:05"),
    ("a code opened by another session", own(claim=claim("09:00", session=OTHER_SESSION)), "claim_elsewhere"),
    ("a claim for another station", own("08:00", "09:00", claim=claim("09:00", place=OTHER_STATION)), "expired_code"),
    ("a station's code under its former key", own(epoch=2), "invalid_code"),
    ("a code of another community", own(community=ELSEWHERE), "wrong_station"),
    ("a code of one station and the name of another", own(asked={"station_id": OTHER_STATION}), "wrong_station"),
    ("for somebody else", own(asked={"person_id": KEEPER}), "forbidden"),
    ("by somebody without a record here", own(scope=volunteer(persons=())), "wrong_station"),
    ("by a tablet", own(scope=volunteer(**TABLET)), "invalid_code"),
    ("to look somebody up", own(asked={"purpose": "look"}), "invalid_code"),
    ("the device's time is not asked", own(asked=offline("07:00")), "09:00:00"),
    ("no code at all", scan(volunteer(), None, "09:00"), "invalid_code"),
]

AT_A_COUNTER = [
    ("a phone's code of this step", shown(), "09:00:00"),
    ("a phone's code of the step before", shown("08:59:40", "09:00:10"), "09:00:10"),
    ("a phone's code of two steps ago", shown("08:58:50", "09:00:10"), "expired_code"),
    ("a phone's code under a former key", shown(epoch=2), "invalid_code"),
    ("a phone's code of another community", shown(community=ELSEWHERE), "wrong_station"),
    ("by a resident who serves nowhere", shown(scope=volunteer()), "forbidden"),
    ("by a keeper of several stations who names none", shown(scope=keeper(STATION, OTHER_STATION)), "ambiguous"),
    (
        "by a keeper of several stations who names one",
        shown(scope=keeper(STATION, OTHER_STATION), asked={"station_id": STATION}),
        "09:00:00",
    ),
    ("by a keeper of another station", shown(scope=keeper(OTHER_STATION), asked={"station_id": STATION}), "forbidden"),
    ("a card", of_card(), "09:00:00"),
    ("a card of another community", of_card(code=CardCode(ELSEWHERE, CARD, 1)), "wrong_station"),
    ("a card of a former issue", of_card(code=CardCode(HERE, CARD, 0)), "revoked"),
    ("a person found by name", scan(keeper(), None, "09:00", found_id=PERSON), "09:00:00"),
    ("a look", shown(asked={"purpose": "look"}), "09:00:00"),
    ("a look without network", shown(asked=offline("09:00", purpose="look")), "looked_offline"),
]

OFFLINE = [
    ("an hour ago", shown("08:00", "09:00", asked=offline("08:00")), "08:00:00"),
    ("a phone's code one step off", shown("08:00", "09:00", asked=offline("08:01")), "08:01:00"),
    ("a phone's code of another time", shown("08:00", "09:00", asked=offline("08:05")), "expired_code"),
    ("a device whose clock is an hour slow", shown(
        "08:00", "09:00", asked=offline("07:00"), clock=DeviceClock(timedelta(hours=1))), "08:00:00"),
    ("a minute ahead of the server", shown("09:00", "09:00", asked=offline("09:01")), "09:00:00"),
    ("later than now", shown("09:00", "09:00", asked=offline("09:30")), "clock_wrong"),
]  # fmt: skip


@pytest.mark.parametrize(("context", "answer"), [case[1:] for case in OWN_PHONE], ids=[case[0] for case in OWN_PHONE])
def test_a_station_code_by_the_own_phone(context: ScanContext, answer: str) -> None:
    assert said(context) == answer


@pytest.mark.parametrize(
    ("context", "answer"), [case[1:] for case in AT_A_COUNTER], ids=[case[0] for case in AT_A_COUNTER]
)
def test_a_phone_or_card_at_a_counter(context: ScanContext, answer: str) -> None:
    assert said(context) == answer


@pytest.mark.parametrize(("context", "answer"), [case[1:] for case in OFFLINE], ids=[case[0] for case in OFFLINE])
def test_a_scan_made_without_network(context: ScanContext, answer: str) -> None:
    assert said(context) == answer


@pytest.mark.parametrize(
    ("first", "answer"),
    [
        (FirstFacts(station=station(), person=None, card=None), "invalid_code"),
        (FirstFacts(station=station(), person=person(), card=card(revoked_at=at("08:30"))), "revoked"),
        (FirstFacts(station=station(), person=person(), card=card(revoked_at=at("09:30"))), "09:00:00"),
        (FirstFacts(station=station(), person=person(status="blocked"), card=card()), "blocked"),
        (FirstFacts(station=station(), person=None, card=card()), "invalid_code"),
        (FirstFacts(station=None, person=person(), card=card()), "not_found"),
    ],
    ids=["no such card", "a revoked card", "a card that will be revoked", "a blocked resident", "no such resident",
         "no such station"],
)  # fmt: skip
def test_a_card_and_what_is_known_of_it(first: FirstFacts, answer: str) -> None:
    assert said(of_card(), first) == answer


def test_a_scan_from_before_the_tablet_was_paired_is_refused() -> None:
    context = shown("08:00", "09:00", asked=offline("08:00"))
    assert said(context, FirstFacts(station=station(), person=person(), paired_at=at("08:30"))) == "before_pairing"
    assert said(context, FirstFacts(station=station(), person=person(), paired_at=at("07:30"))) == "08:00:00"


def test_a_scan_of_more_than_two_days_ago_is_too_late() -> None:
    told = {"offline": True, "occurred_at": at("09:00") - timedelta(hours=49)}
    assert said(shown("09:00", "09:00", asked=told)) == "too_late"
