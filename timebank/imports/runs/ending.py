"""Follow up the end of an import or of its undo: notify the person who began it, and run ANALYZE."""

from datetime import timedelta
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Busy
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.imports.runs.work import Work
from timebank.people.messages import Notification, notify, notify_many

SEEN_WITHIN = timedelta(seconds=5)
"""If the end comes later than this, the person who began it may have left the page or lost the connection."""


def _may_have_left(scope: Scope, at: Work) -> bool:
    """Whether the starter may not see the end: another process ends it in their name, or it has taken long.

    The server cannot know whether the starter still waits. An unneeded message does no harm; without one, a starter who
    has left does not learn the outcome.
    """
    return scope.import_proof is not None or clock.now() - at.began_at >= SEEN_WITHIN


async def notify_end(scope: Scope, at: Work) -> None:
    """Notify the starter that it has ended, unless they see it at once. After a command nobody is notified.

    A starter whose record is in another community is notified by `notify_in_home_community`.
    """
    if scope.person_id is not None and _may_have_left(scope, at):
        await _notify(scope, scope.person_id, at)


async def notify_in_home_community(scope: Scope, at: Work) -> None:
    """Notify an administrator from another community, in the community of their own record, that it has ended."""
    if scope.person_id is None and scope.actor_id is not None and _may_have_left(scope, at):
        await _notify(scope.acting_as(scope.actor_id), scope.actor_id, at)


async def _notify(scope: Scope, person_id: UUID, at: Work) -> None:
    says = phrase("import_ended" if at.verb == "import" else "undo_ended", file=at.file_name)
    to_send = Notification(person_id, says, f"import:{at.run_id}:{at.verb}", at.run_id)
    await notify_many(scope, [to_send], import_id=at.run_id)


async def notify_stop(scope: Scope, at: Work) -> None:
    """Notify the starter that the work was stopped before its end."""
    starter: UUID | None = await database.fetch_value(
        "SELECT started_by FROM import_run WHERE community_id = $1 AND id = $2", scope.community_id, at.run_id
    )
    if starter is not None:
        kind = "import_stopped" if at.verb == "import" else "import_stopped.undo"
        await notify(scope, starter, kind, f"import:{at.run_id}:{at.verb}:stopped", at.run_id, file=at.file_name)


@retried
async def analyze_tables() -> None:
    """Run ANALYZE on the imported tables, so that the query planner knows how many rows they now have."""
    try:
        async with transaction(None):
            await database.execute("SELECT count_imported()")
    except Busy:
        return  # Another import is running ANALYZE, which serves as well.
