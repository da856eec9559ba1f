"""Photos of a matter: before by who reports it, after by who handles it; published by who dispatches it."""

from uuid import UUID

from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.matters.loop.refusals import MatterMovedOn
from timebank.matters.opening.limits import photos_refusal
from timebank.matters.reading.one import seen_matter
from timebank.matters.reading.rows import lock_matter
from timebank.matters.reading.seeing import sees_text
from timebank.matters.words import STATUSES


async def see(scope: Scope, matter_id: UUID) -> None:
    """Raise NotFound unless the caller sees the matter with its words and pictures, not only that there is one."""
    seen = await seen_matter(scope, matter_id)
    if not sees_text(seen.view, seen.row, seen.caller):
        raise NotFound


async def lock(scope: Scope, matter_id: UUID) -> None:
    """Lock the matter's row. Raises NotFound."""
    await lock_matter(scope, matter_id)


async def photo_adding_refusal(scope: Scope, matter_id: UUID) -> TimebankError | None:
    """Why the caller may not add a photo now: only who reports or handles it may, until it is closed."""
    async with transaction(scope):
        seen = await seen_matter(scope, matter_id)
        row, caller = seen.row, seen.caller
        if not (caller.reporter or caller.typed or caller.handler or caller.helper or caller.duty):
            return Forbidden()
        if row.status not in ("received", "dispatched", "accepted", "done"):
            return MatterMovedOn(now=STATUSES[row.status])
        return await photos_refusal(scope)


async def photo_publishing_refusal(scope: Scope, matter_id: UUID) -> TimebankError | None:
    """Why the caller may not paint over and publish its photos: who dispatches it may, in a category that is public."""
    seen = await seen_matter(scope, matter_id)
    return None if seen.row.is_public and seen.caller.dispatches(seen.row.level) else Forbidden()


CLOSED = "SELECT m.id, m.closed_at FROM matter m WHERE m.community_id = $1"
"""When each matter ended; null while it is open."""
