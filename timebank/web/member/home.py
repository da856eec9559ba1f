"""The first page: what one has, what goes on, what comes next; for a visitor, what this is."""

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect, Template

from timebank.access.callers import AnyRequest, provide_visitor
from timebank.areas.places import public_communities
from timebank.overview.resident import glance
from timebank.people.guardians import children_of
from timebank.preferences import language_of
from timebank.scope import HEADS, Role, Scope
from timebank.web.pages import page, see_other


class HomePages(Controller):
    path = "/"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get()
    async def home(self, request: AnyRequest, visitor: NamedDependency[Scope | None]) -> Template | Redirect:
        """A resident's own page; a device's and an administrator's from outside lead on to where they work."""
        if visitor is None:
            return page(request, None, "member/welcome.html", communities=await public_communities())
        if visitor.person_id is None:
            return see_other("/admin" if visitor.device_id is None else _device_page(visitor))
        seen = await glance(visitor, visitor.person_id, language_of(request))
        return page(
            request, visitor, "member/home.html", seen=seen, has_children=bool(await children_of(visitor)),
            keeps=bool(visitor.kept_stations), files_deeds=visitor.has(*HEADS, Role.grid_worker),
        )  # fmt: skip


def _device_page(device: Scope) -> str:
    return "/desk" if device.device_kind == "counter" else "/display"
