"""Leads staff to their work: the workplace of their role, and the communities that they may choose."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from timebank.areas.places import regions_in_reach
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.web.pages import page, see_other
from timebank.web.workplaces import landing


class WorkPages(Controller):
    path = "/"
    include_in_schema = False

    @get("/work")
    async def work(self, caller: NamedDependency[Scope]) -> Redirect:
        """Redirect to where the caller works in the community."""
        return see_other(landing(caller))

    @get("/communities")
    async def communities(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The communities that the caller reaches, below their streets and counties; a form of each chooses it."""
        return page(
            request, caller, "member/communities.html",
            places=await regions_in_reach(caller), community_id=caller.community_id,
        )  # fmt: skip
