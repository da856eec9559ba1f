"""The panel's page of counter confirmations: keepers ask, a second member of staff decides."""

from datetime import timedelta
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.shop.confirmations import deciding
from timebank.shop.confirmations.listing import list_confirmations
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

DECISION = {"decision": _("决定")}
SHOWN_FOR = timedelta(days=7)


class PanelConfirmationPages(Controller):
    path = "/admin/confirmations"
    include_in_schema = False

    @get()
    async def waiting(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """Today's open confirmations, and those decided this week."""
        return await _page(request, caller, cursor)

    @post("/{confirmation_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def decide(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        confirmation_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Agree or refuse. Agreeing hands the good over at the counter."""
        decision = parse_form(deciding.DecisionIn, data, DECISION)
        await once.answer(caller, lambda: deciding.decide_confirmation(caller, confirmation_id, decision))
        return see_other("/admin/confirmations")


async def _page(request: AnyRequest, caller: Scope, cursor: str | None = None) -> Template:
    caller.require_reader()
    return page(
        request, caller, "goods/confirmations.html", cursor=cursor,
        found=await list_confirmations(
            caller, since=clock.now() - SHOWN_FOR, cursor=cursor, language=language_of(request)
        ),
    )  # fmt: skip
