"""The panel's page of a community's decided import words: list, change and delete their meanings."""

from typing import Annotated, cast

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.imports.words.known_words import change_word, delete_word, known_word, known_words
from timebank.imports.words.word_meanings import DECIDED, choices_of
from timebank.imports.words.words import WORD_MAX, WordKind
from timebank.people.directory import names_of
from timebank.web.pages import page, see_other

PAGE = 50
WORDS: dict[WordKind, str] = {
    "item": _("事项"), "station": _("驿站"), "activity": _("活动"), "building": _("楼栋或单元"),
}  # fmt: skip
Said = Annotated[str, QueryParameter(max_length=WORD_MAX)]
Form = URLEncodedBody[dict[str, str]]


class PanelImportWordPages(Controller):
    path = "/admin/imports/words"
    include_in_schema = False

    @get()
    async def words(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None, kind: Said = "",
        word: Said = "", done: Said = "",
    ) -> Template:  # fmt: skip
        """The decided words, and the form to change one of them."""
        return await _page(request, caller, cursor=cursor, kind=kind, key=word, done=done)

    @post()
    @shown_again(lambda request, caller, data: _word_page(request, caller, data))
    async def change(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Change the meaning of a word."""
        caller.require_admin()
        kind, key = data.get("kind", ""), data.get("word", "")
        await change_word(caller, _kind(kind), key, data.get("means", ""))
        return see_other("/admin/imports/words?done=changed")

    @post("/forgotten")
    @shown_again(lambda request, caller, data: _word_page(request, caller, data))
    async def forget(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Delete the meaning of a word; the next import that contains it asks again."""
        caller.require_admin()
        kind, key = data.get("kind", ""), data.get("word", "")
        await delete_word(caller, _kind(kind), key)
        return see_other("/admin/imports/words?done=forgotten")


def _kind(said: str) -> WordKind:
    if said not in DECIDED:
        raise NotFound
    return cast("WordKind", said)


async def _word_page(request: AnyRequest, caller: Scope, data: dict[str, str]) -> Template:
    return await _page(request, caller, kind=data.get("kind", ""), key=data.get("word", ""))


async def _page(
    request: AnyRequest, caller: Scope, *, cursor: str | None = None, kind: str = "", key: str = "", done: str = "",
) -> Template:  # fmt: skip
    found = await known_words(caller, limit=PAGE, cursor=cursor)
    chosen = await known_word(caller, _kind(kind), key) if key and caller.administers else None
    choices = (await choices_of(caller, [chosen.kind]))[chosen.kind] if chosen else []
    return page(
        request, caller, "imports/words.html", found=found, cursor=cursor,
        names=await names_of(caller, [one.decided_by for one in found.items if one.decided_by]), words=WORDS,
        chosen=chosen, choices=choices, done=done, may=caller.administers,
    )  # fmt: skip
