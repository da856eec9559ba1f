"""Cards that no second person has confirmed, as the inbox lists them."""

from timebank.cards.confirming import count_unconfirmed, unconfirmed_cards
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.inbox.kinds import Asked, Decidable, Item


async def listing(
    scope: Scope, _asked: Asked, limit: int = 50, cursor: str | None = None, _language: str = "zh"
) -> Page[Item]:
    """The cards that wait for a second person, newest first; they are confirmed on the page of presence."""
    found = await unconfirmed_cards(scope, limit=limit, cursor=cursor)
    return Page(
        [
            Item(
                id=card.card_id, title=card.name, what=[word for word in (card.area, card.room) if word],
                began_at=card.issued_at, notes=[card.issued_by] if card.issued_by else [], mine=card.may_confirm,
            )
            for card in found.items
        ],
        found.next,
    )  # fmt: skip


async def decidable(scope: Scope, _asked: Asked) -> Decidable:
    """How many wait, and how many of the newest 200 the caller may confirm."""
    async with transaction(scope), database.gathering() as reads:
        counted = reads.start(count_unconfirmed(scope))
        listed = reads.start(unconfirmed_cards(scope))
    waiting, found = counted.result(), listed.result().items
    return Decidable(waiting, 0, sum(card.may_confirm for card in found), [], waiting > len(found))
