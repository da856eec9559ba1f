"""What the tests of presence share: codes as they are shown, scans as they are sent, and the hours of a day."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from uuid import UUID

import asyncpg

from tests.support.town import Town
from timebank.core import clock, codes
from timebank.core.scope import Scope
from timebank.ledger.statement import balances
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn, Verdict

MORNING = time(9, 0)


def nonce() -> str:
    return secrets.token_urlsafe(24)


def station_code(town: Town, name: str = "暖蜂驿站", *, epoch: int = 1) -> str:
    """What the station's screen shows at this moment."""
    community = town.communities["龙泉社区"] if name == "龙泉驿站" else town.community
    return codes.url("c", codes.station_code(community, town.stations[name], epoch, clock.now()))


def personal_code(town: Town, name: str) -> str:
    """What the person's phone shows at this moment."""
    return codes.url("p", codes.person_code(town.home[name], town.people[name], 1, clock.now()))


async def card(town: Town, owner: asyncpg.Connection, name: str, *, revoked: bool = False) -> str:
    """A printed card of the person."""
    card_id = clock.new_id()
    await owner.execute(
        "INSERT INTO card (community_id, id, person_id, epoch, issued_at, revoked_at) VALUES ($1, $2, $3, 1, $4, $5)",
        town.home[name], card_id, town.people[name], clock.now(), clock.now() if revoked else None,
    )  # fmt: skip
    return codes.url("k", codes.card_code(town.home[name], card_id, 1))


async def scanned(scope: Scope, code: str, **asked: object) -> Verdict:
    return await scan(scope, ScanIn(code=code, nonce=nonce(), **asked))  # type: ignore[arg-type]  # the fields of a scan, by name


def body(code: str, **more: object) -> dict[str, object]:
    """A scan as it is sent over HTTP."""
    return {"code": code, "nonce": nonce()} | more


def nine_o_clock(days_ago: int = 1) -> datetime:
    """Nine in the morning of a past day, when every station is open."""
    return clock.at_local(clock.local_day() - timedelta(days=days_ago), MORNING)


@contextmanager
def later(begin: datetime, minutes: float) -> Iterator[None]:
    """So many minutes after a moment."""
    with clock.at(begin + timedelta(minutes=minutes)):
        yield


async def points_of(town: Town, name: str) -> int:
    return (await balances(Scope.of_system(town.home[name]), town.people[name], [])).points.available


async def count(owner: asyncpg.Connection, table: str, where: str = "true", *values: object) -> int:
    found: int = await owner.fetchval(f"SELECT count(*) FROM {table} WHERE {where}", *values)
    return found


async def served(town: Town, name: str, minutes: float, *, begin: datetime | None = None) -> Verdict:
    """A whole visit at 暖蜂驿站 by its screen's code."""
    at, scope = begin or nine_o_clock(), await town.scope(name)
    with clock.at(at):
        assert (await scanned(scope, station_code(town))).status == "ok"
    with later(at, minutes):
        return await scanned(scope, station_code(town))


async def record_id_of(owner: asyncpg.Connection, town: Town, name: str) -> UUID:
    found = await owner.fetchval("SELECT id FROM service_record WHERE person_id = $1", town.people[name])
    return UUID(bytes=found.bytes)
