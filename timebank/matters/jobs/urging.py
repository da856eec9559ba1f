"""Urging: who is notified when a matter waits too long, by a pure decision over its times; once for each stage."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from timebank.areas.workdays import Workdays, workdays_of
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.matters.loop.acting import add_step, queue_changes
from timebank.matters.loop.notices import notify_dispatchers, notify_handler
from timebank.matters.loop.returning import level_above
from timebank.matters.opening.due import working_time
from timebank.matters.reading.rows import MatterRow, matter_row
from timebank.matters.schemas import MatterStatus

AT_ONCE = 200
UNDISPATCHED_FOR = timedelta(hours=2)
LAST_PART = 5
"""Its handler is told when one fifth of the time is left."""

Stage = Literal["waits", "soon", "urged", "again", "third", "untaken"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What the clock knows of an open matter."""

    status: MatterStatus
    received_at: datetime
    due_at: datetime
    urged: int = 0
    told: list[str] = []
    untaken_wish: bool = False


def stage_of(matter: Waiting, now: datetime, known: Workdays) -> Stage | None:
    """The stage that a matter has reached now, one at a time; None where there is nothing to say.

    Overdue it is urged, on the next working day pressed from above, on the third put on the lists above. Time never
    stands still for a return or for nobody taking it.
    """
    if now >= matter.due_at:
        if matter.untaken_wish:
            return "untaken"
        late = known.count_workdays(clock.local_day(matter.due_at) + timedelta(days=1), clock.local_day(now))
        if matter.urged == 0:
            return "urged"
        if matter.urged == 1 and late >= 1:
            return "again"
        return "third" if matter.urged == 2 and late >= 3 else None  # the third working day
    if matter.status == "received":
        waited = working_time(matter.received_at, now, known)
        return "waits" if "waits" not in matter.told and waited >= UNDISPATCHED_FOR else None
    part = (matter.due_at - matter.received_at) / LAST_PART
    return "soon" if "soon" not in matter.told and now >= matter.due_at - part else None


_OPEN = (
    "SELECT m.id, m.status, m.received_at, m.due_at, m.urged, m.told, "
    "m.kind = 'wish' AND m.status = 'dispatched' AND m.open_to = 'all' AS untaken_wish "
    "FROM matter m WHERE m.community_id = $1 AND m.status IN ('received', 'dispatched', 'accepted') "
    "AND (m.due_at <= $2 AND m.urged < 3 "
    "OR m.status = 'received' AND NOT 'waits' = ANY (m.told) AND m.received_at <= $2 - interval '2 hours' "
    "OR m.status <> 'received' AND NOT 'soon' = ANY (m.told) AND m.due_at - (m.due_at - m.received_at) / 5 <= $2) "
)


class _Found(Waiting, frozen=True, kw_only=True):
    id: UUID


async def urge_matters(scope: Scope) -> int:
    """Notify whoever has to act that a matter waits, is due soon or is late; return how many there were.

    Repeatable; each in a transaction of its own, and a row that is locked is left for the next time.
    """
    now = clock.now()
    async with transaction(scope):
        found = await database.rows(_Found, f"{_OPEN}ORDER BY m.due_at, m.id", scope.community_id, now)
        known = await workdays_of(scope, min([clock.local_day(one.received_at) for one in found], default=now.date()))
    due = [(one.id, stage) for one in found if (stage := stage_of(one, now, known))]
    return sum([await _urge(scope, matter_id, stage, known) for matter_id, stage in due[:AT_ONCE]])


@retried
async def _urge(scope: Scope, matter_id: UUID, stage: Stage, known: Workdays) -> bool:
    async with transaction(scope):
        locked = await database.fetch_value(
            "SELECT true FROM matter WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE SKIP LOCKED",
            scope.community_id, matter_id,
        )  # fmt: skip
        if not locked:
            return False
        row = await matter_row(scope, matter_id)
        if not row.is_open or stage_of(_waiting(row), clock.now(), known) != stage:
            return False
        await _carry_out(scope, row, stage)
    return True


def _waiting(row: MatterRow) -> Waiting:
    untaken = row.kind == "wish" and row.status == "dispatched" and row.open_to == "all"
    return Waiting(
        status=row.status, received_at=row.received_at, due_at=row.due_at, urged=row.urged, told=row.told,
        untaken_wish=untaken,
    )  # fmt: skip


async def _carry_out(scope: Scope, row: MatterRow, stage: Stage) -> None:
    until = row.due_at.isoformat()
    if stage in ("waits", "soon"):
        queue_changes(scope, row.id, {"told": [*row.told, stage]})
        if stage == "waits":
            notify_dispatchers(scope, row, row.level, "matter_to_dispatch.waits", "waits")
        else:
            await notify_handler(scope, row, "matter_soon", until, due=row.due_at)
        return
    if stage == "untaken":
        await _go_back(scope, row)
        return
    queue_changes(scope, row.id, {"urged": row.urged + 1})
    add_step(scope, row, "urge", row.status, by="system", level=row.level, due_at=row.due_at)
    await audit.record(scope, "urge_matter", "matter", row.id, about_id=row.reporter_id, urged=row.urged + 1)
    if stage == "urged":
        await notify_handler(scope, row, "matter_urged", until, due=row.due_at)
        notify_dispatchers(scope, row, row.level, "matter_urged", until, due=row.due_at)
    elif stage == "again":
        notify_dispatchers(scope, row, level_above(row.level), "matter_urged.again", until, due=row.due_at)
    else:
        notify_dispatchers(scope, row, "street", "matter_urged.third", until, due=row.due_at)
        notify_dispatchers(scope, row, "county", "matter_urged.third", until, due=row.due_at)


async def _go_back(scope: Scope, row: MatterRow) -> None:
    """A wish that nobody has taken goes back to who dispatches it."""
    queue_changes(scope, row.id, {"status": "received", "open_to": "assigned"})
    step = add_step(scope, row, "go_back", "received", by="system")
    await audit.record(scope, "untaken_matter", "matter", row.id, about_id=row.reporter_id)
    notify_dispatchers(scope, row, row.level, "matter_to_dispatch.untaken", step)
