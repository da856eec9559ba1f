"""A keeper's sign-on to a counter tablet. The keeper is the actor there, and the rules about own records apply."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.access.schemas import Phone
from timebank.access.sign_in import browsers, sessions
from timebank.access.tables import CounterSignOn
from timebank.core import audit, clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import ResidentRecord, Scope
from timebank.people.contact import contact_of
from timebank.people.identity.phones import normal_phone

LASTS = timedelta(hours=12)
KNOWN_FOR = timedelta(days=30)
KNOWN_MAX = 8


class SignOnNeeded(TimebankError):
    code = "sign_on_needed"
    status = 403
    sentence = "这台平板上现在没有站长上岗。请站长先用手机号和密码上岗，再来办理。"


class NotKeeperHere(TimebankError):
    code = "not_keeper_here"
    status = 403
    sentence = "只有本站的站长和本社区的管理员能在这里上岗。请换一位，或请社区管理员先给您设定站长身份。"


class SignOnIn(msgspec.Struct, forbid_unknown_fields=True):
    """The keeper's password, with the phone or the person, whom the counter knows by a scan or an earlier sign-on."""

    password: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    phone: Phone | None = None
    person_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.phone is None) == (self.person_id is None):
            raise ValueError("give one of phone and person_id")


class OnDuty(msgspec.Struct, frozen=True):
    """The keeper who is signed on to a counter; the sign-on ends at `expires_at` at the latest."""

    person_id: UUID
    name: str
    signed_on_at: datetime
    expires_at: datetime


class KnownKeeper(msgspec.Struct, frozen=True):
    """A person who has signed on to this counter before; the name is masked while nobody is signed on."""

    person_id: UUID
    name: str


def require_counter_device(scope: Scope) -> UUID:
    """The id of the calling counter tablet. Raises Forbidden for any other caller."""
    if not scope.is_counter or scope.device_id is None:
        raise Forbidden
    return scope.device_id


async def sign_on(scope: Scope, asked: SignOnIn, *, address: str = "") -> OnDuty:
    """Sign a keeper on to this counter for 12 hours, by password; an earlier sign-on ends.

    Raises WrongSignIn, SignInDelayed, NotKeeperHere. A code or card is not enough, since either can be lost or copied.
    The tablet counts as a known browser of keepers who have signed on before, so others' failures do not delay them.
    """
    device_id = require_counter_device(scope)
    phone = normal_phone(asked.phone or await _phone_of(scope, asked.person_id))
    known_as = browsers.counter_token(device_id, phone)
    opened = await sessions.sign_in(
        phone, password=asked.password, address=address, browsers=[known_as], device="counter"
    )
    caller = await sessions.find_session(opened.token)
    if caller is None:
        raise sessions.WrongSignIn
    keeper = _keeper(scope, caller, asked.person_id)
    if keeper is None:
        await sessions.sign_out(caller.session_id)
        raise NotKeeperHere
    await browsers.remember_counter(caller.login_id, known_as)
    return await _begin(scope, device_id, caller, keeper)


async def _phone_of(scope: Scope, person_id: UUID | None) -> str:
    """The phone of a person of the community. Raises WrongSignIn where there is no such person or phone."""
    if person_id is None:
        raise sessions.WrongSignIn
    try:
        phone = (await contact_of(scope, person_id)).phone
    except NotFound:
        phone = None
    if phone is None:
        raise sessions.WrongSignIn
    return phone


def _keeper(scope: Scope, caller: sessions.Caller, person_id: UUID | None) -> ResidentRecord | None:
    """The record of this community as which the login may serve at the counter; None if it may not."""
    login = Scope(community_id=scope.community_id, persons=caller.persons, grants=caller.grants)
    here = [p for p in caller.persons if p.community_id == scope.community_id and person_id in (None, p.person_id)]
    return here[0] if here and login.keeps(scope.device_station_id) else None


@retried
async def _begin(scope: Scope, device_id: UUID, caller: sessions.Caller, keeper: ResidentRecord) -> OnDuty:
    now, sign_on_id = clock.now(), clock.new_id()
    actor = as_keeper(scope, (keeper,), caller.login_id, caller.session_id)
    async with transaction(actor):
        await _end(scope, device_id, now)
        await CounterSignOn.insert(
            CounterSignOn(
                community_id=scope.community_id, id=sign_on_id, device_id=device_id, person_id=keeper.person_id,
                login_id=caller.login_id, session_id=caller.session_id, signed_on_at=now, expires_at=now + LASTS,
                signed_off_at=None,
            )
        )  # fmt: skip
        await audit.record(actor, "sign_on", "counter", sign_on_id, station_id=scope.device_station_id)
    return OnDuty(keeper.person_id, keeper.name, now, now + LASTS)


def as_keeper(scope: Scope, persons: tuple[ResidentRecord, ...], login_id: UUID, session_id: UUID | None) -> Scope:
    """The device's scope with the signed-on keeper as its actor."""
    return Scope(
        community_id=scope.community_id, persons=persons, login_id=login_id, session_id=session_id,
        device_id=scope.device_id,
        device_station_id=scope.device_station_id, device_kind=scope.device_kind, device_proof=scope.device_proof,
        request_id=scope.request_id, via=scope.via,
    )  # fmt: skip


async def _end(scope: Scope, device_id: UUID, now: datetime) -> bool:
    """End a device's sign-on and its session; returns whether somebody was signed on."""
    login_id = await database.fetch_value("SELECT counter_sign_off($1, $2, $3)", scope.community_id, device_id, now)
    if login_id is not None:
        await audit.record_of_login(login_id, "sign_out", scope.request_id)
    return login_id is not None


@retried
async def sign_off(scope: Scope) -> None:
    """End the sign-on; a repetition changes nothing."""
    device_id = require_counter_device(scope)
    async with transaction(scope):
        if await _end(scope, device_id, clock.now()):
            await audit.record(scope, "sign_off", "counter", device_id, station_id=scope.device_station_id)


async def on_duty(scope: Scope) -> OnDuty | None:
    """The keeper signed on to this counter; None for nobody."""
    device_id = require_counter_device(scope)
    if scope.login_id is None:
        return None
    async with transaction(scope):
        return await database.row(
            OnDuty,
            "SELECT o.person_id, p.name, o.signed_on_at, o.expires_at FROM counter_sign_on o "
            "JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id "
            "WHERE o.community_id = $1 AND o.device_id = $2 AND o.login_id = $3 AND o.signed_off_at IS NULL",
            scope.community_id, device_id, scope.login_id,
        )  # fmt: skip


async def known_keepers(scope: Scope) -> list[KnownKeeper]:
    """Up to eight people who have signed on to this counter in the last 30 days, latest first, to switch quickly."""
    device_id = require_counter_device(scope)
    async with transaction(scope):
        found = await database.fetch(
            "SELECT p.id, p.name FROM counter_sign_on o "
            "JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id AND p.status = 'active' "
            "WHERE o.community_id = $1 AND o.device_id = $2 AND o.signed_on_at > $3 "
            "GROUP BY p.id, p.name ORDER BY max(o.signed_on_at) DESC LIMIT $4",
            scope.community_id, device_id, clock.now() - KNOWN_FOR, KNOWN_MAX,
        )  # fmt: skip
    shown = names.masked if scope.login_id is None else str
    return [KnownKeeper(UUID(bytes=row["id"].bytes), shown(row["name"])) for row in found]


class SignedOnThen(msgspec.Struct, frozen=True):
    """The latest sign-on to a device before a moment."""

    login_id: UUID
    signed_on_at: datetime
    expires_at: datetime
    signed_off_at: datetime | None
    persons: str

    def lasts_until(self, closes_at: datetime | None) -> datetime:
        """Until when offline scans count as this keeper's: until closing time or expiry, or an earlier sign-off."""
        by_itself = closes_at or self.expires_at
        # A sign-on that expired was not ended by the keeper, who is taken to have served until closing time.
        is_ended = self.signed_off_at is not None and self.signed_off_at < self.expires_at
        return min(self.signed_off_at, by_itself) if is_ended and self.signed_off_at else by_itself


async def signed_on_then(scope: Scope, moment: datetime) -> SignedOnThen | None:
    """The latest sign-on to this device at a moment, with that login's records as JSON; None if there was none."""
    async with transaction(scope):
        return await database.row(
            SignedOnThen,
            "SELECT o.login_id, o.signed_on_at, o.expires_at, o.signed_off_at, (SELECT coalesce(jsonb_agg("
            "jsonb_build_object('community_id', p.community_id, 'person_id', p.id, 'name', p.name, "
            "'community_name', '', 'household_id', p.household_id) ORDER BY p.id <> o.person_id, p.id), '[]') "
            "FROM membership m JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id "
            "WHERE m.community_id = o.community_id AND m.login_id = o.login_id)::text AS persons "
            "FROM counter_sign_on o WHERE o.community_id = $1 AND o.device_id = $2 AND o.signed_on_at <= $3 "
            "ORDER BY o.signed_on_at DESC LIMIT 1",
            scope.community_id, scope.device_id, moment,
        )  # fmt: skip
