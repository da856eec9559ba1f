"""The panel's actions for one person: sign-in code, login confirmation, card, guardian and consent."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from admin.person_page import person_page
from timebank.cards.cards import card_of, issue_card, revoke_card
from timebank.core import codes
from timebank.core.errors import Invalid
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.overview.openers import confirm_login
from timebank.people.directory import list_people
from timebank.people.guardianship.guardians import end_guardianship, name_guardian, record_consent
from timebank.people.identity.phones import normal_phone
from timebank.people.schemas import GuardianIn
from timebank.presence.evidence.sign_in_codes import CodeIn, give_code
from timebank.web.forms import parse_form
from timebank.web.pages import see_other, waits_or

Form = URLEncodedBody[dict[str, str]]

GUARDIAN = {"guardian_id": _("监护人"), "relation": _("与孩子的关系"), "consented": _("同意")}


class PanelPersonPages(Controller):
    path = "/admin/people/{person_id:uuid}"
    include_in_schema = False

    @post("/sign-in-code")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="access"))
    async def give_code(
        self, request: AnyRequest, person_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Template:
        """Give a sign-in code, shown in this response only.

        A caller who may not read the page is therefore refused before the code is made.
        """
        caller.require_reader()
        code = await give_code(caller, person_id, CodeIn())
        return await person_page(request, caller, person_id, part="access", code=code)

    @post("/confirmation")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="access"))
    async def confirm(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Confirm, as the second person, that the login is this person's."""
        await confirm_login(caller, person_id)
        return see_other(f"/admin/people/{person_id}?part=access&done=confirmed")

    @post("/card")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="access"))
    async def give_card(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        await issue_card(caller, person_id)
        return see_other(f"/admin/people/{person_id}?part=access&done=card")

    @post("/card/end")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="access"))
    async def end_card(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        await revoke_card(caller, person_id)
        return see_other(f"/admin/people/{person_id}?part=access&done=card_ended")

    @get("/card.png")
    async def card_picture(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Response[bytes]:
        return Response(codes.png((await card_of(caller, person_id)).url), media_type="image/png")

    @post("/guardians")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="family"))
    async def add_guardian(self, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Add a guardian: a household member, or the person with this phone number."""
        found = {"guardian_id": data.get("guardian_id") or str(await _by_phone(caller, data.get("phone", "")))}
        made = await name_guardian(caller, person_id, parse_form(GuardianIn, data | found, GUARDIAN))
        return waits_or(made, f"/admin/people/{person_id}?part=family&done=guardian")

    @post("/guardians/{guardianship_id:uuid}/consent")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="family"))
    async def consent(
        self, person_id: FromPath[UUID], guardianship_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        """Record a guardian's consent that was given on paper."""
        made = await record_consent(caller, guardianship_id)
        return waits_or(made, f"/admin/people/{person_id}?part=family&done=consent")

    @post("/guardians/{guardianship_id:uuid}/end")
    @shown_again(lambda request, person_id, caller: person_page(request, caller, person_id, part="family"))
    async def end_guardian(
        self, person_id: FromPath[UUID], guardianship_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await end_guardianship(caller, guardianship_id)
        return see_other(f"/admin/people/{person_id}?part=family&done=guardian_ended")


async def _by_phone(scope: Scope, phone: str) -> UUID:
    found = (await list_people(scope, q=normal_phone(phone))).items
    if len(found) != 1:
        raise Invalid(why=_("没有人或不止一人登记了这个手机号，请从同户的人里选"))
    return found[0].id
