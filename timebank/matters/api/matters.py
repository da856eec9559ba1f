"""The HTTP API of matters: categories, opening and reading."""

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from timebank.agreements.schemas import Waiting
from timebank.core import clock
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest, client_address
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.matters.categories import categories
from timebank.matters.categories.categories import CategoryOut
from timebank.matters.figures.reading import matter_figures
from timebank.matters.figures.schemas import By, Figures
from timebank.matters.opening import opening, similar
from timebank.matters.opening.similar import SimilarOut
from timebank.matters.reading import listing, one
from timebank.matters.reading.shown import MatterOut
from timebank.matters.schemas import CategoryIn, MatterKind, MattersAsked, MatterStatus, OpenIn

Number = Annotated[str, QueryParameter(max_length=40)]


class MatterCategories(Controller):
    path = "/matter-categories"

    @get(opt=AT_THE_COUNTER)
    async def list_categories(
        self, request: AnyRequest, caller: NamedDependency[Scope], kind: FromQuery[MatterKind | None] = None,
        inactive: FromQuery[bool] = False,
    ) -> list[CategoryOut]:  # fmt: skip
        """The categories of matters with what is shown before sending; `inactive` adds those not in use, for staff."""
        language = language_of(request)
        return await categories.list_categories(caller, kind=kind, inactive=inactive, language=language)

    @put("/{code:str}", responses=WAITS)
    async def put_category(
        self, code: FromPath[str], data: JSONBody[CategoryIn], caller: NamedDependency[Scope]
    ) -> Response[CategoryOut | Waiting]:
        """Add or change a category, for administrators; a looser one waits for a second person.

        A matter keeps the due date that it was given.
        """
        return done_or_waiting(await categories.put_category(caller, code, data), 200)


class Matters(Controller):
    path = "/matters"

    @get()
    async def list_matters(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[MatterStatus | None] = None,
        kind: FromQuery[MatterKind | None] = None, unit_id: FromQuery[UUID | None] = None,
        team_id: FromQuery[UUID | None] = None, area_id: FromQuery[UUID | None] = None,
        category: FromQuery[str | None] = None, assignee: FromQuery[Literal["me"] | None] = None,
        open: FromQuery[bool] = False,  # noqa: A002  # the query's name
        mine: FromQuery[bool] = False, offered: FromQuery[bool] = False, late: FromQuery[bool] = False,
        unverified: FromQuery[bool] = False, since: FromQuery[date | None] = None,
        q: Annotated[str | None, QueryParameter(max_length=40)] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[MatterOut]]:  # fmt: skip
        """The matters that the caller may see, open ones by due date, others newest first.

        `offered`: what the caller may take. A unit's contact gets the unit's matters of every community that it serves.
        """
        asked = MattersAsked(
            status=status, open=open, kind=kind, unit_id=unit_id, team_id=team_id, area_id=area_id, category=category,
            assignee=assignee, mine=mine, offered=offered, late=late, unverified=unverified, q=q, since=since,
        )  # fmt: skip
        language = language_of(request)
        found = await listing.list_matters(caller, asked, limit=limit, cursor=cursor, language=language)
        return listed(request, found)

    @post(opt=AT_THE_COUNTER)
    async def open_matter(
        self, request: AnyRequest, data: JSONBody[OpenIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Report, order, wish, or what staff found. The receipt names number and due date; a nonce is received once."""
        language, browser = language_of(request), _phone(request)
        return await once.answer(
            caller, lambda: opening.open_matter(caller, data, browser=browser, language=language),
            required=data.nonce is None,
        )  # fmt: skip

    @get("/similar", opt=AT_THE_COUNTER)
    async def similar_matters(
        self, request: AnyRequest, caller: NamedDependency[Scope], category: FromQuery[str], area_id: FromQuery[UUID]
    ) -> list[SimilarOut]:
        """Up to five open matters of the category at the place, to be looked at before a report is sent."""
        return await similar.similar_matters(caller, category, area_id, language_of(request))

    @get("/by-number/{number:str}", opt=AT_THE_COUNTER)
    async def by_number(self, request: AnyRequest, number: FromPath[str], caller: NamedDependency[Scope]) -> MatterOut:
        """The matter of this number, as far as the caller may see it."""
        return await one.find_by_number(caller, number, language_of(request))

    @get("/{matter_id:uuid}", opt=AT_THE_COUNTER)
    async def matter(self, request: AnyRequest, matter_id: FromPath[UUID], caller: NamedDependency[Scope]) -> MatterOut:
        """One matter with its timeline and photos, as far as the caller may see them."""
        return await one.find_matter(caller, matter_id, language_of(request))


def _phone(request: AnyRequest) -> str:
    """What marks the phone that sends: kept as a keyed hash, and forgotten after 90 days."""
    address, agent = client_address(request), request.headers.get("User-Agent", "")
    return f"{address} {agent}" if address and agent else ""


class MatterFigures(Controller):
    path = "/figures/matters"

    @get()
    async def read(
        self, caller: NamedDependency[Scope], by: FromQuery[By] = "grid",
        since: Annotated[date | None, QueryParameter(name="from")] = None,
        until: Annotated[date | None, QueryParameter(name="to")] = None, region_id: FromQuery[UUID | None] = None,
    ) -> Figures:  # fmt: skip
        """The three figures with their targets, by grid, community, street, unit or category; the last 30 days if no
        period is given. For those who read the whole; grid workers their grids, contacts their units."""
        last = until or clock.local_day()
        return await matter_figures(caller, by, since or last - timedelta(days=29), last, region_id)
