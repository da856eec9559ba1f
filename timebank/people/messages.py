"""Messages: a sentence for one person, told once per event, read in the person's own time."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.database import retried, transaction
from timebank.errors import NotFound
from timebank.paging import Page, page, read_cursor
from timebank.scope import Scope

TEXT_MAX = 500


class MessageOut(msgspec.Struct):
    """What a person was told. `about_id` is the redemption, entry or booking that it speaks of."""

    id: UUID
    kind: str
    text: str
    about_id: UUID | None
    created_at: datetime
    read_at: datetime | None


@retried
async def tell(scope: Scope, person_id: UUID, kind: str, text: str, key: str, about_id: UUID | None = None) -> None:
    """Tell a person something; the same key tells it once, however often the verb is repeated.

    `text` is a whole sentence of at most 500 characters, kept as it was told and so in the community's language,
    Chinese, whatever language its reader chooses later; `key` a natural key such as `redemption:{id}:expired`.
    """
    async with transaction(scope):
        await database.execute(
            "INSERT INTO message (community_id, id, person_id, kind, text, about_id, key, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (community_id, person_id, key) DO NOTHING",
            scope.community_id, clock.new_id(), person_id, kind, text[:TEXT_MAX], about_id, key, clock.now(),
        )  # fmt: skip


async def own_messages(
    scope: Scope, *, unread: bool = False, limit: int = 50, cursor: str | None = None
) -> Page[MessageOut]:
    """What the caller was told in this community, newest first."""
    person_id = scope.require_self()
    before = read_cursor(cursor, tuple[datetime, UUID])
    async with transaction(scope):
        found = await database.rows(
            MessageOut,
            "SELECT id, kind, text, about_id, created_at, read_at FROM message "
            "WHERE community_id = $1 AND person_id = $2 AND (NOT $3 OR read_at IS NULL) "
            "AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5)) ORDER BY created_at DESC, id DESC LIMIT $6",
            scope.community_id, person_id, unread, *(before or (None, None)), limit + 1,
        )  # fmt: skip
    return page(found, limit, lambda m: (m.created_at, m.id))


async def count_unread(scope: Scope) -> int:
    """How many messages wait for the caller in this community."""
    async with transaction(scope):
        unread: int = await database.fetch_value(
            "SELECT count(*) FROM message WHERE community_id = $1 AND person_id = $2 AND read_at IS NULL",
            scope.community_id, scope.require_self(),
        )  # fmt: skip
    return unread


@retried
async def mark_all_read(scope: Scope) -> None:
    """Note that the caller has read every message of this community."""
    async with transaction(scope):
        await database.execute(
            "UPDATE message SET read_at = $3 WHERE community_id = $1 AND person_id = $2 AND read_at IS NULL",
            scope.community_id, scope.require_self(), clock.now(),
        )  # fmt: skip


@retried
async def mark_read(scope: Scope, message_id: UUID) -> None:
    """Note that the caller has read a message; the first reading counts."""
    person_id = scope.require_self()
    async with transaction(scope):
        found = await database.fetch_value(
            "UPDATE message SET read_at = coalesce(read_at, $4) WHERE community_id = $1 AND person_id = $2 AND id = $3 "
            "RETURNING id",
            scope.community_id, person_id, message_id, clock.now(),
        )  # fmt: skip
    if found is None:
        raise NotFound
