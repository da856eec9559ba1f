"""Put something into the outbox, in the transaction of the verb that causes it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.scope import Scope


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox as its deliverer gets it. `attempts` counts this one too; `key` names it for ever."""

    id: UUID
    kind: str
    key: str
    payload: dict[str, str | int]
    attempts: int
    created_at: datetime


async def put(
    scope: Scope, kind: str, key: str, payload: Mapping[str, object], *, due_at: datetime | None = None
) -> None:
    """Leave something for the worker to deliver from `due_at` on (at once); the same kind and key once.

    Must be called in the verb's open transaction: the row is there if the verb's changes are. `payload` holds ids,
    numbers and words of the code, never what names a person.
    """
    now = clock.now()
    await database.execute(
        "INSERT INTO outbox (community_id, id, kind, key, payload, created_at, due_at) "
        "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7) ON CONFLICT (community_id, kind, key) DO NOTHING",
        scope.community_id, clock.new_id(), kind, key, msgspec.json.encode(payload).decode(), now, due_at or now,
    )  # fmt: skip
