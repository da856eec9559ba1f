"""The panel's pages of activities: their earning rule and their shifts."""

from datetime import date, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.activities import calling_off, changes, offers, shifts
from timebank.activities.patterns import patterns
from timebank.activities.patterns.words import days_in_words, times_in_words, weekday_in_words
from timebank.activities.schemas import ActivityChange, ActivityIn, Seats, ShiftIn
from timebank.activities.team_of import team_choices
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.rules.catalogue import rules
from timebank.rules.schemas import RuleOut
from timebank.rules.words import rule_in_words
from timebank.stations.stations import stations
from timebank.web.forms import parse_form
from timebank.web.local_times import LocalTime, moment_of
from timebank.web.pages import page, see_other

ACTIVITY = {
    "name": _("名称"), "description": _("说明"), "station_id": _("驿站"), "rule_code": _("积分规则"),
    "needs_sign_up": _("要先报名"), "paid": _("带薪值班"), "team_id": _("班组"),
}  # fmt: skip
CHANGE = ACTIVITY | {"active": _("进行中")}
SHIFT = {"station_id": _("驿站"), "day": _("日期"), "at": _("开始时间"), "minutes": _("时长"), "seats": _("名额")}
Form = URLEncodedBody[dict[str, str]]


class ShiftForm(msgspec.Struct):
    """The form of a shift: local day and start time, and the length in minutes."""

    station_id: UUID
    day: date
    at: LocalTime
    minutes: Annotated[int, Meta(ge=10, le=1440)]
    seats: Seats

    def shift(self) -> ShiftIn:
        begin = moment_of(self.day, self.at)
        return ShiftIn(self.station_id, begin, begin + timedelta(minutes=self.minutes), self.seats)


class PanelActivityPages(Controller):
    path = "/admin/activities"
    include_in_schema = False

    @get()
    async def activities(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        caller.require_reader()
        found = await all_pages(partial(offers.activities, caller, active=None))
        names = {station.id: station.name for station in await all_pages(partial(stations, caller, active=None))}
        known = await all_pages(partial(rules, caller, kind="service"))
        words = {rule.code: rule_line(rule, language_of(request)) for rule in known}
        return page(
            request, caller, "activities/activities.html", activities=found, places=names, words=words,
            edits=caller.administers,
        )  # fmt: skip

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await _new_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _new_page(request, caller))
    async def add(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        made = await offers.add_activity(caller, parse_form(ActivityIn, data, ACTIVITY))
        return see_other(f"/admin/activities/{made.id}?done=added")

    @get("/{activity_id:uuid}")
    async def activity(
        self, request: AnyRequest, activity_id: FromPath[UUID], caller: NamedDependency[Scope],
        done: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        """One activity with its coming shifts."""
        return await activity_page(request, caller, activity_id, done=done)

    @post("/{activity_id:uuid}")
    @shown_again(lambda request, activity_id, caller: activity_page(request, caller, activity_id))
    async def change(self, activity_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        given = {"active": "false", "needs_sign_up": "false", "paid": "false"} | data
        wanted = parse_form(ActivityChange, given, CHANGE, empties=True, emptied="description")
        await changes.change_activity(caller, activity_id, wanted)
        return see_other(f"/admin/activities/{activity_id}?done=changed")

    @post("/{activity_id:uuid}/shifts")
    @shown_again(lambda request, activity_id, caller: activity_page(request, caller, activity_id))
    async def add_shift(self, activity_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        await shifts.add_shift(caller, activity_id, parse_form(ShiftForm, data, SHIFT).shift())
        return see_other(f"/admin/activities/{activity_id}?done=shift")

    @post("/{activity_id:uuid}/shifts/{shift_id:uuid}/cancellation")
    @shown_again(lambda request, activity_id, caller: activity_page(request, caller, activity_id))
    async def cancel_shift(
        self, activity_id: FromPath[UUID], shift_id: FromPath[UUID],
        caller: NamedDependency[Scope],
    ) -> Redirect:  # fmt: skip
        await calling_off.cancel_shift(caller, shift_id)
        return see_other(f"/admin/activities/{activity_id}?done=cancelled")


def rule_line(rule: RuleOut, language: str) -> str:
    """A rule as the form offers it: its name and what it credits."""
    return f"{rule.name} · {rule_in_words(rule, language)}"


async def _choices(caller: Scope, language: str) -> dict[str, list[tuple[object, str]]]:
    teams: list[tuple[object, str]] = [(team.id, team.name) for team in await team_choices(caller)]
    usable = await all_pages(partial(rules, caller, kind="service", active=True))
    return {
        "rules": [(rule.code, rule_line(rule, language)) for rule in usable],
        "teams": teams,
        "stations": [(station.id, station.name) for station in await all_pages(partial(stations, caller))],
    }


async def _new_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_admin()
    return page(
        request, caller, "activities/new.html", given={},
        choices=await _choices(caller, language_of(request)),
    )  # fmt: skip


async def activity_page(request: AnyRequest, caller: Scope, activity_id: UUID, *, done: str = "") -> Template:
    caller.require_reader()
    coming = await all_pages(partial(shifts.shifts, caller, activity_id))
    names = {station.id: station.name for station in await all_pages(partial(stations, caller, active=None))}
    language = language_of(request)
    regular = await all_pages(partial(patterns.shift_patterns, caller, activity_id))
    return page(
        request, caller, "activities/activity.html", patterns=regular,
        times={p.id: times_in_words(p, language) for p in regular},
        days={p.id: days_in_words(p, language) for p in regular},
        weekdays=[(day, weekday_in_words(day, language)) for day in range(1, 8)],
        activity=await offers.activity(caller, activity_id), shifts=coming, places=names, done=done,
        choices=await _choices(caller, language), edits=caller.administers,
    )  # fmt: skip
