"""Purging: words of matters three years after their end, and marks of phones after 90 days."""

from datetime import timedelta

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope

KEPT = timedelta(weeks=157)
"""Three years."""
MARK_DAYS = 90
AT_ONCE = 1000


@retried
async def purge_matter_texts(scope: Scope) -> int:
    """Empty the words of what ended three years ago, and the marks of phones; return how many lost their words.

    Times, category and counts stay. Repeatable.
    """
    now = clock.now()
    async with transaction(scope):
        emptied: int = await database.fetch_value(
            "SELECT forget_matter_words($1, $2, $3)", scope.community_id, now - KEPT, AT_ONCE
        )
        await database.execute(
            "UPDATE matter SET mark = NULL WHERE community_id = $1 AND mark IS NOT NULL AND received_at < $2",
            scope.community_id, now - timedelta(days=MARK_DAYS),
        )  # fmt: skip
        if emptied:
            await audit.record(scope, "forget_matters", "matter", None, count=emptied)
    return emptied
