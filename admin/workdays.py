"""The panel's page of working days: the days that differ from Monday to Friday, and those that the county sets."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.activities.patterns.words import WEEKDAYS
from timebank.areas.schemas import ClearedWorkday, WorkdayIn
from timebank.areas.workdays import (
    clear_workday,
    may_set_workdays,
    set_workday,
    unannounced_years,
    work_years,
)
from timebank.core import clock
from timebank.core.database import transaction
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.people.directory import names_of
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]

DAY = {"day": _("日期")}
WORKDAY = {**DAY, "works": _("上班还是休息"), "name": _("原因")}


class PanelWorkdayPages(Controller):
    path = "/admin/workdays"
    include_in_schema = False

    @get()
    async def workdays(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str | None] = None
    ) -> Template:
        return await _workdays_page(request, caller, done=done)

    @post()
    @shown_again(lambda request, caller: _workdays_page(request, caller))
    async def set(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Make a day a workday or a day of rest in the county."""
        given = parse_form(WorkdayIn, data, WORKDAY)
        await set_workday(caller, given.day, works=given.works, name=given.name)
        return see_other("/admin/workdays?done=1")

    @post("/cleared")
    @shown_again(lambda request, caller: _workdays_page(request, caller))
    async def clear(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Take back what the county has set for a day."""
        await clear_workday(caller, parse_form(ClearedWorkday, data, DAY).day)
        return see_other("/admin/workdays?done=1")


async def _workdays_page(request: AnyRequest, caller: Scope, *, done: str | None = None) -> Template:
    """This year and the next, with what is estimated."""
    caller.require_reader()
    today = clock.local_day()
    async with transaction(caller):
        years = await work_years(caller, today.year, today.year + 1)
        missing = await unannounced_years()
        names = await names_of(caller, {each.set_by for year in years for each in year.days if each.set_by})
    return page(
        request, caller, "workdays/list.html", years=years, missing=missing, today=today, names=names,
        may=may_set_workdays(caller), weekdays=WEEKDAYS, done=done,
    )  # fmt: skip
