"""A resident's page of activities and shifts: sign up, and cancel a sign-up."""

from functools import partial
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from timebank.activities import offers, shifts
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.rules.catalogue import rules
from timebank.rules.words import rule_in_words
from timebank.stations.stations import stations
from timebank.web.pages import page, see_other


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


async def _list(request: AnyRequest, caller: Scope, *, done: str = "") -> Template:
    """The page of activities with their coming shifts, and the shifts for which the reader has signed up."""
    caller.require_self()
    found = await all_pages(partial(offers.activities, caller))
    coming = [s for s in await all_pages(partial(shifts.shifts, caller)) if not s.cancelled]
    known = await all_pages(partial(rules, caller, kind="service"))
    by_activity = {a.id: [s for s in coming if s.activity_id == a.id] for a in found}
    return page(
        request, caller, "member/activities.html", activities=found,
        shifts=by_activity, mine=[s for s in coming if s.signed_up], names={a.id: a.name for a in found},
        places={s.id: s.name for s in await all_pages(partial(stations, caller, active=None))}, done=done,
        words={rule.code: rule_in_words(rule, language_of(request)) for rule in known},
    )  # fmt: skip
