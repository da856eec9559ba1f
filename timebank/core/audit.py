"""The audit: one row per change and per logged read of personal data, written in the transaction of the verb."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.scope import Scope


async def record(
    scope: Scope, verb: str, noun: str, noun_id: UUID | None, *, reason: str | None = None, **change: object
) -> None:
    """Write one audit row: who did what to which record and why.

    `change` holds the new values; never a person's name, phone or identity number.
    """
    await database.execute(
        "INSERT INTO audit (community_id, id, at, person_id, login_id, via, request_id, verb, noun, noun_id, reason, "
        "change, device_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13)",
        scope.community_id, clock.new_id(), clock.now(), scope.person_id, scope.login_id, scope.via, scope.request_id,
        verb, noun, noun_id, reason, msgspec.json.encode(change).decode(), scope.device_id,
    )  # fmt: skip


_COLUMNS = (
    "community_id", "id", "at", "person_id", "login_id", "via", "request_id", "verb", "noun", "noun_id", "reason",
    "change", "device_id",
)  # fmt: skip


async def record_many(scope: Scope, verb: str, noun: str, done: Sequence[tuple[UUID, Mapping[str, object]]]) -> None:
    """Write one audit row for each (record id, change) of `done`, as `record` does, by one INSERT."""
    now = clock.now()
    rows = [
        (scope.community_id, clock.new_id(), now, scope.person_id, scope.login_id, scope.via, scope.request_id, verb,
         noun, noun_id, None, msgspec.json.encode(change).decode(), scope.device_id)
        for noun_id, change in done
    ]  # fmt: skip
    await database.insert_many("audit", _COLUMNS, rows)


async def record_of_login(login_id: UUID, verb: str, request_id: str = "", **change: object) -> None:
    """Write an audit row for a sign-in, a failed one, a sign-out or a new password, in every community of the login."""
    await database.execute(
        "SELECT access_audit_login($1, $2, $3, $4, $5::jsonb)",
        login_id, verb, request_id, clock.now(), msgspec.json.encode(change).decode(),
    )  # fmt: skip
