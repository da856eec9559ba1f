"""The API and the panel page of umbrellas."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from tests.source.umbrellas.lending import count_lent
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.web.pages import page


class Umbrellas(Controller):
    path = "/umbrellas"

    @get()
    async def lent(self, caller: NamedDependency[Scope]) -> dict[str, int]:
        """The number of umbrellas that are lent."""
        return {"lent": await count_lent(caller)}


class UmbrellaPages(Controller):
    path = "/admin/umbrellas"
    include_in_schema = False

    @get()
    async def show(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The number of umbrellas that are lent."""
        caller.require_admin()
        return page(request, caller, "umbrellas/umbrellas.html", lent=await count_lent(caller))
