"""The panel's pages of the community's policies: current values, changes, and the form to change one."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.people.directory import names_of
from timebank.policies.schemas import PolicyIn
from timebank.policies.values import change_policy, policies_in_words
from timebank.web.forms import parse_form
from timebank.web.pages import page, waits_or

Name = Annotated[str, PathParameter(max_length=40)]


class PanelPolicyPages(Controller):
    path = "/admin/policies"
    include_in_schema = False

    @get()
    async def policies(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str | None] = None
    ) -> Template:
        caller.require_reader()
        found = await policies_in_words(caller)
        names = await names_of(caller, {p.changed_by for p in found if p.changed_by})
        return page(request, caller, "policies/list.html", found=found, names=names, may=caller.administers, done=done)

    @get("/{name:str}")
    async def one(self, request: AnyRequest, name: Name, caller: NamedDependency[Scope]) -> Template:
        return await _policy_page(request, caller, name)

    @post("/{name:str}")
    @shown_again(lambda request, name, caller: _policy_page(request, caller, name))
    async def change(
        self, name: Name, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """Set one policy from now on."""
        made = await change_policy(caller, name, parse_form(PolicyIn, data, {"value": _("数值")}).value)
        return waits_or(made, "/admin/policies?done=1")


async def _policy_page(request: AnyRequest, caller: Scope, name: str) -> Template:
    """One policy with its bounds."""
    caller.require_admin()
    policy = next((p for p in await policies_in_words(caller) if p.name == name), None)
    if policy is None:
        raise NotFound
    return page(
        request, caller, "policies/policy.html", policy=policy,
        value=policy.value,
    )  # fmt: skip
