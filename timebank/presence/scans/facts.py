"""The facts of a scan, by two statements: who and where, which locks the person; then what is true under the lock."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.agreements.independence import NearFacts, near_question, signed_on
from timebank.core import clock, database
from timebank.core.codes import CardCode, StationCode
from timebank.core.database import one, read, value
from timebank.core.scope import Scope
from timebank.people.guardianship.care import consent_in_force
from timebank.people.identity.ages import is_guarded
from timebank.policies.values import PolicyValue, policy_values
from timebank.presence.at_counter import PROVES_FOR
from timebank.presence.choice import ActivityChoice, Offer, named_offer, offers_question, signed_up_shift
from timebank.presence.evidence.leaders_code import Led, led_question
from timebank.presence.scans.context import BY_COUNTER, ScanContext
from timebank.presence.schemas import Verdict
from timebank.presence.visits import ROW, VisitRow
from timebank.stations.code_readings import readers_question
from timebank.stations.stations import StationRow, station_question

SAME_SCAN = timedelta(seconds=60)


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A resident with the facts that check-in needs."""

    id: UUID
    name: str
    household_id: UUID | None
    born_on: date | None
    status: str
    code_epoch: int


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict that is stored for the nonce; `request_hash` in hexadecimal digits."""

    request_hash: str
    verdict: Verdict
    station_id: UUID | None
    person_id: UUID | None
    device_id: UUID | None
    name: str | None


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A printed card. `is_issuers_station`: its issuer is a keeper of the station of the scan today."""

    id: UUID
    person_id: UUID
    epoch: int
    revoked_at: datetime | None
    issued_by: UUID | None
    issued_by_login: UUID | None
    issued_by_device: UUID | None
    confirmed_at: datetime | None
    is_issuers_station: bool


class SeenRow(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's scan of a code or card that identified a person at this station in the last five minutes."""

    how: str
    scanned_at: datetime
    received_at: datetime


class FirstFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who and where: the verdict stored already, the station, and the person, whose row is locked."""

    stored: Stored | None = None
    station: StationRow | None = None
    person: PersonRow | None = None
    card: CardRow | None = None
    paired_at: datetime | None = None
    seen: SeenRow | None = None


@dataclass(slots=True)
class Identified:
    """Who was scanned, where and when; a scan that is refused keeps what was found before the refusal.

    `seen` is the scan that identified the person, where the check-in or check-out is chosen after it.
    """

    at: datetime
    station: StationRow | None = None
    person: PersonRow | None = None
    card: CardRow | None = None
    seen: SeenRow | None = None


class ScanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of the person while the row is locked.

    `has_guardian`: a guardian's consent is recorded. `visit` is the open visit, `just_left` one that ended here within
    a minute of the scan, `before` the last one that began before an offline scan, `was_in` whether the person was on
    another visit then. `seat` is the shift that the person has signed up for, `named` the activity that the request
    names, `offers` those of the station. `readers` had read the code, `led` had it on the own phone as leaders.
    """

    has_guardian: bool = False
    near: NearFacts | None = None
    visit: VisitRow | None = None
    just_left: VisitRow | None = None
    before: VisitRow | None = None
    was_in: bool = False
    seat: ActivityChoice | None = None
    named: Offer | None = None
    offers: list[Offer] = []
    readers: list[UUID] = []
    led: list[Led] = []
    claim_is_used: bool = False
    policies: list[PolicyValue] = []


_PERSON = (
    "SELECT id, name, household_id, born_on, status, code_epoch FROM person "
    "WHERE community_id = $1 AND id = {} FOR NO KEY UPDATE"
)
_CARD = (
    "SELECT c.id, c.person_id, c.epoch, c.revoked_at, c.issued_by, c.issued_by_login, "  # noqa: S608  # no input
    "c.issued_by_device, "
    "c.confirmed_at, EXISTS (SELECT FROM role_grant g WHERE g.community_id = c.community_id "
    "AND g.person_id = c.issued_by AND g.station_id = $3 AND g.role = 'station_keeper' "
    f"AND {is_in_force('$4')}) AS is_issuers_station FROM card c "
    "WHERE c.community_id = $1 AND c.id = $2"
)
_STORED = (
    "SELECT encode(s.request_hash, 'hex') AS request_hash, s.verdict, s.station_id, s.person_id, s.device_id, p.name "
    "FROM scan s LEFT JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
    "WHERE s.community_id = $1 AND s.nonce = $2"
)
_SEEN = (
    "SELECT how, scanned_at, received_at FROM scan WHERE community_id = $1 AND nonce = $2 AND station_id = $3 "
    "AND person_id = $4 AND by_login = $5 AND received_at > $6 AND status <> 'error' AND device_at IS NULL "
    "AND how IN ('personal_code', 'card')"
)

_HAS_GUARDIAN = f"SELECT {consent_in_force('$1', '$2')}"


async def first_facts(context: ScanContext, station_id: UUID | None, person_id: UUID | None) -> FirstFacts:
    """Who and where: one statement, which locks the person's row, so that one person's scans run one after the other.

    `station_id` and `person_id` are those that the scan names; a card's holder is found by the card. The lock
    (FOR NO KEY UPDATE) lets others write rows that refer to the person.
    """
    scope, code = context.scope, context.code
    asked = {"stored": one(_STORED, scope.community_id, context.asked.nonce)}
    today = clock.local_day(context.received_at)
    if station_id is not None:
        asked["station"] = station_question(scope, station_id)
    if context.seen_id is not None:
        asked["seen"] = one(
            _SEEN, scope.community_id, context.seen_by, station_id, context.seen_id, scope.login_id,
            context.received_at - PROVES_FOR,
        )  # fmt: skip
        asked["card"] = one(
            _CARD.replace("$2", "(SELECT card_id FROM scan WHERE community_id = $1 AND nonce = $2)"),
            scope.community_id, context.seen_by, station_id, today,
        )  # fmt: skip
        asked["person"] = one(_PERSON.format("$2"), scope.community_id, context.seen_id)
    elif isinstance(code, CardCode) and code.community_id == scope.community_id:
        asked["card"] = one(_CARD, scope.community_id, code.card_id, station_id, today)
        holder = "(SELECT person_id FROM card WHERE community_id = $1 AND id = $2)"
        asked["person"] = one(_PERSON.format(holder), scope.community_id, code.card_id)
    elif person_id is not None:
        asked["person"] = one(_PERSON.format("$2"), scope.community_id, person_id)
    if scope.device_id is not None and context.is_dated:
        asked["paired_at"] = paired_at_question(scope)
    return await read(FirstFacts, **asked)


def paired_at_question(scope: Scope) -> database.Question:
    """The question when the calling device was paired."""
    return value(
        "SELECT created_at FROM device WHERE community_id = $1 AND id = $2", scope.community_id, scope.device_id
    )


async def lock_person(scope: Scope, person_id: UUID) -> PersonRow | None:
    """Lock and return the resident's row, so that verbs on one person run one after the other."""
    return await database.row(PersonRow, _PERSON.format("$2"), scope.community_id, person_id)


async def has_consent(scope: Scope, person: PersonRow, moment: datetime) -> bool:
    """Whether the person needs no guardian's consent, or a guardian's consent is recorded."""
    return not is_guarded_at(person, moment) or await database.fetch_value(_HAS_GUARDIAN, scope.community_id, person.id)


def is_guarded_at(person: PersonRow, moment: datetime) -> bool:
    """Whether the person is a child for whom a guardian must have consented at this moment."""
    return is_guarded(person.born_on, clock.local_day(moment))


async def scan_facts(context: ScanContext, found: Identified) -> ScanFacts:
    """What is true of the locked person at the time of the scan: one statement, which locks the open visit."""
    scope, asked, community_id = context.scope, context.asked, context.scope.community_id
    assert found.station is not None and found.person is not None  # noqa: PT018
    station_id, person_id, at, card = found.station.id, found.person.id, found.at, found.card
    questions = {
        "has_guardian": value(_HAS_GUARDIAN, community_id, person_id),
        "visit": one(
            ROW + "WHERE v.community_id = $1 AND v.person_id = $2 AND v.status = 'open' FOR NO KEY UPDATE OF v",
            community_id, person_id,
        ),
        "just_left": one(
            ROW + "WHERE v.community_id = $1 AND v.person_id = $2 AND v.station_id = $3 AND v.status = 'closed' "
            "AND v.out_at > $4 AND v.out_at < $5 ORDER BY v.out_at DESC LIMIT 1",
            community_id, person_id, station_id, at - SAME_SCAN, at + SAME_SCAN,
        ),
        "seat": signed_up_shift(scope, person_id, station_id, at, asked.activity_id, asked.shift_id),
        "offers": offers_question(scope, station_id),
        "policies": policy_values(scope),
    }  # fmt: skip
    if asked.activity_id is not None or asked.shift_id is not None:
        questions["named"] = named_offer(scope, station_id, at, asked.activity_id, asked.shift_id)
    if isinstance(context.code, StationCode):
        questions["readers"] = readers_question(scope, context.code, at)
        questions["led"] = led_question(scope, context.code, at, person_id)
    if context.claim is not None:
        questions["claim_is_used"] = value(
            "SELECT EXISTS (SELECT FROM claim WHERE community_id = $1 AND id = $2)", community_id, context.claim.id
        )
    if context.by in BY_COUNTER:
        questions["near"] = near_question(signed_on(scope), [person_id, card.issued_by if card else None])
    if asked.offline:
        questions |= _offline_questions(community_id, person_id, at)
    return await read(ScanFacts, **questions)


def _offline_questions(community_id: UUID, person_id: UUID, at: datetime) -> dict[str, database.Question]:
    return {
        "before": one(
            ROW + "WHERE v.community_id = $1 AND v.person_id = $2 AND v.status <> 'void' AND v.in_at <= $3 "
            "ORDER BY v.in_at DESC, v.id DESC LIMIT 1 FOR NO KEY UPDATE OF v",
            community_id, person_id, at,
        ),
        "was_in": value(
            "SELECT EXISTS (SELECT FROM visit WHERE community_id = $1 AND person_id = $2 AND in_at <= $3 "
            "AND out_at > $3 AND status <> 'void')",
            community_id, person_id, at,
        ),
    }  # fmt: skip
