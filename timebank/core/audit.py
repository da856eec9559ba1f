"""The audit: one row per change and per logged read of personal data, written in the transaction of the verb."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from piccolo import columns
from piccolo.table import Table

from timebank.core import clock, database
from timebank.core.scope import Scope


async def record(
    scope: Scope, verb: str, noun: str, noun_id: UUID | None, *, reason: str | None = None,
    about_id: UUID | None = None, **change: object,
) -> None:  # fmt: skip
    """Write one audit row: who did what to which record and why. It is queued and sent before the commit.

    `change` holds the new values; never a person's name, phone or identity number. `about_id` is the resident whom the
    act is about, where neither the record nor the change names one.
    """
    database.queue(
        database.insert(
            Audit(
                community_id=scope.community_id, id=clock.new_id(), at=clock.now(), person_id=scope.person_id,
                login_id=scope.login_id, via=scope.via, request_id=scope.request_id, verb=verb, noun=noun,
                noun_id=noun_id, reason=reason, change=msgspec.json.encode(change).decode(), device_id=scope.device_id,
                about_id=about_id or _about(noun, noun_id, change),
            )
        )
    )  # fmt: skip


_COLUMNS = (
    "community_id", "id", "at", "person_id", "login_id", "via", "request_id", "verb", "noun", "noun_id", "reason",
    "change", "device_id", "about_id",
)  # fmt: skip


async def record_many(scope: Scope, verb: str, noun: str, done: Sequence[tuple[UUID, Mapping[str, object]]]) -> None:
    """Write one audit row for each (record id, change) of `done`, as `record` does, by one INSERT."""
    now = clock.now()
    rows = [
        (scope.community_id, clock.new_id(), now, scope.person_id, scope.login_id, scope.via, scope.request_id, verb,
         noun, noun_id, None, msgspec.json.encode(change).decode(), scope.device_id,
         _about(noun, noun_id, change))
        for noun_id, change in done
    ]  # fmt: skip
    await database.insert_many("audit", _COLUMNS, rows)


def _about(noun: str, noun_id: UUID | None, change: Mapping[str, object]) -> UUID | None:
    """The resident whom an act is about, as its record and its values say."""
    named = noun_id if noun == "person" else change.get("person_id", change.get("child_id"))
    return named if isinstance(named, UUID) else None


async def record_of_login(login_id: UUID, verb: str, request_id: str = "", **change: object) -> None:
    """Write an audit row for a sign-in, a failed one, a sign-out or a new password, in every community of the login."""
    await database.execute(
        "SELECT access_audit_login($1, $2, $3, $4, $5::jsonb)",
        login_id, verb, request_id, clock.now(), msgspec.json.encode(change).decode(),
    )  # fmt: skip


class Audit(Table, tablename="audit"):
    """The table of these rows; the migrations define it."""

    community_id = columns.UUID(default=None, null=False)
    id = columns.UUID(primary_key=True, default=None, null=False)
    at = columns.Timestamptz(default=None, null=False)
    person_id = columns.UUID(default=None, null=True)
    login_id = columns.UUID(default=None, null=True)
    via = columns.Varchar(length=16, default=None, null=False)
    request_id = columns.Varchar(length=64, default=None, null=False)
    verb = columns.Varchar(length=60, default=None, null=False)
    noun = columns.Varchar(length=40, default=None, null=False)
    noun_id = columns.UUID(default=None, null=True)
    reason = columns.Varchar(length=500, default=None, null=True)
    change = columns.JSONB(default=None, null=False)
    device_id = columns.UUID(default=None, null=True)
    about_id = columns.UUID(default=None, null=True)
