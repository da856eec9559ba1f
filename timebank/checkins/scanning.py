"""The scan: one nonce, one verdict, for ever. Refused scans are kept with their verdict too."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from timebank import clock, database, vault
from timebank.checkins.arrivals import (
    Arrival,
    addressed,
    check_person,
    counter_station,
    find_out,
    lock_person,
    read_code,
    require_counter,
)
from timebank.checkins.claims import Claim
from timebank.checkins.moves import move
from timebank.checkins.schemas import BatchOut, ScanIn, Verdict, told_in
from timebank.checkins.verdicts import person_seen
from timebank.checkins.words import REASONS, Refused
from timebank.codes import CardCode, PersonCode, StationCode
from timebank.database import RanIntoAnother, retried, transaction
from timebank.errors import NotFound, TimebankError
from timebank.scope import Scope
from timebank.wording import said


class NonceReused(TimebankError):
    code = "nonce_reused"
    status = 422
    sentence = "这个 nonce 已用于另一次扫码。每次扫码请用新的随机数。"


async def scan(scope: Scope, asked: ScanIn, *, claim: Claim | None = None, phone: bytes | None = None) -> Verdict:
    """Check in or out by a code. The same nonce again gets the stored verdict; nothing is done twice.

    `claim` is the right that opening a station's code gave this phone, `phone` what is kept of its random cookie.
    """
    code = read_code(asked.code)
    here = addressed(scope, code)
    if isinstance(code, PersonCode | CardCode):
        require_counter(here)
    own = isinstance(code, StationCode)
    by = _BY.get(type(code), "")
    device = (phone or _session_mark(here)) if own else None

    def arrival(now: datetime) -> Arrival:
        return Arrival(here, asked, now, now, by, claim, device)

    async def look(arrived: Arrival) -> None:
        await find_out(arrived, code)

    return await _judged(arrival, look, _hash(asked, here.person_id if own else None))


async def scan_by_hand(scope: Scope, person_id: UUID, asked: ScanIn) -> Verdict:
    """Check somebody in or out whom the keeper found by name: it is looked at before it is credited."""
    require_counter(scope)

    async def look(arrived: Arrival) -> None:
        arrived.station = await counter_station(scope, asked.station_id)
        arrived.person = await lock_person(scope, person_id)
        await check_person(arrived)

    return await _judged(lambda now: Arrival(scope, asked, now, now, "keeper"), look, _hash(asked, person_id))


_BY: dict[type, str] = {StationCode: "station_code", PersonCode: "personal_code", CardCode: "card"}


def _session_mark(scope: Scope) -> bytes | None:
    """What stands for the phone of a program that keeps no cookie: its session."""
    return vault.blind_index(str(scope.session_id), "session") if scope.session_id else None


def _hash(asked: ScanIn, person_id: UUID | None) -> bytes:
    """What a nonce was used for. A scan that was sent at once and again as offline is one request."""
    request = (
        asked.code, asked.direction, asked.occurred_at, asked.activity_id, asked.shift_id, asked.station_id,
        asked.person_id, person_id,
    )  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(request)).digest()


@retried
async def _judged(
    arriving: Callable[[datetime], Arrival], look: Callable[[Arrival], Awaitable[None]], request_hash: bytes
) -> Verdict:
    """Look the nonce up, judge, and keep the verdict: one transaction."""
    arrival = arriving(clock.now())
    async with transaction(arrival.scope):
        stored = await _stored(arrival.scope, arrival.asked.nonce, request_hash)
        if stored is not None:
            return stored
        try:
            await look(arrival)
            verdict = await move(arrival)
        except Refused as refusal:
            verdict = Verdict(refusal.status, refusal.reason, None, person_seen(arrival), said=[refusal.said])
        await _keep(arrival, request_hash, verdict)
    return verdict


async def _keep(arrival: Arrival, request_hash: bytes, verdict: Verdict) -> None:
    """Store the verdict under its nonce, the person's name masked."""
    kept = verdict
    if verdict.person is not None:
        kept = replace(verdict, person=replace(verdict.person, name=verdict.person.masked_name))
    tag = await database.execute(
        "INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, "
        "visit_id, status, reason, verdict) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb) "
        "ON CONFLICT (community_id, nonce) DO NOTHING",
        arrival.scope.community_id, arrival.asked.nonce, request_hash, arrival.at, arrival.received_at,
        arrival.station.id if arrival.station else None, arrival.person.id if arrival.person else None,
        verdict.visit.id if verdict.visit else None, verdict.status, verdict.reason,
        msgspec.json.encode(kept).decode(),
    )  # fmt: skip
    if tag != "INSERT 0 1":
        raise RanIntoAnother  # The same nonce was stored while this scan was being judged: the next run finds it.


async def _stored(scope: Scope, nonce: str, request_hash: bytes) -> Verdict | None:
    """The verdict that this nonce has already got, with the full name for its reader."""
    found = await database.fetch_one(
        "SELECT s.request_hash, s.verdict, p.name FROM scan s "
        "LEFT JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
        "WHERE s.community_id = $1 AND s.nonce = $2",
        scope.community_id, nonce,
    )  # fmt: skip
    if found is None:
        return None
    if found["request_hash"] != request_hash:
        raise NonceReused
    return replace(_named(msgspec.json.decode(found["verdict"], type=Verdict), found["name"]), replayed=True)


def _named(verdict: Verdict, name: str | None) -> Verdict:
    """A kept verdict with the full name, for the person and the keeper who scanned."""
    if verdict.person is None or name is None:
        return verdict
    return replace(verdict, person=replace(verdict.person, name=name))


async def scan_batch(scope: Scope, rows: list[dict[str, object]], language: str) -> BatchOut:
    """Scans that waited on a device, in the order in which they came: each has its own transaction and outcome."""
    return BatchOut([told_in(await _row(scope, row), language) for row in rows])


async def _row(scope: Scope, row: dict[str, object]) -> Verdict:
    try:
        return await scan(scope, msgspec.convert(row, ScanIn))
    except msgspec.ValidationError:
        return Verdict("error", "error", said=[said(REASONS["unreadable"])])
    except TimebankError as refusal:
        if refusal.status >= 500:
            raise  # the device keeps every row and sends them again; the nonces make that harmless
        return Verdict("error", "error", said=[said(refusal.sentence, **refusal.values)])


async def verdict_of(scope: Scope, nonce: str) -> Verdict:
    """The verdict that a nonce has got, in whichever of the caller's communities.

    For the person whom it is about and the station where it was given; who is nobody's yet is the device's own matter.
    """
    async with transaction(scope, every_community=True):
        found = await database.fetch_one(
            "SELECT s.community_id, s.station_id, s.person_id, s.verdict, p.name FROM scan s "
            "LEFT JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
            "WHERE s.community_id = ANY ($1) AND s.nonce = $2",
            list(scope.communities), nonce,
        )  # fmt: skip
    if found is None:
        raise NotFound
    there = scope.within(UUID(bytes=found["community_id"].bytes))
    if found["person_id"] is not None and not there.is_own(found["person_id"]) and not there.keeps(found["station_id"]):
        raise NotFound
    return _named(msgspec.json.decode(found["verdict"], type=Verdict), found["name"])
