"""The panel's pages of role grants: list them, and grant a role by choosing first the role, then its place."""

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.person_page import area_options, person_page
from timebank.access.roles.grants import PLACES, end_grant, grant
from timebank.access.roles.listing import grants
from timebank.access.roles.words import ROLES
from timebank.access.schemas import GrantIn
from timebank.areas.places import areas_of, regions_in_reach
from timebank.core import clock
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Role, Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.people.directory import names_of, open_person
from timebank.stations.stations import stations
from timebank.units.units import unit_options
from timebank.web.forms import parse_form
from timebank.web.pages import page, waits_or

Form = URLEncodedBody[dict[str, str]]

FIELDS = {
    "person_id": _("居民"), "role": _("身份"), "region_id": _("地方"), "area_id": _("地方"), "station_id": _("地方"),
    "starts_on": _("开始日期"), "ends_on": _("截止日期"), "paid": _("带薪"), "unit_id": _("单位"),
}  # fmt: skip


# A role over a region of this kind is offered only to callers who may grant the role of its administrator.
REGIONS = {"community": Role.community_admin, "street": Role.street_admin, "county": Role.county_admin}


class _Person(msgspec.Struct):
    person_id: UUID


class PanelRolePages(Controller):
    path = "/admin/roles"
    include_in_schema = False

    @get()
    async def roles(
        self, request: AnyRequest, caller: NamedDependency[Scope], role: FromQuery[str] = "", cursor: Cursor = None,
        done: FromQuery[str | None] = None,
    ) -> Template:  # fmt: skip
        """The role grants, newest first."""
        chosen = Role(role) if role in {r.value for r in Role} else None
        found = await grants(caller, role=chosen, limit=50, cursor=cursor)
        return page(
            request, caller, "roles/list.html", found=found, role=role, role_words=ROLES, done=done, cursor=cursor,
            may=caller.administers, names=await names_of(caller, {g.granted_by for g in found.items if g.granted_by}),
        )  # fmt: skip

    @get("/new")
    async def ask(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID],
        role: FromQuery[str] = "",
    ) -> Template:  # fmt: skip
        return await _form_page(request, caller, person_id, role)

    @post()
    @shown_again(lambda request, caller, data: _form_page(request, caller, _person_of(data), data.get("role", "")))
    async def give(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        made = await grant(caller, parse_form(GrantIn, data, FIELDS))
        return waits_or(made, f"/admin/people/{data.get('person_id')}?part=access&done=role")

    @post("/{grant_id:uuid}/end")
    @shown_again(lambda request, caller, data: person_page(request, caller, _person_of(data)))
    async def end(self, grant_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        person_id = _person_of(data)
        made = await end_grant(caller, grant_id, data.get("reason", "")[:500] or None)
        return waits_or(made, f"/admin/people/{person_id}?part=access&done=role_ended")


def _person_of(data: dict[str, str]) -> UUID:
    return parse_form(_Person, data, {"person_id": _("居民")}).person_id


async def _form_page(request: AnyRequest, caller: Scope, person_id: UUID, role: str) -> Template:
    """The form to grant a role: the roles, then the places that fit the chosen role."""
    caller.require_admin()
    offered = _offered(caller)
    chosen = next((r for r in offered if r.value == role), None)
    field, places = await _places(caller, chosen) if chosen else ("", [])
    return page(
        request, caller, "roles/form.html",
        person=await open_person(caller, person_id), role=chosen, offered=offered, role_words=ROLES, field=field,
        places=places, today=clock.local_day(),
        units=await unit_options(caller) if chosen is Role.unit_contact else [],
    )  # fmt: skip


def _offered(scope: Scope) -> list[Role]:
    """The roles that the caller may grant: none above the caller's own level."""
    beyond = set() if scope.has(Role.county_admin) else {Role.county_admin}
    if not scope.uses("units"):
        beyond.add(Role.unit_contact)
    if not scope.has(Role.street_admin, Role.county_admin):
        beyond.add(Role.street_admin)
    return [role for role in ROLES if role not in beyond]


async def _places(scope: Scope, role: Role) -> tuple[str, list[tuple[UUID, str]]]:
    """The form field of the place, and the places over which the role can be granted."""
    kinds = PLACES[role]
    if "station" in kinds:
        return "station_id", [(s.id, s.name) for s in await all_pages(partial(stations, scope))]
    if not kinds.isdisjoint(REGIONS):
        above = {kind for kind, role in REGIONS.items() if role in _offered(scope)}
        return "region_id", [(r.id, r.name) for r in await regions_in_reach(scope) if r.kind in kinds & above]
    fitting = {area.id for area in await areas_of(scope) if area.kind in kinds}
    return "area_id", [(id_, name) for id_, name in await area_options(scope) if id_ in fitting]
