"""The worker's part in imports: it carries on what took too long for a page, and what a stopped process has left."""

import time
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError, Unavailable
from timebank.core.scope import Scope
from timebank.imports.runs import batches as carrying
from timebank.imports.runs import work

AT_ONCE_SECONDS = 10.0


async def carry_on() -> int:
    """Carry on the work that no process has to itself, each for a while; how many there were.

    The worker has other things to do: what is left is carried on in its next round. What fails in one community does
    not keep it from the others.
    """
    communities = await _left()
    for community_id in communities:
        scope = Scope.of_system(community_id)
        at = await work.under_way(scope)
        actor = await carrying.actor_for(scope, at) if at is not None and at.is_free else None
        if at is None or actor is None:
            continue
        try:
            await carrying.run_batches(actor, at.run_id, until=time.monotonic() + AT_ONCE_SECONDS)
        except Unavailable:
            raise
        except TimebankError:
            continue  # It was stopped for it, and who began it was told.
    return len(communities)


async def _left() -> list[UUID]:
    async with transaction(None):
        found = await database.fetch("SELECT * FROM imports_left($1) AS community_id", clock.now())
    return [UUID(bytes=row["community_id"].bytes) for row in found]
