"""The HTTP interface of places and policies."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from timebank.areas import places
from timebank.areas.schemas import AREA_KINDS, PlaceIn, PlaceOut, Renaming
from timebank.core.paging import LIMIT_MAX, Page
from timebank.core.scope import Scope
from timebank.http.paging import Cursor, Limit, listed


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
        add = places.add_area if data.kind in AREA_KINDS else places.add_region
        return await add(caller, data.kind, data.name, data.parent_id)

    @patch("/{area_id:uuid}")
    async def rename(
        self, area_id: FromPath[UUID], data: JSONBody[Renaming], caller: NamedDependency[Scope]
    ) -> PlaceOut:
        """Rename a grid, building or unit."""
        return await places.rename_area(caller, area_id, data.name)
