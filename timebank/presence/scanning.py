"""Scans: each nonce gets one verdict, which is stored for good, also that of a refused scan."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from timebank.core import audit, clock, database
from timebank.core.codes import CardCode, PersonCode, StationCode
from timebank.core.database import RanIntoAnother, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.presence.evidence.acting_keeper import find_keeper
from timebank.presence.evidence.browsers import Browser
from timebank.presence.evidence.claims import Claim
from timebank.presence.evidence.device_clock import DeviceClock, goes_back, measured
from timebank.presence.scan_context import (
    ScanContext,
    check_person,
    counter_station,
    lock_person,
    read_code,
    require_counter,
    resolve_scan,
    scope_for_code,
)
from timebank.presence.schemas import BatchOut, ScanIn, Verdict, verdict_in_language
from timebank.presence.transitions import check_in_or_out
from timebank.presence.verdicts import person_seen
from timebank.presence.words import REASONS, ScanRefused


class NonceReused(TimebankError):
    code = "nonce_reused"
    status = 422
    sentence = "这个 nonce 已用于另一次扫码。每次扫码请用新的随机数。"


async def scan(
    scope: Scope, asked: ScanIn, *, claim: Claim | None = None, browser: Browser | None = None,
    clock_of: DeviceClock | None = None,
) -> Verdict:  # fmt: skip
    """Check in or out by a code. Repeating a nonce returns the stored verdict and changes nothing.

    `claim` is the right from opening a station's code on this phone, `browser` identifies the browser and network,
    `clock_of` is the clock of the device that stored a batch. Raises NonceReused, Forbidden, NotFound, SignOnNeeded.
    """
    device_clock = clock_of or measured(asked.device_now, clock.now())
    code = read_code(asked.code)
    here = scope_for_code(scope, code)
    if isinstance(code, PersonCode | CardCode) and not here.is_counter:
        require_counter(here)
    own = isinstance(code, StationCode)
    by = _BY.get(type(code), "")
    sent_by = (browser or Browser()) if own else None

    def arrival(now: datetime) -> ScanContext:
        return ScanContext(
            scope=here, asked=asked, received_at=now, at=now, by=by, claim=claim, browser=sent_by, clock=device_clock
        )

    async def look(arrived: ScanContext) -> None:
        await find_keeper(arrived)
        if asked.purpose == "look" and (own or asked.offline):
            raise ScanRefused("invalid_code" if own else "looked_offline")
        await resolve_scan(arrived, code)

    carry_out = _recognised if asked.purpose == "look" else check_in_or_out
    return await _judged(arrival, look, _hash(asked, here.person_id if own else None), carry_out)


async def _recognised(arrival: ScanContext) -> Verdict:
    """Identify the person at the counter, for goods and classes, without a check-in."""
    await audit.record(arrival.scope, "identify", "person", arrival.who.id)
    return Verdict(status="ok", person=person_seen(arrival))


async def scan_by_hand(scope: Scope, person_id: UUID, asked: ScanIn) -> Verdict:
    """Check in or out a person whom the keeper found by name; the hours are reviewed before they are credited."""
    require_counter(scope)

    async def look(arrived: ScanContext) -> None:
        arrived.station = await counter_station(scope, asked.station_id)
        arrived.person = await lock_person(scope, person_id)
        await check_person(arrived)

    return await _judged(
        lambda now: ScanContext(scope=scope, asked=asked, received_at=now, at=now, by="keeper"),
        look,
        _hash(asked, person_id),
    )


_BY: dict[type, str] = {StationCode: "station_code", PersonCode: "personal_code", CardCode: "card"}


def _hash(asked: ScanIn, person_id: UUID | None) -> bytes:
    """The hash of the request of a nonce, without the offline flag, so that a scan resent as offline is the same."""
    request = (
        asked.code, asked.direction, asked.occurred_at, asked.activity_id, asked.shift_id, asked.station_id,
        asked.person_id, person_id,
    )  # fmt: skip
    looks = (asked.purpose,) if asked.purpose == "look" else ()
    return hashlib.sha256(msgspec.json.encode((*request, *looks))).digest()


@retried
async def _judged(
    arriving: Callable[[datetime], ScanContext], look: Callable[[ScanContext], Awaitable[None]], request_hash: bytes,
    carry_out: Callable[[ScanContext], Awaitable[Verdict]] = check_in_or_out,
) -> Verdict:  # fmt: skip
    """Return the verdict stored for the nonce; else judge the scan and store its verdict. All in one transaction."""
    arrival = arriving(clock.now())
    async with transaction(arrival.scope):
        stored = await _stored(arrival.scope, arrival.asked.nonce, request_hash)
        if stored is not None:
            return stored
        try:
            await look(arrival)
            verdict = await carry_out(arrival)
        except ScanRefused as refusal:
            verdict = Verdict(
                status=refusal.status,
                reason=refusal.reason,
                direction=None,
                person=person_seen(arrival),
                said=[refusal.said],
            )
        await _keep(arrival, request_hash, verdict)
    return verdict


async def _keep(arrival: ScanContext, request_hash: bytes, verdict: Verdict) -> None:
    """Store the verdict under its nonce, with the person's name masked."""
    kept = verdict
    if verdict.person is not None:
        kept = replace(verdict, person=replace(verdict.person, name=verdict.person.masked_name))
    tag = await database.execute(
        "INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, "
        "visit_id, status, reason, verdict, device_at, skew_seconds, how, card_id, device_id, by_login, sent_by_login) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $16, $17, $18) "
        "ON CONFLICT (community_id, nonce) DO NOTHING",
        arrival.scope.community_id, arrival.asked.nonce, request_hash, arrival.at, arrival.received_at,
        arrival.station.id if arrival.station else None, arrival.person.id if arrival.person else None,
        verdict.visit.id if verdict.visit else None, verdict.status, verdict.reason,
        msgspec.json.encode(kept).decode(), *_by_the_device(arrival), arrival.by or None, arrival.card_id,
        arrival.scope.device_id, arrival.scope.login_id, arrival.sender.login_id if arrival.sender else None,
    )  # fmt: skip
    if tag != "INSERT 0 1":
        raise RanIntoAnother  # The same nonce was stored while this scan was judged: the retry finds it.


def _by_the_device(arrival: ScanContext) -> tuple[datetime | None, int | None]:
    """The device's time of an offline scan and its clock's skew in seconds; a time out of range is None."""
    told, skew = arrival.asked.occurred_at, arrival.clock.skew
    if not arrival.asked.offline or told is None:
        return None, None
    seconds = int(skew.total_seconds()) if skew is not None else None
    try:
        return told.astimezone(UTC), seconds
    except OverflowError:
        return None, seconds


async def _stored(scope: Scope, nonce: str, request_hash: bytes) -> Verdict | None:
    """The verdict stored for this nonce, with the person's full name; None where there is none. Raises NonceReused."""
    found = await database.fetch_one(
        "SELECT s.request_hash, s.verdict, s.station_id, s.person_id, s.device_id, p.name FROM scan s "
        "LEFT JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
        "WHERE s.community_id = $1 AND s.nonce = $2",
        scope.community_id, nonce,
    )  # fmt: skip
    if found is None:
        return None
    # A tablet may send its queue again after its keeper has signed off.
    own_device = scope.device_id is not None and scope.device_id == found["device_id"]
    if found["request_hash"] != request_hash or not (own_device or _may_hear(scope, found)):
        raise NonceReused
    return replace(_named(msgspec.json.decode(found["verdict"], type=Verdict), found["name"]), replayed=True)


def _may_hear(scope: Scope, found: asyncpg.Record) -> bool:
    """Whether the caller may read a verdict: about an own record, given at a station kept, or about no person."""
    return found["person_id"] is None or scope.is_own(found["person_id"]) or scope.keeps(found["station_id"])


def _named(verdict: Verdict, name: str | None) -> Verdict:
    """A stored verdict with the full name, for the person and the keeper who scanned."""
    if verdict.person is None or name is None:
        return verdict
    return replace(verdict, person=replace(verdict.person, name=name))


async def scan_batch(
    scope: Scope, rows: list[dict[str, object]], language: str, *, device_now: datetime | None = None
) -> BatchOut:
    """Judge scans that a device stored offline, the earliest first; each has its own transaction and outcome.

    The device's clock is compared with the server's once, when the batch arrives. The rows should be in the order in
    which they were made: times that go back show that the device's clock was changed between them.
    """
    received_at = clock.now()
    read = [_read(row) for row in rows]
    told_times = [row.occurred_at for row in read if row and row.offline and row.occurred_at]
    set_back = goes_back(told_times)
    clocks = [measured((row and row.device_now) or device_now, received_at, is_set_back=set_back) for row in read]
    times = [_made_at(row, clock_of, received_at) for row, clock_of in zip(read, clocks, strict=True)]
    verdicts: dict[int, Verdict] = {}
    for place in sorted(range(len(read)), key=lambda n: times[n]):
        row = read[place]
        if row is None:
            verdicts[place] = Verdict(status="error", reason="error", said=[said(REASONS["unreadable"])])
            continue
        verdicts[place] = await _row(scope, row, clocks[place])
    return BatchOut([verdict_in_language(verdicts[place], language) for place in range(len(read))])


def _made_at(row: ScanIn | None, clock_of: DeviceClock, received_at: datetime) -> datetime:
    """The time of a scan by the server's clock, to sort a batch; scans that will be refused come last."""
    if row is None or not row.offline or row.occurred_at is None:
        return received_at
    try:
        return clock_of.corrected(row.occurred_at).astimezone(UTC)
    except OverflowError:
        return received_at


def _read(row: dict[str, object]) -> ScanIn | None:
    try:
        return msgspec.convert(row, ScanIn)
    except msgspec.ValidationError:
        return None


async def _row(scope: Scope, row: ScanIn, clock_of: DeviceClock) -> Verdict:
    try:
        return await scan(scope, row, clock_of=clock_of)
    except TimebankError as refusal:
        if refusal.status >= 500:
            raise  # the device keeps all rows and retries; the nonces make that idempotent
        return Verdict(status="error", reason="error", said=[said(refusal.sentence, **refusal.values)])


async def verdict_of(scope: Scope, nonce: str) -> Verdict:
    """The verdict stored for a nonce, in any of the caller's communities. Raises NotFound.

    It is visible to the person whom it is about and to the station where it was given; one about no person is visible
    to every caller who knows the nonce.
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
    if not _may_hear(there, found):
        raise NotFound
    return _named(msgspec.json.decode(found["verdict"], type=Verdict), found["name"])
