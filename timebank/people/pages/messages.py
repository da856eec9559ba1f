"""The reader's messages, such as a reversal with its reason, a freed seat, or points that expire soon."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.people.messages import MessageOut, count_unread, mark_all_read, own_messages
from timebank.web.pages import page, see_other

# The link of a message: LEADS gives the page of its subject by prefix of the kind, PAGES a fixed page by the kind.
LEADS = {
    "deed_": "/deeds/", "witness_": "/deeds/", "redemption_": "/redemptions/", "check_": "/visits/",
    "checked_": "/visits/",
}  # fmt: skip
PAGES = {
    "guardianship": "/family", "change_waits": "/admin/agreements", "logins_wait": "/admin/agreements",
    "cards_wait": "/admin/presence",
}  # fmt: skip


def _lead(message: MessageOut) -> str | None:
    """The link of a message; None if it has none."""
    if message.kind in PAGES:
        return PAGES[message.kind]
    path = next((path for kind, path in LEADS.items() if message.kind.startswith(kind)), None)
    return f"{path}{message.about_id}" if path and message.about_id else None


class MessagePages(Controller):
    path = "/messages"
    include_in_schema = False

    @get()
    async def messages(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """The reader's messages, newest first."""
        return await _page(request, caller, cursor)

    @post("/read")
    @shown_again(lambda request, caller: _page(request, caller))
    async def read(self, caller: NamedDependency[Scope]) -> Redirect:
        """Mark all messages as read."""
        await mark_all_read(caller)
        return see_other("/messages")


async def _page(request: AnyRequest, caller: Scope, cursor: str | None = None) -> Template:
    found = await own_messages(caller, limit=30, cursor=cursor, language=language_of(request))
    return page(
        request, caller, "member/messages.html", items=[(m, _lead(m)) for m in found.items], next=found.next,
        unread=await count_unread(caller), first=cursor is None,
    )  # fmt: skip
