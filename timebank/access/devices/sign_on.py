"""The keeper's sign-on to a counter tablet: who serves there, answers for it, is bound by the rules about oneself."""

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
from timebank.core.scope import ADMINS, Mine, Role, Scope
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
    """The keeper's password, with the phone, or the person whom the counter knows by a scan or an earlier day."""

    password: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    phone: Phone | None = None
    person_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.phone is None) == (self.person_id is None):
            raise ValueError("give one of phone and person_id")


class OnDuty(msgspec.Struct, frozen=True):
    """Who is signed on to a counter since when; `expires_at` is when the sign-on ends by itself."""

    person_id: UUID
    name: str
    signed_on_at: datetime
    expires_at: datetime


class KnownKeeper(msgspec.Struct, frozen=True):
    """Somebody who has signed on to this counter before; the name is masked while nobody is signed on."""

    person_id: UUID
    name: str


def require_counter_device(scope: Scope) -> UUID:
    """The id of the counter tablet that calls."""
    if not scope.is_counter or scope.device_id is None:
        raise Forbidden
    return scope.device_id


async def sign_on(scope: Scope, asked: SignOnIn, *, address: str = "") -> OnDuty:
    """Make a keeper the actor of this counter for 12 hours, by the password; who was on before is off.

    Raises WrongSignIn, SignInDelayed, NotKeeperHere. A code or a card alone is not enough: both can be lost or shown.
    The failures of others, on the station's network too, do not delay a keeper who has signed on here before.
    """
    device_id = require_counter_device(scope)
    phone = normal_phone(asked.phone or await _phone_of(scope, asked.person_id))
    known_as = browsers.counter_token(device_id, phone)
    opened = await sessions.sign_in(phone, password=asked.password, address=address, browsers=[known_as])
    caller = await sessions.find(opened.token)
    if caller is None:
        raise sessions.WrongSignIn
    keeper = _keeper(scope, caller, asked.person_id)
    if keeper is None:
        await sessions.sign_out(caller.session_id)
        raise NotKeeperHere
    await browsers.remember_counter(caller.login_id, known_as)
    return await _begin(scope, device_id, caller, keeper)


async def _phone_of(scope: Scope, person_id: UUID | None) -> str:
    """The phone of a keeper whom the counter knows; who has none cannot sign on by it."""
    if person_id is None:
        raise sessions.WrongSignIn
    try:
        phone = (await contact_of(scope, person_id)).phone
    except NotFound:
        phone = None
    if phone is None:
        raise sessions.WrongSignIn
    return phone


def _keeper(scope: Scope, caller: sessions.Caller, person_id: UUID | None) -> Mine | None:
    """The record here as which this login may serve at the counter; None where it may not."""
    serves = any(
        g.community_id == scope.community_id
        and (g.role in ADMINS or (g.role == Role.station_keeper and g.station_id == scope.device_station_id))
        for g in caller.grants
    )
    here = [p for p in caller.persons if p.community_id == scope.community_id and person_id in (None, p.person_id)]
    return here[0] if here and serves else None


@retried
async def _begin(scope: Scope, device_id: UUID, caller: sessions.Caller, keeper: Mine) -> OnDuty:
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


def as_keeper(scope: Scope, persons: tuple[Mine, ...], login_id: UUID, session_id: UUID | None) -> Scope:
    """The device as its keeper acts through it."""
    return Scope(
        scope.community_id, persons, login_id=login_id, session_id=session_id, device_id=scope.device_id,
        device_station_id=scope.device_station_id, device_kind=scope.device_kind, device_proof=scope.device_proof,
        request_id=scope.request_id, via=scope.via,
    )  # fmt: skip


async def _end(scope: Scope, device_id: UUID, now: datetime) -> bool:
    """End the sign-on of a device and the session that stands behind it; whether somebody was signed on."""
    login_id = await database.fetch_value("SELECT counter_sign_off($1, $2, $3)", scope.community_id, device_id, now)
    if login_id is not None:
        await audit.record_of_login(login_id, "sign_out", scope.request_id)
    return login_id is not None


@retried
async def sign_off(scope: Scope) -> None:
    """End the sign-on; once more changes nothing."""
    device_id = require_counter_device(scope)
    async with transaction(scope):
        if await _end(scope, device_id, clock.now()):
            await audit.record(scope, "sign_off", "counter", device_id, station_id=scope.device_station_id)


async def on_duty(scope: Scope) -> OnDuty | None:
    """Who is signed on to this counter now."""
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
    """Who has signed on to this counter in the last 30 days, last first: a switch is a tap and a password."""
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
    """Who was the last to sign on to a device before a moment."""

    login_id: UUID
    signed_on_at: datetime
    expires_at: datetime
    signed_off_at: datetime | None
    persons: str

    def lasts_until(self, closes_at: datetime | None) -> datetime:
        """Until when scans without network are this keeper's: to the closing time, else as long as a sign-on lasts."""
        by_itself = closes_at or self.expires_at
        # One that ran out was not ended by anybody: who was on served on until the doors closed.
        is_ended = self.signed_off_at is not None and self.signed_off_at < self.expires_at
        return min(self.signed_off_at, by_itself) if is_ended and self.signed_off_at else by_itself


async def signed_on_then(scope: Scope, moment: datetime) -> SignedOnThen | None:
    """Who had signed on last at a moment, with the records of that login."""
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
