"""What follows the end of an import or of its undoing: who began it is told, and the database counts its rows anew."""

from datetime import timedelta
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Busy
from timebank.core.scope import Scope
from timebank.imports.runs.work import Work
from timebank.people.messages import Telling, tell, tell_many

SEEN_WITHIN = timedelta(seconds=5)
"""So long a page waits for its answer. Whoever has waited longer may have put the tablet down, or lost the reply."""


def _may_have_left(scope: Scope, at: Work) -> bool:
    """Whether who began it may not see its end: somebody else ends it in their name, or it has taken long.

    Nobody can tell a reader who waits from one who has left. A message too many says what is true; without one, who
    has left does not learn that the hours are in, or that they are not.
    """
    return scope.import_proof is not None or clock.now() - at.began_at >= SEEN_WITHIN


async def tell_end(scope: Scope, at: Work) -> None:
    """Tell who began it that it has ended, unless they see it at once. A command has nobody to tell.

    Whose own record is elsewhere is told by `tell_at_home`.
    """
    if scope.person_id is not None and _may_have_left(scope, at):
        await _tell(scope, scope.person_id, at)


async def tell_at_home(scope: Scope, at: Work) -> None:
    """Tell an administrator from elsewhere that it has ended, in the community of their own record."""
    if scope.person_id is None and scope.actor_id is not None and _may_have_left(scope, at):
        await _tell(scope.acting_as(scope.actor_id), scope.actor_id, at)


async def _tell(scope: Scope, person_id: UUID, at: Work) -> None:
    if at.verb == "import":
        kind, text = "import_ended", f"您导入的“{at.file_name}”已经完成，结果在“导入”页。"
    else:
        kind, text = "undo_ended", f"“{at.file_name}”的导入已经撤销，结果在“导入”页。"
    telling = Telling(person_id, text, f"import:{at.run_id}:{at.verb}", at.run_id)
    await tell_many(scope, kind, [telling], import_id=at.run_id)


async def tell_stop(scope: Scope, at: Work) -> None:
    """Tell who began it that it came to a stop before its end."""
    starter: UUID | None = await database.fetch_value(
        "SELECT started_by FROM import_run WHERE community_id = $1 AND id = $2", scope.community_id, at.run_id
    )
    if starter is not None:
        cure = "再导入一次同一份表格" if at.verb == "import" else "再撤销一次"
        text = f"“{at.file_name}”没有处理完就停下了，已完成的部分保留。请到“导入”页看原因；{cure}，就会接着做。"
        await tell(scope, starter, "import_stopped", text, f"import:{at.run_id}:{at.verb}:stopped", at.run_id)


@retried
async def count_rows() -> None:
    """Let the database count its rows anew, so that it finds its way among the many that have come."""
    try:
        async with transaction(None):
            await database.execute("SELECT count_imported()")
    except Busy:
        return  # Another import is counting: its count serves as well.
