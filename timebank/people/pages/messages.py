"""The reader's messages, such as a reversal with its reason, a freed seat, or points that expire soon."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from timebank.core import clock
from timebank.core.capability import message_kind
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.people.messages import MessageOut, Received, mark_all_read, read_inbox
from timebank.web.pages import page, see_other


class Line(msgspec.Struct, frozen=True):
    """One message, its link, and the time from which it is visible."""

    message: MessageOut
    at: datetime
    href: str | None


class Folded(msgspec.Struct, frozen=True):
    """Routine credits one after the other, in one line: the points they came to, and each of them, newest first."""

    points: int
    lines: list[Line]


class Day(msgspec.Struct, frozen=True):
    """What became visible on one day, newest first. Folded messages stand on the day of the newest of them."""

    on: date
    entries: list[Line | Folded]


def link_of(caller: Scope, received: Received) -> str | None:
    """The address of what a message is about; None for a kind that no capability declares any more."""
    declared = message_kind(received.says.kind)
    if declared is None:
        return None
    about = received.message.about_id
    if ("{id}" in declared.leads and about is None) or (declared.leads.startswith("/admin") and not caller.reads_all):
        return declared.otherwise
    return declared.leads.format(id=about)


def by_day(caller: Scope, found: Sequence[Received]) -> list[Day]:
    """The messages by the local day on which they became visible, newest first."""
    entries = [
        entry for routine, those in groupby(found, lambda each: _credit(each) is not None)
        for entry in _entries(caller, list(those), routine=routine)
    ]  # fmt: skip
    return [Day(on, list(those)) for on, those in groupby(entries, lambda entry: clock.local_day(_newest(entry).at))]


def _entries(caller: Scope, found: Sequence[Received], *, routine: bool) -> list[Line | Folded]:
    lines: list[Line | Folded] = [_line(caller, each) for each in found]
    if not routine or len(lines) == 1:
        return lines
    return [Folded(sum(_credit(each) or 0 for each in found), [_line(caller, each) for each in found])]


def _newest(entry: Line | Folded) -> Line:
    return entry if isinstance(entry, Line) else entry.lines[0]


def _line(caller: Scope, received: Received) -> Line:
    return Line(received.message, received.due_at, link_of(caller, received))


def _credit(received: Received) -> int | None:
    """The points that a routine message announces; None for one that is not routine."""
    declared = message_kind(received.says.kind)
    amount = received.says.values.get(declared.folds) if declared and declared.folds else None
    return amount if isinstance(amount, int) else None


class MessagePages(Controller):
    path = "/messages"
    include_in_schema = False

    @get()
    async def messages(self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None) -> Template:
        """What waits for the reader, then all messages by day, newest first."""
        return await _page(request, caller, cursor)

    @post("/read")
    @shown_again(lambda request, caller: _page(request, caller))
    async def read(self, caller: NamedDependency[Scope]) -> Redirect:
        """Mark all messages as read."""
        await mark_all_read(caller)
        return see_other("/messages")


async def _page(request: AnyRequest, caller: Scope, cursor: str | None = None) -> Template:
    inbox = await read_inbox(caller, limit=30, cursor=cursor, language=language_of(request))
    return page(
        request, caller, "member/messages.html", days=by_day(caller, inbox.others.items), next=inbox.others.next,
        waiting=[] if cursor else [_line(caller, each) for each in inbox.waiting], unread=inbox.unread,
        first=cursor is None,
    )  # fmt: skip
