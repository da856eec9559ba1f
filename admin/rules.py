"""The panel's pages of earning rules; a change makes a new version."""

from functools import partial
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.people.directory import names_of
from timebank.rules import catalogue
from timebank.rules.schemas import RuleIn, RuleOut
from timebank.rules.triggers import TRIGGERS
from timebank.web.forms import parse_form
from timebank.web.pages import page, waits_or

RULE = {
    "kind": _("种类"), "name": _("名称"), "code": _("规则"), "minutes_per_point": _("几分钟换 1 分"),
    "points": _("积分"), "unit": _("按什么算"), "cap_period": _("上限周期"), "cap_per_person": _("每人上限"),
    "cap_per_area": _("每楼上限"), "trigger": _("自动登记"), "notice_days": _("公示天数"), "active": _("在用"),
}  # fmt: skip
Code = Annotated[str, PathParameter(max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
Form = URLEncodedBody[dict[str, str]]


class PanelRulePages(Controller):
    path = "/admin/rules"
    include_in_schema = False

    @get()
    async def rules(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The rules of service, per minute, and of deeds, per deed."""
        caller.require_reader()
        service = await all_pages(partial(catalogue.rules, caller, kind="service"))
        deeds = await all_pages(partial(catalogue.rules, caller, kind="deed"))
        return page(request, caller, "rules/rules.html", service=service, deeds=deeds, edits=caller.administers)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope], kind: FromQuery[str] = "deed") -> Template:
        return _new_page(request, caller, kind)

    @post()
    @shown_again(lambda request, caller, data: _new_page(request, caller, data.get("kind", "")))
    async def add(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Add a rule, with a code made from its name."""
        made = await catalogue.set_rule(caller, parse_form(RuleIn, {**data, "code": ""}, RULE))
        return waits_or(made, f"/admin/rules/{made.code}?done=added" if isinstance(made, RuleOut) else "")

    @get("/{code:str}")
    async def rule(
        self, request: AnyRequest, code: Code, caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One rule with all its versions."""
        return await _rule_page(request, caller, code, done=done)

    @post("/{code:str}")
    @shown_again(lambda request, code, caller: _rule_page(request, caller, code))
    async def change(self, code: Code, caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Add the next version of a rule, in force from now on."""
        kind = (await catalogue.versions(caller, code))[0].kind
        given = {"active": "false"} | data | {"code": code, "kind": kind}
        made = await catalogue.set_rule(caller, parse_form(RuleIn, given, RULE))
        return waits_or(made, f"/admin/rules/{code}?done=changed")


def _new_page(request: AnyRequest, caller: Scope, kind: str) -> Template:
    caller.require_admin()
    return page(request, caller, "rules/new.html", given={"kind": kind}, triggers=TRIGGERS)


async def _rule_page(request: AnyRequest, caller: Scope, code: str, *, done: str = "") -> Template:
    caller.require_reader()
    found = await catalogue.versions(caller, code)
    return page(
        request, caller, "rules/rule.html", rule=found[0], versions=found,
        names=await names_of(caller, [v.changed_by for v in found if v.changed_by]), done=done,
        edits=caller.administers, triggers=TRIGGERS,
    )  # fmt: skip
