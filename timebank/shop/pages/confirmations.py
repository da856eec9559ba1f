"""At the counter: asking a second member of staff, and agreeing as one."""

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
from timebank.http.idempotency import Once
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.shop.confirmations import deciding as agreed
from timebank.shop.confirmations.waiting import confirmations
from timebank.web.forms import filled
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
SPENDING = {"person_id": _("居民"), "good_id": _("物品"), "station_id": _("驿站"), "quantity": _("数量")}
DECISION = {"decision": _("决定")}
SHOWN_FOR = timedelta(hours=12)


class AgreedPages(Controller):
    path = "/desk/confirmations"
    opt = AT_THE_COUNTER
    include_in_schema = False

    @get()
    async def waiting(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """What waits for a second member of staff today, and what came of it."""
        return await _page(request, caller)

    @post()
    @shown_again(lambda request, caller: _page(request, caller))
    async def ask(self, caller: NamedDependency[Scope], once: NamedDependency[Once], data: Form) -> Redirect:
        """Ask for somebody who has neither phone nor card here."""
        wanted = filled(agreed.SpendingIn, data, SPENDING)
        await once.answer(caller, lambda: agreed.ask_to_spend(caller, wanted))
        return see_other("/desk/confirmations")

    @post("/redemptions/{redemption_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def ask_to_collect(
        self, caller: NamedDependency[Scope], once: NamedDependency[Once],
        redemption_id: FromPath[UUID],
    ) -> Redirect:  # fmt: skip
        """Ask to hand over what the own household has reserved."""
        await once.answer(caller, lambda: agreed.ask_to_collect(caller, redemption_id))
        return see_other("/desk/confirmations")

    @post("/{confirmation_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def decide(
        self, caller: NamedDependency[Scope], once: NamedDependency[Once],
        confirmation_id: FromPath[UUID], data: Form,
    ) -> Redirect:  # fmt: skip
        """Agree, which hands the good over, or refuse."""
        decision = filled(agreed.DecisionIn, data, DECISION)
        await once.answer(caller, lambda: agreed.decide(caller, confirmation_id, decision))
        return see_other("/desk/confirmations")


async def _page(request: AnyRequest, caller: Scope) -> Template:
    found = await confirmations(caller, since=clock.now() - SHOWN_FOR, language=language_of(request))
    return page(request, caller, "desk/confirmations.html", found=found)
