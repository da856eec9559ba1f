"""A family's pages of classes: class minutes, lessons, bookings, and the attendance code."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.classes import courses, reading, seats
from timebank.classes.booking import book_seat, cancel_booking, scope_for_child
from timebank.classes.class_time import purchase
from timebank.classes.class_time.minute_moves import move_class_hours
from timebank.classes.class_time.purchase import buy_class_hours, last_day, parcels_of, price
from timebank.classes.class_time.refunds import refund
from timebank.classes.schemas import (
    Booked,
    BookingIn,
    BookingOut,
    Bought,
    ClassHoursIn,
    CourseOut,
    MovedOut,
    MoveIn,
    Refunded,
    RefundIn,
    Unused,
)
from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.ledger.statement import ClassMinutes, balances
from timebank.people.guardianship.guardians import children_of
from timebank.people.schemas import ChildOut
from timebank.policies.values import policies
from timebank.shop.pages.redemptions import drawn
from timebank.web.forms import parse_form
from timebank.web.pages import decode_answer, page, see_other

AHEAD = timedelta(days=60)
S = TypeVar("S", bound=msgspec.Struct)
FOR_CHILD = {"child_id": _("孩子")}
SEAT = FOR_CHILD | {"lesson_id": _("课")}
UNUSED = FOR_CHILD | {"person_id": _("家长"), "course_id": _("课程")}
MOVE = UNUSED | {"to_course_id": _("转到的课")}
HOURS = FOR_CHILD | {"person_id": _("家长"), "course_id": _("课程"), "minutes": _("课时")}
OFFERED_MINUTES = (60, 120, 240, 480)


class Pupil(msgspec.Struct, frozen=True):
    """A child with its class minutes per course, its coming bookings, and the courses on offer."""

    child: ChildOut
    minutes: dict[UUID, int]
    bookings: list[BookingOut]
    courses: Sequence[CourseOut]


async def _pupil(caller: Scope, child: ChildOut) -> Pupil:
    acting = caller.within(child.community_id)
    held = (await balances(acting, acting.require_self(), [child.person_id])).class_minutes
    booked = await all_pages(partial(reading.bookings, acting, child_id=child.person_id, own=True))
    coming = [b for b in booked if b.status in ("held", "waiting") and b.ends_at > clock.now()]
    offered = await all_pages(partial(courses.courses, acting))
    return Pupil(child, _by_course(held), sorted(coming, key=lambda b: b.starts_at), offered)


def _by_course(held: list[ClassMinutes]) -> dict[UUID, int]:
    return {minutes.course_id: minutes.available for minutes in held}


class ClassPages(Controller):
    path = "/classes"
    include_in_schema = False

    @get()
    async def classes(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """Every child of the caller with its coming bookings, minutes and courses on offer."""
        return await _classes_page(request, caller)

    @get("/{course_id:uuid}")
    async def course(
        self, request: AnyRequest, caller: NamedDependency[Scope], course_id: FromPath[UUID],
        child: FromQuery[UUID | None] = None, done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """One course for one child, with the forms to buy minutes and book lessons."""
        return await _course_page(request, caller, course_id, child, done=done)

    @post("/{course_id:uuid}/hours")
    @shown_again(lambda request, caller, course_id, data: _course_page(request, caller, course_id, _child(data)))
    async def buy(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        course_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Buy class minutes for the child."""
        acting, wanted = await _for_child(caller, course_id, data, ClassHoursIn, HOURS)
        decode_answer(await once.answer(acting, lambda: buy_class_hours(acting, wanted)), Bought)
        return see_other(f"/classes/{course_id}?child={wanted.child_id}&done=bought")

    @post("/{course_id:uuid}/refund")
    @shown_again(lambda request, caller, course_id, data: _course_page(request, caller, course_id, _child(data)))
    async def give_minutes_back(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        course_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Refund the child's unused minutes as points."""
        acting, wanted = await _for_child(caller, course_id, data, RefundIn, UNUSED)
        decode_answer(await once.answer(acting, lambda: refund(acting, wanted)), Refunded)
        return see_other(f"/classes/{course_id}?child={wanted.child_id}&done=refunded")

    @post("/{course_id:uuid}/move")
    @shown_again(lambda request, caller, course_id, data: _course_page(request, caller, course_id, _child(data)))
    async def move_minutes(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        course_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Move the child's unused minutes to another course."""
        acting, wanted = await _for_child(caller, course_id, data, MoveIn, MOVE)
        decode_answer(await once.answer(acting, lambda: move_class_hours(acting, wanted)), MovedOut)
        return see_other(f"/classes/{wanted.to_course_id}?child={wanted.child_id}&done=moved")

    @post("/{course_id:uuid}/bookings")
    @shown_again(lambda request, caller, course_id, data: _course_page(request, caller, course_id, _child(data)))
    async def take_seat(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        course_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Book a seat, or a place on the waiting list."""
        wanted = parse_form(BookingIn, data, SEAT)
        acting = await scope_for_child(caller, wanted.child_id)
        made = decode_answer(await once.answer(acting, lambda: book_seat(acting, wanted)), Booked)
        return see_other(f"/classes/{course_id}?child={wanted.child_id}&done={made.status}")

    @get("/bookings/{booking_id:uuid}")
    async def door_code(
        self, request: AnyRequest, caller: NamedDependency[Scope], booking_id: FromPath[UUID]
    ) -> Template:
        """The attendance code, and the button that cancels the booking."""
        return await _booking_page(request, caller, booking_id)

    @post("/bookings/{booking_id:uuid}/cancellation")
    @shown_again(
        lambda request, caller, booking_id: _booking_page(request, caller, booking_id),
        lambda request, caller: _classes_page(request, caller),
    )
    async def give_back(self, caller: NamedDependency[Scope], booking_id: FromPath[UUID]) -> Redirect:
        """Cancel the booking."""
        shown, acting = await _own_booking(caller, booking_id)
        await cancel_booking(acting, booking_id)
        return see_other(f"/classes/{shown.course_id}?child={shown.child_id}&done=cancelled")


class _ForChild(msgspec.Struct):
    child_id: UUID


def _child(data: dict[str, str]) -> UUID:
    return parse_form(_ForChild, data, FOR_CHILD).child_id


async def _for_child(
    caller: Scope, course_id: UUID, data: dict[str, str], shape: type[S], labels: Mapping[str, str]
) -> tuple[Scope, S]:
    """The scope of the child's guardian, and what the form asks for the child in this course."""
    acting = await scope_for_child(caller, _child(data))
    known = {"person_id": str(acting.require_self()), "course_id": str(course_id)}
    return acting, parse_form(shape, data | known, labels)


async def _classes_page(request: AnyRequest, caller: Scope) -> Template:
    children = await children_of(caller)
    pupils = [await _pupil(caller, child) for child in children if child.consented]
    unconsented = [child.name for child in children if not child.consented]
    return page(request, caller, "member/classes.html", pupils=pupils, unconsented=unconsented)


async def _booking_page(request: AnyRequest, caller: Scope, booking_id: UUID) -> Template:
    shown, acting = await _own_booking(caller, booking_id)
    image = drawn(f"/desk/redemptions?code={shown.code}") if shown.code else None
    hours = (await policies(acting)).cancel_class_hours
    open_until_start = shown.moved_at or (shown.created_at if shown.reason else None)
    late = shown.status == "held" and not await seats.is_cancellable(acting, shown.starts_at, open_until_start)
    return page(request, caller, "member/booking.html", booking=shown, image=image, hours=hours, late=late)


async def _own_booking(caller: Scope, booking_id: UUID) -> tuple[BookingOut, Scope]:
    """A booking of one of the caller's children, and the caller's scope in its community."""
    for community_id in dict.fromkeys(p.community_id for p in caller.persons):
        acting = caller.within(community_id)
        if found := await reading.own_booking(acting, booking_id):
            return found, acting
    raise NotFound


async def _course_page(
    request: AnyRequest, caller: Scope, course_id: UUID, child_id: UUID | None, done: str = "",
) -> Template:  # fmt: skip
    children = [child for child in await children_of(caller) if child.consented]
    child = next((c for c in children if child_id in (None, c.person_id)), None)
    if child is None:
        raise NotFound
    acting = caller.within(child.community_id)
    shown = await courses.course(acting, course_id)
    now = clock.now()
    lessons = await all_pages(partial(courses.lessons, acting, course_id=course_id, since=now, until=now + AHEAD))
    booked = await all_pages(partial(reading.bookings, acting, child_id=child.person_id, own=True))
    parcels = await parcels_of(acting, acting.require_self())
    costs = [(minutes, price(minutes, shown.points_per_hour)) for minutes in OFFERED_MINUTES]
    has = [u for u in await reading.unused_of(acting, child.person_id) if u.course_id == course_id]
    return page(
        request, caller, "member/course.html", course=shown, child=child,
        children=[c for c in children if c.community_id == child.community_id], lessons=lessons,
        points=sum(parcel.points for parcel in parcels), done=done, began=now,
        available=await purchase.class_minutes(acting, child.person_id, course_id),
        booked={b.lesson_id: b for b in booked if b.status in ("held", "waiting")},
        offers=[(minutes, cost, last_day(parcels, cost, shown.ends_on)) for minutes, cost in costs],
        has=has[0] if has else None, others=await _others(acting, shown, has),
        over=not shown.active or shown.ends_on < clock.local_day(),
    )  # fmt: skip


async def _others(acting: Scope, shown: CourseOut, has: list[Unused]) -> list[tuple[CourseOut, int]]:
    """The courses to which the child's unused minutes could move, with the minutes they would become."""
    if not has:
        return []
    found = await all_pages(partial(courses.courses, acting))
    return [(c, has[0].worth * 60 // c.points_per_hour) for c in found if c.id != shown.id]
