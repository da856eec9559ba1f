"""Goods at the counter: hand over reservations, and redeem goods on the spot."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.pickup import find_pickup
from timebank.core import database, scanned
from timebank.core.capability import counter_page_of
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.ledger.grace import FirstOut, first_out
from timebank.ledger.statement import balances
from timebank.policies.values import policies
from timebank.presence.undoing.acts import seconds_to_undo
from timebank.shop import collection, goods, reading
from timebank.shop.collection import (
    OwnRedemption,
)
from timebank.shop.redemption import redeem
from timebank.shop.returns import undo_hand_over
from timebank.shop.schemas import Collection, GoodOut, Redeemed, RedemptionIn
from timebank.web.forms import parse_form
from timebank.web.offers import CounterButton, Offered, Stand
from timebank.web.pages import decode_answer, page, see_other

Code = Annotated[str, QueryParameter(max_length=20)]
CODE = {"code": _("取货码"), "presence": _("扫码")}
TAKEN = {
    "person_id": _("居民"), "good_id": _("物品"), "station_id": _("驿站"), "quantity": _("数量"),
    "collect_now": _("交付"), "presence": _("扫码"),
}  # fmt: skip


class CounterGoods(msgspec.Struct, frozen=True, kw_only=True):
    """What `desk/_goods.html` shows for the person at the counter.

    `available` are the points to spend now; None for somebody found by name, for whom a second person is asked.
    """

    person_id: UUID
    station_id: UUID
    presence: str | None
    available: int | None
    first: FirstOut | None
    shelf: list[GoodOut]


async def counter_offers(caller: Scope, stand: Stand) -> Offered:
    """The person's reservations at this station, each with its button, and the goods there as tiles."""
    if stand.presence is None:
        shown = CounterGoods(
            person_id=stand.person_id, station_id=stand.station_id, presence=None, available=None, first=None,
            shelf=await offered_here(caller, stand.station_id),
        )  # fmt: skip
        return Offered(part="desk/_goods.html", shown=shown)
    async with database.gathering() as reads:
        waiting = reads.start(
            reading.list_waiting_redemptions(caller, stand.person_id, stand.station_id, stand.presence)
        )
        has = reads.start(balances(caller, stand.person_id, []))
        held = reads.start(policies(caller))
        shelf = reads.start(offered_here(caller, stand.station_id))
    points = has.result().points
    shown = CounterGoods(
        person_id=stand.person_id, station_id=stand.station_id, presence=stand.presence, available=points.available,
        first=await first_out(caller, points, held.result().hold_days), shelf=shelf.result(),
    )  # fmt: skip
    buttons = [
        CounterButton(
            path=f"/desk/redemptions/{one.id}/collection", text=said(_("交付")),
            note=said("{good} {quantity} {unit}", good=one.good, quantity=one.quantity, unit=one.unit), icon="gift",
            fields={"presence": stand.presence, "station_id": stand.station_id},
        )
        for one in waiting.result()
    ]  # fmt: skip
    return Offered(buttons=buttons, part="desk/_goods.html", shown=shown)


def shown_by(data: dict[str, str]) -> dict[str, str]:
    """The form's fields, with `code`, if sent, reduced to its digits."""
    digits = {"code": scanned.digits(data["code"])} if "code" in data else {}
    return {name: value for name, value in data.items() if name != "code"} | digits


async def offered_here(caller: Scope, station_id: UUID) -> list[GoodOut]:
    """The offered goods that this station has in stock."""
    offered = await all_pages(partial(goods.list_goods, caller, station_id=station_id))
    return [good for good in offered if any(place.quantity for place in good.stock)]


class CounterGoodsPages(Controller):
    path = "/desk/redemptions"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get()
    @shown_again(lambda request, caller, code: refused_page(request, caller, {"code": code}))
    async def find(self, request: AnyRequest, caller: NamedDependency[Scope], code: Code = "") -> Template | Redirect:
        """Find the reservation with this code; the code of something else redirects to its own page."""
        digits = scanned.digits(code)
        found = await find_pickup(caller, digits)
        if found is not None and found.noun != collection.NOUN:
            return see_other(f"{counter_page_of(found.noun)}?code={digits}")
        redemption = await reading.redemption_of_code(caller, found)
        return page(request, caller, "desk/redemption.html", redemption=redemption, code=digits)

    @post("/{redemption_id:uuid}/collection")
    @shown_again(
        lambda request, caller, data, refusal, redemption_id: refused_page(
            request, caller, data, ask=_ask_for(redemption_id) if isinstance(refusal, OwnRedemption) else None
        )
    )
    async def hand_over(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        redemption_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Hand over a reservation, proved by its code or a presence scan."""
        proof = parse_form(Collection, shown_by(data), CODE)
        await once.answer(caller, lambda: collection.collect(caller, redemption_id, proof.code, proof.presence))
        return see_other(f"/desk/redemptions/{redemption_id}")

    @post()
    @shown_again(lambda request, caller, data: refused_page(request, caller, data))
    async def give_out(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Redeem a good for the person at the counter, who takes it along."""
        wanted = parse_form(RedemptionIn, data, TAKEN)
        made = decode_answer(await once.answer(caller, lambda: redeem(caller, wanted)), Redeemed)
        return see_other(f"/desk/redemptions/{made.id}")

    @post("/{redemption_id:uuid}/undo")
    @shown_again(lambda request, caller, data: refused_page(request, caller, data))
    async def undo(
        self, caller: NamedDependency[Scope], redemption_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Undo the hand-over that the keeper has just made, once the goods are back on the shelf."""
        await undo_hand_over(caller, redemption_id, goods_back=data.get("goods_back") == "yes")
        return see_other(f"/desk/redemptions/{redemption_id}")

    @get("/{redemption_id:uuid}")
    async def handed(
        self, request: AnyRequest, caller: NamedDependency[Scope], redemption_id: FromPath[UUID]
    ) -> Template:
        """The redemption that was just handed over, for a minute with its undo."""
        found = await reading.find_redemption(caller, redemption_id)
        undo_seconds = seconds_to_undo(found.ended_at) if found.status == "collected" else 0
        return page(request, caller, "desk/handed.html", redemption=found, undo_seconds=undo_seconds)


def refused_page(request: AnyRequest, caller: Scope, data: Mapping[str, str], *, ask: str | None = None) -> Template:
    """The page of a refusal: the typed code to correct, or the way back to the person whose scan the form had.

    `ask` is the address at which a confirmation can be asked for instead.
    """
    scan = {"station": data.get("station_id", ""), "scan": data.get("presence", "")}
    return page(
        request, caller, "desk/refused.html", ask=ask, code=scanned.digits(data.get("code", "")),
        again=f"/desk?{urlencode(scan)}" if all(scan.values()) else None,
    )  # fmt: skip


def _ask_for(redemption_id: UUID) -> str:
    return f"/desk/confirmations/redemptions/{redemption_id}"
