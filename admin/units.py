"""The panel's pages of units: found one, say what it is to the community, see who reported in and what they did."""

from functools import partial
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.overview.units.summary import unit_summary
from timebank.units import affiliations, links, units
from timebank.units.schemas import LinkIn, UnitIn
from timebank.units.words import LINK_WORDS, UNIT_WORDS
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
UNIT = {"county_id": _("县"), "name": _("名称"), "kind": _("类别")}


class PanelUnitPages(Controller):
    path = "/admin/units"
    include_in_schema = False

    @get()
    async def units(self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = "") -> Template:
        """The county's units, those of the community marked."""
        return await _list_page(request, caller, done=done)

    @post()
    @shown_again(lambda request, caller: _list_page(request, caller))
    async def found(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        made = await units.found_unit(caller, parse_form(UnitIn, data, UNIT))
        return see_other(f"/admin/units/{made.id}?done=found")

    @get("/{unit_id:uuid}")
    async def unit(
        self, request: AnyRequest, unit_id: FromPath[UUID], caller: NamedDependency[Scope],
        done: FromQuery[str] = "", cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        return await _unit_page(request, caller, unit_id, done=done, cursor=cursor)

    @post("/{unit_id:uuid}/links")
    @shown_again(lambda request, unit_id, caller: _unit_page(request, caller, unit_id))
    async def link(self, unit_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        await links.link_unit(caller, unit_id, parse_form(LinkIn, data, {"kind": _("关系")}).kind)
        return see_other(f"/admin/units/{unit_id}?done=linked")

    @post("/{unit_id:uuid}/links/{link_id:uuid}/end")
    @shown_again(lambda request, unit_id, caller: _unit_page(request, caller, unit_id))
    async def end_link(
        self, unit_id: FromPath[UUID], link_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await links.end_link(caller, link_id)
        return see_other(f"/admin/units/{unit_id}?done=ended")


async def _list_page(request: AnyRequest, caller: Scope, *, done: str = "") -> Template:
    caller.require_reader()
    found = await all_pages(partial(units.units, caller, active=None))
    founds = caller.has(Role.county_admin)
    return page(
        request, caller, "units/units.html", units=found, kinds=UNIT_WORDS, links=LINK_WORDS, done=done, founds=founds,
        county=caller.path[0],
    )  # fmt: skip


async def _unit_page(
    request: AnyRequest, caller: Scope, unit_id: UUID, *, done: str = "", cursor: str | None = None
) -> Template:
    caller.require_reader()
    shown = await units.open_unit(caller, unit_id)
    return page(
        request, caller, "units/unit.html", unit=shown, kinds=UNIT_WORDS, links=LINK_WORDS, done=done, cursor=cursor,
        linked=[each for each in await links.links_of(caller, unit_id) if each.ends_on is None],
        found=await affiliations.reported_in(caller, unit_id, cursor=cursor), edits=caller.administers,
        figures=await unit_summary(caller, unit_id, None, None),
    )  # fmt: skip
