"""The page on which somebody sees where they are signed in, and ends it elsewhere."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.sign_in.sign_ins import OwnSignInsEnd, end_own_sign_ins, own_sign_ins
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

FIELDS = {"sign_in_id": _("登录设备")}
Ended = Annotated[int, QueryParameter(ge=0, le=10_000)]


class OwnSignInPages(Controller):
    path = "/sign-ins"
    include_in_schema = False

    @get()
    async def look(self, request: AnyRequest, caller: NamedDependency[Scope], ended: Ended = 0) -> Template:
        """Where the caller is signed in, by kind of device and last use; never an address or what a browser sent."""
        return await _page(request, caller, ended=ended)

    @post("/end")
    @shown_again(lambda request, caller: _page(request, caller))
    async def end(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """End one of the caller's other sign-ins, or all of them."""
        ended = await end_own_sign_ins(caller, parse_form(OwnSignInsEnd, data, FIELDS))
        return see_other(f"/sign-ins?ended={ended}")


async def _page(request: AnyRequest, caller: Scope, *, ended: int = 0) -> Template:
    found = await own_sign_ins(caller)
    return page(
        request, caller, "member/sign_ins.html", found=found, ended=ended, ends=[one for one in found if one.may_end]
    )
