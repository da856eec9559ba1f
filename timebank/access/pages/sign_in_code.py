"""A sign-in code for the person at the counter, from a keeper who is signed in with the own phone or computer."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.standing import standing_of
from timebank.cards.pages.counter import WHOM, Whom
from timebank.core import scanned
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.overview.openers import confirm_login
from timebank.presence import counter
from timebank.presence.evidence.sign_in_codes import CodeIn, give_code
from timebank.presence.pages.counter import choice_page, counter_page
from timebank.web.forms import filled
from timebank.web.pages import page, see_other

TOLD = {"name": _("姓名"), "last4": _("手机号或身份证号后四位")}


class SignInCodePages(Controller):
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
        """The code stands on this answer only: nothing keeps it."""
        whom = filled(Whom, data, WHOM)
        data |= {"last4": scanned.folded(data.get("last4", "")).strip()}
        given = await give_code(caller, whom.person_id, filled(CodeIn, data, TOLD))
        return page(
            request, caller, "desk/sign_in_code.html", code=given, station_id=whom.station_id,
            visitor=await counter.visitor(caller, whom.person_id),
            standing=await standing_of(caller, whom.person_id),
        )  # fmt: skip

    @post("/confirmation")
    @shown_again(
        lambda request, caller, data: counter_page(request, caller, data),
        lambda request, caller: choice_page(request, caller),
    )
    async def confirm(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """As the second person: this is the person, who may spend from now on."""
        whom = filled(Whom, data, WHOM)
        await confirm_login(caller, whom.person_id)
        return see_other(f"/desk?station={whom.station_id}&done=confirmed")
