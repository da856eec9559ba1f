"""The panel's pages of the categories of matters: until when each is to be done, and by whom."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.matters.categories.categories import CategoryOut, find_category, list_categories, put_category
from timebank.matters.pages.handled import WORDS
from timebank.matters.reading.receivers import receivers
from timebank.matters.schemas import CategoryIn, ShortReason
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

PATH = "/admin/matters/categories"
CHANGE = {
    "due_days": _("几天办好"), "due_counts": _("怎么算天"), "handled_by": _("平常派给谁"), "advice": _("发送前的提示"),
    "active": _("在用"), "public": _("可以公开"), "needs_photo": _("办结要照片"), "urgent": _("夜里也通知"),
}  # fmt: skip


class CategoryForm(msgspec.Struct, kw_only=True):
    """`handled_by` names a unit or a team with its kind; blank is nobody."""

    due_days: Annotated[int, Meta(ge=1, le=90)]
    due_counts: str
    handled_by: Annotated[str, Meta(pattern=r"^(unit|team):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None
    advice: ShortReason | None = None
    active: bool = False
    public: bool = False
    needs_photo: bool = False
    urgent: bool = False


class PanelMatterCategoryPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def categories(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """Every category, those not in use last."""
        caller.require_reader()
        found = await list_categories(caller, inactive=True, language=language_of(request))
        found.sort(key=lambda one: not one.active)
        return page(request, caller, "matters/categories.html", **WORDS, categories=found, done=done)

    @get("/{code:str}")
    async def category(self, request: AnyRequest, code: FromPath[str], caller: NamedDependency[Scope]) -> Template:
        """One category, to be changed from now on."""
        return await _category(request, caller, code)

    @post("/{code:str}")
    @shown_again(lambda request, caller, code: _category(request, caller, code))
    async def change(
        self, code: FromPath[str], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """Change the category. A matter keeps the due date that it was given."""
        caller.require_admin()
        given = parse_form(CategoryForm, data, CHANGE)
        await put_category(caller, code, _changed(await find_category(caller, code), given))
        return see_other(f"{PATH}?done=changed")


def _changed(before: CategoryOut, given: CategoryForm) -> CategoryIn:
    kept = {name: getattr(before, name) for name in CategoryIn.__struct_fields__}
    kind, _colon, named = (given.handled_by or "").partition(":")
    return msgspec.convert(
        kept | {
            "due_days": given.due_days, "due_counts": given.due_counts, "advice": given.advice or "",
            "active": given.active, "public": given.public, "needs_photo": given.needs_photo, "urgent": given.urgent,
            "unit_id": UUID(named) if kind == "unit" else None, "team_id": UUID(named) if kind == "team" else None,
        },
        CategoryIn,
    )  # fmt: skip


async def _category(request: AnyRequest, caller: Scope, code: str) -> Template:
    caller.require_reader()
    return page(
        request, caller, "matters/category.html", **WORDS, category=await find_category(caller, code),
        receivers=await receivers(caller),
    )  # fmt: skip
