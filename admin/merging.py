"""The panel's pages for merging two records of one person: candidates, comparison, merge and undo."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.person_page import person_page
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.merging.duplicates import possible_duplicates, side_by_side
from timebank.merging.merging import MergeIn, merge
from timebank.merging.undoing import undo_merge
from timebank.people.directory import list_people, open_person
from timebank.web.forms import parse_form
from timebank.web.lists import typed_words
from timebank.web.pages import page, see_other, waits_or

Form = URLEncodedBody[dict[str, str]]
FIELDS = {"merged_id": _("另一条登记"), "reason": _("理由")}
MOVES = {
    "points": _("可用积分"), "held": _("预留积分"), "minutes": _("时间（分钟）"), "class_minutes": _("课时（分钟）"),
    "visits": _("签到"), "records": _("服务记录"), "deeds": _("善行"), "redemptions": _("兑换"),
    "bookings": _("课程预约"), "roles": _("身份"), "guardianships": _("监护关系"), "cards": _("卡（并后作废）"),
    "logins": _("登录账号"), "messages": _("消息"),
    "deeds_twice": _("两条都有的善行（同一天、同一事项）"), "records_twice": _("两条都有的服务时间（时间重叠）"),
}  # fmt: skip


class PanelMergingPages(Controller):
    path = "/admin/people"
    include_in_schema = False

    @get("/duplicates")
    async def duplicates(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """Pairs of records that may belong to one person."""
        return page(request, caller, "people/duplicates.html", pairs=await possible_duplicates(caller))

    @get("/{person_id:uuid}/merge")
    @shown_again(
        lambda request, person_id, caller, merged_id: _page(request, caller, person_id, merged_id, compares=False)
    )
    async def ask(
        self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope],
        merged_id: FromQuery[UUID | None] = None,
    ) -> Template:  # fmt: skip
        """Choose the other record, then compare both."""
        return await _page(request, caller, person_id, merged_id)

    @post("/{person_id:uuid}/merge/search")
    @shown_again(lambda request, person_id, caller: _page(request, caller, person_id, None))
    async def search(
        self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Template:
        """Find the other record."""
        return await _page(request, caller, person_id, None, typed_words(data))

    @post("/{person_id:uuid}/merge")
    @shown_again(
        lambda request, person_id, caller, data: _page(request, caller, person_id, _other(data)),
        lambda request, person_id, caller, data: _page(request, caller, person_id, _other(data), compares=False),
    )
    async def carry_out(self, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Merge the other record into this one."""
        asked = parse_form(MergeIn, data, FIELDS)
        made = await merge(caller, person_id, asked)
        return waits_or(made, f"/admin/people/{person_id}?done=merged")

    @post("/{person_id:uuid}/merges/{merge_id:uuid}/undo")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id))
    async def undo(
        self, person_id: FromPath[UUID], merge_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        """Undo a merge."""
        await undo_merge(caller, person_id, merge_id)
        return see_other(f"/admin/people/{person_id}?done=unmerged")


def _other(data: dict[str, str]) -> UUID:
    return parse_form(MergeIn, data, FIELDS).merged_id


async def _page(
    request: AnyRequest, caller: Scope, person_id: UUID, merged_id: UUID | None, q: str = "", *,
    compares: bool = True,
) -> Template:  # fmt: skip
    """The record, and where it is chosen the other one; `compares` False leaves out what each of them has."""
    caller.require_admin()
    kept, other, rows, is_twice = await open_person(caller, person_id), None, [], False
    if merged_id is not None:
        other = await open_person(caller, merged_id)
        if compares:
            mine, theirs = await side_by_side(caller, person_id, merged_id)
            rows = [(word, getattr(mine, name), getattr(theirs, name)) for name, word in MOVES.items()]
            is_twice = bool(mine.deeds_twice or mine.records_twice)
    found = (await list_people(caller, q=q, limit=20)).items if q and other is None else []
    return page(
        request, caller, "people/merge.html", kept=kept, other=other,
        rows=rows, is_twice=is_twice, q=q, found=[one for one in found if one.id != person_id],
    )  # fmt: skip
