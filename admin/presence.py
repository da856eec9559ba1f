"""The panel's page of presence checks: unconfirmed cards, check-ins that share a network, and devices."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from timebank.access.devices.at_stations import usable_devices
from timebank.cards.confirming import confirm_cards, count_unconfirmed, unconfirmed_cards
from timebank.core.paging import LIMIT_MAX
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.presence.undoing.acts import list_undone, undone_by_keeper
from timebank.service_records.crowds import crowds
from timebank.web.forms import chosen
from timebank.web.pages import page, see_other

PAGE = 50


class PanelPresencePages(Controller):
    path = "/admin/presence"
    include_in_schema = False

    @get()
    async def look(
        self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[int] = 0, cursor: Cursor = None
    ) -> Template:
        """Cards that no second person has confirmed, and people who checked in through one network together."""
        return await _page(request, caller, done=done, cursor=cursor)

    @get("/undone")
    async def undone(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """What keepers have undone at their counters, and how often each in the last 30 days."""
        return page(
            request, caller, "presence/undone.html", found=await list_undone(caller, limit=PAGE, cursor=cursor),
            keepers=await undone_by_keeper(caller), cursor=cursor,
        )  # fmt: skip

    @post()
    @shown_again(lambda request, caller: _page(request, caller))
    async def confirm(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Redirect:
        """Confirm the chosen cards; those that another person must confirm are skipped."""
        done = await confirm_cards(caller, (await chosen(request, "card"))[:LIMIT_MAX])
        return see_other(f"/admin/presence?done={done}")


async def _page(request: AnyRequest, caller: Scope, *, done: int = 0, cursor: str | None = None) -> Template:
    caller.require_reader()
    return page(
        request, caller, "presence/presence.html",
        found=await unconfirmed_cards(caller, cursor=cursor), in_all=await count_unconfirmed(caller),
        crowds=await crowds(caller), devices=await usable_devices(caller), done=done, cursor=cursor,
    )  # fmt: skip
