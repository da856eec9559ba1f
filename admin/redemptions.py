"""The panel's pages of redemptions: list, cancel a reservation, return a collected good."""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.of_person import SOUGHT_BY, Several, narrowed_to, one_or_several
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.shop import cancelling, reading, returns
from timebank.shop.schemas import RedemptionStatus, Return
from timebank.stations.stations import stations
from timebank.web.forms import parse_form
from timebank.web.lists import Bar, Choice, length_of, order_asked, order_choice
from timebank.web.pages import page, see_other

PATH = "/admin/goods/redemptions"
FILTERS = ("status", "station", "person_id", "order")
PAGE = 50
CHOSEN = {"status": _("状态"), "station_id": _("驿站"), "person_id": _("居民")}
STATUS = {
    "reserved": _("待领取"), "collected": _("已领取"), "cancelled": _("已取消"), "expired": _("过期未领"),
    "returned": _("已退货"),
}  # fmt: skip


class Chosen(msgspec.Struct):
    """The filters of the list."""

    status: RedemptionStatus | None = None
    station_id: UUID | None = None
    person_id: UUID | None = None


class PanelRedemptionPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def redemptions(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[str] = "",
        station: FromQuery[str] = "", person_id: FromQuery[str] = "", order: FromQuery[str] = "",
        done: FromQuery[str] = "", cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The redemptions, of one person where the address names one."""
        asked = {"status": status, "station": station, "person_id": person_id, "order": order}
        return await _redemptions_page(request, caller, asked, cursor, done=done)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _redemptions_page(request, caller, {}))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """The redemptions of the person of this name or number; several of one name are shown to choose from."""
        caller.require_reader()
        found = await one_or_several(caller, data, PATH, FILTERS)
        return found if isinstance(found, Redirect) else await _redemptions_page(request, caller, data, people=found)

    @post("/{redemption_id:uuid}/cancellation")
    @shown_again(lambda request, caller, redemption_id: _redemption_page(request, caller, redemption_id))
    async def cancel(self, caller: NamedDependency[Scope], redemption_id: FromPath[UUID]) -> Redirect:
        """Cancel a reservation."""
        await cancelling.cancel(caller, redemption_id)
        return see_other("/admin/goods/redemptions?done=cancelled")

    @get("/{redemption_id:uuid}")
    async def redemption(
        self, request: AnyRequest, caller: NamedDependency[Scope], redemption_id: FromPath[UUID]
    ) -> Template:
        """One redemption and the form to return it."""
        return await _redemption_page(request, caller, redemption_id)

    @post("/{redemption_id:uuid}/return")
    @shown_again(lambda request, caller, redemption_id: _redemption_page(request, caller, redemption_id))
    async def take_back(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        redemption_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Return a collected good."""
        reason = parse_form(Return, data, {"reason": _("原因")}).reason
        address = f"/admin/goods/redemptions/{redemption_id}"
        answer = await once.answer(caller, lambda: returns.return_goods(caller, redemption_id, reason))
        return see_other("/admin/agreements?done=waits" if answer.status_code == 202 else address)


async def _redemptions_page(
    request: AnyRequest, caller: Scope, asked: Mapping[str, str], cursor: str | None = None, *, done: str = "",
    people: Several | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    status, station, person, order = (asked.get(name, "") for name in FILTERS)
    chosen = parse_form(Chosen, {"status": status, "station_id": station, "person_id": person}, CHOSEN)
    places = [(each.id, each.name) for each in await all_pages(partial(stations, caller))]
    bar = Bar(
        path=PATH, q="", placeholder=SOUGHT_BY, cursor=cursor, kept={"person_id": person},
        choices=(
            Choice(_("状态"), "status", list(STATUS.items()), status),
            Choice(_("驿站"), "station", places, station), order_choice(order),
        ),
    )  # fmt: skip
    of_whom = {"person_id": chosen.person_id, "station_id": chosen.station_id}
    found = await reading.list_redemptions(
        caller, status=chosen.status, order=order_asked(order), limit=PAGE, cursor=cursor, **of_whom
    )
    count = partial(reading.count_redemptions, caller, status=chosen.status, **of_whom)
    return page(
        request, caller, "goods/redemptions.html", found=found, bar=bar, people=people, done=done, words=STATUS,
        count=await length_of(found, cursor, count), of=await narrowed_to(caller, chosen.person_id, bar),
    )  # fmt: skip


async def _redemption_page(request: AnyRequest, caller: Scope, redemption_id: UUID) -> Template:
    caller.require_reader()
    return page(
        request, caller, "goods/redemption.html", words=STATUS,
        redemption=await reading.find_redemption(caller, redemption_id),
    )  # fmt: skip
