"""Changes that wait for a second person, as the inbox lists them."""

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.inbox.kinds import Asked, Decidable, Item
from timebank.overview.changes_listed import LOOKED_AT, agreements, count_yours


async def listing(
    scope: Scope, _asked: Asked, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """The changes that wait, newest first, each with who may decide it if the caller may not."""
    found = await agreements(scope, limit=limit, cursor=cursor, language=language)
    return Page(
        [
            Item(
                id=one.id, title=one.text, what=[one.proposed_by_name or "—"], began_at=one.proposed_at,
                mine=one.may_decide, who=[] if one.may_decide else one.who,
            )
            for one in found.items
        ],
        found.next,
    )  # fmt: skip


async def decidable(scope: Scope, _asked: Asked) -> Decidable:
    """How many wait, and how many of the 200 oldest the caller may decide; each is decided on its own page."""
    scope.require_reader()
    async with transaction(scope), database.gathering() as reads:
        counted = reads.start(
            database.read_value(
                int, "SELECT count(*) FROM waiting_change WHERE community_id = $1 AND status = 'waiting'",
                scope.community_id,
            )
        )  # fmt: skip
        yours = reads.start(count_yours(scope))
    waiting = counted.result()
    return Decidable(waiting, 0, yours.result(), [], waiting > LOOKED_AT)
