"""Give the person at the counter a sign-in code; the keeper is signed in on their own phone or computer."""

from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.membership_state import membership_state_of
from timebank.cards.pages.counter import WHOM, Whom
from timebank.core import scanned
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.refusals import shown_again
from timebank.overview.openers import confirm_login, undo_confirm_login
from timebank.presence import counter
from timebank.presence.evidence.sign_in_codes import CodeIn, give_code
from timebank.presence.pages.counter import choice_page, counter_page
from timebank.presence.pages.undo import back_to_the_counter
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

TOLD = {"name": _("姓名"), "last4": _("手机号或身份证号后四位")}


class CounterSignInCodePages(Controller):
    path = "/desk/sign-in-code"
    include_in_schema = False

    @post()
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def give(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template:
        """Show a new sign-in code. It is in this response only and cannot be shown again."""
        whom = parse_form(Whom, data, WHOM)
        data |= {"last4": scanned.folded(data.get("last4", "")).strip()}
        given = await give_code(caller, whom.person_id, parse_form(CodeIn, data, TOLD))
        return page(
            request, caller, "desk/sign_in_code.html", code=given, station_id=whom.station_id,
            visitor=await counter.find_counter_person(caller, whom.person_id),
            standing=await membership_state_of(caller, whom.person_id),
        )  # fmt: skip

    @post("/confirmation")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def confirm(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """Confirm, as the second person, that the login is this person's, who may then spend points."""
        whom = parse_form(Whom, data, WHOM)
        await confirm_login(caller, whom.person_id, whom.station_id)
        return see_other(f"/desk?station={whom.station_id}&done=confirmed")

    @post("/confirmations/{rest_id:uuid}/undo", opt=AT_THE_COUNTER)
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def undo(
        self, caller: NamedDependency[Scope], rest_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """Undo a confirmation that the caller has just made: spending through the login is paused again."""
        await undo_confirm_login(caller, rest_id)
        return await back_to_the_counter(caller, data)
