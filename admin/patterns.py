"""The panel's forms of an activity's shift patterns, and the page of one shift with who leads it."""

from datetime import date
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.activities import activity_page
from timebank.activities import leaders, offers, shifts
from timebank.activities.patterns import patterns
from timebank.activities.patterns.schemas import BreakIn, Days, PatternIn
from timebank.activities.schemas import LeaderIn, Seats
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.stations.stations import station
from timebank.web.forms import parse_form
from timebank.web.local_times import LocalTime
from timebank.web.pages import page, see_other

BREAK = {"starts_on": _("停班第一天"), "ends_on": _("停班最后一天")}
PATTERN = {
    "station_id": _("驿站"), "days": _("放假怎么办"), "begins": _("开始时间"), "ends": _("结束时间"),
    "places": _("名额"), "least": _("最少人数"), "first": _("第一天"), "last": _("最后一天"),
    "break_from": _("停班第一天"), "break_until": _("停班最后一天"),
}  # fmt: skip
LEADER = {"person_id": _("带队的人"), "leads": _("带队")}
Form = URLEncodedBody[dict[str, str]]


class PatternForm(msgspec.Struct, kw_only=True):
    """The form of a pattern, but for its days of the week, which are boxes of their own."""

    station_id: UUID
    days: Days
    begins: LocalTime
    ends: LocalTime
    places: Seats
    least: int = 0
    first: date | None = None
    last: date | None = None
    break_from: date | None = None
    break_until: date | None = None

    def pattern(self, activity_id: UUID, weekdays: list[int]) -> PatternIn:
        if self.break_from and self.break_until:
            breaks = [BreakIn(self.break_from, self.break_until)]
        elif self.break_from or self.break_until:
            raise Invalid(why=_("停班要写明第一天和最后一天"))
        else:
            breaks = []
        if not weekdays:
            raise Invalid(why=_("请至少勾一天"))
        return PatternIn(
            activity_id=activity_id, station_id=self.station_id, weekdays=weekdays, days=self.days,
            starts_at=self.begins[:5], ends_at=self.ends[:5], seats=self.places, seats_min=max(0, self.least),
            starts_on=self.first, ends_on=self.last, breaks=breaks,
        )  # fmt: skip


class PanelPatternPages(Controller):
    path = "/admin/activities/{activity_id:uuid}"
    include_in_schema = False

    @post("/patterns")
    @shown_again(lambda request, activity_id, caller: activity_page(request, caller, activity_id))
    async def add(self, activity_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        chosen = [day for day in range(1, 8) if data.get(f"on_{day}")]
        wanted = parse_form(PatternForm, data, PATTERN).pattern(activity_id, chosen)
        await patterns.add_pattern(caller, wanted)
        return see_other(f"/admin/activities/{activity_id}?done=pattern")

    @post("/patterns/{pattern_id:uuid}/end")
    @shown_again(lambda request, activity_id, caller: activity_page(request, caller, activity_id))
    async def end(
        self, activity_id: FromPath[UUID], pattern_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await patterns.end_pattern(caller, pattern_id)
        return see_other(f"/admin/activities/{activity_id}?done=pattern_ended")

    @post("/patterns/{pattern_id:uuid}/breaks")
    @shown_again(lambda request, activity_id, caller: activity_page(request, caller, activity_id))
    async def add_break(
        self, activity_id: FromPath[UUID], pattern_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Redirect:
        await patterns.add_break(caller, pattern_id, parse_form(BreakIn, data, BREAK))
        return see_other(f"/admin/activities/{activity_id}?done=break")

    @get("/shifts/{shift_id:uuid}")
    async def shift(
        self, request: AnyRequest, activity_id: FromPath[UUID], shift_id: FromPath[UUID],
        caller: NamedDependency[Scope], done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """One shift: who has signed up, and who leads it."""
        return await _shift_page(request, caller, activity_id, shift_id, done=done)

    @post("/shifts/{shift_id:uuid}/leader")
    @shown_again(lambda request, activity_id, shift_id, caller: _shift_page(request, caller, activity_id, shift_id))
    async def leader(
        self, activity_id: FromPath[UUID], shift_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Redirect:
        wanted = parse_form(LeaderIn, data, LEADER)
        await leaders.name_shift_leader(caller, shift_id, wanted.person_id, leads=wanted.leads)
        return see_other(f"/admin/activities/{activity_id}/shifts/{shift_id}?done=leader")


async def _shift_page(
    request: AnyRequest, caller: Scope, activity_id: UUID, shift_id: UUID, *, done: str = ""
) -> Template:
    caller.require_reader()
    found = await shifts.shift(caller, shift_id)
    return page(
        request, caller, "activities/shift.html", activity=await offers.activity(caller, activity_id), shift=found,
        station=await station(caller, found.station_id), people=await leaders.people_of_shift(caller, shift_id),
        edits=caller.administers, done=done,
    )  # fmt: skip
