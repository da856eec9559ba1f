"""Scans: each nonce gets one verdict, which is stored for good, also that of a refused scan."""

import dataclasses
import hashlib
from functools import partial
from uuid import UUID

import msgspec
from msgspec.structs import replace

from timebank.areas.reach import communities_in_reach, within_reach
from timebank.core import clock, database
from timebank.core.codes import CardCode, PersonCode, StationCode
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.policies.values import policies_from
from timebank.presence.evidence.acting_keeper import with_keeper
from timebank.presence.evidence.browsers import Browser
from timebank.presence.evidence.claims import Claim, use_of
from timebank.presence.evidence.device_clock import DeviceClock, measured
from timebank.presence.scans.carrying_out import carry_out, keep_verdict
from timebank.presence.scans.context import ScanContext, read_code, require_counter, scope_for_code
from timebank.presence.scans.deciding import decide
from timebank.presence.scans.facts import Identified, Stored, first_facts, scan_facts
from timebank.presence.scans.identifying import claim_of, identify, person_named, station_named
from timebank.presence.schemas import ScanIn, Verdict
from timebank.presence.verdicts import person_seen
from timebank.presence.words import ScanRefused


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
    code = read_code(asked.code)
    here = await scope_for_code(scope, code)
    if isinstance(code, PersonCode | CardCode) and not here.is_counter:
        require_counter(here)
    now = clock.now()
    context = ScanContext(
        scope=here, asked=asked, received_at=now, code=code, claim=claim, browser=browser or Browser(),
        clock=clock_of or measured(asked.device_now, now),
    )  # fmt: skip
    return await _judged(context, _hash(asked, here.person_id if isinstance(code, StationCode) else None))


async def scan_by_hand(scope: Scope, person_id: UUID, asked: ScanIn) -> Verdict:
    """Check in or out a person whom the keeper found by name; the hours are reviewed before they are credited."""
    require_counter(scope)
    context = ScanContext(scope=scope, asked=asked, received_at=clock.now(), found_id=person_id)
    return await _judged(context, _hash(asked, person_id))


async def scan_seen(scope: Scope, person_id: UUID, seen_by: str, asked: ScanIn) -> Verdict:
    """Check in or out a person whom the caller's scan `seen_by` identified here in the last five minutes.

    It counts as that scan: with its time, its code or card, and its flags. Raises ScanTooOld, Forbidden, NotFound.
    """
    require_counter(scope)
    context = ScanContext(
        scope=scope, asked=asked, received_at=clock.now(), seen_id=person_id, seen_by=seen_by,
    )  # fmt: skip
    return await _judged(context, _hash(asked, person_id))


def _hash(asked: ScanIn, person_id: UUID | None) -> bytes:
    """The hash of the request of a nonce, without the offline flag, so that a scan resent as offline is the same."""
    request = (
        asked.code, asked.direction, asked.occurred_at, asked.activity_id, asked.shift_id, asked.station_id,
        asked.person_id, person_id,
    )  # fmt: skip
    looks = (asked.purpose,) if asked.purpose == "look" else ()
    return hashlib.sha256(msgspec.json.encode((*request, *looks))).digest()


@retried
async def _judged(context: ScanContext, request_hash: bytes) -> Verdict:
    """Return the verdict stored for the nonce; else decide about the scan and store its verdict. One transaction.

    Those who scan a station's code at the same time may share one.
    """
    person_id = person_named(context) if isinstance(context.code, StationCode) else None
    return await database.shared(
        context.scope, [person_id] if person_id else [], partial(_judge, context, request_hash)
    )


async def _judge(context: ScanContext, request_hash: bytes) -> Verdict:
    found = Identified(context.received_at)
    first = await first_facts(context, station_named(context), person_named(context))
    if first.stored is not None:
        return _heard_again(context.scope, first.stored, request_hash)
    if first.seen is not None:
        context = dataclasses.replace(context, seen_how=first.seen.how)
    try:
        if context.found_id is None:
            context = await with_keeper(context, first)
        identify(context, first, found)
        verdict = await _decided(context, found)
    except ScanRefused as refusal:
        person = person_seen(found.person)
        verdict = Verdict(status=refusal.status, reason=refusal.reason, person=person, said=[refusal.said])
    keep_verdict(context, found, request_hash, verdict)
    return verdict


async def _decided(context: ScanContext, found: Identified) -> Verdict:
    """Decide about an identified scan under the lock of the person's row, and carry it out. Raises ScanRefused."""
    facts = await scan_facts(context, found)
    decision = decide(context, found, facts)
    claim = claim_of(context)
    if claim is not None and not facts.claim_is_used:
        database.queue(use_of(context.scope, claim))
    return await carry_out(context, found, decision, policies_from(facts.policies))


def _heard_again(scope: Scope, stored: Stored, request_hash: bytes) -> Verdict:
    """The verdict stored for a nonce, with the person's full name. Raises NonceReused."""
    # A tablet may send its queue again after its keeper has signed off.
    own_device = scope.device_id is not None and scope.device_id == stored.device_id
    may_hear = own_device or _may_hear(scope, stored.person_id, stored.station_id)
    if stored.request_hash != request_hash.hex() or not may_hear:
        raise NonceReused
    return replace(_named(stored.verdict, stored.name), replayed=True)


def _may_hear(scope: Scope, person_id: UUID | None, station_id: UUID | None) -> bool:
    """Whether the caller may read a verdict: about an own record, given at a station kept, or about no person."""
    return person_id is None or scope.is_own(person_id) or scope.keeps(station_id)


def _named(verdict: Verdict, name: str | None) -> Verdict:
    """A stored verdict with the full name, for the person and the keeper who scanned."""
    if verdict.person is None or name is None:
        return verdict
    return replace(verdict, person=replace(verdict.person, name=name))


async def verdict_of(scope: Scope, nonce: str) -> Verdict:
    """The verdict stored for a nonce, in any of the caller's communities. Raises NotFound.

    It is visible to the person whom it is about and to the station where it was given; one about no person is visible
    to every caller who knows the nonce.
    """
    communities = await communities_in_reach(scope)
    async with transaction(scope, communities=communities):
        found = await database.fetch_one(
            "SELECT s.community_id, s.station_id, s.person_id, s.verdict, p.name FROM scan s "
            "LEFT JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
            "WHERE s.community_id = ANY ($1) AND s.nonce = $2",
            list(communities), nonce,
        )  # fmt: skip
    if found is None:
        raise NotFound
    there = await within_reach(scope, UUID(bytes=found["community_id"].bytes))
    if not _may_hear(there, found["person_id"], found["station_id"]):
        raise NotFound
    return _named(msgspec.json.decode(found["verdict"], type=Verdict), found["name"])
