"""The panel's pages of changes that wait for a second person: list them, decide, and confirm logins."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.agreements.schemas import DecisionIn, Status
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.overview.agreements import acknowledge, decide_change
from timebank.overview.changes_listed import agreements
from timebank.overview.openers import confirm_login, confirm_logins, may_confirm, may_confirm_rest, resting, unconfirmed
from timebank.web.forms import chosen, parse_form
from timebank.web.pages import page, see_other

PAGE = 50
TABS: dict[Status, str] = {
    "waiting": _("等待决定"), "agreed": _("已同意"), "refused": _("没有同意"), "withdrawn": _("已撤回")
}  # fmt: skip
CAUSES = {
    "code": _("没有扫码，发了登录码"), "phone": _("换了手机号"), "joined": _("并到了别的社区的账号"),
}  # fmt: skip
DECISION = {"decision": _("决定"), "note": _("说明")}


class PanelAgreementPages(Controller):
    path = "/admin/agreements"
    include_in_schema = False

    @get()
    async def waiting(
        self, request: AnyRequest, caller: NamedDependency[Scope], status: FromQuery[str] = "waiting",
        cursor: Cursor = None, done: FromQuery[str] = "", later: Cursor = None,
    ) -> Template:  # fmt: skip
        """The waiting changes with those who may decide; by tab, the decided ones."""
        shown: Status = next((known for known in TABS if known == status), "waiting")
        if shown == "waiting":
            return await _page(request, caller, cursor=cursor, done=done, later=later)
        found = await agreements(caller, status=shown, limit=PAGE, cursor=cursor, language=language_of(request))
        return page(
            request, caller, "agreements/decided.html", found=found, shown=shown, tabs_of=TABS, first=cursor is None
        )

    @post("/{agreement_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def decide(
        self, agreement_id: FromPath[UUID], caller: NamedDependency[Scope],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Agree, refuse with a reason, or withdraw an own proposal."""
        told = parse_form(DecisionIn, data, DECISION)
        await decide_change(caller, agreement_id, told.decision, told.note)
        return see_other(f"/admin/agreements?done={told.decision}")

    @post("/seen")
    @shown_again(lambda request, caller: _page(request, caller))
    async def see_all(self, caller: NamedDependency[Scope]) -> Redirect:
        """Acknowledge all changes that one person made alone."""
        await acknowledge(caller)
        return see_other("/admin/agreements?done=seen")

    @post("/logins")
    @shown_again(lambda request, caller: _page(request, caller))
    async def confirm_many(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Redirect:
        """Confirm the logins of the chosen residents; those that another person must confirm are skipped."""
        confirmed = await confirm_logins(caller, (await chosen(request, "person"))[:PAGE])
        return see_other("/admin/agreements?done=confirmed#resting" if confirmed else "/admin/agreements#resting")

    @post("/logins/{person_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def confirm(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Confirm that a resident's login is their own."""
        await confirm_login(caller, person_id)
        return see_other("/admin/agreements?done=confirmed")


async def _page(
    request: AnyRequest, caller: Scope, *, cursor: str | None = None,
    done: str = "", later: str | None = None,
) -> Template:  # fmt: skip
    language = language_of(request)
    found = await agreements(caller, limit=PAGE, cursor=cursor, language=language)
    logins = await unconfirmed(caller)
    rests = await resting(caller, limit=PAGE, cursor=later)
    return page(
        request, caller, "agreements/list.html", first=cursor is None,
        waiting=[each for each in found.items if not each.in_force],
        alone=[each for each in found.items if each.in_force], next=found.next, done=done,
        tabs_of=TABS, logins=logins, confirms=await may_confirm(caller, logins),
        rests=rests.items, rests_next=rests.next, rests_first=later is None,
        frees=await may_confirm_rest(caller, rests.items), causes=CAUSES,
    )  # fmt: skip
