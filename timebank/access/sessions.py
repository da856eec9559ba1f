"""Sessions: a random token whose hash is stored, new at each sign-in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import clock, database, settings, vault
from timebank.access import throttle
from timebank.access.logins import login_by_phone, use_one_time_code
from timebank.access.passwords import is_password
from timebank.access.tables import Session
from timebank.database import retried, transaction
from timebank.errors import TimebankError
from timebank.grouping import Grouped
from timebank.scope import Grant, Mine


class WrongSignIn(TimebankError):
    code = "wrong_sign_in"
    status = 401
    sentence = "手机号或密码不对。请再看一遍；忘了密码，请到驿站请站长发一个登录码。"


class Caller(msgspec.Struct, frozen=True):
    """Who holds a session: the login, the resident records it stands for, and today's grants."""

    session_id: UUID
    login_id: UUID
    expires_at: datetime
    persons: tuple[Mine, ...]
    grants: frozenset[Grant]


class SignedIn(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime
    login_id: UUID
    session_id: UUID


async def sign_in(phone: str, *, password: str | None = None, otp: str | None = None, address: str = "") -> SignedIn:
    """Open a session for the login of this phone, by its password or a one-time code.

    Throttled per phone (10 tries in 15 minutes) and per network address (100).
    """
    index = vault.blind_index(phone, "phone")
    window = timedelta(minutes=15)
    await throttle.count(f"sign-in:{index.hex()}", most=10, window=window)
    if address:
        await throttle.count(f"address:{vault.blind_index(address, 'address').hex()}", most=100, window=window)
    login = await login_by_phone(phone)
    if otp is not None:
        right = login is not None and await use_one_time_code(login.id, otp)
    else:
        right = await is_password(password or "", login.password_hash if login else None)
    if not right or login is None:
        raise WrongSignIn
    await throttle.forget(f"sign-in:{index.hex()}")
    return await open_session(login.id, by_code=otp is not None)


@retried
async def open_session(login_id: UUID, *, by_code: bool = False) -> SignedIn:
    """A new session for a login that has proved itself."""
    token, session_id, now = vault.token(), clock.new_id(), clock.now()
    expires_at = now + timedelta(days=settings.current().session_days)
    async with transaction(None):
        await Session.insert(
            Session(
                id=session_id, token_hash=vault.token_hash(token), login_id=login_id, by_code=by_code,
                created_at=now, expires_at=expires_at, ended_at=None,
            )
        )  # fmt: skip
    return SignedIn(token, expires_at, login_id, session_id)


async def find(token: str) -> Caller | None:
    """Who holds this token now; None when it is unknown, ended or too old."""
    return await _look_up(vault.token_hash(token))


async def _callers(token_hashes: Sequence[bytes]) -> list[Caller | Exception | None]:
    records = await database.ask(
        "SELECT * FROM access_sessions($1, $2, $3)", list(token_hashes), clock.now(), clock.local_day()
    )
    callers = {
        record["token_hash"]: Caller(
            record["session_id"],
            record["login_id"],
            record["expires_at"],
            msgspec.json.decode(record["persons"], type=tuple[Mine, ...]),
            msgspec.json.decode(record["grants"], type=frozenset[Grant]),
        )
        for record in records
    }
    return [callers.get(token_hash) for token_hash in token_hashes]


_look_up: Grouped[bytes, Caller | None] = Grouped(_callers)


@retried
async def sign_out(session_id: UUID) -> None:
    async with transaction(None):
        await Session.update({Session.ended_at: clock.now()}).where(Session.id == session_id)


@retried
async def sign_out_token(token: str) -> None:
    """End the session of this token, whoever holds it: before its browser gets another one."""
    async with transaction(None):
        await Session.update({Session.ended_at: clock.now()}).where(
            (Session.token_hash == vault.token_hash(token)) & Session.ended_at.is_null()
        )


@retried
async def sign_out_elsewhere(login_id: UUID, kept: UUID | None) -> None:
    """End every session of a login but one: after its password was set anew."""
    async with transaction(None):
        await database.execute(
            "UPDATE session SET ended_at = $3 WHERE login_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $2",
            login_id, kept, clock.now(),
        )  # fmt: skip


@retried
async def forget_old() -> None:
    """Drop sessions that ended or ran out more than a day ago."""
    async with transaction(None):
        await database.execute(
            "DELETE FROM session WHERE least(expires_at, ended_at) < $1", clock.now() - timedelta(days=1)
        )
