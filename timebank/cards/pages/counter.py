"""Issue a card at the counter, a first one or a replacement."""

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
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.presence.counter import find_counter_person
from timebank.presence.pages.counter import choice_page, counter_page
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page
from timebank.web.pictures import qr_image

WHOM = {"person_id": _("居民"), "station_id": _("驿站")}


class Whom(msgspec.Struct, frozen=True):
    """The person who gets the card, and the station of the counter."""

    person_id: UUID
    station_id: Annotated[UUID, msgspec.Meta(description="the counter to go back to")]


class CounterCardPages(Controller):
    path = "/desk/cards"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @post()
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def issue(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        data: URLEncodedBody[dict[str, str]],
    ) -> Template:  # fmt: skip
        """Issue a card and show it once for printing or a photo. The previous card is revoked at once."""
        wanted = parse_form(Whom, data, WHOM)
        # Whom the caller may not serve is refused before the card is made.
        person = await find_counter_person(caller, wanted.person_id)
        answer = await once.answer(caller, lambda: issue_card(caller, wanted.person_id, wanted.station_id))
        card = decode_answer(answer, CardOut)
        return page(
            request, caller, "desk/card.html", person=person, station_id=wanted.station_id, card=card,
            image=qr_image(card.url),
        )  # fmt: skip
