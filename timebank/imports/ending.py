"""What follows the end of an import or of its undoing: who began it is told, and the database counts its rows anew."""

from uuid import UUID

from timebank import database
from timebank.database import retried, transaction
from timebank.errors import Busy
from timebank.imports.work import Work
from timebank.people.messages import tell
from timebank.scope import Scope


async def tell_end(scope: Scope, at: Work) -> None:
    """Tell who began it that it has ended."""
    if scope.person_id is None:
        return  # An administrator from elsewhere, or a command: the page of imports says it.
    text = (
        f"您导入的“{at.file_name}”已经完成，结果在“导入”页。"
        if at.verb == "import"
        else f"“{at.file_name}”的导入已经撤销，结果在“导入”页。"
    )
    await tell(scope, scope.person_id, f"{at.verb}_ended", text, f"import:{at.run_id}:{at.verb}", at.run_id)


async def tell_stop(scope: Scope, at: Work) -> None:
    """Tell who began it that it came to a stop before its end."""
    starter: UUID | None = await database.fetch_value(
        "SELECT started_by FROM import_run WHERE community_id = $1 AND id = $2", scope.community_id, at.run_id
    )
    if starter is not None:
        text = (
            f"“{at.file_name}”没有处理完就停下了，已完成的部分保留。请到“导入”页看原因；"
            "再导入一次同一份表格，就会接着做。"
        )
        await tell(scope, starter, "import_stopped", text, f"import:{at.run_id}:{at.verb}:stopped", at.run_id)


@retried
async def count_rows() -> None:
    """Let the database count its rows anew, so that it finds its way among the many that have come."""
    try:
        async with transaction(None):
            await database.execute("SELECT count_imported()")
    except Busy:
        return  # Another import is counting: its count serves as well.
