"""Scan contexts: find and verify the station and the person of a scan by its code, or refuse the scan in words."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_near_home, signed_on
from timebank.core import clock, codes, database, scanned
from timebank.core.codes import CardCode, Code, InvalidCode, PersonCode, StationCode
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.people.guardianship.care import consent_in_force
from timebank.people.identity.ages import is_guarded
from timebank.presence.evidence.browsers import Browser
from timebank.presence.evidence.card_scans import card_holder
from timebank.presence.evidence.claims import Claim, use_claim
from timebank.presence.evidence.device_clock import TOLERANCE, DeviceClock, offline_flags
from timebank.presence.schemas import ScanIn
from timebank.presence.words import ScanRefused
from timebank.stations.code_readings import readers_of
from timebank.stations.stations import StationRow, station_row

OFFLINE_MAX = timedelta(hours=48)
BY_COUNTER = ("personal_code", "card", "keeper")


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A resident with the facts that check-in needs."""

    id: UUID
    name: str
    household_id: UUID | None
    born_on: date | None
    status: str
    code_epoch: int


@dataclass(slots=True, kw_only=True)
class ScanContext:
    """The scan context: what is known of one scan until it has its verdict."""

    scope: Scope
    asked: ScanIn
    received_at: datetime
    at: datetime
    by: str
    claim: Claim | None = None
    browser: Browser | None = None
    station: StationRow | None = None
    person: PersonRow | None = None
    clock: DeviceClock = field(default_factory=DeviceClock)
    sender: Scope | None = None  # who sends the scan, where another keeper was signed on when it was made
    card_id: UUID | None = None
    doubts: list[str] = field(default_factory=list)
    read_by: list[UUID] = field(default_factory=list)

    @property
    def flags(self) -> list[str]:
        """The flags of this scan: reasons to review the hours that it begins or ends."""
        found = offline_flags(self.clock, self.received_at - self.at) if self.asked.offline else []
        found += ["offline_keeper"] * (self.sender is not None)
        return [*found, *self.doubts]

    @property
    def marks(self) -> list[bytes]:
        """The hashes of the browser that sent a station's code; none for a counter, which scans everybody."""
        return self.browser.marks(self.scope) if self.browser else []

    @property
    def here(self) -> StationRow:
        """The station; available after `resolve_scan` has found it."""
        assert self.station is not None
        return self.station

    @property
    def who(self) -> PersonRow:
        """The person; available after `resolve_scan` has found one."""
        assert self.person is not None
        return self.person


def read_code(text: str) -> Code | None:
    """The code in a scanned text; None where the text is no code."""
    try:
        return codes.read(text)
    except InvalidCode:
        return None


def no_code(text: str) -> str:
    """The reason for refusing a text that is no code: invalid, or spoilt because all letters came in one case."""
    return "letters_of_one_case" if scanned.has_lost_case(text) else "invalid_code"


def scope_for_code(scope: Scope, code: Code | None) -> Scope:
    """The caller's scope in the community of the code, where the caller may use it there; else the scope unchanged."""
    if code is None or code.community_id == scope.community_id or code.community_id not in scope.communities:
        return scope
    there = scope.within(code.community_id)
    serves = there.person_id is not None if isinstance(code, StationCode) else _serves(there)
    return there if serves else scope


def _serves(scope: Scope) -> bool:
    return bool(scope.kept_stations) or scope.administers


async def resolve_scan(arrival: ScanContext, code: Code | None) -> None:
    """Fill in the station and the person of a scan. Raises ScanRefused, Forbidden, NotFound."""
    if code is None:
        raise ScanRefused(no_code(arrival.asked.code))
    if isinstance(code, StationCode):
        await _own_visit(arrival, code)
    else:
        await _at_the_counter(arrival, code)
    await check_person(arrival)


async def _own_visit(arrival: ScanContext, code: StationCode) -> None:
    """Fill in the scan of a station's code by the caller, for their own visit. Only the server's clock is used."""
    scope, asked = arrival.scope, arrival.asked
    person_id = asked.person_id or scope.person_id
    if scope.device_id is not None:
        raise ScanRefused("invalid_code")
    if code.community_id != scope.community_id or person_id is None:
        raise ScanRefused("wrong_station")
    if not scope.is_own(person_id):
        raise Forbidden
    arrival.station = await station_row(scope, code.station_id)
    if arrival.station is None or not codes.is_genuine(code, arrival.station.code_epoch):
        raise ScanRefused("invalid_code")
    if asked.station_id not in (None, code.station_id):
        raise ScanRefused("wrong_station")
    arrival.at = await _arrived_at(arrival, code)
    arrival.read_by = await readers_of(scope, code, arrival.at)
    arrival.doubts += ["code_read_by_staff"] * bool(arrival.read_by)
    arrival.person = await lock_person(scope, person_id)


async def _arrived_at(arrival: ScanContext, code: StationCode) -> datetime:
    """When this browser and session opened the code; without such a claim now, while the code is fresh."""
    claim = arrival.claim if arrival.claim and arrival.claim.station_id == code.station_id else None
    if claim is None:
        if not codes.is_fresh(code, arrival.received_at):
            raise ScanRefused("expired_code", at=_ended(code.step, codes.STATION_STEP_SECONDS))
        return arrival.received_at
    if claim.session_id != arrival.scope.session_id:
        raise ScanRefused("claim_elsewhere")
    if not await use_claim(arrival.scope, claim):
        raise ScanRefused("claim_used")
    return claim.scanned_at


def _ended(step: int, seconds: int) -> str:
    return f"{clock.local(codes.step_end(step, seconds)):%H:%M:%S}"


async def _at_the_counter(arrival: ScanContext, code: PersonCode | CardCode) -> None:
    """Fill in a scan of a person's phone or card by a keeper or a counter device."""
    scope, asked = arrival.scope, arrival.asked
    require_counter(scope)
    arrival.at = await scan_time(arrival)
    arrival.station = await counter_station(scope, asked.station_id)
    await recognise(arrival, code)


async def recognise(arrival: ScanContext, code: PersonCode | CardCode) -> None:
    """Fill in the person whose phone or card was scanned. Raises ScanRefused with the reason."""
    scope = arrival.scope
    if code.community_id != scope.community_id:
        raise ScanRefused("wrong_station")
    if isinstance(code, CardCode):
        holder = await card_holder(scope, code, arrival.here.id, arrival.at)
        arrival.card_id = code.card_id
        arrival.doubts += ["own_card"] * holder.is_issuers_own
        arrival.person = await lock_person(scope, holder.person_id)
        return
    arrival.person = await lock_person(scope, code.person_id)
    if arrival.person is None or not codes.is_genuine(code, arrival.person.code_epoch):
        arrival.person = None
        raise ScanRefused("invalid_code")
    if not any(codes.is_fresh(code, moment) for moment in _about(arrival)):
        raise ScanRefused("expired_code", at=_ended(code.step, codes.PERSON_STEP_SECONDS))


def _about(arrival: ScanContext) -> list[datetime]:
    """The possible times of a scan. The time of an offline one may be wrong by one step of the code."""
    step = timedelta(seconds=codes.PERSON_STEP_SECONDS)
    return [arrival.at, arrival.at - step, arrival.at + step] if arrival.asked.offline else [arrival.at]


def require_counter(scope: Scope) -> None:
    """Raise Forbidden for a caller who serves at no station: only those who serve may scan other people's codes."""
    if not _serves(scope):
        raise Forbidden


async def scan_time(arrival: ScanContext) -> datetime:
    """The time of a scan: offline the device's, corrected to the server's clock; else when the server received it.

    Raises ScanRefused for a time in the future, before the device was paired, or more than 48 hours ago.
    """
    told = arrival.asked.occurred_at
    if not arrival.asked.offline or told is None:
        return arrival.received_at
    try:
        at = arrival.clock.corrected(told).astimezone(UTC)
    except OverflowError as error:
        raise ScanRefused("clock_wrong") from error
    if at > arrival.received_at + TOLERANCE:
        raise ScanRefused("clock_wrong")
    if arrival.received_at - at > OFFLINE_MAX:
        raise ScanRefused("too_late")
    paired_at = await _paired_at(arrival.scope)
    if paired_at is not None and at < paired_at - TOLERANCE:
        raise ScanRefused("before_pairing")
    return min(at, arrival.received_at)


async def _paired_at(scope: Scope) -> datetime | None:
    """When the calling device was paired; None for a person's own session."""
    if scope.device_id is None:
        return None
    found: datetime | None = await database.fetch_value(
        "SELECT created_at FROM device WHERE community_id = $1 AND id = $2", scope.community_id, scope.device_id
    )
    return found


async def counter_station(scope: Scope, station_id: UUID | None) -> StationRow:
    """The station of this counter: the one named, else the device's or the keeper's only one.

    Raises ScanRefused where several are possible, NotFound, Forbidden.
    """
    if station_id is None:
        kept = scope.kept_stations
        if len(kept) != 1:
            raise ScanRefused("ambiguous", status="incomplete")
        (station_id,) = kept
    found = await station_row(scope, station_id)
    if found is None:
        raise NotFound
    scope.require_keeper(station_id)
    return found


async def lock_person(scope: Scope, person_id: UUID) -> PersonRow | None:
    """Lock and return the resident's row, so that scans of one person run one after the other.

    The lock (FOR NO KEY UPDATE) lets others write rows that refer to the person.
    """
    return await database.row(
        PersonRow,
        "SELECT id, name, household_id, born_on, status, code_epoch FROM person "
        "WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, person_id,
    )  # fmt: skip


async def check_person(arrival: ScanContext) -> None:
    """Refuse a person who may not check in: a blocked resident, or a child without a guardian's recorded consent.

    A scan at a counter gets a flag where the person is the keeper, a present or former household member of the keeper,
    or a child in the keeper's care.
    """
    person = arrival.person
    if person is None:
        raise ScanRefused("invalid_code")
    if person.status != "active":
        raise ScanRefused("blocked")
    if not await has_consent(arrival.scope, person, arrival.at):
        raise ScanRefused("guardian_consent_missing")
    if arrival.by in BY_COUNTER and await is_near_home(signed_on(arrival.scope), person.id):
        arrival.doubts.append("served_by_family")


async def has_consent(scope: Scope, person: PersonRow, moment: datetime) -> bool:
    """Whether the person needs no guardian's consent, or a guardian's consent is recorded."""
    if not is_guarded(person.born_on, clock.local_day(moment)):
        return True
    found: bool = await database.fetch_value(f"SELECT {consent_in_force('$1', '$2')}", scope.community_id, person.id)
    return found
