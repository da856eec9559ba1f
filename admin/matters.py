"""The panel's pages of matters: the list, one matter with every verb that the reader may use."""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.inbox_rows import after_deciding, beside
from timebank.areas.places import areas_of
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import Invalid
from timebank.core.locale import _, translate
from timebank.core.paging import Count
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.matters.categories.categories import list_categories
from timebank.matters.pages.acts import use_act
from timebank.matters.pages.handled import WORDS, shown_to_handler
from timebank.matters.reading.listing import count_listed, list_matters
from timebank.matters.schemas import MattersAsked
from timebank.matters.words import KINDS, STATUSES
from timebank.units.units import unit_options
from timebank.web.lists import Bar, Choice, length_of, typed_words
from timebank.web.pages import page, see_other

PATH = "/admin/matters"
PAGE = 50
TABS: Mapping[str, str] = {
    "late": _("超期"), "today": _("今天到期"), "open": _("还没办结"), "unverified": _("没有核实"), "all": _("全部"),
}  # fmt: skip
FILTERS = ("status", "kind", "area_id", "category", "unit_id")
DECIDED_IN_INBOX = ("dispatch", "confirm", "refuse", "merge")


class PanelMatterPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def matters(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None, done: FromQuery[str] = ""
    ) -> Template:
        """The matters of the community: late ones, those due today, all that are open, and the others."""
        return await _list(request, caller, dict(request.query_params), cursor, done=done)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _list(request, caller, {}))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template:
        """The matter of this number, among those of the chosen kinds."""
        return await _list(request, caller, data, data.get("cursor") or None, words=typed_words(data))

    @get("/{matter_id:uuid}")
    async def matter(
        self, request: AnyRequest, matter_id: FromPath[UUID], caller: NamedDependency[Scope], act: FromQuery[str] = ""
    ) -> Template:
        """One matter with its steps, and the form of one act."""
        return await _matter(request, caller, matter_id, act)

    @post("/{matter_id:uuid}/{act:str}")
    @shown_again(lambda request, caller, matter_id, act: _matter(request, caller, matter_id, act))
    async def act_on(
        self, request: AnyRequest, matter_id: FromPath[UUID], act: FromPath[str], caller: NamedDependency[Scope]
    ) -> Redirect:
        """Use one verb on the matter. From the inbox it leads on to the next one."""
        caller.require_reader()
        then = ""
        if act in DECIDED_IN_INBOX:
            then = await after_deciding(request, caller, "matter", matter_id, "")
        came_of_it = await use_act(request, caller, matter_id, act)
        return see_other(then or f"{PATH}/{matter_id}?{came_of_it}")


async def _list(
    request: AnyRequest, caller: Scope, fields: Mapping[str, str], cursor: str | None = None, *, words: str = "",
    done: str = "",
) -> Template:  # fmt: skip
    caller.require_reader()
    language = language_of(request)
    chosen = {name: value for name in FILTERS if (value := fields.get(name, ""))}
    narrowed = _asked(chosen)
    tab = _tab(fields, chosen, words)
    asked = _of_tab(narrowed, tab, words)
    async with transaction(caller), database.gathering() as reads:
        listed = reads.start(list_matters(caller, asked, limit=PAGE, cursor=cursor, language=language))
        counting = {
            name: reads.start(count_listed(caller, _of_tab(narrowed, name)))
            for name in ("late", "today", "open", "unverified")
        }
        areas, categories = reads.start(areas_of(caller)), reads.start(list_categories(caller, language=language))
        units = reads.start(unit_options(caller))
    counts: Mapping[str, Count] = {name: task.result() for name, task in counting.items()}
    bar = Bar(
        path=PATH, q=words, placeholder=_("编号"), kept={"tab": tab} if tab != "open" else {}, cursor=cursor,
        choices=[
            Choice(_("状态"), "status", list(STATUSES.items()), chosen.get("status", "")),
            Choice(_("种类"), "kind", list(KINDS.items()), chosen.get("kind", "")),
            Choice(_("哪里"), "area_id", [(one.id, one.name) for one in areas.result() if one.kind == "grid"],
                   chosen.get("area_id", "")),
            Choice(_("类别"), "category", [(one.code, one.name) for one in categories.result()],
                   chosen.get("category", "")),
            Choice(_("单位"), "unit_id", units.result(), chosen.get("unit_id", "")),
        ],
    )  # fmt: skip
    found = listed.result()
    return page(
        request, caller, "matters/list.html", **WORDS, found=found, bar=bar, tab=tab, counts=counts, done=done,
        tabs_of=[(name, translate(word, language), counts.get(name)) for name, word in TABS.items()], chosen=chosen,
        count=await length_of(found, cursor, partial(count_listed, caller, asked)),
    )  # fmt: skip


def _tab(fields: Mapping[str, str], chosen: Mapping[str, str], words: str) -> str:
    """The tab that is asked for; `late=1` and `open=1` are how other pages ask."""
    if fields.get("tab") in TABS:
        return fields["tab"]
    named = next((name for name in ("late", "today", "open", "unverified") if fields.get(name)), None)
    return named or ("all" if words or chosen else "open")


def _asked(chosen: Mapping[str, str]) -> MattersAsked:
    try:
        return msgspec.convert(dict(chosen), MattersAsked, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(why=_("筛选的条件不对")) from error


def _of_tab(narrowed: MattersAsked, tab: str, words: str = "") -> MattersAsked:
    """What the filters ask for, on this tab. A number that was typed is looked for on all."""
    if words:
        return msgspec.structs.replace(narrowed, q=words)
    return narrowed if tab == "all" else msgspec.structs.replace(narrowed, **{tab: True})


async def _matter(request: AnyRequest, caller: Scope, matter_id: UUID, act: str) -> Template:
    caller.require_reader()
    shown = await shown_to_handler(request, caller, matter_id, act, f"{PATH}/{matter_id}")
    return page(
        request, caller, "matters/matter.html", **shown,
        beside=await beside(request, caller, "matter", matter_id),
        decided_one=request.query_params.get("done") == "1",
    )  # fmt: skip
