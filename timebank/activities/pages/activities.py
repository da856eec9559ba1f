"""A resident's page of activities and shifts: sign up, and cancel a sign-up."""

from functools import partial
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.activities import offers, shifts, substitutes
from timebank.activities.patterns import patterns, standing
from timebank.activities.patterns.schemas import PatternOut, StandingIn
from timebank.activities.patterns.words import days_in_words, times_in_words, weekday_in_words
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.rules.catalogue import rules
from timebank.rules.words import rule_in_words
from timebank.stations.stations import stations
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

WEEKDAY = {"weekday": _("星期")}


class ActivityPages(Controller):
    path = "/activities"
    include_in_schema = False

    @get()
    async def activities(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        return await _list(request, caller, done=done)

    @post("/shifts/{shift_id:uuid}/sign-up")
    @shown_again(lambda request, caller: _list(request, caller))
    async def sign_up(self, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Take a seat."""
        await shifts.sign_up(caller, shift_id)
        return see_other("/activities?done=signed")

    @post("/shifts/{shift_id:uuid}/withdrawal")
    @shown_again(lambda request, caller: _list(request, caller))
    async def withdraw(self, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Give the seat back."""
        await shifts.cancel_sign_up(caller, shift_id)
        return see_other("/activities?done=withdrawn")

    @post("/shifts/{shift_id:uuid}/offer")
    @shown_again(lambda request, caller: _list(request, caller))
    async def offer(self, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Look for somebody to take the own seat."""
        await substitutes.offer_seat(caller, shift_id)
        return see_other("/activities?done=offered")

    @post("/shifts/{shift_id:uuid}/take-over")
    @shown_again(lambda request, caller: _list(request, caller))
    async def take_over(self, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Take a seat that is on offer, or keep the own one."""
        await substitutes.take_over(caller, shift_id)
        return see_other("/activities?done=taken")

    @get("/regular")
    async def regular(self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = "") -> Template:
        """The patterns, and the days of the week for which the reader stands."""
        return await _regular(request, caller, done=done)

    @post("/patterns/{pattern_id:uuid}/standing")
    @shown_again(lambda request, caller: _regular(request, caller))
    async def stand(
        self, pattern_id: FromPath[UUID], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """Take every shift on a day of the week."""
        await standing.stand(caller, pattern_id, parse_form(StandingIn, data, WEEKDAY).weekday)
        return see_other("/activities/regular?done=standing")

    @post("/patterns/{pattern_id:uuid}/standing-end")
    @shown_again(lambda request, caller: _regular(request, caller))
    async def stop_standing(
        self, pattern_id: FromPath[UUID], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """End it with one tap."""
        await standing.stop_standing(caller, pattern_id, parse_form(StandingIn, data, WEEKDAY).weekday)
        return see_other("/activities/regular?done=ended")


async def _regular(request: AnyRequest, caller: Scope, *, done: str = "") -> Template:
    caller.require_self()
    found: list[PatternOut] = await all_pages(partial(patterns.shift_patterns, caller))
    names = {a.id: a.name for a in await all_pages(partial(offers.activities, caller))}
    places = {s.id: s.name for s in await all_pages(partial(stations, caller, active=None))}
    language = language_of(request)
    return page(
        request, caller, "member/regular.html", patterns=found, names=names, places=places, done=done,
        times={p.id: times_in_words(p, language) for p in found},
        days={p.id: days_in_words(p, language) for p in found},
        weekdays={day: weekday_in_words(day, language) for day in range(1, 8)},
    )  # fmt: skip


async def _list(request: AnyRequest, caller: Scope, *, done: str = "") -> Template:
    """The page of activities with their coming shifts, and the shifts for which the reader has signed up."""
    caller.require_self()
    found = await all_pages(partial(offers.activities, caller))
    coming = [s for s in await all_pages(partial(shifts.shifts, caller)) if not s.cancelled]
    regular = {p.activity_id for p in await all_pages(partial(patterns.shift_patterns, caller))}
    known = await all_pages(partial(rules, caller, kind="service"))
    by_activity = {a.id: [s for s in coming if s.activity_id == a.id] for a in found}
    return page(
        request, caller, "member/activities.html", activities=found,
        shifts=by_activity, mine=[s for s in coming if s.signed_up], names={a.id: a.name for a in found},
        regular=regular,
        places={s.id: s.name for s in await all_pages(partial(stations, caller, active=None))}, done=done,
        words={rule.code: rule_in_words(rule, language_of(request)) for rule in known},
    )  # fmt: skip
