"""The HTTP API of wishes at a counter: the gift is received, its time renewed, it is collected or given back."""

from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER
from timebank.http.idempotency import Idempotency
from timebank.matters.wishes import collecting, giving_back, receiving
from timebank.matters.wishes.receiving import GiftIn
from timebank.shop.schemas import Collection

Caller = NamedDependency[Scope]
Once = NamedDependency[Idempotency]
Id = FromPath[UUID]


class WishVerbs(Controller):
    path = "/matters/{matter_id:uuid}"
    opt = AT_THE_COUNTER

    @post("/receipt")
    async def receive(self, matter_id: Id, data: JSONBody[GiftIn], caller: Caller, once: Once) -> Response[bytes]:
        """Receive at a station what was brought for a wish; whom it is for gets a code."""
        return await once.answer(caller, lambda: receiving.receive_gift(caller, matter_id, data))

    @post("/renewal")
    async def renew(self, matter_id: Id, caller: Caller, once: Once) -> Response[bytes]:
        """Let a gift that nobody has collected wait for thirty more days."""
        return await once.answer(
            caller, lambda: receiving.renew_gift(caller, matter_id), status=200, required=False
        )  # fmt: skip

    @post("/giving-back")
    async def give_back(self, matter_id: Id, caller: Caller, once: Once) -> Response[bytes]:
        """Give a gift for which nobody has come in time back to who brought it; the wish may be dispatched anew."""
        return await once.answer(
            caller, lambda: giving_back.give_back_gift(caller, matter_id), status=200, required=False
        )  # fmt: skip

    @post("/collection")
    async def collect(self, matter_id: Id, data: JSONBody[Collection], caller: Caller, once: Once) -> Response[bytes]:
        """Hand the gift over, proved by its code or by a scan of the person here in the last 5 minutes."""
        return await once.answer(caller, lambda: collecting.collect_gift(caller, matter_id, data), status=200)
