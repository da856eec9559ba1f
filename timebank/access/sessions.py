"""Sessions: a random token whose hash is stored, new at each sign-in."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import audit, clock, database, settings, vault
from timebank.access.delays import Try, begin_try, end_try
from timebank.access.logins import Used, login_by_phone, password_facts, tell_code_used, use_one_time_code
from timebank.access.passwords import DEMO_PASSWORD, is_password, is_weak
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
    weak_password: bool = False
    knows_browser: bool = False


async def sign_in(
    phone: str, *, password: str | None = None, otp: str | None = None, address: str = "",
    browsers: Sequence[str] = (), request_id: str = "",
) -> SignedIn:  # fmt: skip
    """Open a session for the login of this phone, by its password or a one-time code.

    Failures delay the next try; those of others do not delay a browser that has signed in to this login before.
    """
    by_code = otp is not None
    tried = await begin_try(vault.blind_index(phone, "phone"), address, browsers, by_code=by_code)
    login = await login_by_phone(phone)
    used: Used | None = None
    if otp is not None:
        used = await use_one_time_code(login.id, otp) if login is not None else None
        right = used is not None
    else:
        right = await is_password(password or "", login.password_hash if login else None)
    if not right or login is None:
        if login is not None:
            await _note_failure(login.id, tried.failures, request_id, by_code=by_code)
        raise WrongSignIn
    weak = False
    if password is not None and not by_code and not (settings.current().is_demo and password == DEMO_PASSWORD):
        weak = await asyncio.to_thread(is_weak, password, phone, await password_facts(login.id))
    opened = await _open_after(tried, login.id, request_id, used)
    return msgspec.structs.replace(opened, weak_password=weak, knows_browser=tried.browser is not None)


@retried
async def _open_after(tried: Try, login_id: UUID, request_id: str, used: Used | None) -> SignedIn:
    async with transaction(None):
        await end_try(tried)
        opened = await open_session(login_id, by_code=used is not None, used=used)
        await audit.record_of_login(login_id, "sign_in", request_id, by_code=used is not None)
        if used is not None:
            await tell_code_used(login_id, used, opened.session_id)
    return opened


@retried
async def _note_failure(login_id: UUID, failures: int, request_id: str, *, by_code: bool) -> None:
    """Write down the first failure, the tenth, the hundredth: a flood of guesses does not flood the audit."""
    if str(failures).strip("0") == "1":
        async with transaction(None):
            await audit.record_of_login(login_id, "fail_sign_in", request_id, failures=failures, by_code=by_code)


@retried
async def open_session(login_id: UUID, *, by_code: bool = False, used: Used | None = None) -> SignedIn:
    """A new session for a login that has proved itself; by a code it opens what the code opens."""
    token, session_id, now = vault.token(), clock.new_id(), clock.now()
    expires_at = now + timedelta(days=settings.current().session_days)
    async with transaction(None):
        await Session.insert(
            Session(
                id=session_id, token_hash=vault.token_hash(token), login_id=login_id, by_code=by_code,
                created_at=now, expires_at=expires_at, ended_at=None, opens=used.opens if used else None,
                by_scan=used is not None and used.by_scan,
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
async def sign_out(session_id: UUID, request_id: str = "") -> None:
    async with transaction(None):
        ended = await database.fetch_one(
            "UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING login_id",
            session_id, clock.now(),
        )  # fmt: skip
        if ended is not None:
            await audit.record_of_login(ended["login_id"], "sign_out", request_id)


@retried
async def sign_out_token(token: str, request_id: str = "") -> None:
    """End the session of this token, whoever holds it: before its browser gets another one."""
    async with transaction(None):
        ended = await database.fetch_one(
            "UPDATE session SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL RETURNING login_id",
            vault.token_hash(token), clock.now(),
        )  # fmt: skip
        if ended is not None:
            await audit.record_of_login(ended["login_id"], "sign_out", request_id)


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


class Moved(msgspec.Struct, frozen=True):
    """A community in which another phone has lately taken the place of this login's."""

    community_name: str
    since: datetime


async def moved(token: str) -> list[Moved]:
    """Where the phone of this session was replaced in the last three days; its holder may know nothing of it."""
    async with transaction(None):
        return await database.rows(
            Moved, "SELECT * FROM login_moved($1, $2)", vault.token_hash(token), clock.now()
        )  # fmt: skip
