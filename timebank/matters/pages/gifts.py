"""Wishes at the counter: receive what was brought, hand it over for its code, and see what waits too long."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import scanned
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.matters.wishes.collecting import collect_gift, undo_gift
from timebank.matters.wishes.giving_back import give_back_gift
from timebank.matters.wishes.receiving import GiftIn, receive_gift, renew_gift
from timebank.matters.wishes.waiting import find_gift, gift_by_code, gifts_waiting, wishes_on_the_way
from timebank.presence.undoing.acts import seconds_to_undo
from timebank.shop.pages.counter import refused_page, shown_by
from timebank.shop.schemas import Collection
from timebank.stations.stations import station as station_of
from timebank.web.forms import parse_form
from timebank.web.offers import CounterLineShown
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
Id = FromPath[UUID]
Code = Annotated[str, QueryParameter(max_length=20)]
GIFT = {"station_id": _("驿站"), "value": _("大约值多少元")}
PROOF = {"code": _("取货码"), "presence": _("扫码")}
Done = Literal["", "received", "renewed", "given_back"]


class AtStation(msgspec.Struct):
    station_id: UUID


class CounterWishPages(Controller):
    path = "/desk/wishes"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get()
    async def wishes(
        self, request: AnyRequest, caller: NamedDependency[Scope], station: FromQuery[UUID], number: Code = "",
        cursor: Cursor = None, done: FromQuery[Done] = "",
    ) -> Template:  # fmt: skip
        """What somebody brings, and what waits here."""
        return await _list(request, caller, station, number=scanned.digits(number), cursor=cursor, done=done)

    @get("/pickup")
    @shown_again(lambda request, caller, code: refused_page(request, caller, {"code": code}))
    async def find(self, request: AnyRequest, caller: NamedDependency[Scope], code: Code = "") -> Template:
        """The gift with this code."""
        digits = scanned.digits(code)
        found = await gift_by_code(caller, digits)
        return page(request, caller, "desk/gift.html", gift=found, code=digits, undo_seconds=0)

    @post("/{matter_id:uuid}/receipt")
    @shown_again(lambda request, caller, data: _again(request, caller, data))
    async def receive(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], matter_id: Id, data: Form
    ) -> Redirect:
        """Receive what was brought for a wish."""
        gift = parse_form(GiftIn, data, GIFT)
        await once.answer(caller, lambda: receive_gift(caller, matter_id, gift))
        return see_other(f"/desk/wishes/{matter_id}")

    @post("/{matter_id:uuid}/renewal")
    @shown_again(lambda request, caller, data: _again(request, caller, data))
    async def renew(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Let it wait for thirty more days."""
        at = parse_form(AtStation, data, GIFT)
        await renew_gift(caller, matter_id)
        return see_other(f"/desk/wishes?station={at.station_id}&done=renewed")

    @post("/{matter_id:uuid}/giving-back")
    @shown_again(lambda request, caller, data: _again(request, caller, data))
    async def give_back(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Nobody has come in time: it was given back to who brought it."""
        at = parse_form(AtStation, data, GIFT)
        await give_back_gift(caller, matter_id)
        return see_other(f"/desk/wishes?station={at.station_id}&done=given_back")

    @post("/{matter_id:uuid}/collection")
    @shown_again(lambda request, caller, data: refused_page(request, caller, data))
    async def collect(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], matter_id: Id, data: Form
    ) -> Redirect:
        """Hand it over, proved by its code or a presence scan."""
        proof = parse_form(Collection, shown_by(data), PROOF)
        await once.answer(caller, lambda: collect_gift(caller, matter_id, proof))
        return see_other(f"/desk/wishes/{matter_id}")

    @post("/{matter_id:uuid}/undo")
    @shown_again(lambda request, caller, data: refused_page(request, caller, data))
    async def undo(self, caller: NamedDependency[Scope], matter_id: Id, data: Form) -> Redirect:
        """Undo what the keeper has just done."""
        caller.require_keeper(parse_form(AtStation, data, GIFT).station_id)
        await undo_gift(caller, matter_id)
        return see_other(f"/desk/wishes/{matter_id}")

    @get("/{matter_id:uuid}")
    async def gift(self, request: AnyRequest, caller: NamedDependency[Scope], matter_id: Id) -> Template:
        """The gift that was just received or handed over, for a minute with its undo."""
        found = await find_gift(caller, matter_id)
        at = found.collected_at or (found.received_at if found.status == "done" else None)
        return page(request, caller, "desk/gift.html", gift=found, code="", undo_seconds=seconds_to_undo(at))


async def _again(request: AnyRequest, caller: Scope, data: Mapping[str, str]) -> Template:
    return await _list(request, caller, parse_form(AtStation, data, GIFT).station_id)


async def _list(
    request: AnyRequest, caller: Scope, station_id: UUID, *, number: str = "", cursor: str | None = None,
    done: str = "",
) -> Template:  # fmt: skip
    here = await station_of(caller, station_id)
    coming = await wishes_on_the_way(caller, station_id, number=number, cursor=cursor)
    return page(
        request, caller, "desk/wishes.html", station=here, coming=coming.items, next=coming.next, number=number,
        first=cursor is None, waiting=await gifts_waiting(caller, station_id), done=done,
    )  # fmt: skip


async def gifts_line(caller: Scope, station_id: UUID) -> CounterLineShown | None:
    """The gifts that wait at this station, those for which nobody came set apart; None where none waits or comes."""
    waiting = await gifts_waiting(caller, station_id)
    coming = (await wishes_on_the_way(caller, station_id, limit=1)).items
    if not (waiting or coming):
        return None
    return CounterLineShown(
        text=said(_("心愿物品 {n} 件等领"), n=len(waiting)),
        rows=[(one.wish, f"{one.number[:4]} {one.number[4:]}") for one in waiting[:8]], more=max(len(waiting) - 8, 0),
        link=(f"/desk/wishes?station={station_id}", said(_("收下、续期"))),
        warns=any(one.overdue for one in waiting),
    )  # fmt: skip
