"""The panel's pages of the categories of matters: until when each is to be done, and by whom."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.activities.offers import activities, activity
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.matters.categories.categories import (
    CategoryOut,
    find_category,
    list_categories,
    new_code,
    put_category,
)
from timebank.matters.pages.handled import WORDS
from timebank.matters.reading.receivers import receivers
from timebank.matters.schemas import CategoryIn, MatterLevel, ShortReason
from timebank.matters.words import KINDS
from timebank.web.forms import parse_form
from timebank.web.pages import page, waits_or

PATH = "/admin/matters/categories"
KIND = "kind_"
"""Begins the name of each kind's box: `kind_report`."""
CHANGE = {
    "name": _("类别"), "due_days": _("几天办好"), "due_counts": _("怎么算天"), "level": _("从哪一级派单"),
    "handled_by": _("平常派给谁"), "activity_id": _("时长记到哪项活动"), "minutes_max": _("点单最多记几分钟"),
    "advice": _("发送前的提示"), "standard_code": _("标准代码"), "active": _("在用"), "public": _("可以公开"),
    "staff_only": _("只由工作人员提交"), "needs_photo": _("办结要照片"), "urgent": _("夜里也通知"),
    **{f"{KIND}{kind}": word for kind, word in KINDS.items()},
}  # fmt: skip


class CategoryForm(msgspec.Struct, kw_only=True):
    """`handled_by` names a unit or a team with its kind; blank is nobody."""

    name: Annotated[str, Meta(max_length=40)]
    due_days: Annotated[int, Meta(ge=1, le=90)]
    due_counts: Literal["day", "workday"]
    level: MatterLevel = "grid"
    handled_by: Annotated[str, Meta(pattern=r"^(unit|team):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None
    activity_id: UUID | None = None
    minutes_max: Annotated[int, Meta(ge=1, le=1440)] | None = None
    advice: ShortReason | None = None
    standard_code: Annotated[str, Meta(max_length=20)] | None = None
    active: bool = False
    public: bool = False
    staff_only: bool = False
    needs_photo: bool = False
    urgent: bool = False
    kind_report: bool = False
    kind_event: bool = False
    kind_order: bool = False
    kind_wish: bool = False
    kind_pledge: bool = False

    def wanted(self) -> CategoryIn:
        """The category that the form asks for. Raises Invalid where it is for no kind of matter."""
        kinds = [kind for kind in KINDS if getattr(self, f"{KIND}{kind}")]
        if not kinds:
            raise Invalid(why=_("请至少选一种事项"))
        kept = {name: getattr(self, name) for name in _AS_TYPED} | {
            "kinds": kinds, "advice": self.advice or "", "standard_code": self.standard_code or None,
        }  # fmt: skip
        by, _colon, named = (self.handled_by or "").partition(":")
        if by:
            kept[f"{by}_id"] = UUID(named)
        return msgspec.convert(kept, CategoryIn)


_AS_TYPED = (
    "name", "due_days", "due_counts", "level", "activity_id", "minutes_max", "active", "public", "staff_only",
    "needs_photo", "urgent",
)  # fmt: skip


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

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for a new category."""
        caller.require_use("matters")
        return await _form(request, caller, None)

    @post()
    @shown_again(lambda request, caller: _form(request, caller, None))
    async def add(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """Add a category; what lets orders earn, or may take longer than the others, waits for a second person."""
        caller.require_admin()
        caller.require_use("matters")
        wanted = parse_form(CategoryForm, data, CHANGE).wanted()
        code = await new_code(caller, wanted.name)
        return waits_or(await put_category(caller, code, wanted), f"{PATH}?done=added")

    @get("/{code:str}")
    async def category(self, request: AnyRequest, code: FromPath[str], caller: NamedDependency[Scope]) -> Template:
        """One category, to be changed from now on."""
        return await _category(request, caller, code)

    @post("/{code:str}")
    @shown_again(lambda request, caller, code: _category(request, caller, code))
    async def change(
        self, code: FromPath[str], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """Change, rename or close the category. A matter keeps the due date that it was given."""
        caller.require_admin()
        await find_category(caller, code)
        wanted = parse_form(CategoryForm, data, CHANGE).wanted()
        return waits_or(await put_category(caller, code, wanted), f"{PATH}?done=changed")


async def _category(request: AnyRequest, caller: Scope, code: str) -> Template:
    caller.require_reader()
    return await _form(request, caller, await find_category(caller, code))


async def _form(request: AnyRequest, caller: Scope, category: CategoryOut | None) -> Template:
    """The form of a category, or of a new one for administrators."""
    if category is None:
        caller.require_admin()
    offered = (await activities(caller)).items
    if category and category.activity_id and category.activity_id not in {one.id for one in offered}:
        offered = [*offered, await activity(caller, category.activity_id)]  # one that has ended stays until changed
    return page(
        request, caller, "matters/category.html", **WORDS, category=category, receivers=await receivers(caller),
        activities=offered, kind_box=KIND,
    )  # fmt: skip
