"""A card from the counter, for somebody who stands there: issued, or a new one for a lost one."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Template

from timebank.cards.cards import issue_card
from timebank.cards.schemas import CardOut
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Once
from timebank.http.refusals import shown_again
from timebank.presence.counter import visitor
from timebank.web.forms import filled
from timebank.web.pages import answered, page
from timebank.web.pictures import qr_image

WHOM = {"person_id": _("居民"), "station_id": _("驿站")}


class Whom(msgspec.Struct, frozen=True):
    """Who stands at which counter."""

    person_id: UUID
    station_id: Annotated[UUID, msgspec.Meta(description="the counter to go back to")]


class CardPages(Controller):
    path = "/desk/cards"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @post()
    @shown_again(lambda request, caller, data: _card_page(request, caller, filled(Whom, data, WHOM), None))
    async def issue(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Once],
        data: URLEncodedBody[dict[str, str]],
    ) -> Template:  # fmt: skip
        """Give the person a card, shown to be printed or photographed; the one before ends at once."""
        wanted = filled(Whom, data, WHOM)
        await visitor(caller, wanted.person_id)  # whom the caller may not serve is refused before the card is made
        answer = await once.answer(caller, lambda: issue_card(caller, wanted.person_id))
        return await _card_page(request, caller, wanted, answered(answer, CardOut))


async def _card_page(request: AnyRequest, caller: Scope, whom: Whom, card: CardOut | None) -> Template:
    return page(
        request, caller, "desk/card.html", person=await visitor(caller, whom.person_id), station_id=whom.station_id,
        card=card, image=qr_image(card.url) if card else None,
    )  # fmt: skip
