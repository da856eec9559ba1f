"""The panel's pages by which an administrator reserves a good or books a class for a resident, with a reason."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.classes.booking import book_seat
from timebank.classes.courses import lessons
from timebank.classes.schemas import BookingIn
from timebank.classes.schemas import Reason as BookingReason
from timebank.core import clock
from timebank.core.capability import Reading
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.ledger.statement import balances
from timebank.overview.residents.family import family_of
from timebank.people.directory import open_person
from timebank.policies.values import policies
from timebank.shop.goods import list_goods
from timebank.shop.limits import taken_this_month
from timebank.shop.redemption import redeem
from timebank.shop.schemas import Quantity, Reason, RedemptionIn
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]

AHEAD = timedelta(days=28)
RESERVED = {"good_id": _("物品"), "station_id": _("驿站"), "quantity": _("数量"), "reason": _("理由")}
BOOKED = {"child_id": _("孩子"), "lesson_id": _("哪一节"), "reason": _("理由")}


class ReservedFor(msgspec.Struct, forbid_unknown_fields=True):
    """What is chosen in the form of a reservation."""

    good_id: UUID
    station_id: UUID
    quantity: Quantity
    reason: Reason


class BookedFor(msgspec.Struct, forbid_unknown_fields=True):
    """What is chosen in the form of a booking."""

    child_id: UUID
    lesson_id: UUID
    reason: BookingReason


class PanelReservationPages(Controller):
    path = "/admin/people/{person_id:uuid}/reservation"
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """The goods that this resident can have, with the form to reserve one for them."""
        return await _reservation_page(request, caller, person_id)

    @post()
    @shown_again(lambda request, person_id, caller: _reservation_page(request, caller, person_id))
    async def reserve(
        self, person_id: FromPath[UUID], caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form
    ) -> Redirect:
        """Reserve a good for the resident, who is notified together with the household."""
        good_id, _sep, station_id = data.get("what", "").partition("/")
        sent = {name: value for name, value in data.items() if name != "what"}
        chosen = parse_form(ReservedFor, sent | {"good_id": good_id, "station_id": station_id}, RESERVED)
        wanted = RedemptionIn(
            person_id=person_id, good_id=chosen.good_id, station_id=chosen.station_id, quantity=chosen.quantity,
            reason=chosen.reason,
        )  # fmt: skip
        await once.answer(caller, lambda: redeem(caller, wanted))
        return see_other(f"/admin/people/{person_id}?part=redemptions&done=reserved_for")


class PanelBookingPages(Controller):
    path = "/admin/people/{person_id:uuid}/booking"
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """The coming lessons, with the form to book one for this child or for a child of this guardian."""
        return await _booking_page(request, caller, person_id)

    @post()
    @shown_again(lambda request, person_id, caller: _booking_page(request, caller, person_id))
    async def book(
        self, person_id: FromPath[UUID], caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form
    ) -> Redirect:
        """Book a seat for this child or a child of this guardian; the family is notified."""
        chosen = parse_form(BookedFor, data, BOOKED)
        caller.require_admin()
        if chosen.child_id != person_id and chosen.child_id not in dict(await _cared_for(caller, person_id)):
            raise NotFound
        wanted = BookingIn(chosen.lesson_id, chosen.child_id, chosen.reason)
        await once.answer(caller, lambda: book_seat(caller, wanted))
        return see_other(f"/admin/people/{person_id}?part=classes&done=booked_for")


async def _reservation_page(request: AnyRequest, caller: Scope, person_id: UUID) -> Template:
    caller.require_admin()
    person = await open_person(caller, person_id)
    points = (await balances(caller, person_id, [])).points
    taken = await taken_this_month(caller, person_id)
    return page(
        request, caller, "people/reserve_for.html", person=person, points=points, taken=taken,
        goods=await all_pages(partial(list_goods, caller)), hold_days=(await policies(caller)).hold_days,
    )  # fmt: skip


async def _booking_page(request: AnyRequest, caller: Scope, person_id: UUID) -> Template:
    caller.require_admin()
    person = await open_person(caller, person_id)
    children = [(person_id, person.name)] if person.is_child else await _cared_for(caller, person_id)
    now = clock.now()
    coming = await all_pages(partial(lessons, caller, since=now, until=now + AHEAD))
    return page(
        request, caller, "people/book_for.html", person=person, children=children,
        lessons=[lesson for lesson in coming if lesson.starts_at > now and lesson.cancelled_at is None],
    )  # fmt: skip


async def _cared_for(caller: Scope, person_id: UUID) -> list[tuple[UUID, str]]:
    """Id and name of each child of which the person is the guardian with consent."""
    family = await family_of(caller, person_id, Reading())
    cared = [(g.child_id, g.child_name) for g in family.guardianships if g.guardian_id == person_id and g.consented_at]
    return list(dict.fromkeys(cared))
