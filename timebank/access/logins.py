"""Logins: one phone each; which resident records it stands for, its password and its one-time codes."""

import asyncio
import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from timebank import audit, clock, database, vault
from timebank.access.passwords import Facts, check_strength, hash_password
from timebank.access.tables import Login, OneTimeCode
from timebank.database import retried, transaction
from timebank.scope import Scope

ONE_TIME_CODE_LASTS = timedelta(minutes=10)


async def login_by_phone(phone: str) -> Login | None:
    async with transaction(None):
        return await Login.objects().get(Login.phone_index == vault.blind_index(phone, "phone"))


@retried
async def ensure_login(scope: Scope, phone: str, person_id: UUID) -> UUID:
    """The login of this phone, made if there is none, standing for this resident record too."""
    async with transaction(scope):
        await database.execute(
            "INSERT INTO login (id, phone_index, phone_sealed, created_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT DO NOTHING",
            clock.new_id(), vault.blind_index(phone, "phone"), vault.seal(phone, "phone"), clock.now(),
        )  # fmt: skip
        login_id: UUID = await database.fetch_value(
            "SELECT id FROM login WHERE phone_index = $1", vault.blind_index(phone, "phone")
        )
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


async def set_password(login_id: UUID, phone: str, password: str, request_id: str = "") -> None:
    """Set a password that is strong enough for what the login may do; no browser is known any more."""
    await asyncio.to_thread(check_strength, password, phone, await password_facts(login_id))
    await store_password(login_id, password, request_id)


@retried
async def store_password(login_id: UUID, password: str, request_id: str = "") -> None:
    """Store a password as it is. A thief may have made a browser known with the earlier one: all are forgotten."""
    hashed = await hash_password(password)
    async with transaction(None):
        await Login.update({Login.password_hash: hashed}).where(Login.id == login_id)
        await database.execute("SELECT sign_in_forget_browsers($1)", login_id)
        await audit.record_of_login(login_id, "set_password", request_id)


@retried
async def give_one_time_code(scope: Scope, person_id: UUID, phone: str) -> str:
    """A six-digit sign-in code, valid for ten minutes, to be told to the person in front of the counter."""
    code = f"{secrets.randbelow(1_000_000):06}"
    login_id = await ensure_login(scope, phone, person_id)
    async with transaction(scope):
        await OneTimeCode.insert(
            OneTimeCode(
                id=clock.new_id(), login_id=login_id, code_hash=_code_hash(login_id, code), created_at=clock.now(),
                expires_at=clock.now() + ONE_TIME_CODE_LASTS, used_at=None, given_by_login=scope.login_id,
            )
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
async def use_one_time_code(login_id: UUID, code: str) -> bool:
    """Whether this is the login's newest unused code; it is used up by a success."""
    async with transaction(None):
        newest = await database.fetch_one(
            "SELECT id, code_hash FROM one_time_code WHERE login_id = $1 AND used_at IS NULL AND expires_at > $2 "
            "ORDER BY created_at DESC LIMIT 1 FOR NO KEY UPDATE",
            login_id, clock.now(),
        )  # fmt: skip
        if newest is None or not hmac.compare_digest(newest["code_hash"], _code_hash(login_id, code)):
            return False
        await database.execute("UPDATE one_time_code SET used_at = $2 WHERE id = $1", newest["id"], clock.now())
        # From now on the login's acts count as its opener's too, until somebody else confirms whose it is.
        await database.execute("SELECT login_was_opened($1, $2, $3)", login_id, newest["id"], clock.now())
    return True


@retried
async def forget_old_codes() -> None:
    """Drop one-time codes that ran out more than a day ago."""
    async with transaction(None):
        await database.execute("DELETE FROM one_time_code WHERE expires_at < $1", clock.now() - timedelta(days=1))


def _code_hash(login_id: UUID, code: str) -> bytes:
    return vault.blind_index(f"{login_id}:{code}", "one-time-code")
