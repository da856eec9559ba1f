"""The panel's search field: what every capability finds for the words typed."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Template

from timebank.core.capability import Finder, Hit
from timebank.core.scope import Scope
from timebank.exports.finding import find_everywhere
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.web.lists import typed_words
from timebank.web.pages import page

MOST = 5


class PanelFindingPages(Controller):
    path = "/admin/find"
    include_in_schema = False

    @post(status_code=200)
    @shown_again(lambda request, caller: _found_page(request, caller, "", []))
    async def find(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template:
        """At most MOST of each kind; the words stand in the form alone."""
        words = typed_words(data)
        return _found_page(request, caller, words, await find_everywhere(caller, words, MOST))


def _found_page(request: AnyRequest, caller: Scope, words: str, found: list[tuple[Finder, list[Hit]]]) -> Template:
    caller.require_reader()
    return page(request, caller, "finding/found.html", looked_for=words, found=found, most=MOST)
