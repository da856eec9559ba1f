"""The panel's page of what could not be delivered: try again, or give up."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.outbox.undelivered import deliver_again, deliver_all_again, give_up_delivery, undelivered
from timebank.web.pages import page, see_other


class PanelOutboxPages(Controller):
    path = "/admin/outbox"
    include_in_schema = False

    @get()
    async def waiting(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None, done: FromQuery[str] = ""
    ) -> Template:
        """What was tried too often, with the sentence of what failed."""
        return await _page(request, caller, cursor, done)

    @post("/again")
    @shown_again(lambda request, caller: _page(request, caller, None, ""))
    async def try_all_again(self, caller: NamedDependency[Scope]) -> Redirect:
        """Let the worker try everything again."""
        await deliver_all_again(caller)
        return see_other("/admin/outbox?done=again")

    @post("/{parcel_id:uuid}/again")
    @shown_again(lambda request, caller: _page(request, caller, None, ""))
    async def try_again(self, parcel_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Let the worker try one row again."""
        await deliver_again(caller, parcel_id)
        return see_other("/admin/outbox?done=again")

    @post("/{parcel_id:uuid}/end")
    @shown_again(lambda request, caller: _page(request, caller, None, ""))
    async def give_up(self, parcel_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Take one row off the list without delivering it."""
        await give_up_delivery(caller, parcel_id)
        return see_other("/admin/outbox?done=end")


async def _page(request: AnyRequest, caller: Scope, cursor: str | None, done: str) -> Template:
    found = await undelivered(caller, cursor=cursor, language=language_of(request))
    return page(request, caller, "outbox/list.html", found=found, first=cursor is None, done=done)
