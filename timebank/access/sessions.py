"""Sessions: a random token whose hash is stored, new at each sign-in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import clock, database, settings, vault
from timebank.access import throttle
from timebank.access.logins import login_by_phone, password_proof, use_one_time_code
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
    login_id = login.id if login else UUID(int=0)
    if otp is not None:
        proof = await use_one_time_code(login_id, otp)
    else:
        proof = await password_proof(login_id, login.salt if login else None, password or "")
    if proof is None or login is None:
        raise WrongSignIn
    await throttle.forget(f"sign-in:{index.hex()}")
    return await open_session(login.id, by_code=otp is not None, proof=proof)


@retried
async def open_session(login_id: UUID, *, by_code: bool = False, proof: str = "") -> SignedIn:
    """A new session for a login that has proved itself: the database compares the proof once more."""
    token, now = vault.token(), clock.now()
    expires_at = now + timedelta(days=settings.current().session_days)
    async with transaction(None):
        await database.execute("SELECT set_config('timebank.proof', $1, true)", proof)
        await database.execute(
            "INSERT INTO session (id, token_hash, login_id, by_code, created_at, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            clock.new_id(), vault.token_hash(token), login_id, by_code, now, expires_at,
        )  # fmt: skip
    return SignedIn(token, expires_at, login_id)


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
        await database.execute("SELECT session_end($1, NULL, $2)", session_id, clock.now())


@retried
async def sign_out_token(token: str) -> None:
    """End the session of this token, whoever holds it: before its browser gets another one."""
    async with transaction(None):
        await database.execute("SELECT session_end(NULL, $1, $2)", vault.token_hash(token), clock.now())


@retried
async def sign_out_elsewhere(login_id: UUID, kept: UUID | None) -> None:
    """End every session of a login but one: after its password was set anew."""
    async with transaction(None):
        await database.execute("SELECT session_end_others($1, $2, $3)", login_id, kept, clock.now())


@retried
async def forget_old() -> None:
    """Drop sessions and sign-in codes that ended or ran out more than a day ago."""
    async with transaction(None):
        await database.execute("SELECT sign_in_sweep($1)", clock.now() - timedelta(days=1))
