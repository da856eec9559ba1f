"""Forgotten check-outs: visits are closed at closing time and never credited without a review."""

from datetime import datetime, timedelta

from timebank.core import audit, clock, database, settings
from timebank.core.database import retried, transaction
from timebank.core.opening import CLOSING_SQL
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import notify
from timebank.presence.outcomes import Outcome, record_visit
from timebank.presence.visits import ROW, VisitRow

CLOSING_GRACE = timedelta(minutes=30)  # the last person to leave may check out after closing time
AT_ONCE = 50


async def close_as_forgotten(scope: Scope, visit: VisitRow) -> Outcome:
    """End a visit at closing time and let a review confirm it. The caller holds its row lock."""
    out_at = max(visit.in_at, visit.closing)
    await database.execute(
        "UPDATE visit SET status = 'needs_confirmation', out_at = $3, out_by = 'closing_time', "
        "flags = array_append(flags, 'forgotten_check_out') WHERE community_id = $1 AND id = $2",
        scope.community_id, visit.id, out_at,
    )  # fmt: skip
    await audit.record(scope, "close_forgotten", "visit", visit.id, about_id=visit.person_id)
    ended = await database.row(VisitRow, ROW + "WHERE v.community_id = $1 AND v.id = $2", scope.community_id, visit.id)
    assert ended is not None
    outcome = await record_visit(scope, ended)
    await database.flush()
    await notify_forgotten(scope, ended, out_at, outcome)
    return outcome


async def notify_forgotten(scope: Scope, visit: VisitRow, out_at: datetime, outcome: Outcome) -> None:
    """Notify the volunteer of the forgotten check-out and what to do, while the time is still remembered."""
    waits = outcome.status == "pending"
    counts = phrase("waits_for_review") if waits else outcome.why or phrase("not_counted")
    await notify(
        scope, visit.person_id, "check_out_forgotten", f"visit:{visit.id}:forgotten", visit.id,
        station=visit.station, in_at=visit.in_at, out_at=out_at, counts=[counts],
    )  # fmt: skip


@retried
async def close_forgotten(scope: Scope) -> int:
    """Close every visit that is still open half an hour after its station's closing time; return how many.

    It is safe to run twice and in two processes, because rows that another process has locked are skipped.
    """
    closed = 0
    while True:
        async with transaction(scope):
            found = await database.rows(
                VisitRow,
                ROW + "WHERE v.community_id = $1 AND v.status = 'open' "
                f"AND {CLOSING_SQL.format(zone='$3')} < $2 "
                "ORDER BY v.id LIMIT $4 FOR NO KEY UPDATE OF v SKIP LOCKED",
                scope.community_id, clock.now() - CLOSING_GRACE, settings.current().time_zone.key, AT_ONCE,
            )  # fmt: skip
            for visit in found:
                await close_as_forgotten(scope, visit)
        closed += len(found)
        if len(found) < AT_ONCE:
            return closed
