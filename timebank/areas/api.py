"""The HTTP interface of places and policies."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter

from timebank.agreements.answers import WAITS, answered
from timebank.agreements.schemas import Waiting
from timebank.areas import places, policies
from timebank.areas.schemas import AREA_KINDS, PlaceIn, PlaceOut, PolicyIn, PolicyOut, Renaming
from timebank.paging import LIMIT_MAX, Cursor, Limit, Page, listed
from timebank.scope import Scope

Name = Annotated[str, PathParameter(max_length=40)]


class Areas(Controller):
    path = "/areas"

    @get()
    async def list_places(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], limit: Limit = LIMIT_MAX,
        cursor: Cursor = None,
    ) -> Response[Page[PlaceOut]]:  # fmt: skip
        """The regions in reach, then the community's grids, buildings and units, each after its parent."""
        return listed(request, await places.places(caller, limit=limit, cursor=cursor))

    @post()
    async def add_place(self, data: JSONBody[PlaceIn], caller: NamedDependency[Scope]) -> PlaceOut:
        """Add a street, a community, a grid, a building or a unit."""
        add = places.add_area if data.kind in AREA_KINDS else places.found_region
        return await add(caller, data.kind, data.name, data.parent_id)

    @patch("/{area_id:uuid}")
    async def rename(
        self, area_id: FromPath[UUID], data: JSONBody[Renaming], caller: NamedDependency[Scope]
    ) -> PlaceOut:
        """Rename a grid, building or unit."""
        return await places.rename_area(caller, area_id, data.name)


class Policies(Controller):
    path = "/policies"

    @get()
    async def list_policies(self, caller: NamedDependency[Scope]) -> list[PolicyOut]:
        """Every policy of the community with the value in force."""
        return await policies.explained(caller)

    @put("/{name:str}", responses=WAITS)
    async def change(
        self, name: Name, data: JSONBody[PolicyIn], caller: NamedDependency[Scope]
    ) -> Response[PolicyOut | Waiting]:
        """Set one policy, in force at once; a looser value waits for a second person."""
        waiting = await policies.change_policy(caller, name, data.value)
        if waiting is not None:
            return answered(waiting)
        return answered(next(policy for policy in await policies.explained(caller) if policy.name == name), 200)
