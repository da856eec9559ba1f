"""A card at the counter, for somebody who has no phone: issued in one tap, shown to be printed."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.callers import AT_THE_COUNTER, AnyRequest
from timebank.checkins.counter import visitor
from timebank.locale import _
from timebank.people.cards import PersonNotServed, card_of, issue_card
from timebank.scope import Scope
from timebank.web.desk.goods import refused
from timebank.web.forms import filled
from timebank.web.pages import page, see_other
from timebank.web.pictures import qr_image


class CardFor(msgspec.Struct, frozen=True):
    person_id: UUID


class DeskCards(Controller):
    path = "/desk/cards"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @post()
    async def issue(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """A new card; the one before ends at once. A second member of staff confirms it later."""
        person_id = filled(CardFor, data, {"person_id": _("居民")}).person_id
        try:
            await issue_card(caller, person_id)
        except PersonNotServed as refusal:
            return refused(request, caller, refusal)
        return see_other(f"/desk/cards/{person_id}")

    @get("/{person_id:uuid}")
    async def card(self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromPath[UUID]) -> Template:
        """The card as it is printed."""
        card = await card_of(caller, person_id)
        return page(
            request, caller, "desk/card.html", holder=await visitor(caller, person_id), card=card,
            image=qr_image(card.url),
        )  # fmt: skip
