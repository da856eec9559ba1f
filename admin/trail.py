"""The panel's page of the audit trail, newest first."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Template

from timebank.core.capability import capabilities
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.people.directory import list_people
from timebank.people.schemas import PersonLine
from timebank.trail.reading import names_of, trail
from timebank.trail.words import nouns, verbs
from timebank.web.lists import typed_words
from timebank.web.pages import page

FOUND_MAX = 20
Day = Annotated[str, QueryParameter(max_length=10)]


class PanelTrailPages(Controller):
    path = "/admin/audit"
    include_in_schema = False

    @get()
    async def lines(
        self, request: AnyRequest, caller: NamedDependency[Scope], verb: FromQuery[str] = "", since: Day = "",
        until: Day = "", person_id: FromQuery[UUID | None] = None, about_id: FromQuery[UUID | None] = None,
        noun_id: FromQuery[UUID | None] = None, cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The audit records of the community: of one kind, by whom, about whom or about which thing, of which days."""
        chosen = verb if verb in verbs() else ""
        found = await trail(
            caller, person_id=person_id, about_id=about_id, noun_id=noun_id, verb=chosen or None, since=_day(since),
            until=_day(until), language=language_of(request), cursor=cursor,
        )  # fmt: skip
        people = await names_of(caller, [each for each in (person_id, about_id) if each])
        kept = {"person_id": person_id, "about_id": about_id, "noun_id": noun_id}
        return page(
            request, caller, "trail/list.html", found=found, verb=chosen, since=since if _day(since) else "",
            until=until if _day(until) else "", by=people.get(person_id) if person_id else None,
            about=people.get(about_id) if about_id else None, kept={name: id_ for name, id_ in kept.items() if id_},
            verbs=verbs(), nouns=nouns(), cursor=cursor,
            pages={noun: address for one in capabilities() for noun, address in one.panel.items()},
        )  # fmt: skip

    @post("/search")
    @shown_again(lambda request, caller: _found_page(request, caller, ""))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template:
        """The residents of this name: what each of them did, and what was done about each."""
        return await _found_page(request, caller, typed_words(data))


async def _found_page(request: AnyRequest, caller: Scope, q: str) -> Template:
    caller.require_reader()
    found = await list_people(caller, q=q, limit=FOUND_MAX) if q else Page[PersonLine]([])
    return page(request, caller, "trail/found.html", q=q, found=found.items, more=found.next is not None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
