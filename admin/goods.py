"""The panel's pages of goods: offer, change, photo and stock."""

from decimal import Decimal
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, MultipartBody, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.http.uploads import PhotoUpload
from timebank.shop import goods, photos
from timebank.shop.schemas import Count, GoodChange, GoodIn, Receipt
from timebank.shop.shelves import costs, stock
from timebank.stations.stations import stations
from timebank.web.forms import parse_form
from timebank.web.lists import Bar, length_of, typed_words
from timebank.web.pages import page, see_other, waits_or

PAGE = 50
GOOD = {
    "name": _("名称"), "points": _("积分"), "unit": _("单位"), "monthly_limit": _("每户每月限"),
    "active": _("继续兑换"),
}  # fmt: skip
COST = {"cost": _("每件成本（元）")}
RECEIPT = {"station_id": _("驿站"), "quantity": _("数量"), "note": _("说明")}
COUNT = {"station_id": _("驿站"), "counted": _("清点数"), "note": _("说明")}


class CostIn(msgspec.Struct, forbid_unknown_fields=True):
    """What one piece costs the community, in yuan; None where it is not known."""

    cost: Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,2})?$")] | None = None

    @property
    def fen(self) -> int | None:
        return None if self.cost is None else int(Decimal(self.cost) * 100)


class PanelGoodsPages(Controller):
    path = "/admin/goods"
    include_in_schema = False

    @get()
    async def goods(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """All goods with their stock, including those no longer offered."""
        return await _goods_page(request, caller, cursor=cursor)

    @post("/search")
    @shown_again(lambda request, caller: _goods_page(request, caller))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """The goods of this name."""
        if not typed_words(data):
            return see_other("/admin/goods")
        return await _goods_page(request, caller, typed_words(data), cursor=data.get("cursor") or None)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for a new good."""
        return _new_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _new_page(request, caller))
    async def add(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """Add a good, then show its page for stock and photo."""
        made = await goods.add_good(caller, parse_form(GoodIn, data, GOOD))
        return see_other(f"/admin/goods/{made.id}?done=added")

    @get("/{good_id:uuid}")
    async def good(
        self, request: AnyRequest, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        cursor: Cursor = None, done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """One good with its price, photo and stock at every station."""
        return await _good_page(request, caller, good_id, done=done, cursor=cursor)

    @post("/{good_id:uuid}")
    @shown_again(lambda request, caller, good_id: _good_page(request, caller, good_id))
    async def change(
        self, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Change what is offered from now on."""
        given = {"active": "false"} | data
        await goods.change_good(caller, good_id, parse_form(GoodChange, given, GOOD, empties=True))
        return see_other(f"/admin/goods/{good_id}?done=changed")

    @post("/{good_id:uuid}/photo")
    @shown_again(lambda request, caller, good_id: _good_page(request, caller, good_id))
    async def set_photo(
        self, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: MultipartBody[PhotoUpload],
    ) -> Redirect:  # fmt: skip
        """Set the photo of the good."""
        await photos.set_photo(caller, good_id, data.photo.file)
        return see_other(f"/admin/goods/{good_id}?done=photo")

    @post("/{good_id:uuid}/cost")
    @shown_again(lambda request, caller, good_id: _good_page(request, caller, good_id))
    async def set_cost(
        self, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Set what one piece costs the community."""
        await costs.set_cost(caller, good_id, parse_form(CostIn, data, COST, empties=True).fen)
        return see_other(f"/admin/goods/{good_id}?done=changed")

    @post("/{good_id:uuid}/receipts")
    @shown_again(lambda request, caller, good_id: _good_page(request, caller, good_id))
    async def receive(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        good_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Goods came in."""
        came = parse_form(Receipt, data, RECEIPT)
        verb = stock.receive
        await once.answer(caller, lambda: verb(caller, good_id, came.station_id, came.quantity, came.note))
        return see_other(f"/admin/goods/{good_id}?done=received")

    @post("/{good_id:uuid}/counts")
    @shown_again(lambda request, caller, good_id: _good_page(request, caller, good_id))
    async def count(
        self, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Store a counted quantity."""
        found = parse_form(Count, data, COUNT)
        made = await stock.count_stock(caller, good_id, found.station_id, found.counted, found.note)
        return waits_or(made, f"/admin/goods/{good_id}?done=counted")


async def _goods_page(request: AnyRequest, caller: Scope, q: str = "", *, cursor: str | None = None) -> Template:
    caller.require_reader()
    found = await goods.list_goods(caller, with_ended=True, search=q, limit=PAGE, cursor=cursor)
    bar = Bar(path="/admin/goods", q=q, placeholder=_("名称"), cursor=cursor)
    count = partial(goods.count_goods, caller, with_ended=True, search=q)
    return page(request, caller, "goods/goods.html", found=found, bar=bar, count=await length_of(found, cursor, count))


def _new_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_admin()
    return page(request, caller, "goods/new.html", given={})


async def _good_page(
    request: AnyRequest, caller: Scope, good_id: UUID, done: str = "",
    cursor: str | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    return page(
        request, caller, "goods/good.html",
        good=await goods.find_good(caller, good_id), done=done, first=cursor is None,
        moves=await stock.list_stock_changes(caller, good_id, cursor=cursor), cost=await costs.cost_of(caller, good_id),
        stations=await all_pages(partial(stations, caller)),
    )  # fmt: skip
