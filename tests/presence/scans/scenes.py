"""Facts for the cases: one station, one person, one keeper, and scans of them on an ordinary Wednesday."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.independence import NearFacts, SideRow
from timebank.core import clock, codes, settings
from timebank.core.codes import CardCode, Code
from timebank.core.scope import Grant, ResidentRecord, Role, Scope
from timebank.presence.evidence.claims import Claim
from timebank.presence.scans.context import ScanContext
from timebank.presence.scans.facts import CardRow, Identified, PersonRow
from timebank.presence.schemas import ScanIn
from timebank.presence.visits import VisitRow
from timebank.stations.stations import StationRow

TODAY = date(2026, 3, 18)
HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
STATION, OTHER_STATION = UUID(int=11), UUID(int=12)
PERSON, KEEPER, NEIGHBOUR = UUID(int=21), UUID(int=22), UUID(int=23)
SESSION, OTHER_SESSION = UUID(int=31), UUID(int=32)
KEEPER_LOGIN, CARD, DEVICE = UUID(int=41), UUID(int=51), UUID(int=61)
NONCE = "n" * 22


def at(text: str, day: date = TODAY) -> datetime:
    """A local time of the day, such as 09:30 or 09:30:20."""
    return clock.at_local(day, time.fromisoformat(text))


def station(**other: Any) -> StationRow:
    known: dict[str, Any] = {
        "id": STATION,
        "name": "暖蜂驿站",
        "opens_at": time(8),
        "closes_at": time(18),
        "code_epoch": 1,
        "active": True,
    }
    return StationRow(**(known | other))


def person(**other: Any) -> PersonRow:
    known: dict[str, Any] = {
        "id": PERSON, "name": "刘洋", "household_id": None, "born_on": date(1960, 1, 1), "status": "active",
        "code_epoch": 1,
    }  # fmt: skip
    return PersonRow(**(known | other))


def card(**other: Any) -> CardRow:
    known: dict[str, Any] = {
        "id": CARD, "person_id": PERSON, "epoch": 1, "revoked_at": None, "issued_by": NEIGHBOUR,
        "issued_by_login": None, "issued_by_device": None, "confirmed_at": at("08:00"), "is_issuers_station": False,
    }  # fmt: skip
    return CardRow(**(known | other))


def visit(in_at: str, **other: Any) -> VisitRow:
    known: dict[str, Any] = {
        "id": UUID(int=71), "person_id": PERSON, "station_id": STATION, "station": "暖蜂驿站", "activity_id": None,
        "activity": None, "shift_id": None, "in_at": at(in_at), "out_at": None, "status": "open",
        "in_by": "station_code", "out_by": None, "marks": [], "flags": [], "opens_at": time(8), "closes_at": time(18),
    }  # fmt: skip
    return VisitRow(**(known | other))


def yesterday(in_at: str, **other: Any) -> VisitRow:
    return msgspec.structs.replace(visit(in_at, **other), in_at=at(in_at, TODAY - timedelta(days=1)))


def volunteer(**other: Any) -> Scope:
    """刘洋 with the own phone."""
    own = ResidentRecord(community_id=HERE, person_id=PERSON, name="刘洋", community_name="凤凰社区")
    known: dict[str, Any] = {"community_id": HERE, "persons": (own,), "login_id": UUID(int=42), "session_id": SESSION}
    return Scope(**(known | other))


def keeper(*stations: UUID, **other: Any) -> Scope:
    """The keeper of these stations (暖蜂驿站 where none is given) with the own phone."""
    own = ResidentRecord(community_id=HERE, person_id=KEEPER, name="周敏", community_name="凤凰社区")
    kept = stations or (STATION,)
    grants = frozenset(Grant(role=Role.station_keeper, community_id=HERE, station_id=each) for each in kept)
    known: dict[str, Any] = {"community_id": HERE, "persons": (own,), "grants": grants, "login_id": KEEPER_LOGIN}
    return Scope(**(known | other))


@contextmanager
def with_key() -> Iterator[None]:
    """Sign and check codes by the key of these tests; the cases are made before any test runs."""
    before = settings.current()
    settings.use(replace(before, secret_key=b"a secret key that only the tests know, 32+"))
    yield
    settings.use(before)


def station_code(made_at: str, *, community: UUID = HERE, place: UUID = STATION, epoch: int = 1) -> Code:
    with with_key():
        return codes.read(codes.url("c", codes.station_code(community, place, epoch, at(made_at))))


def person_code(made_at: str, *, community: UUID = HERE, who: UUID = PERSON, epoch: int = 1) -> Code:
    with with_key():
        return codes.read(codes.url("p", codes.person_code(community, who, epoch, at(made_at))))


CARD_CODE = CardCode(HERE, CARD, 1)


def claim(opened_at: str, *, session: UUID | None = SESSION, place: UUID = STATION) -> Claim:
    return Claim(
        community_id=HERE, station_id=place, id=UUID(int=81), scanned_at=at(opened_at), binding_hash=b"",
        session_id=session,
    )  # fmt: skip


def scan(
    scope: Scope, code: Code | None, received: str, *, asked: dict[str, Any] | None = None, **other: Any
) -> ScanContext:
    """A scan that the server received at a local time of the day."""
    wanted = ScanIn(code="x", nonce=NONCE, **(asked or {}))
    return ScanContext(scope=scope, asked=wanted, received_at=at(received), code=code, **other)


def identified(scanned_at: str, **other: Any) -> Identified:
    known: dict[str, Any] = {"at": at(scanned_at), "station": station(), "person": person()}
    return Identified(**(known | other))


def related(who: UUID, *, household: UUID | None = None, own: UUID | None = None) -> NearFacts:
    """The person's and the caller's sides: the person's household, and that of the caller."""
    return NearFacts(
        people=[SideRow(who, [who], [household] if household else [], [])], logins=[],
        own=[SideRow(KEEPER_LOGIN, [KEEPER], [own] if own else [], [KEEPER_LOGIN])], care=[],
    )  # fmt: skip
