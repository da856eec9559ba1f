"""Printed cards over HTTP."""

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from timebank.cards import cards
from timebank.cards.schemas import CardOut
from timebank.core import codes
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER


class Cards(Controller):
    path = "/people"

    @post("/{person_id:uuid}/card", opt=AT_THE_COUNTER)
    async def issue_card(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> CardOut:
        """Issue a card; the person's earlier card ends at once."""
        return await cards.issue_card(caller, person_id)

    @delete("/{person_id:uuid}/card", opt=AT_THE_COUNTER)
    async def revoke_card(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """End the person's card."""
        await cards.revoke_card(caller, person_id)

    @get("/{person_id:uuid}/card.png", media_type="image/png", opt=AT_THE_COUNTER)
    async def card_png(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> bytes:
        """The QR code of the card in force, for its holder and its issuer."""
        return codes.png((await cards.card_of(caller, person_id)).url)
