"""The worker's job for imports: continues runs that outlasted a page request or whose process stopped."""

import time
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError, Unavailable
from timebank.core.scope import Scope
from timebank.imports.runs import batches, work

AT_ONCE_SECONDS = 10.0


async def continue_stopped_imports() -> int:
    """Continue the import or undo of every community where no process holds it; return the number of communities.

    Each gets AT_ONCE_SECONDS and the rest waits for the next round, because the worker has other jobs. A refusal in one
    community does not stop the others; Unavailable is raised.
    """
    communities = await _left()
    for community_id in communities:
        scope = Scope.of_system(community_id)
        at = await work.under_way(scope)
        actor = await batches.actor_for(scope, at) if at is not None and at.is_free else None
        if at is None or actor is None:
            continue
        try:
            await batches.run_batches(actor, at.run_id, until=time.monotonic() + AT_ONCE_SECONDS)
        except Unavailable:
            raise
        except TimebankError:
            continue  # The run is marked as stopped, and its starter is notified.
    return len(communities)


async def _left() -> list[UUID]:
    async with transaction(None):
        found = await database.fetch("SELECT * FROM imports_left($1) AS community_id", clock.now())
    return [UUID(bytes=row["community_id"].bytes) for row in found]
