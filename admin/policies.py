"""The community's policies in the panel: what is in force, who changed it and when."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.callers import AnyRequest
from timebank.areas.policies import change_policy, explained
from timebank.areas.schemas import PolicyIn
from timebank.errors import TimebankError
from timebank.locale import _
from timebank.people.directory import names_of
from timebank.preferences import language_of
from timebank.scope import Scope
from timebank.web.forms import filled
from timebank.web.pages import page, see_other


class PolicyPages(Controller):
    path = "/admin/policies"
    include_in_schema = False

    @get()
    async def policies(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str | None] = None
    ) -> Template:
        return await _policies_page(request, caller, done=done)

    @post()
    async def change(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """Set one policy from now on."""
        try:
            await change_policy(caller, data.get("name", ""), filled(PolicyIn, data, {"value": _("数值")}).value)
        except TimebankError as refusal:
            return await _policies_page(request, caller, refusal)
        return see_other("/admin/policies?done=1")


async def _policies_page(
    request: AnyRequest, caller: Scope, refusal: TimebankError | None = None, *, done: str | None = None
) -> Template:
    caller.require_reader()
    found = await explained(caller)
    return page(
        request, caller, "policies/list.html", status=refusal.status if refusal else 200, found=found, done=done,
        may=caller.administers, names=await names_of(caller, {p.changed_by for p in found if p.changed_by}),
        refusal=refusal.text(language_of(request)) if refusal else None,
    )  # fmt: skip
