"""Logins: one per phone, with the resident records it stands for, its password and its sign-in codes."""

import asyncio
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.access.sign_in.passwords import Facts, check_strength, hash_password, proof_of
from timebank.core import audit, clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger.resting import RESTS_FOR
from timebank.people.messages import notify, values_of

ONE_TIME_CODE_LASTS = timedelta(minutes=10)
Proof = Literal["scan", "name", "office"]
"""What a code was given on: a `scan` of a card or personal code, `name` and last four, or an administrator's word."""


class KnownLogin(msgspec.Struct, frozen=True):
    """A login and the salt of its password's hash; the database does not return the hash itself."""

    id: UUID
    salt: str | None


class OwnLogin(msgspec.Struct, frozen=True):
    """The caller's login; `by_code`: whether a sign-in code opened its session, `opened_at`: when."""

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
    """The password's hash if it is right, else None. An unknown login takes the same time."""
    proof = await proof_of(password, salt)
    async with transaction(None):
        return proof if await database.fetch_value("SELECT login_proves($1, $2)", login_id, proof) else None


class Entered(msgspec.Struct, frozen=True):
    """The login of a resident's phone. `is_joined` is false while the record waits for the login's holder to agree."""

    person_id: UUID
    login_id: UUID
    is_joined: bool


async def phones_held(scope: Scope, phones: Collection[str]) -> set[str]:
    """The phones whose login has a holder: a record registered with one waits until the holder agrees."""
    indexed = {vault.blind_index(phone, "phone"): phone for phone in phones}
    async with transaction(scope):
        found = await database.fetch("SELECT * FROM phones_held($1, $2) AS held", scope.community_id, list(indexed))
    return {indexed[row["held"]] for row in found}


@retried
async def enter_logins(scope: Scope, phones: Sequence[tuple[str, UUID]], *, agreed: bool = False) -> list[Entered]:
    """Find or create a login for each phone and join the resident record to it.

    If the login has a holder, the record waits and the holder is asked by message, unless `agreed`: the operator
    vouches for whose phone it is.
    """
    indexed = sorted((vault.blind_index(phone, "phone"), phone, person_id) for phone, person_id in phones)
    async with transaction(scope):
        found = await database.rows(
            Entered, "SELECT * FROM login_enter($1, $2, $3, $4, $5, $6, $7, $8)",
            scope.community_id, [person_id for _, _, person_id in indexed], [clock.new_id() for _ in indexed],
            [index for index, _, _ in indexed], [vault.seal(phone, "phone") for _, phone, _ in indexed],
            scope.login_id, agreed, clock.now(),
        )  # fmt: skip
        asked = [entered for entered in found if not entered.is_joined]
        if asked:
            # The key holds the time of the question: a question that is put again sends a new message.
            await database.execute(
                "SELECT login_tell(q.login_id, $3, '{}', 'membership-asked:' || q.person_id || ':' || q.asked_at, $4) "
                "FROM membership_question q WHERE q.community_id = $1 AND q.person_id = ANY ($2) "
                "AND q.declined_at IS NULL",
                scope.community_id, [entered.person_id for entered in asked], "membership_asked", clock.now(),
            )  # fmt: skip
    return found


async def ensure_login(scope: Scope, phone: str, person_id: UUID, *, agreed: bool = False) -> UUID:
    """Find or create the login of a phone, as `enter_logins` does for many; returns its id."""
    [entered] = await enter_logins(scope, [(phone, person_id)], agreed=agreed)
    return entered.login_id


async def logins_of(scope: Scope, person_id: UUID) -> list[UUID]:
    """The logins that stand for a resident record."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT login_id FROM membership WHERE community_id = $1 AND person_id = $2", scope.community_id, person_id
        )
    return [UUID(bytes=row["login_id"].bytes) for row in found]


async def notify_login(login_id: UUID, kind: str, key: str, **values: object) -> None:
    """Send a message about a login to each of its records in every community; it is urgent."""
    said = values_of(phrase(kind, **values))
    await database.execute("SELECT login_tell($1, $2, $3, $4, $5)", login_id, kind, said, key, clock.now())


async def password_facts(login_id: UUID) -> Facts:
    """The strength rules of a login's password: words that it must not be made of, and whether it has a role."""
    async with transaction(None):
        told = await database.fetch_one(
            "SELECT words, is_staff FROM access_password_facts($1, $2)", login_id, clock.local_day()
        )
    assert told is not None  # the SQL function aggregates, so it returns one row
    return Facts(tuple(told["words"]), told["is_staff"])


async def set_password(
    login_id: UUID, phone: str, password: str, *, scope: Scope | None = None, present: str | None = None
) -> None:
    """Check a new password's strength and store it; known browsers of the login are purged.

    For the caller's own login, with the proof of the `present` password where one is required; the operator may set
    any. Raises WeakPassword.
    """
    await asyncio.to_thread(check_strength, password, phone, await password_facts(login_id))
    await store_password(login_id, password, scope=scope, present=present)


async def store_password(
    login_id: UUID, password: str, *, scope: Scope | None = None, present: str | None = None
) -> None:
    """Store a password without a strength check. Known browsers are purged: a thief's may be one of them."""
    await store_hashed(login_id, await hash_password(password), scope=scope, present=present)


@retried
async def store_hashed(
    login_id: UUID, hashed: str, *, scope: Scope | None = None, present: str | None = None
) -> None:  # fmt: skip
    """Store a password that is hashed already; see `store_password`."""
    async with transaction(scope):
        await database.execute("SELECT login_set_password($1, $2, $3)", login_id, hashed, present)
        await database.execute("SELECT sign_in_forget_browsers($1)", login_id)
        await audit.record_of_login(login_id, "set_password", scope.request_id if scope else "")


@retried
async def give_one_time_code(scope: Scope, person_id: UUID, phone: str, proof: Proof) -> str:
    """Create a six-digit sign-in code, valid for ten minutes, for the person at the counter; they are notified.

    It opens the login's records in this community and in others that the giver administers; an operator's opens all.
    """
    code = f"{secrets.randbelow(1_000_000):06}"
    login_id = await ensure_login(scope, phone, person_id)
    async with transaction(scope):
        await database.execute(
            "SELECT code_give($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            clock.new_id(), login_id, _code_hash(login_id, code), scope.community_id, proof, scope.login_id,
            clock.now(), clock.now() + ONE_TIME_CODE_LASTS, person_id,
        )  # fmt: skip
        await database.execute("SELECT sign_in_code_given($1)", vault.blind_index(phone, "phone"))
        await audit.record(scope, "give_one_time_code", "person", person_id, proof=proof)
        values: dict[str, Any] = {"community": scope.community_name or phrase("community")}
        values |= {"giver": scope.person.name} if scope.person else {}
        kind = "sign_in_code.given" if scope.person else "sign_in_code.given_unnamed"
        key = f"sign-in-code:{clock.new_id()}"
        await notify_login(login_id, kind, key, **values)
        await notify(scope, person_id, kind, key, urgent=True, **values)
    return code


async def mark_login_confirmed(scope: Scope, person_id: UUID, now: datetime) -> bool:
    """Record that a second person confirms that a person's logins are their own; False if none was unconfirmed."""
    done: int = await database.fetch_value(
        "SELECT login_confirmed($1, $2, $3, $4)", scope.community_id, person_id, scope.login_id, now
    )
    return done > 0


class Used(msgspec.Struct, frozen=True):
    """A valid code: its hash as proof, the communities that it opens (None: all), how and where it was given."""

    proof: str
    opens: list[UUID] | None
    by_scan: bool
    place: str | None


@retried
async def use_one_time_code(login_id: UUID, code: str) -> Used | None:
    """Use up a sign-in code of the login; None if it is not valid.

    From then on the login counts as opened by the code's giver: not independent of them until a second person confirms
    it.
    """
    hashed = _code_hash(login_id, code)
    async with transaction(None):
        found = await database.fetch_one(
            "SELECT * FROM code_use($1, $2, $3, $4)", login_id, hashed, RESTS_FOR, clock.now()
        )  # fmt: skip
    return None if found is None else Used(hashed.hex(), found["opens"], found["by_scan"], found["place"])


@retried
async def widen_session(session_id: UUID, login_id: UUID, code: str) -> bool:
    """Let the session also open the records of a further code of its login; False if that code is not valid."""
    async with transaction(None):
        widened: bool = await database.fetch_value(
            "SELECT session_widen($1, $2, $3, $4)", session_id, _code_hash(login_id, code), RESTS_FOR, clock.now()
        )
    return widened


async def notify_code_used(login_id: UUID, used: Used, session_id: UUID) -> None:
    """Notify every record of the login that somebody signed in with a code."""
    where = used.place or phrase("community")
    await notify_login(login_id, "sign_in_code.used", f"sign-in:{session_id}", where=where, at=clock.now())


def _code_hash(login_id: UUID, code: str) -> bytes:
    return vault.blind_index(f"{login_id}:{code}", "one-time-code")
