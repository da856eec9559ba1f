"""Purging photos: what nothing has within an hour, and what has shown its use a while after its row was closed."""

from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.capability import Pictured, capabilities, resolve
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.policies.values import policies

PUBLISHED_FOR = timedelta(days=365)
BATCH = 200


@retried
async def purge_unattached_photos(scope: Scope) -> None:
    """Purge photos that nothing has within an hour of their upload. One that is being attached just now stays."""
    async with transaction(scope):
        await database.execute(
            "DELETE FROM photo WHERE community_id = $1 AND unattached_until <= $2", scope.community_id, clock.now()
        )


async def purge_photos(scope: Scope) -> int:
    """Purge attached photos `photo_days` after their row was closed, published ones after a year; return how many.

    A year is counted from the publication where that is later than the closing.
    """
    purged = 0
    for place in (each for one in capabilities() for each in one.pictured):
        while count := await _purge_batch(scope, place):
            purged += count
    return purged


class _Due(msgspec.Struct, frozen=True):
    id: UUID
    photo_id: UUID
    noun_id: UUID


@retried
async def _purge_batch(scope: Scope, place: Pictured) -> int:
    async with transaction(scope):
        # Locked by a statement of one table, which a distributed database can carry out; then read again.
        locked = await database.fetch(
            "SELECT id FROM attachment WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE SKIP LOCKED",
            scope.community_id, [each.id for each in await _due(scope, place)],
        )  # fmt: skip
        due = await _due(scope, place, among=[row["id"] for row in locked])
        await database.execute(
            "DELETE FROM attachment WHERE community_id = $1 AND id = ANY ($2)",
            scope.community_id, [each.id for each in due],
        )  # fmt: skip
        await database.execute(
            "DELETE FROM photo WHERE community_id = $1 AND id = ANY ($2)",
            scope.community_id, [each.photo_id for each in due],
        )  # fmt: skip
        await audit.record_many(scope, "purge_photo", place.noun, [(each.noun_id, {}) for each in due])
    return len(due)


async def _due(scope: Scope, place: Pictured, *, among: list[UUID] | None = None) -> list[_Due]:
    """The attached photos whose time is over, at most a batch. A row that is gone was closed when the photo came."""
    now = clock.now()
    private = timedelta(days=(await policies(scope)).photo_days)
    return await database.rows(
        _Due,
        "SELECT a.id, a.photo_id, a.noun_id FROM attachment a "  # noqa: S608  # the manifest's own SELECT
        f"LEFT JOIN ({resolve(place.closed)}) AS n (id, closed_at) ON n.id = a.noun_id "
        "CROSS JOIN LATERAL (SELECT CASE WHEN n.id IS NULL THEN a.added_at ELSE n.closed_at END AS closed_at) c "
        "WHERE a.community_id = $1 AND a.noun = $2 AND ($3::uuid[] IS NULL OR a.id = ANY ($3)) "
        "AND CASE WHEN a.published_at IS NULL THEN c.closed_at <= $4 "
        "ELSE c.closed_at <= $5 AND a.published_at <= $5 END ORDER BY a.id LIMIT $6",
        scope.community_id, place.noun, among, now - private, now - PUBLISHED_FOR, BATCH,
    )  # fmt: skip
