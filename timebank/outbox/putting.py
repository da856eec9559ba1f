"""Put something into the outbox, in the transaction of the verb that causes it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.scope import Scope


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the outbox as its deliverer gets it. `attempts` counts this one too; `key` names it for ever.

    `from_community` is the community whose verb put it, where that is another one.
    """

    id: UUID
    kind: str
    key: str
    payload: dict[str, str | int]
    attempts: int
    created_at: datetime
    to_community: UUID | None = None
    from_community: UUID | None = None


async def put(
    scope: Scope, kind: str, key: str, payload: Mapping[str, object], *,
    due_at: datetime | None = None, to: UUID | None = None, came_from: UUID | None = None,
) -> None:  # fmt: skip
    """Leave something for the worker to deliver from `due_at` on (at once); the same kind and key once.

    Must be called in the verb's open transaction: the row is there if the verb's changes are. `payload` holds ids,
    numbers and words of the code, never what names a person. `to` is another community in which it is delivered: its
    verb then runs there, and answers, where it must, by a row `to` the parcel's `from_community`. `came_from` is only
    for the worker that hands it over.
    """
    now = clock.now()
    await database.execute(
        "INSERT INTO outbox (community_id, id, kind, key, payload, created_at, due_at, to_community, from_community) "
        "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9) "
        "ON CONFLICT (community_id, kind, key, from_community) DO NOTHING",
        scope.community_id, clock.new_id(), kind, key, msgspec.json.encode(payload).decode(), now, due_at or now,
        to, came_from,
    )  # fmt: skip
