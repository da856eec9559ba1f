"""Requests of counters that wait for a second member of staff, as the inbox lists them."""

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.inbox.kinds import Asked, Decidable, Item
from timebank.shop.confirmations.listing import list_confirmations


async def listing(
    scope: Scope, _asked: Asked, _limit: int = 50, _cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """Today's requests, the oldest first, each with who may decide it if the caller may not."""
    found = [one for one in await list_confirmations(scope, language=language) if one.status == "waiting"]
    return Page(
        [
            Item(
                id=one.id, title=one.person, what=[f"{one.good} {one.quantity}{one.unit}", one.station],
                began_at=one.asked_at, notes=[one.asked_by] if one.asked_by else [], mine=one.may_decide,
                who=[] if one.may_decide else one.who,
            )
            for one in sorted(found, key=lambda one: (one.asked_at, one.id))
        ]
    )  # fmt: skip


async def decidable(scope: Scope, _asked: Asked) -> Decidable:
    """How many wait today, and how many of them the caller may decide."""
    found = [one for one in await list_confirmations(scope) if one.status == "waiting"]
    return Decidable(len(found), 0, sum(one.may_decide for one in found), [])
