"""The panel's page of the ledger entries that are searched for."""

from collections.abc import Mapping
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template

from admin.ledger import entries_in_words
from admin.of_person import Several, narrowed_to, one_or_several
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.ledger.searching.found import DAYS_MAX, Asked, count_entries, entries_asked_for, find_entries
from timebank.ledger.searching.kinds import kind_options
from timebank.web.lists import Bar, length_of
from timebank.web.pages import page

PATH = "/admin/ledger/entries"
FIELDS = ("kind", "least", "most", "since", "until", "person_id")


class PanelEntryPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def entries(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """The entries of this person, kind, amount and these days."""
        return await _entries_page(request, caller, entries_asked_for(dict(request.query_params)), cursor)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _entries_page(request, caller, Asked(), None))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """The entries of the person of this name or number; several of one name are shown to choose from."""
        caller.require_reader()
        asked = entries_asked_for(data)
        found = await one_or_several(caller, _fields(asked) | {"q": data.get("q", "")}, PATH, FIELDS)
        return found if isinstance(found, Redirect) else await _entries_page(request, caller, asked, None, found)


async def _entries_page(
    request: AnyRequest, caller: Scope, asked: Asked, cursor: str | None,
    people: Several | None = None,
) -> Template:  # fmt: skip
    caller.require_reader()
    fields, language, person = _fields(asked), language_of(request), asked.person_id
    found = await find_entries(caller, asked, limit=50, cursor=cursor)
    count = await length_of(found, cursor, lambda: count_entries(caller, asked)) if fields else None
    bar = Bar(path=PATH, kept=fields)
    return page(
        request, caller, "ledger/found.html", asked=fields, kinds=kind_options(language), people=people,
        of=await narrowed_to(caller, person, bar), bar=bar, shown=asked.narrowed(), days=DAYS_MAX, count=count,
        items=await entries_in_words(caller, list(found.items), language),
        next=_address(fields | {"cursor": found.next}) if found.next else None,
        first=_address(fields) if cursor else None,
    )  # fmt: skip


def _fields(asked: Asked) -> dict[str, str]:
    """The fields of an address that asks for the same."""
    given: dict[str, object] = {name: getattr(asked, name) for name in FIELDS}
    return {name: str(value) for name, value in given.items() if value is not None}


def _address(fields: Mapping[str, str]) -> str:
    return f"{PATH}?{urlencode(fields)}" if fields else PATH
