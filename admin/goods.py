"""The panel's pages of goods: offer, change, photo and stock."""

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, MultipartBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.errors import Invalid, TimebankError
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.uploads import PhotoUpload
from timebank.shop import goods, photos, stock
from timebank.shop.goods import GoodNameTaken
from timebank.shop.photos import NotAPhoto, PhotoTooLarge
from timebank.shop.schemas import Count, GoodChange, GoodIn, Receipt
from timebank.shop.stock import CountedBelowReserved
from timebank.stations.places import stations
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other, waits_or

PAGE = 50
GOOD = {
    "name": _("名称"), "points": _("积分"), "unit": _("单位"), "monthly_limit": _("每户每月限"),
    "active": _("继续兑换"),
}  # fmt: skip
RECEIPT = {"station_id": _("驿站"), "quantity": _("数量"), "note": _("说明")}
COUNT = {"station_id": _("驿站"), "counted": _("清点数"), "note": _("说明")}
REFUSALS = (Invalid, GoodNameTaken, NotAPhoto, PhotoTooLarge, CountedBelowReserved)
Search = Annotated[str, QueryParameter(max_length=60)]


class PanelGoodsPages(Controller):
    path = "/admin/goods"
    include_in_schema = False

    @get()
    async def goods(
        self, request: AnyRequest, caller: NamedDependency[Scope], q: Search = "", cursor: Cursor = None
    ) -> Template:
        """All goods with their stock, including those no longer offered."""
        caller.require_reader()
        found = await goods.list_goods(caller, with_ended=True, search=q.strip(), limit=PAGE, cursor=cursor)
        return page(request, caller, "goods/goods.html", found=found, q=q, cursor=cursor)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for a new good."""
        caller.require_admin()
        return page(request, caller, "goods/new.html", given={}, refused=None)

    @post()
    async def add(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """Add a good, then show its page for stock and photo."""
        try:
            made = await goods.add_good(caller, parse_form(GoodIn, data, GOOD))
        except REFUSALS as refusal:
            said = refusal.text(language_of(request))
            return page(request, caller, "goods/new.html", status=refusal.status, given=data, refused=said)
        return see_other(f"/admin/goods/{made.id}?done=added")

    @get("/{good_id:uuid}")
    async def good(
        self, request: AnyRequest, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        cursor: Cursor = None, done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """One good with its price, photo and stock at every station."""
        return await _good_page(request, caller, good_id, done=done, cursor=cursor)

    @post("/{good_id:uuid}")
    async def change(
        self, request: AnyRequest, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Template | Redirect:  # fmt: skip
        """Change a good from now on; existing reservations keep their price."""
        try:
            given = {"active": "false"} | data
            await goods.change_good(caller, good_id, parse_form(GoodChange, given, GOOD, empties=True))
        except REFUSALS as refusal:
            return await _good_page(request, caller, good_id, refusal)
        return see_other(f"/admin/goods/{good_id}?done=changed")

    @post("/{good_id:uuid}/photo")
    async def set_photo(
        self, request: AnyRequest, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: MultipartBody[PhotoUpload],
    ) -> Template | Redirect:  # fmt: skip
        """Set the photo of the good."""
        try:
            await photos.set_photo(caller, good_id, await data.photo.read(photos.UPLOAD_BYTES_MAX + 1))
        except REFUSALS as refusal:
            return await _good_page(request, caller, good_id, refusal)
        return see_other(f"/admin/goods/{good_id}?done=photo")

    @post("/{good_id:uuid}/receipts")
    async def receive(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        good_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Template | Redirect:  # fmt: skip
        """Receive goods into stock."""
        try:
            came = parse_form(Receipt, data, RECEIPT)
            verb = stock.receive
            await once.answer(caller, lambda: verb(caller, good_id, came.station_id, came.quantity, came.note))
        except REFUSALS as refusal:
            return await _good_page(request, caller, good_id, refusal)
        return see_other(f"/admin/goods/{good_id}?done=received")

    @post("/{good_id:uuid}/counts")
    async def count(
        self, request: AnyRequest, caller: NamedDependency[Scope], good_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Template | Redirect:  # fmt: skip
        """Store a counted quantity."""
        try:
            found = parse_form(Count, data, COUNT)
            made = await stock.count_stock(caller, good_id, found.station_id, found.counted, found.note)
        except REFUSALS as refusal:
            return await _good_page(request, caller, good_id, refusal)
        return waits_or(made, f"/admin/goods/{good_id}?done=counted")


async def _good_page(
    request: AnyRequest, caller: Scope, good_id: UUID, refusal: TimebankError | None = None, done: str = "",
    cursor: str | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    return page(
        request, caller, "goods/good.html", status=refusal.status if refusal else 200,
        good=await goods.find_good(caller, good_id), done=done, first=cursor is None,
        moves=await stock.list_stock_changes(caller, good_id, cursor=cursor),
        stations=await all_pages(partial(stations, caller)),
        refused=refusal.text(language_of(request)) if refusal else None,
    )  # fmt: skip
