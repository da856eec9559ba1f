"""A report that was moved comes back to a community where it was: the same matter is opened again, with its number."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import audit
from timebank.core.scope import Scope
from timebank.matters.loop.acting import add_step, queue_changes
from timebank.matters.loop.notices import notify_dispatchers, notify_reporter
from timebank.matters.loop.returning import Returned, returned
from timebank.matters.reading.rows import MatterRow, lock_matter, matter_row
from timebank.matters.reading.standing import facts_from
from timebank.matters.schemas import LEVELS, Channel, MatterKind
from timebank.policies.values import policies


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported in the other community. `reporter_id` is the reporter's own record here, if they have one.

    `first_from` and `first_id` are the community and the matter of the first receipt, however often it was moved
    since; `moves` says how often by now; `here_id` is the matter of that receipt here, if it has been here before.
    """

    kind: MatterKind
    category: str
    said: str
    place: str
    received_at: datetime
    channel: Channel
    hides_reporter: bool
    may_be_contacted: bool
    number: str
    from_name: str
    reporter_id: UUID | None
    first_from: UUID
    first_id: UUID
    moves: int
    here_id: UUID | None


async def come_back(scope: Scope, matter_id: UUID, moved: Moved) -> str | None:
    """Open the matter again that was moved from here; its number, or None where it has come back already.

    It counts as a return, so that two communities do not send it to and fro: it is for the administrators, and at the
    maximum for the level above. Number, receipt and due date are those of before.
    """
    await lock_matter(scope, matter_id)
    row = await matter_row(scope, matter_id)
    if row.status != "refused" or row.moved_to is None or moved.moves <= row.moves:
        return None
    after = await _returned(scope, row)
    changes = {
        "status": "received", "refused_because": None, "moved_to": None, "closed_at": None, "verified": None,
        "verified_at": None, "verified_by": None, "returns": after.returns, "level": after.level,
        "final": after.final or row.final, "moves": moved.moves,
    }  # fmt: skip
    queue_changes(scope, row.id, changes)
    step = add_step(
        scope, row, "come_back", "received", by="system", level=after.level, due_at=row.due_at,
        note=f"{moved.from_name} {moved.number}",
    )  # fmt: skip
    await audit.record(
        scope, "matter_came_back", "matter", row.id, about_id=row.reporter_id, returns=after.returns, level=after.level
    )
    if row.first_from is None:
        await notify_reporter(scope, row, "matter_moved.back", step, community=moved.from_name, due=row.due_at)
    notify_dispatchers(
        scope, row, after.level, "matter_to_dispatch.back", step, community=moved.from_name, due=row.due_at
    )  # fmt: skip
    return row.number


async def _returned(scope: Scope, row: MatterRow) -> Returned:
    """What this return makes of its counters: no grid head decides alone about what was sent away."""
    facts = facts_from(row, frozenset(), await policies(scope))
    level = LEVELS[max(LEVELS.index(row.level), LEVELS.index("community"))]
    return returned(msgspec.structs.replace(facts, level=level))
