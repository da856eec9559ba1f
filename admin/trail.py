"""The panel's page of the audit trail, newest first."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from litestar.response import Template

from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.trail.reading import trail
from timebank.trail.words import NOUNS, verbs
from timebank.web.pages import page

PAGES = {
    "activity": "activities", "course": "classes", "deed": "deeds", "good": "goods", "import_run": "imports",
    "objection": "objections", "person": "people", "redemption": "goods/redemptions", "service_record": "reviews",
    "station": "stations",
}  # fmt: skip
"""The panel's path for each audited noun."""


class PanelTrailPages(Controller):
    path = "/admin/audit"
    include_in_schema = False

    @get()
    async def lines(
        self, request: AnyRequest, caller: NamedDependency[Scope], verb: FromQuery[str] = "",
        until: Annotated[str, QueryParameter(max_length=10)] = "", person_id: FromQuery[UUID | None] = None,
        noun_id: FromQuery[UUID | None] = None, cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The audit records of the community, optionally of one person or one thing."""
        chosen = verb if verb in verbs() else ""
        found = await trail(
            caller, person_id=person_id, noun_id=noun_id, verb=chosen or None, until=_day(until),
            language=language_of(request), cursor=cursor,
        )  # fmt: skip
        return page(
            request, caller, "trail/list.html", found=found, verb=chosen, until=until if _day(until) else "",
            person_id=person_id, noun_id=noun_id, verbs=verbs(), nouns=NOUNS, pages=PAGES,
        )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
