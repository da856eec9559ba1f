"""The HTTP API of goods, redemptions and requests to a second member of staff at the counter."""

from datetime import timedelta
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody

from timebank.agreements.schemas import Waiting
from timebank.core import clock
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import CounterCode, Cursor, Limit, listed, listed_one
from timebank.http.uploads import PhotoUpload
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.shop import cancelling, collection, goods, photos, reading, redemption, returns
from timebank.shop.confirmations import deciding
from timebank.shop.confirmations.asking import ConfirmationOut
from timebank.shop.confirmations.listing import list_confirmations
from timebank.shop.schemas import (
    Collection,
    Count,
    GoodChange,
    GoodIn,
    GoodOut,
    Receipt,
    Redeemed,
    RedemptionIn,
    RedemptionOut,
    RedemptionStatus,
    Return,
)
from timebank.shop.shelves import stock


class Goods(Controller):
    path = "/goods"
    opt = AT_THE_COUNTER

    @get()
    async def goods(
        self, request: AnyRequest, caller: NamedDependency[Scope], station_id: FromQuery[UUID | None] = None,
        with_ended: FromQuery[bool] = False, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[GoodOut]]:  # fmt: skip
        """The goods that points are exchanged for, with the stock at every station or at one."""
        found = await goods.list_goods(caller, station_id=station_id, with_ended=with_ended, limit=limit, cursor=cursor)
        return listed(request, found)

    @post()
    async def add(self, data: JSONBody[GoodIn], caller: NamedDependency[Scope]) -> GoodOut:
        """Add a good."""
        return await goods.add_good(caller, data)

    @get("/{good_id:uuid}")
    async def good(self, good_id: FromPath[UUID], caller: NamedDependency[Scope]) -> GoodOut:
        """One good with its stock."""
        return await goods.find_good(caller, good_id)

    @patch("/{good_id:uuid}")
    async def change(
        self, good_id: FromPath[UUID], data: JSONBody[GoodChange], caller: NamedDependency[Scope]
    ) -> GoodOut:
        """Change a good from now on; existing reservations keep their price."""
        return await goods.change_good(caller, good_id, data)

    @put("/{good_id:uuid}/photo")
    async def set_photo(
        self, good_id: FromPath[UUID], data: MultipartBody[PhotoUpload], caller: NamedDependency[Scope]
    ) -> GoodOut:
        """Set a good's photo."""
        return await photos.set_photo(caller, good_id, data.photo.file)

    @get("/{good_id:uuid}/photo", media_type="image/webp")
    async def photo(self, good_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Response[bytes]:
        """The good's photo. Its address in `photo` changes with it, so a client may cache it for a day."""
        content = await photos.photo_of(caller, good_id)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, max-age=86400"})

    @post("/{good_id:uuid}/receipts")
    async def receive(
        self, good_id: FromPath[UUID], data: JSONBody[Receipt], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Add received goods to a station's stock."""
        verb = stock.receive
        return await once.answer(
            caller, lambda: verb(caller, good_id, data.station_id, data.quantity, data.note), required=False
        )

    @post("/{good_id:uuid}/counts", responses=WAITS)
    async def count(
        self, good_id: FromPath[UUID], data: JSONBody[Count], caller: NamedDependency[Scope]
    ) -> Response[stock.StockOut | Waiting]:
        """Set the stock to a counted quantity; lowering it soon after one's own returns waits for a second person."""
        return done_or_waiting(await stock.count_stock(caller, good_id, data.station_id, data.counted, data.note))


class Redemptions(Controller):
    path = "/redemptions"
    opt = AT_THE_COUNTER

    @get()
    async def redemptions(
        self, request: AnyRequest, caller: NamedDependency[Scope], code: CounterCode = None,
        person_id: FromQuery[UUID | None] = None, station_id: FromQuery[UUID | None] = None,
        good_id: FromQuery[UUID | None] = None, status: FromQuery[RedemptionStatus | None] = None, limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response[Page[RedemptionOut]]:  # fmt: skip
        """The caller's own redemptions, those of the caller's stations, or all; or the open one with this `code`."""
        if code:
            return listed_one(request, await reading.find_redemption_by_code(caller, code))
        found = await reading.list_redemptions(
            caller, person_id=person_id, station_id=station_id, good_id=good_id, status=status, limit=limit,
            cursor=cursor,
        )  # fmt: skip
        return listed(request, found)

    @get("/{redemption_id:uuid}")
    async def redemption(self, redemption_id: FromPath[UUID], caller: NamedDependency[Scope]) -> RedemptionOut:
        """One redemption."""
        return await reading.find_redemption(caller, redemption_id)

    @post()
    async def redeem(
        self, data: JSONBody[RedemptionIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Reserve a good, or redeem it at once at the counter."""
        acting = caller.acting_as(data.person_id)
        locks = [] if data.collect_now or data.reason else [data.person_id, data.good_id]
        return await once.answer(acting, lambda: redemption.redeem(acting, data), locks=locks)

    @post("/{redemption_id:uuid}/collection")
    async def collect(
        self, redemption_id: FromPath[UUID], data: JSONBody[Collection], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Hand a reserved good over, proved by its code or by a scan of the person here in the last 5 minutes."""
        verb = collection.collect
        return await once.answer(
            caller, lambda: verb(caller, redemption_id, data.code, data.presence), status=200
        )  # fmt: skip

    @post("/{redemption_id:uuid}/confirmation")
    async def ask(
        self, redemption_id: FromPath[UUID], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Request agreement to hand over a reservation; only an administrator agrees for a keeper's own household."""
        return await once.answer(caller, lambda: deciding.ask_to_collect(caller, redemption_id), required=False)

    @post("/{redemption_id:uuid}/return", responses=WAITS)
    async def return_goods(
        self, redemption_id: FromPath[UUID], data: JSONBody[Return], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Take back a collected good; its points and stock are returned."""
        verb = returns.return_goods
        return await once.answer(caller, lambda: verb(caller, redemption_id, data.reason), status=200)

    @delete("/{redemption_id:uuid}", status_code=200)
    async def cancel(self, redemption_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redeemed:
        """Cancel a reservation; its points and stock are returned."""
        return await cancelling.cancel(caller, redemption_id)


class Confirmations(Controller):
    path = "/counter/confirmations"
    opt = AT_THE_COUNTER

    @get()
    async def waiting(self, caller: NamedDependency[Scope]) -> list[ConfirmationOut]:
        """Requests that wait for a second member of staff today, and those decided in the last 24 hours."""
        since = clock.now() - timedelta(days=1)
        return list((await list_confirmations(caller, since=since)).items)

    @post()
    async def ask(
        self, data: JSONBody[deciding.SpendingIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Request a second member of staff's agreement that a person without phone or card takes a good for points."""
        return await once.answer(caller, lambda: deciding.ask_to_spend(caller, data), required=False)

    @post("/{confirmation_id:uuid}/decision", status_code=200)
    async def decide(
        self, confirmation_id: FromPath[UUID], data: JSONBody[deciding.DecisionIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Agree as the second person, which hands the good over at once, or refuse."""
        return await once.answer(
            caller, lambda: deciding.decide_confirmation(caller, confirmation_id, data), status=200
        )
