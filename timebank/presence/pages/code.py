"""我的码: the page of the personal code that a keeper scans, the reader's or a child's."""

from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Template

from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.people.guardianship.guardians import children_of
from timebank.presence.evidence.personal_code import personal_code
from timebank.shop.reading import list_redemptions
from timebank.web.pages import page
from timebank.web.pictures import qr_image


class TurningOut(msgspec.Struct):
    """The JSON that turning.js fetches at every step of the code; it includes the image."""

    png_url: str
    expires_at: str
    step_seconds: int
    server_time: str


class CodePages(Controller):
    path = "/me"
    include_in_schema = False

    @get("/code")
    async def code(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None
    ) -> Template:
        """The code, and for the reader the codes of what they have reserved, which a keeper can type in."""
        own = caller.require_self()
        children = [c for c in await children_of(caller) if c.consented and c.community_id == caller.community_id]
        names = {own: caller.person.name if caller.person else ""} | {c.person_id: c.name for c in children}
        shown = await personal_code(caller, person_id)
        is_own = person_id in (None, own)
        reserved = (await list_redemptions(caller, person_id=own, status="reserved", limit=3)).items if is_own else []
        people = [(name, _address(each, own), None) for each, name in names.items()]
        return page(
            request, caller, "member/code.html", shown=shown, image=qr_image(shown.url), people=people,
            here=_address(person_id or own, own), own=is_own, reserved=reserved, name=names.get(person_id or own, ""),
            source="/me/code.json" + (f"?person_id={person_id}" if person_id else ""),
        )  # fmt: skip

    @get("/code.json")
    async def turned(self, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> TurningOut:
        """The current code."""
        shown = await personal_code(caller, person_id)
        return TurningOut(
            qr_image(shown.url), shown.expires_at.isoformat(), shown.step_seconds, shown.server_time.isoformat()
        )


def _address(person_id: UUID, own: UUID) -> str:
    return "/me/code" if person_id == own else f"/me/code?person_id={person_id}"
