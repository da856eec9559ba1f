"""Activities that were added by mistake, taken back."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, database
from timebank.core.capability import referred_to, unused
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def withdraw_activities(scope: Scope, activity_ids: Sequence[UUID]) -> int:
    """Take back those of these activities that nobody serves in and that have no shifts; how many went.

    What a withdrawn record refers to stays in the book and is offered no more.
    """
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "DELETE FROM activity a WHERE a.community_id = $1 AND a.id = ANY ($2) "  # noqa: S608  # own text
            f"AND {unused('activity', 'a.id')} "
            f"AND NOT {referred_to('activity', 'a.id')} "
            "RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        gone += await database.fetch(
            "UPDATE activity a SET active = false WHERE a.community_id = $1 AND a.id = ANY ($2) AND a.active "  # noqa: S608  # own text
            f"AND {unused('activity', 'a.id')} RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        for row in gone:
            await audit.record(scope, "withdraw_activity", "activity", row["id"])
    return len(gone)


@retried
async def offer_again(scope: Scope, activity_ids: Sequence[UUID]) -> list[UUID]:
    """Offer those of these activities again that were taken back and that nothing has been entered for since."""
    scope.require_admin()
    async with transaction(scope):
        offered = await database.fetch(
            "UPDATE activity a SET active = true WHERE a.community_id = $1 AND a.id = ANY ($2) AND NOT a.active "  # noqa: S608  # own text
            f"AND {unused('activity', 'a.id')} "
            f"AND {referred_to('activity', 'a.id')} "
            "RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        for row in offered:
            await audit.record(scope, "offer_activity_again", "activity", row["id"])
    return [UUID(bytes=row["id"].bytes) for row in offered]
