"""The audit trail over HTTP."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.trail.reading import trail
from timebank.trail.schemas import ChangeOut


@get("/audit")
async def read_trail(
    request: Request[Any, Any, Any], caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
    about_id: FromQuery[UUID | None] = None, noun_id: FromQuery[UUID | None] = None,
    verb: Annotated[str | None, QueryParameter(max_length=60)] = None,
    since: FromQuery[date | None] = None, until: FromQuery[date | None] = None, limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[ChangeOut]]:  # fmt: skip
    """The audited changes and reads of the community, newest first; for administrators and auditors."""
    found = await trail(
        caller, person_id=person_id, about_id=about_id, noun_id=noun_id, verb=verb, since=since, until=until,
        language=language_of(request), limit=limit, cursor=cursor,
    )  # fmt: skip
    return listed(request, found)
