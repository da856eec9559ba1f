"""The stock of a station: list it, receive goods, count them."""

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.agreements.schemas import Waiting
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.shop import goods
from timebank.shop.schemas import Count, Receipt
from timebank.shop.shelves import stock
from timebank.stations.stations import station as station_of
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

PLACE = {"good_id": _("物品"), "station_id": _("驿站")}
RECEIPT = {"station_id": _("驿站"), "quantity": _("数量"), "note": _("说明")}
COUNT = {"station_id": _("驿站"), "counted": _("清点数"), "note": _("说明")}


class Place(msgspec.Struct):
    """Which good at which station."""

    good_id: UUID
    station_id: UUID


class CounterShelfPages(Controller):
    path = "/desk/shelf"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get()
    async def shelf(
        self, request: AnyRequest, caller: NamedDependency[Scope], station: FromQuery[UUID], done: FromQuery[str] = ""
    ) -> Template:
        """The station's stock, and the forms to receive and count goods."""
        return await _shelf_page(request, caller, station, done=done)

    @post("/receipts")
    @shown_again(lambda request, caller, data: _shelf_page(request, caller, parse_form(Place, data, PLACE).station_id))
    async def receive(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Goods came in."""
        at = parse_form(Place, data, PLACE)
        came = parse_form(Receipt, data, RECEIPT)
        verb = stock.receive
        await once.answer(caller, lambda: verb(caller, at.good_id, at.station_id, came.quantity, came.note))
        return see_other(f"/desk/shelf?station={at.station_id}&done=received")

    @post("/counts")
    @shown_again(lambda request, caller, data: _shelf_page(request, caller, parse_form(Place, data, PLACE).station_id))
    async def count(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """Store a counted quantity."""
        at = parse_form(Place, data, PLACE)
        found = parse_form(Count, data, COUNT)
        made = await stock.count_stock(caller, at.good_id, at.station_id, found.counted, found.note)
        done = "waits" if isinstance(made, Waiting) else "counted"
        return see_other(f"/desk/shelf?station={at.station_id}&done={done}")


async def _shelf_page(request: AnyRequest, caller: Scope, station_id: UUID, done: str = "") -> Template:
    here = await station_of(caller, station_id)
    caller.require_keeper(station_id)
    lying = await all_pages(partial(goods.list_goods, caller, station_id=station_id, with_ended=True))
    return page(
        request, caller, "desk/shelf.html", station=here, done=done,
        lying=lying, offered=await all_pages(partial(goods.list_goods, caller)),
    )  # fmt: skip
