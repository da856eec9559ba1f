"""Closing what nobody has answered about: silence ends a matter and is never counted as satisfied."""

from datetime import timedelta
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.matters.loop.acting import add_step, queue_changes
from timebank.matters.loop.notices import notify_reporter
from timebank.matters.reading.rows import matter_row
from timebank.policies.values import policies

AT_ONCE = 200


async def close_silent_matters(scope: Scope) -> int:
    """Close each matter whose reporter has not answered for the days of the policy; return how many.

    A wish waits until it is collected. The confirmation still waits. Repeatable, each in a transaction of its own; a
    row that is locked is left for later.
    """
    async with transaction(scope):
        rules = await policies(scope)
        before = clock.now() - timedelta(days=rules.matter_confirm_days)
        found = await database.fetch(
            "SELECT id FROM matter WHERE community_id = $1 AND status = 'done' AND done_at <= $2 AND kind <> 'wish' "  # noqa: S608  # constants of the program
            f"ORDER BY done_at, id LIMIT {AT_ONCE}",
            scope.community_id, before,
        )  # fmt: skip
    ids = [UUID(bytes=each["id"].bytes) for each in found]
    return sum([await _close(scope, matter_id, rules.matter_reopen_days) for matter_id in ids])


@retried
async def _close(scope: Scope, matter_id: UUID, days: int) -> bool:
    async with transaction(scope):
        waits: bool | None = await database.fetch_value(
            "SELECT true FROM matter WHERE community_id = $1 AND id = $2 AND status = 'done' "
            "FOR NO KEY UPDATE SKIP LOCKED",
            scope.community_id, matter_id,
        )  # fmt: skip
        if not waits:
            return False
        row = await matter_row(scope, matter_id)
        queue_changes(scope, matter_id, {"status": "closed", "closed_at": clock.now()})
        step = add_step(scope, row, "close", "closed", by="system")
        await audit.record(scope, "close_matter", "matter", matter_id, about_id=row.reporter_id)
        await notify_reporter(scope, row, "matter_closed", step, days=days)
    return True
