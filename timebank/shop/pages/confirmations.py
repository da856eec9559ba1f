"""Counter confirmations: a keeper asks a second member of staff, who agrees or refuses."""

from datetime import timedelta
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.shop.confirmations import deciding
from timebank.shop.confirmations.listing import list_confirmations
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
SPENDING = {"person_id": _("居民"), "good_id": _("物品"), "station_id": _("驿站"), "quantity": _("数量")}
DECISION = {"decision": _("决定")}
SHOWN_FOR = timedelta(hours=12)


class CounterConfirmationPages(Controller):
    path = "/desk/confirmations"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get()
    async def waiting(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """Today's counter confirmations, open and decided."""
        return await _page(request, caller, cursor)

    @post()
    @shown_again(lambda request, caller: _page(request, caller))
    async def ask(self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency], data: Form) -> Redirect:
        """Ask for a confirmation for a person who has neither phone nor card with them."""
        wanted = parse_form(deciding.SpendingIn, data, SPENDING)
        await once.answer(caller, lambda: deciding.ask_to_spend(caller, wanted))
        return see_other("/desk/confirmations")

    @post("/redemptions/{redemption_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def ask_to_collect(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        redemption_id: FromPath[UUID],
    ) -> Redirect:  # fmt: skip
        """Ask for a confirmation to hand over a reservation of the keeper's own household."""
        await once.answer(caller, lambda: deciding.ask_to_collect(caller, redemption_id))
        return see_other("/desk/confirmations")

    @post("/{confirmation_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def decide(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        confirmation_id: FromPath[UUID], data: Form,
    ) -> Redirect:  # fmt: skip
        """Agree or refuse. Agreeing hands the good over."""
        decision = parse_form(deciding.DecisionIn, data, DECISION)
        await once.answer(caller, lambda: deciding.decide_confirmation(caller, confirmation_id, decision))
        return see_other("/desk/confirmations")


async def _page(request: AnyRequest, caller: Scope, cursor: str | None = None) -> Template:
    found = await list_confirmations(
        caller, since=clock.now() - SHOWN_FOR, cursor=cursor, language=language_of(request)
    )
    return page(request, caller, "desk/confirmations.html", found=found, cursor=cursor)
