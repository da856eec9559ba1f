"""The panel's pages of areas: a community's grids, buildings and units, and the communities of a street or county."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.areas.addresses import place_in_words
from timebank.areas.places import ABOVE, add_area, add_region, areas_of, regions_in_reach, rename_area
from timebank.areas.schemas import PlaceIn, PlaceOut, Renaming
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.people.households import people_in_areas
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]

KINDS = {
    "county": _("县"), "street": _("街道"), "community": _("社区"), "grid": _("网格"), "building": _("楼栋"),
    "unit": _("单元"),
}  # fmt: skip
PLACE = {"kind": _("级别"), "name": _("名称"), "parent_id": _("上级")}


class Shown(msgspec.Struct):
    """An area with the areas below it and its number of residents."""

    place: PlaceOut
    below: int
    people: int


class PanelAreaPages(Controller):
    path = "/admin/areas"
    include_in_schema = False

    @get()
    async def areas(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str | None] = None
    ) -> Template:
        return await _areas_page(request, caller, None, done=done)

    @get("/{area_id:uuid}")
    async def one(
        self, request: AnyRequest, area_id: FromPath[UUID], caller: NamedDependency[Scope],
        done: FromQuery[str | None] = None,
    ) -> Template:  # fmt: skip
        return await _areas_page(request, caller, area_id, done=done)

    @post()
    @shown_again(lambda request, caller, data: _areas_page(request, caller, _parent(data)))
    async def add(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Add a grid, building or unit, then show the area that it was added to."""
        place = parse_form(PlaceIn, data, PLACE)
        await add_area(caller, place.kind, place.name, place.parent_id)
        return see_other(f"/admin/areas/{place.parent_id}?done=1" if place.parent_id else "/admin/areas?done=1")

    @post("/regions")
    @shown_again(lambda request, caller: _areas_page(request, caller, None))
    async def found(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Found a street or a community."""
        place = parse_form(PlaceIn, data, PLACE)
        await add_region(caller, place.kind, place.name, place.parent_id)
        return see_other("/admin/areas?done=1")

    @post("/{area_id:uuid}/name")
    @shown_again(lambda request, area_id, caller: _areas_page(request, caller, area_id))
    async def rename(self, area_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        await rename_area(caller, area_id, parse_form(Renaming, data, {"name": _("名称")}).name)
        return see_other(f"/admin/areas/{area_id}?done=1")


def _parent(data: dict[str, str]) -> UUID | None:
    try:
        return UUID(data.get("parent_id", ""))
    except ValueError:
        return None


async def _areas_page(
    request: AnyRequest, caller: Scope, area_id: UUID | None, *,
    done: str | None = None,
) -> Template:  # fmt: skip
    """The page of an area and the areas below it; without `area_id`, of the whole community."""
    caller.require_reader()
    async with transaction(caller):
        found = await areas_of(caller)
        here = next((area for area in found if area.id == area_id), None)
        if area_id is not None and here is None:
            raise NotFound
        counted = await people_in_areas(caller)
        regions = await regions_in_reach(caller)
    below = [
        Shown(area, sum(a.parent_id == area.id for a in found), counted.get(area.id, 0))
        for area in found
        if area.parent_id == area_id
    ]
    kind = here.kind if here else None
    return page(
        request, caller, "areas/list.html", area=here, below=below,
        above=next((area for area in found if here and area.id == here.parent_id), None), kinds=KINDS, done=done,
        words=place_in_words(here.id, {area.id: area for area in found}) if here else "",
        addable=[k for k in ("grid", "building", "unit") if kind in ABOVE[k]], may=caller.administers,
        people=counted.get(area_id, 0) if area_id else 0, regions=regions,
        founds=caller.has(Role.street_admin, Role.county_admin),
    )  # fmt: skip
