"""The reader's redemptions: open reservations with their codes, and past ones."""

import base64
from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect, Template

from timebank.core import codes, settings
from timebank.core.errors import NotFound
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.shop import cancelling, reading
from timebank.web.pages import page, see_other

PAGE = 20
Cursor = Annotated[str | None, QueryParameter(max_length=500)]


def drawn(path: str) -> str:
    """A path of our own host as a QR image that is embedded in the page."""
    return "data:image/png;base64," + base64.b64encode(codes.png(settings.current().base_url + path)).decode()


class RedemptionPages(Controller):
    path = "/redemptions"
    include_in_schema = False

    @get()
    async def redemptions(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """Open reservations first, then past redemptions, newest first."""
        own = caller.require_self()
        waiting = await all_pages(partial(reading.list_redemptions, caller, person_id=own, status="reserved"))
        found = await reading.list_redemptions(caller, person_id=own, limit=PAGE, cursor=cursor)
        past = [redemption for redemption in found.items if redemption.status != "reserved"]
        return page(
            request,
            caller,
            "member/redemptions.html",
            waiting=[] if cursor else waiting,
            past=past,
            following=found.next,
        )

    @get("/{redemption_id:uuid}")
    async def redemption(
        self,
        request: AnyRequest,
        caller: NamedDependency[Scope],
        redemption_id: FromPath[UUID],
        new: FromQuery[bool] = False,
    ) -> Template:
        """One redemption with its collection code."""
        return await _redemption_page(request, caller, redemption_id, new=new)

    @post("/{redemption_id:uuid}/cancellation")
    @shown_again(lambda request, caller, redemption_id: _redemption_page(request, caller, redemption_id))
    async def cancel(self, caller: NamedDependency[Scope], redemption_id: FromPath[UUID]) -> Redirect:
        """Cancel the reservation."""
        await cancelling.cancel(caller, redemption_id)
        return see_other(f"/redemptions/{redemption_id}")


async def _redemption_page(request: AnyRequest, caller: Scope, redemption_id: UUID, *, new: bool = False) -> Template:
    shown = await reading.find_redemption(caller, redemption_id)
    if not caller.is_own(shown.person_id):
        raise NotFound
    image = drawn(f"/desk/redemptions?code={shown.code}") if shown.code else None
    would = await reading.preview_cancellation(caller, redemption_id)
    return page(request, caller, "member/redemption.html", redemption=shown, image=image, new=new, would=would)
