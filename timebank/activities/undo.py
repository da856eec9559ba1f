"""Undoing the addition of activities, and offering them again."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, database
from timebank.core.capability import not_in_use, referred_to
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def undo_activities(scope: Scope, activity_ids: Sequence[UUID]) -> int:
    """Remove those of these activities that have no shift, visit or service record in use; returns how many.

    An activity that a withdrawn service record refers to is deactivated; any other is deleted.
    """
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "DELETE FROM activity a WHERE a.community_id = $1 AND a.id = ANY ($2) "  # noqa: S608  # no input
            f"AND {not_in_use('activity', 'a.id')} "
            f"AND NOT {referred_to('activity', 'a.id')} "
            "RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        gone += await database.fetch(
            "UPDATE activity a SET active = false WHERE a.community_id = $1 AND a.id = ANY ($2) AND a.active "  # noqa: S608  # no input
            f"AND {not_in_use('activity', 'a.id')} RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        for row in gone:
            await audit.record(scope, "withdraw_activity", "activity", row["id"])
    return len(gone)


@retried
async def offer_again(scope: Scope, activity_ids: Sequence[UUID]) -> list[UUID]:
    """Reactivate those of these activities that were deactivated by an undo and are still unused; returns their ids."""
    scope.require_admin()
    async with transaction(scope):
        offered = await database.fetch(
            "UPDATE activity a SET active = true WHERE a.community_id = $1 AND a.id = ANY ($2) AND NOT a.active "  # noqa: S608  # no input
            f"AND {not_in_use('activity', 'a.id')} "
            f"AND {referred_to('activity', 'a.id')} "
            "RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        for row in offered:
            await audit.record(scope, "offer_activity_again", "activity", row["id"])
    return [UUID(bytes=row["id"].bytes) for row in offered]
