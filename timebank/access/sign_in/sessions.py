"""Sessions: each sign-in gets a new random token, of which the hash is stored."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.sign_in.device_kinds import DeviceKind
from timebank.access.sign_in.logins import (
    Used,
    login_by_phone,
    notify_code_used,
    password_facts,
    password_proof,
    use_one_time_code,
)
from timebank.access.sign_in.passwords import DEMO_PASSWORD, is_weak
from timebank.access.sign_in.sign_in_delays import Try, begin_try, end_try
from timebank.core import audit, clock, database, settings, vault
from timebank.core.batcher import Batcher
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Community, Grant, ResidentRecord


class WrongSignIn(TimebankError):
    code = "wrong_sign_in"
    status = 401
    sentence = "手机号或密码不对。请再看一遍；忘了密码，请到驿站请站长发一个登录码。"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The holder of a session: the login, the resident records that the session opens, and today's role grants.

    `addressed` is the community that was asked for, if the holder reaches it by a record or a grant.
    """

    session_id: UUID
    login_id: UUID
    expires_at: datetime
    persons: tuple[ResidentRecord, ...]
    grants: frozenset[Grant]
    addressed: Community | None


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    expires_at: datetime
    login_id: UUID
    session_id: UUID
    weak_password: bool = False
    knows_browser: bool = False


async def sign_in(
    phone: str, *, password: str | None = None, otp: str | None = None, address: str = "",
    browsers: Sequence[str] = (), request_id: str = "", device: DeviceKind = "other",
) -> SignedIn:  # fmt: skip
    """Open a session for a phone's login, by its password or a sign-in code. Raises WrongSignIn and SignInDelayed.

    Failures delay the next try; failures elsewhere do not delay a known browser, whose tokens are in `browsers`.
    `device` is the kind of device that is signed in, to be recognised by its holder.
    """
    by_code = otp is not None
    tried = await begin_try(vault.blind_index(phone, "phone"), address, browsers, by_code=by_code)
    login = await login_by_phone(phone)
    login_id, used = login.id if login else UUID(int=0), None
    if otp is not None:
        used = await use_one_time_code(login_id, otp)
        proof = used.proof if used else None
    else:
        proof = await password_proof(login_id, login.salt if login else None, password or "")
    if proof is None or login is None:
        if login is not None:
            await _note_failure(login.id, tried.failures, request_id, by_code=by_code)
        raise WrongSignIn
    weak = False
    if password is not None and not by_code and not (settings.current().is_demo and password == DEMO_PASSWORD):
        weak = await asyncio.to_thread(is_weak, password, phone, await password_facts(login.id))
    opened = await _open_after(tried, login.id, proof, request_id, used, device)
    return msgspec.structs.replace(opened, weak_password=weak, knows_browser=tried.browser is not None)


@retried
async def _open_after(
    tried: Try, login_id: UUID, proof: str, request_id: str, used: Used | None, device: DeviceKind
) -> SignedIn:
    async with transaction(None):
        await end_try(tried)
        opened = await open_session(login_id, proof=proof, used=used, device=device)
        await audit.record_of_login(login_id, "sign_in", request_id, by_code=used is not None)
        if used is not None:
            await notify_code_used(login_id, used, opened.session_id)
    return opened


@retried
async def _note_failure(login_id: UUID, failures: int, request_id: str, *, by_code: bool) -> None:
    """Audit the 1st, 10th, 100th, ... failure in a row, so that a flood of guesses does not flood the audit."""
    if str(failures).strip("0") == "1":
        async with transaction(None):
            await audit.record_of_login(login_id, "fail_sign_in", request_id, failures=failures, by_code=by_code)


@retried
async def open_session(
    login_id: UUID, *, proof: str = "", used: Used | None = None, device: DeviceKind = "other"
) -> SignedIn:
    """Open a session for a login. The database checks the proof (a password's or code's hash) again.

    A session opened by a code opens only the records that the code opens.
    """
    token, session_id, now = vault.token(), clock.new_id(), clock.now()
    expires_at = now + timedelta(days=settings.current().session_days)
    async with transaction(None):
        await database.execute("SELECT set_config('timebank.proof', $1, true)", proof)
        await database.execute(
            "INSERT INTO session (id, token_hash, login_id, by_code, created_at, expires_at, opens, by_scan, device) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            session_id, vault.token_hash(token), login_id, used is not None, now, expires_at,
            used.opens if used else None, used is not None and used.by_scan, device,
        )  # fmt: skip
    return SignedIn(token=token, expires_at=expires_at, login_id=login_id, session_id=session_id)


async def find_session(token: str, community_id: UUID | None = None) -> Caller | None:
    """The holder of a session token, who addresses this community; None if it is unknown, ended or expired."""
    return await _look_up((vault.token_hash(token), community_id))


_Asked = tuple[bytes, UUID | None]
"""The hash of a session's token, and the community that its request addresses."""


_LOOK = "SELECT * FROM access_sessions($1::text[]::bytea[], $2::text[]::uuid[], $3, $4)"
_USE = (
    "SELECT found.*, CASE WHEN found.n = ANY ($5::text[]::bigint[]) THEN session_used(found.session_id, $3) END "
    "FROM access_sessions($1::text[]::bytea[], $2::text[]::uuid[], $3, $4) AS found"
)
NOTED_EVERY = timedelta(hours=1)
REMEMBERED_MAX = 10_000

_noted: dict[bytes, datetime] = {}
"""When this process last wrote a session's time of use: to the hour is enough to recognise one's own sign-in."""


def _is_due(token_hash: bytes) -> bool:
    """Whether the time of use of this token's session is to be written again, and from now on is not."""
    now, before = clock.now(), _noted.get(token_hash)
    if before is not None and abs(now - before) < NOTED_EVERY:
        return False
    if len(_noted) >= REMEMBERED_MAX:
        _noted.clear()
    _noted[token_hash] = now
    return True


async def _callers(asked: Sequence[_Asked]) -> list[Caller | Exception | None]:
    due = [n for n, (token_hash, _) in enumerate(asked, 1) if _is_due(token_hash)]
    records = await database.ask(
        _USE if due else _LOOK,
        database.as_texts(token_hash for token_hash, _ in asked),
        [str(community_id) if community_id else None for _, community_id in asked],
        clock.now(),
        clock.local_day(),
        *([database.as_texts(due)] if due else []),
    )
    callers = {
        record["n"]: Caller(
            session_id=record["session_id"],
            login_id=record["login_id"],
            expires_at=record["expires_at"],
            persons=msgspec.json.decode(record["persons"], type=tuple[ResidentRecord, ...]),
            grants=msgspec.json.decode(record["grants"], type=frozenset[Grant]),
            addressed=msgspec.json.decode(record["addressed"] or "null", type=Community | None),
        )
        for record in records
    }
    return [callers.get(n) for n in range(1, len(asked) + 1)]


_look_up: Batcher[_Asked, Caller | None] = Batcher(_callers)


async def sign_out(session_id: UUID, request_id: str = "") -> None:
    await _end(session_id, None, request_id)


async def sign_out_token(token: str, request_id: str = "") -> None:
    """End the session of this token, before its browser gets another one."""
    await _end(None, vault.token_hash(token), request_id)


@retried
async def _end(session_id: UUID | None, token_hash: bytes | None, request_id: str) -> None:
    async with transaction(None):
        login_id = await database.fetch_value("SELECT session_end($1, $2, $3)", session_id, token_hash, clock.now())
        if login_id is not None:
            await audit.record_of_login(login_id, "sign_out", request_id)


@retried
async def sign_out_elsewhere(login_id: UUID, kept: UUID | None) -> None:
    """End every session of a login except `kept`, after its password was changed."""
    async with transaction(None):
        await database.execute("SELECT session_end_others($1, $2, $3)", login_id, kept, clock.now())


@retried
async def purge_sessions() -> None:
    """Purge sessions and sign-in codes that ended or expired more than a day ago."""
    async with transaction(None):
        await database.execute("SELECT session_sweep($1)", clock.now() - timedelta(days=1))


class Moved(msgspec.Struct, frozen=True):
    """A community in which another phone has replaced this login's recently; `cause`: `phone` or `merge`."""

    community_name: str
    cause: str
    since: datetime


async def list_replaced_phones(token: str) -> list[Moved]:
    """The communities in which the phone of this session was replaced in the last 30 days, to notify its holder."""
    async with transaction(None):
        return await database.rows(Moved, "SELECT * FROM login_moved($1, $2)", vault.token_hash(token), clock.now())
