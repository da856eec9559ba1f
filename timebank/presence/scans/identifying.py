"""Who was scanned, where and when: a pure function over the first facts of a scan."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from timebank.core import clock, codes
from timebank.core.codes import CardCode, PersonCode, StationCode
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.presence.evidence.claims import Claim
from timebank.presence.evidence.device_clock import TOLERANCE
from timebank.presence.scans.context import ScanContext, no_code, require_counter
from timebank.presence.scans.facts import FirstFacts, Identified
from timebank.presence.words import ScanRefused
from timebank.stations.stations import StationRow

OFFLINE_MAX = timedelta(hours=48)


class ScanTooOld(TimebankError):
    code = "scan_too_old"
    status = 422
    sentence = "没有找到 5 分钟内在这个柜台扫这位居民的记录。请再扫一次码或卡。"


def station_named(context: ScanContext) -> UUID | None:
    """The station of a scan: that of the code, the one named, else the device's or the keeper's only one."""
    if isinstance(context.code, StationCode):
        return context.code.station_id
    scope, kept = context.scope, context.scope.kept_stations
    return context.asked.station_id or scope.device_station_id or (next(iter(kept)) if len(kept) == 1 else None)


def person_named(context: ScanContext) -> UUID | None:
    """The person of a scan, where the code or the request names one; a card names none."""
    if context.found_id is not None or context.seen_id is not None:
        return context.found_id or context.seen_id
    if isinstance(context.code, StationCode):
        person_id = context.asked.person_id or context.scope.person_id
        return person_id if context.scope.is_own(person_id) else None
    return context.code.person_id if isinstance(context.code, PersonCode) else None


def claim_of(context: ScanContext) -> Claim | None:
    """The claim that this scan uses; None for a scan of another station's code, or without one."""
    code, claim = context.code, context.claim
    return claim if claim and isinstance(code, StationCode) and claim.station_id == code.station_id else None


def identify(context: ScanContext, first: FirstFacts, found: Identified) -> None:
    """Fill in station, person and time. Raises ScanRefused with the reason, Forbidden, NotFound."""
    if context.asked.purpose == "look" and (isinstance(context.code, StationCode) or context.asked.offline):
        raise ScanRefused("invalid_code" if isinstance(context.code, StationCode) else "looked_offline")
    if context.found_id is not None:
        found.station = _counter_station(context, first)
        found.person = first.person
    elif context.seen_id is not None:
        _seen(context, first, found)
    elif context.code is None:
        raise ScanRefused(no_code(context.asked.code))
    elif isinstance(context.code, StationCode):
        _own_visit(context, context.code, first, found)
    else:
        require_counter(context.scope)
        found.at = scan_time(context, first.paired_at)
        found.station = _counter_station(context, first)
        recognise(context, context.code, first, found)
    if found.person is None:
        raise ScanRefused("invalid_code")
    if found.person.status != "active":
        raise ScanRefused("blocked")


def _seen(context: ScanContext, first: FirstFacts, found: Identified) -> None:
    """The person whom a scan has just identified, at the time of that scan.

    Raises ScanTooOld, and ScanRefused where the card was revoked meanwhile.
    """
    found.station = _counter_station(context, first)
    if first.seen is None:
        raise ScanTooOld
    found.at, found.seen, found.card, found.person = first.seen.scanned_at, first.seen, first.card, first.person
    if found.card is not None and found.card.revoked_at is not None:
        raise ScanRefused("revoked")


def _own_visit(context: ScanContext, code: StationCode, first: FirstFacts, found: Identified) -> None:
    """The scan of a station's code by the caller, for their own visit. Only the server's clock is used."""
    scope, asked = context.scope, context.asked
    person_id = asked.person_id or scope.person_id
    if scope.device_id is not None:
        raise ScanRefused("invalid_code")
    if code.community_id != scope.community_id or person_id is None:
        raise ScanRefused("wrong_station")
    if not scope.is_own(person_id):
        raise Forbidden
    found.person = first.person  # a refusal is found at the person's page as well
    found.station = first.station
    if found.station is None or not codes.is_genuine(code, found.station.code_epoch):
        raise ScanRefused("invalid_code")
    if asked.station_id not in (None, code.station_id):
        raise ScanRefused("wrong_station")
    found.at = _opened_at(context, code)


def _opened_at(context: ScanContext, code: StationCode) -> datetime:
    """When this browser and session opened the code; without such a claim now, while the code is fresh."""
    claim = claim_of(context)
    if claim is None:
        if not codes.is_fresh(code, context.received_at):
            raise ScanRefused("expired_code", at=_ended(code.step, codes.STATION_STEP_SECONDS))
        return context.received_at
    if claim.session_id != context.scope.session_id:
        raise ScanRefused("claim_elsewhere")
    return claim.scanned_at


def _ended(step: int, seconds: int) -> str:
    return f"{clock.local(codes.step_end(step, seconds)):%H:%M:%S}"


def recognise(context: ScanContext, code: PersonCode | CardCode, first: FirstFacts, found: Identified) -> None:
    """Fill in the person whose phone or card was scanned. Raises ScanRefused with the reason."""
    if code.community_id != context.scope.community_id:
        raise ScanRefused("wrong_station")
    if isinstance(code, CardCode):
        found.card = card = first.card
        if card is None:
            raise ScanRefused("invalid_code")
        # An offline scan from before the card was revoked is accepted.
        if (card.revoked_at is not None and card.revoked_at <= found.at) or card.epoch != code.epoch:
            raise ScanRefused("revoked")
        found.person = first.person
        return
    if first.person is None or not codes.is_genuine(code, first.person.code_epoch):
        raise ScanRefused("invalid_code")
    found.person = first.person
    if not any(codes.is_fresh(code, moment) for moment in _about(context, found.at)):
        raise ScanRefused("expired_code", at=_ended(code.step, codes.PERSON_STEP_SECONDS))


def _about(context: ScanContext, at: datetime) -> list[datetime]:
    """The possible times of a scan. The time of an offline one may be wrong by one step of the code."""
    step = timedelta(seconds=codes.PERSON_STEP_SECONDS)
    return [at, at - step, at + step] if context.asked.offline else [at]


def scan_time(context: ScanContext, paired_at: datetime | None) -> datetime:
    """The time of a scan: offline the device's, corrected to the server's clock; else when the server received it.

    `paired_at` is when the calling device was paired, None for a person's own session. Raises ScanRefused for a time in
    the future, before the device was paired, or more than 48 hours ago.
    """
    told = context.asked.occurred_at
    if not context.asked.offline or told is None:
        return context.received_at
    try:
        at = context.clock.corrected(told).astimezone(UTC)
    except OverflowError as error:
        raise ScanRefused("clock_wrong") from error
    if at > context.received_at + TOLERANCE:
        raise ScanRefused("clock_wrong")
    if context.received_at - at > OFFLINE_MAX:
        raise ScanRefused("too_late")
    if paired_at is not None and at < paired_at - TOLERANCE:
        raise ScanRefused("before_pairing")
    return min(at, context.received_at)


def _counter_station(context: ScanContext, first: FirstFacts) -> StationRow:
    """The station of this counter. Raises ScanRefused where several are possible, NotFound, Forbidden."""
    scope, station_id = context.scope, context.asked.station_id
    if station_id is None and len(scope.kept_stations) != 1:
        raise ScanRefused("ambiguous", status="incomplete")
    if first.station is None:
        raise NotFound
    scope.require_keeper(first.station.id)
    return first.station
