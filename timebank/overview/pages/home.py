"""The first page: a resident's balance, open visit and next steps; for a visitor, what the service is."""

from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template

from timebank.access.membership_state import AnswerIn, answer_membership_question
from timebank.access.sign_in import sessions
from timebank.areas.places import public_communities
from timebank.core.errors import Unauthenticated
from timebank.core.locale import _
from timebank.core.scope import HEADS, Role, Scope
from timebank.http.callers import SESSION_COOKIE, AnyRequest, provide_visitor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.overview.resident import read_first_page
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other
from timebank.web.workplaces import landing


class HomePages(Controller):
    path = "/"
    include_in_schema = False
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012  # Litestar reads it from the class

    @get()
    async def home(self, request: AnyRequest, visitor: NamedDependency[Scope | None]) -> Template | Redirect:
        """The resident's first page. Devices and administrators without a record here are redirected to their pages."""
        if visitor is None:
            moved = await sessions.list_replaced_phones(request.cookies.get(SESSION_COOKIE, ""))
            return page(request, None, "member/welcome.html", communities=await public_communities(), moved=moved)
        if visitor.person_id is None:
            return see_other(landing(visitor) if visitor.device_id is None else _device_page(visitor))
        return await _home(request, visitor, visitor.person_id)

    @post("/memberships")
    @shown_again(lambda request, visitor: _home(request, visitor, visitor.require_self()))
    async def answer(self, visitor: NamedDependency[Scope | None], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """Answer whether another record with the same phone is the reader's."""
        if visitor is None:
            raise Unauthenticated
        asked = parse_form(_Answer, data, {"community_id": _("社区"), "person_id": _("居民"), "decision": _("决定")})
        await answer_membership_question(visitor, asked.community_id, asked.person_id, AnswerIn(asked.decision))
        return see_other("/")


class _Answer(msgspec.Struct, frozen=True):
    community_id: UUID
    person_id: UUID
    decision: Literal["agree", "decline"]


async def _home(request: AnyRequest, visitor: Scope, person_id: UUID) -> Template:
    language = language_of(request)
    return page(
        request, visitor, "member/home.html",
        seen=await read_first_page(visitor, person_id, language),
        keeps=bool(visitor.kept_stations), files_deeds=visitor.has(*HEADS, Role.grid_worker),
        rests_until=visitor.person.rests_until if visitor.person else None,
    )  # fmt: skip


def _device_page(device: Scope) -> str:
    return "/desk" if device.device_kind == "counter" else "/display"
