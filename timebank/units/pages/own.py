"""A resident's page of units: report in from one, and leave it."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.units import affiliations
from timebank.units.schemas import AffiliationIn
from timebank.units.units import unit_options
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other


class _Chosen(msgspec.Struct):
    unit_id: UUID


class OwnUnitPages(Controller):
    path = "/units"
    include_in_schema = False

    @get()
    async def own(self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = "") -> Template:
        return await _page(request, caller, done=done)

    @post()
    @shown_again(lambda request, caller: _page(request, caller))
    async def report_in(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        chosen = parse_form(_Chosen, data, {"unit_id": _("单位")})
        await affiliations.report_in(caller, AffiliationIn(caller.require_self(), chosen.unit_id))
        return see_other("/units?done=reported")

    @post("/{affiliation_id:uuid}/end")
    @shown_again(lambda request, caller: _page(request, caller))
    async def leave(self, affiliation_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        await affiliations.leave_unit(caller, affiliation_id)
        return see_other("/units?done=left")


async def _page(request: AnyRequest, caller: Scope, *, done: str = "") -> Template:
    caller.require_use("units")
    held = await affiliations.affiliations_of(caller, caller.require_self())
    return page(
        request, caller, "member/units.html", now_in=next((a for a in held if a.ended_on is None), None), done=done,
        before=[a for a in held if a.ended_on is not None], units=await unit_options(caller),
    )  # fmt: skip
