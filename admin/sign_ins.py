"""The panel's action that ends a resident's sign-ins; they are listed at a tab of the resident's page."""

from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from admin.person_page import person_page
from timebank.access.sign_in.sign_ins import SignInsEnd, end_sign_ins
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.refusals import shown_again
from timebank.web.forms import parse_form
from timebank.web.pages import see_other

FIELDS = {"reason": _("理由"), "sign_in_id": _("登录设备")}


class PanelSignInPages(Controller):
    path = "/admin/people/{person_id:uuid}/sign-ins"
    include_in_schema = False

    @post("/end")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="sign_ins"))
    async def end(
        self, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Redirect:
        """End one of a resident's sign-ins or all, with a reason; the resident is notified."""
        await end_sign_ins(caller, person_id, parse_form(SignInsEnd, data, FIELDS))
        return see_other(f"/admin/people/{person_id}?part=sign_ins&done=signed_out")
