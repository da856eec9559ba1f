"""Attendance of classes at the counter: today's bookings, marked by attendance code or presence scan."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.classes import attendance, reading
from timebank.classes.schemas import AttendanceIn
from timebank.classes.undone_attendance import undo_attendance
from timebank.core import clock, scanned
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.refusals import shown_again
from timebank.presence.choice import EARLY
from timebank.shop.pages.counter import refused_page, shown_by
from timebank.web.forms import parse_form
from timebank.web.offers import CounterButton, Offered, Stand
from timebank.web.pages import page, see_other

Code = Annotated[str, QueryParameter(max_length=20)]
CODE = {"code": _("到课码"), "presence": _("扫码")}


async def counter_offers(caller: Scope, stand: Stand) -> Offered:
    """A button for each booked seat of today, here, of the person at the counter and of the children in their care.

    Lessons that begin soon after midnight count too, as long as `EARLY` allows checking in for them.
    """
    if stand.presence is None:
        return Offered()
    since, until = clock.day_bounds(clock.local_day())
    soon = max(until, clock.now() + EARLY)
    coming = await reading.coming(caller, stand.person_id, stand.station_id, stand.presence, since, soon)
    return Offered(
        buttons=[
            CounterButton(
                path=f"/desk/bookings/{booking.id}/attendance", text=said(_("记到课")),
                note=said("{child} · {course}", child=booking.child, course=booking.course), icon="book",
                fields={"presence": stand.presence, "station_id": stand.station_id},
            )
            for booking in coming
        ]
    )  # fmt: skip


class CounterClassPages(Controller):
    path = "/desk/bookings"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get()
    @shown_again(lambda request, caller, code: refused_page(request, caller, {"code": code}))
    async def find(self, request: AnyRequest, caller: NamedDependency[Scope], code: Code = "") -> Template:
        """The booking with this attendance code."""
        digits = scanned.digits(code)
        found = await reading.booking_by_code(caller, digits)
        return page(request, caller, "desk/booking.html", booking=found, code=digits)

    @post("/{booking_id:uuid}/attendance")
    @shown_again(lambda request, caller, data: refused_page(request, caller, data))
    async def attend(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        booking_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Mark the child as attended."""
        proof = parse_form(AttendanceIn, shown_by(data), CODE)
        await once.answer(caller, lambda: attendance.attend(caller, booking_id, proof.code, proof.presence))
        return see_other(f"/desk/bookings/{booking_id}")

    @post("/{booking_id:uuid}/undo")
    @shown_again(lambda request, caller, data: refused_page(request, caller, data))
    async def undo(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        booking_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Undo the attendance that the keeper has just marked."""
        await once.answer(caller, lambda: undo_attendance(caller, booking_id))
        counter = {"station": data.get("station_id", ""), "done": "undone"}
        return see_other(f"/desk?{urlencode(counter)}" if counter["station"] else f"/desk/bookings/{booking_id}")

    @get("/{booking_id:uuid}")
    async def marked(self, request: AnyRequest, caller: NamedDependency[Scope], booking_id: FromPath[UUID]) -> Template:
        """The booking that was just marked as attended."""
        return page(request, caller, "desk/attended.html", booking=await reading.booking(caller, booking_id))
