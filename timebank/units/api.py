"""Units, their links to communities, and reporting in over HTTP."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.paging import Cursor, Limit, listed
from timebank.overview.units.summary import unit_summary
from timebank.units import affiliations, links, units
from timebank.units.schemas import (
    AffiliationIn,
    AffiliationOut,
    LinkIn,
    LinkOut,
    Reported,
    UnitChange,
    UnitIn,
    UnitKind,
    UnitOut,
    UnitSummary,
)


class Units(Controller):
    path = "/units"

    @get()
    async def units(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], kind: FromQuery[UnitKind | None] = None,
        q: Annotated[str, QueryParameter(max_length=60)] = "", active: FromQuery[bool | None] = True,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[UnitOut]]:  # fmt: skip
        """The units of the community's county by name, each with what it is to the community."""
        return listed(request, await units.units(caller, kind=kind, q=q, active=active, limit=limit, cursor=cursor))

    @post()
    async def found(self, data: JSONBody[UnitIn], caller: NamedDependency[Scope]) -> UnitOut:
        """Enter a unit for the whole county."""
        return await units.found_unit(caller, data)

    @patch("/{unit_id:uuid}")
    async def change(
        self, unit_id: FromPath[UUID], data: JSONBody[UnitChange], caller: NamedDependency[Scope]
    ) -> UnitOut:
        return await units.change_unit(caller, unit_id, data)

    @post("/{unit_id:uuid}/links")
    async def link(self, unit_id: FromPath[UUID], data: JSONBody[LinkIn], caller: NamedDependency[Scope]) -> LinkOut:
        """Say what the unit is to the caller's community from today on."""
        return await links.link_unit(caller, unit_id, data.kind)

    @delete("/links/{link_id:uuid}")
    async def end_link(self, link_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """The unit is this to the community no more."""
        await links.end_link(caller, link_id)

    @get("/{unit_id:uuid}/affiliations")
    async def reported(
        self, request: Request[Any, Any, Any], unit_id: FromPath[UUID], caller: NamedDependency[Scope],
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[Reported]]:  # fmt: skip
        """Who has reported in to the community from the unit."""
        return listed(request, await affiliations.reported_in(caller, unit_id, limit=limit, cursor=cursor))

    @get("/{unit_id:uuid}/summary")
    async def summary(
        self, unit_id: FromPath[UUID], caller: NamedDependency[Scope],
        first: Annotated[date | None, QueryParameter(name="from")] = None,
        last: Annotated[date | None, QueryParameter(name="to")] = None,
    ) -> UnitSummary:  # fmt: skip
        """How many reported in and served, and how many minutes, in the communities that the caller reaches."""
        return await unit_summary(caller, unit_id, first, last)


class Affiliations(Controller):
    path = "/affiliations"

    @post()
    async def report_in(self, data: JSONBody[AffiliationIn], caller: NamedDependency[Scope]) -> AffiliationOut:
        """Report a resident in from a unit; from the same unit again, the same answer."""
        return await affiliations.report_in(caller, data)

    @delete("/{affiliation_id:uuid}")
    async def leave(self, affiliation_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """End a reporting-in from today on."""
        await affiliations.leave_unit(caller, affiliation_id)
