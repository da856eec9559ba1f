"""Logins: one phone each; which resident records it stands for, its password and its one-time codes."""

import asyncio
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import audit, clock, database, vault
from timebank.access.passwords import Facts, check_strength, hash_password, proof_of
from timebank.database import retried, transaction
from timebank.scope import Scope

ONE_TIME_CODE_LASTS = timedelta(minutes=10)


class KnownLogin(msgspec.Struct, frozen=True):
    """A login, and what its password's hash is made with; the database tells nobody the hash itself."""

    id: UUID
    salt: str | None


class OwnLogin(msgspec.Struct, frozen=True):
    """The caller's login, when its session was opened, and whether by a code."""

    id: UUID
    phone_sealed: bytes
    salt: str | None
    by_code: bool
    opened_at: datetime


async def login_by_phone(phone: str) -> KnownLogin | None:
    async with transaction(None):
        return await database.row(KnownLogin, "SELECT * FROM login_of($1)", vault.blind_index(phone, "phone"))


async def own_login(scope: Scope) -> OwnLogin | None:
    async with transaction(scope):
        return await database.row(OwnLogin, "SELECT * FROM login_own()")


async def password_proof(login_id: UUID, salt: str | None, password: str) -> str | None:
    """The proof that this is the login's password, None when it is not; an unknown login takes as long."""
    proof = await proof_of(password, salt)
    async with transaction(None):
        return proof if await database.fetch_value("SELECT login_proves($1, $2)", login_id, proof) else None


@retried
async def ensure_login(scope: Scope, phone: str, person_id: UUID) -> UUID:
    """The login of this phone, made if there is none, standing for this resident record too."""
    async with transaction(scope):
        login_id: UUID = await database.fetch_value(
            "SELECT id FROM login_ensure($1, $2, $3, $4)",
            [clock.new_id()], [vault.blind_index(phone, "phone")], [vault.seal(phone, "phone")], clock.now(),
        )  # fmt: skip
        await database.execute(
            "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT DO NOTHING",
            scope.community_id, login_id, person_id, clock.now(),
        )  # fmt: skip
    return login_id


async def password_facts(login_id: UUID) -> Facts:
    """What the login's password must not be made of, and whether the login holds a role."""
    async with transaction(None):
        told = await database.fetch_one(
            "SELECT words, is_staff FROM access_password_facts($1, $2)", login_id, clock.local_day()
        )
    assert told is not None  # an aggregate has one row
    return Facts(tuple(told["words"]), told["is_staff"])


async def set_password(
    login_id: UUID, phone: str, password: str, *, scope: Scope | None = None, present: str | None = None
) -> None:
    """Set a password that is strong enough for what the login may do; no browser is known any more.

    It is the caller's own, proved by the `present` one where that is asked for, or anybody's as the operator.
    """
    await asyncio.to_thread(check_strength, password, phone, await password_facts(login_id))
    await store_password(login_id, password, scope=scope, present=present)


@retried
async def store_password(
    login_id: UUID, password: str, *, scope: Scope | None = None, present: str | None = None
) -> None:
    """Store a password as it is. A thief may have made a browser known with the earlier one: all are forgotten."""
    hashed = await hash_password(password)
    async with transaction(scope):
        await database.execute("SELECT login_set_password($1, $2, $3)", login_id, hashed, present)
        await database.execute("SELECT sign_in_forget_browsers($1)", login_id)
        await audit.record_of_login(login_id, "set_password", scope.request_id if scope else "")


@retried
async def give_one_time_code(scope: Scope, person_id: UUID, phone: str) -> str:
    """A six-digit sign-in code, valid for ten minutes, to be told to the person in front of the counter."""
    code = f"{secrets.randbelow(1_000_000):06}"
    login_id = await ensure_login(scope, phone, person_id)
    async with transaction(scope):
        await database.execute(
            "INSERT INTO one_time_code (id, login_id, code_hash, created_at, expires_at, given_by_login) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            clock.new_id(), login_id, _code_hash(login_id, code), clock.now(), clock.now() + ONE_TIME_CODE_LASTS,
            scope.login_id,
        )  # fmt: skip
        await database.execute("SELECT sign_in_code_given($1)", vault.blind_index(phone, "phone"))
        await audit.record(scope, "give_one_time_code", "person", person_id)
    return code


async def confirm_login(scope: Scope, person_id: UUID) -> bool:
    """Note that a second person confirms whose the logins of a person are; whether that was still to be done."""
    done: int = await database.fetch_value(
        "SELECT login_confirmed($1, $2, $3, $4)", scope.community_id, person_id, scope.login_id, clock.now()
    )
    return done > 0


@retried
async def use_one_time_code(login_id: UUID, code: str) -> str | None:
    """The proof that this is the login's newest unused code, None when it is not; it is used up by a success.

    From now on the login's acts count as its opener's too, until somebody else confirms whose it is.
    """
    hashed = _code_hash(login_id, code)
    async with transaction(None):
        used = await database.fetch_value("SELECT code_use($1, $2, $3)", login_id, hashed, clock.now())
    return hashed.hex() if used else None


def _code_hash(login_id: UUID, code: str) -> bytes:
    return vault.blind_index(f"{login_id}:{code}", "one-time-code")
