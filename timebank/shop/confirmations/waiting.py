"""Requests of counters that wait for a second member of staff, as the inbox lists them."""

from timebank.core.paging import LIMIT_MAX, OLDEST, Page
from timebank.core.scope import Scope
from timebank.inbox.kinds import Asked, Decidable, Item
from timebank.shop.confirmations.listing import count_waiting_confirmations, list_confirmations


async def listing(
    scope: Scope, _asked: Asked, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """Today's requests, the oldest first, each with who may decide it if the caller may not."""
    found = await list_confirmations(scope, order=OLDEST, limit=limit, cursor=cursor, language=language)
    return Page(
        [
            Item(
                id=one.id, title=one.person, what=[f"{one.good} {one.quantity}{one.unit}", one.station],
                began_at=one.asked_at, notes=[one.asked_by] if one.asked_by else [], mine=one.may_decide,
                who=[] if one.may_decide else one.who,
            )
            for one in found.items
        ],
        found.next,
    )  # fmt: skip


async def decidable(scope: Scope, _asked: Asked) -> Decidable:
    """How many wait today, and how many of the first 200 the caller may decide."""
    found = await list_confirmations(scope, order=OLDEST, limit=LIMIT_MAX)
    waiting = (await count_waiting_confirmations(scope)).rows if found.next else len(found.items)
    return Decidable(waiting, 0, sum(one.may_decide for one in found.items), [], found.next is not None)
