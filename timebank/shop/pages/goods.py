"""A resident's pages of goods: list them and reserve one."""

from functools import partial
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.ledger.grace import first_out
from timebank.ledger.statement import PointBalance, balances
from timebank.policies.values import policies
from timebank.presence.visits import last_station
from timebank.shop import goods
from timebank.shop.limits import taken_this_month
from timebank.shop.redemption import redeem
from timebank.shop.schemas import GoodOut, Redeemed, RedemptionIn
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page, see_other

QUANTITY_MAX = 99
FIELDS = {"person_id": _("居民"), "good_id": _("物品"), "station_id": _("驿站"), "quantity": _("数量")}


async def _points(caller: Scope) -> PointBalance:
    return (await balances(caller, caller.require_self(), [])).points


class GoodsPages(Controller):
    path = "/goods"
    include_in_schema = False

    @get()
    async def goods(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """All offered goods; those in stock that the reader can afford come first."""
        points = await _points(caller)
        offered = await all_pages(partial(goods.list_goods, caller))
        offered.sort(key=lambda good: not (in_stock(good) and good.points <= points.available))
        return page(request, caller, "member/goods.html", goods=offered, points=points, in_stock=in_stock)

    @get("/{good_id:uuid}")
    async def good(self, request: AnyRequest, caller: NamedDependency[Scope], good_id: FromPath[UUID]) -> Template:
        """One good and the form to reserve it; the station that the reader visited last stands first."""
        return await _good_page(request, caller, good_id)

    @post("/{good_id:uuid}/reservation")
    @shown_again(lambda request, caller, good_id: _good_page(request, caller, good_id))
    async def reserve(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        good_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Reserve the good; the next page shows the collection code."""
        known = {"person_id": str(caller.require_self()), "good_id": str(good_id)}
        wanted = parse_form(RedemptionIn, data | known, FIELDS)
        made = decode_answer(await once.answer(caller, lambda: redeem(caller, wanted)), Redeemed)
        return see_other(f"/redemptions/{made.id}?new=1")


def in_stock(good: GoodOut) -> int:
    return sum(place.quantity for place in good.stock)


async def _good_page(request: AnyRequest, caller: Scope, good_id: UUID) -> Template:
    shown, points = await goods.find_good(caller, good_id), await _points(caller)
    taken = (await taken_this_month(caller, caller.require_self())).get(good_id, 0)
    left = QUANTITY_MAX if shown.monthly_limit is None else max(0, shown.monthly_limit - taken)
    places = [place for place in shown.stock if place.quantity] if shown.active else []
    own_station = await last_station(caller, caller.require_self())
    places.sort(key=lambda place: place.station_id != own_station)
    hold_days = (await policies(caller)).hold_days
    most = min(left, points.available // shown.points, max((place.quantity for place in places), default=0))
    return page(
        request, caller, "member/good.html", good=shown, points=points,
        taken=taken, left=left, places=places, most=most, hold_days=hold_days,
        first=await first_out(caller, points, hold_days),
    )  # fmt: skip
