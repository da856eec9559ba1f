"""Ordering help for oneself or for family, and the wall of small wishes."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.matters.categories.categories import list_categories
from timebank.matters.opening.opening import OpenedOut, open_matter
from timebank.matters.opening.young import is_too_young, require_old_enough
from timebank.matters.pages.reporting import phone_mark
from timebank.matters.pages.timeline import TONES
from timebank.matters.reading.choices import helped_by, place_choices
from timebank.matters.reading.listing import list_matters
from timebank.matters.schemas import Code, MatterKind, MattersAsked, OpenIn, People, Place, Said, Yuan
from timebank.policies.values import policies
from timebank.web.forms import parse_form
from timebank.web.local_times import LocalTime, moment_of
from timebank.web.pages import decode_answer, page, see_other

Form = URLEncodedBody[dict[str, str]]


class OrderForm(msgspec.Struct, kw_only=True):
    """What is wanted, for whom, where, when and by how many people."""

    category: Code
    area_id: UUID
    place: Place = ""
    said: Said = ""
    for_person_id: UUID | None = None
    day: date | None = None
    at: LocalTime = "09:00"
    people_wanted: People = 1
    at_home: bool = False

    def wanted(self, *, for_person_id: UUID | None = None) -> OpenIn:
        """The order; `for_person_id`: of whoever stands at the counter."""
        return OpenIn(
            kind="order", category=self.category, area_id=self.area_id, place=self.place, said=self.said,
            for_person_id=for_person_id or self.for_person_id, people_wanted=self.people_wanted, at_home=self.at_home,
            wanted_at=self._wanted_at(),
        )  # fmt: skip

    def _wanted_at(self) -> datetime | None:
        return moment_of(self.day, self.at) if self.day is not None else None


class WishForm(msgspec.Struct, kw_only=True):
    """What somebody wishes for, and about how much it costs."""

    said: Said
    value_max: Yuan
    area_id: UUID
    for_person_id: UUID | None = None


ORDER = {
    "category": _("要什么帮忙"), "said": _("说清楚一点"), "for_person_id": _("为谁"), "area_id": _("在哪里"),
    "place": _("房号"), "day": _("哪天来"), "at": _("几点来"), "people_wanted": _("要几个人"), "at_home": _("上门"),
}  # fmt: skip
WISH = {"said": _("想要什么"), "value_max": _("大约多少元"), "for_person_id": _("为谁"), "area_id": _("在哪里")}


class OrderPages(Controller):
    path = "/matters/order"
    include_in_schema = False

    @get()
    async def form(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for an order."""
        return await _order_form(request, caller)

    @post()
    @shown_again(lambda request, caller: _order_form(request, caller))
    async def order(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form
    ) -> Redirect:
        """Send the order and show its receipt."""
        return await _opened(request, caller, once, parse_form(OrderForm, data, ORDER).wanted())


class WishPages(Controller):
    path = "/matters/wishes"
    include_in_schema = False

    @get()
    async def wall(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """The wishes that wait for somebody, without names."""
        asked = MattersAsked(offered=True, kind="wish")
        found = await list_matters(caller, asked, limit=30, cursor=cursor, language=language_of(request))
        return page(
            request, caller, "member/wishes.html", items=found.items, next=found.next, first=cursor is None,
            tones=TONES,
        )  # fmt: skip

    @get("/new")
    async def form(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for a wish."""
        return await _wish_form(request, caller)

    @post("/new")
    @shown_again(lambda request, caller: _wish_form(request, caller))
    async def wish(
        self, request: AnyRequest, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form
    ) -> Redirect:
        """Send the wish; the community looks at it before anybody sees it."""
        return await _opened(request, caller, once, await wish_of(caller, data))


async def wish_of(caller: Scope, data: Mapping[str, str], *, for_person_id: UUID | None = None) -> OpenIn:
    """The wish that a form sends; its category is the community's first one for wishes."""
    said = parse_form(WishForm, data, WISH)
    codes = [one.code for one in await list_categories(caller, kind="wish")]
    return OpenIn(
        kind="wish", category=next(iter(codes), "wish"), area_id=said.area_id, said=said.said, value_max=said.value_max,
        for_person_id=for_person_id or said.for_person_id,
    )  # fmt: skip


async def form_choices(
    request: AnyRequest, caller: Scope, kind: MatterKind, person_id: UUID | None = None
) -> dict[str, Any]:
    """What the form for an order or wish offers; `person_id`: of who stands at the counter."""
    language = language_of(request)
    categories = [one for one in await list_categories(caller, kind=kind, language=language) if not one.staff_only]
    return {
        "categories": categories, "places": await place_choices(caller, person_id), "today": clock.local_day(),
        "most": (await policies(caller)).wish_value_max,
    }  # fmt: skip


async def _opened(request: AnyRequest, caller: Scope, once: Idempotency, wanted: OpenIn) -> Redirect:
    await require_old_enough(caller)
    opened = await once.answer(
        caller, lambda: open_matter(caller, wanted, browser=phone_mark(request), language=language_of(request)),
        required=False,
    )  # fmt: skip
    return see_other(f"/matters/{decode_answer(opened, OpenedOut).id}?done=sent")


async def _order_form(request: AnyRequest, caller: Scope) -> Template:
    return await _form(request, caller, "order", "member/order.html")


async def _wish_form(request: AnyRequest, caller: Scope) -> Template:
    return await _form(request, caller, "wish", "member/wish.html")


async def _form(request: AnyRequest, caller: Scope, kind: MatterKind, template: str) -> Template:
    caller.require_use("matters")
    caller.require_self()
    if await is_too_young(caller):
        return page(request, caller, "member/matter_young.html")
    choices = await form_choices(request, caller, kind)
    return page(request, caller, template, helped=await helped_by(caller), **choices)
