"""The community's books in the panel: whether they balance, where everything is, the last entries, and reversals."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.classes.class_time.unexpiry import reverse_class_expiry
from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.credit import reverse_deed
from timebank.deeds.schemas import ReasonIn
from timebank.expiry.due import let_expire, waiting_expiries
from timebank.expiry.reversal import reverse_expiries_of_day, reverse_expiry
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Once
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.ledger.checking.check import CURRENCIES, Books
from timebank.ledger.checking.results import ask_for_check, is_waiting, latest_books
from timebank.ledger.entries import Entry, find_entry, last_entries
from timebank.ledger.explain import what
from timebank.ledger.posting import Currency
from timebank.ledger.refusals import NotReversible, PurchaseNotReversible
from timebank.people.directory import names_of
from timebank.service_records.crediting.reversal import reverse_record
from timebank.web.forms import filled
from timebank.web.pages import page, see_other

REASON = {"reason": _("原因")}
PLACES = {
    "outstanding": _("在居民手里"),
    "held": _("预留中"),
    "redeemed": _("已兑换"),
    "expired": _("已到期"),
    "donated": _("捐入公共积分池"),
    "converted": _("换成积分"),
    "adjusted": _("调整"),
    "clearing": _("跨社区清算"),
}

# What may be reversed from here, by what it stands for: each through the verb that also mends what it stands for.
Reverse = Callable[[Scope, UUID, str], Awaitable[object]]
REVERSE: dict[str, Reverse] = {"service_record": reverse_record, "deed": reverse_deed}
EXPIRY = {"day": _("到期日"), "currency": _("哪一种账"), "amount": _("数目")}


class ExpiryIn(msgspec.Struct, forbid_unknown_fields=True):
    """The row of the page that was looked at: it is what expires, and nothing that has come since."""

    day: date
    currency: Currency
    amount: Annotated[int, Meta(ge=1)]


class AdminLedger(Controller):
    path = "/admin/ledger"
    include_in_schema = False

    @get()
    async def books(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None, done: FromQuery[str] = ""
    ) -> Template:
        """The last check, the totals and the last entries; further pages of entries alone."""
        return await _books(request, caller, cursor, done)

    @post("/expiry")
    @shown_again(lambda request, caller: _books(request, caller, None, ""))
    async def expire(
        self, data: URLEncodedBody[dict[str, str]], caller: NamedDependency[Scope],
        once: NamedDependency[Once],
    ) -> Redirect:  # fmt: skip
        """Let expire what waits of one day."""
        asked = filled(ExpiryIn, data, EXPIRY)
        await once.answer(caller, lambda: let_expire(caller, asked.day, asked.currency, asked.amount))
        return see_other("/admin/ledger?done=expired")

    @post("/check")
    @shown_again(lambda request, caller: _books(request, caller, None, ""))
    async def check(self, caller: NamedDependency[Scope]) -> Redirect:
        """Let the worker check the books now."""
        await ask_for_check(caller)
        return see_other("/admin/ledger?done=asked")

    @get("/{entry_id:uuid}")
    async def entry(self, request: AnyRequest, entry_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One entry, and its reversal."""
        return await _entry(request, caller, entry_id)

    @post("/{entry_id:uuid}/reversal")
    @shown_again(lambda request, entry_id, caller: _entry(request, caller, entry_id))
    async def reverse(
        self, entry_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Once],
    ) -> Redirect:  # fmt: skip
        """Reverse what the entry stands for, with its reason."""
        entry = await find_entry(caller, entry_id)
        if not entry.reversed and not _is_reversible(entry):
            raise PurchaseNotReversible if entry.source_kind == "class_purchase" else NotReversible
        reason = filled(ReasonIn, data, REASON).reason
        await once.answer(caller, lambda: _reverse(caller, entry, reason))
        return see_other("/admin/ledger?done=reversed")

    @post("/{entry_id:uuid}/day-reversal")
    @shown_again(lambda request, entry_id, caller: _entry(request, caller, entry_id))
    async def reverse_day(
        self, entry_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Once],
    ) -> Redirect:  # fmt: skip
        """Take back everything that expired with the same last day."""
        reason = filled(ReasonIn, data, REASON).reason
        await once.answer(caller, lambda: reverse_expiries_of_day(caller, entry_id, reason))
        return see_other("/admin/ledger?done=day-reversed")


async def _reverse(caller: Scope, entry: Entry, reason: str) -> object:
    """Refuses a second reversal inside the answer that is kept: the same form sent twice is answered the same."""
    if entry.reversed:
        raise NotReversible
    if entry.kind == "expiry" and entry.source_kind == "class_purchase":
        return await reverse_class_expiry(caller, entry.entry_id, reason)
    if entry.kind == "expiry":
        return await reverse_expiry(caller, entry.entry_id, reason)
    return await REVERSE[entry.source_kind](caller, entry.source_id, reason)


def _is_reversible(entry: Entry) -> bool:
    return not entry.reversed and (
        (entry.kind == "expiry" and entry.source_kind in ("account", "class_purchase"))
        or (entry.kind in ("service", "deed") and entry.source_kind in REVERSE)
    )


async def _books(request: AnyRequest, caller: Scope, cursor: str | None, done: str) -> Template:
    found = await last_entries(caller, limit=30, cursor=cursor)
    return page(
        request, caller, "ledger/books.html",
        first=cursor is None, books=await latest_books(caller) if cursor is None else None,
        asked=cursor is None and await is_waiting(caller), may_check=caller.administers,
        waiting=await waiting_expiries(caller) if cursor is None else [],
        items=await _told(caller, list(found.items), language_of(request)), next=found.next, done=done,
        currencies=CURRENCIES, places=PLACES, shown=_shown, may_expire=caller.administers, today=clock.local_day(),
    )  # fmt: skip


def _shown(books: Books) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """Each currency that has moved: its name, how much was issued, and where it is."""
    return [
        (CURRENCIES[name], name, [(word, getattr(of, place)) for place, word in PLACES.items() if getattr(of, place)])
        for name, of in books.currencies.items()
        if of.issued
    ]


async def _told(caller: Scope, entries: list[Entry], language: str) -> list[tuple[Entry, str, str]]:
    """Entries with their word and the person's name."""
    names = await names_of(caller, {e.person_id for e in entries if e.person_id})
    return [
        (e, what(e.kind, e.source_kind, language), names.get(e.person_id, "") if e.person_id else "") for e in entries
    ]


async def _entry(request: AnyRequest, caller: Scope, entry_id: UUID) -> Template:
    entry = await find_entry(caller, entry_id)
    names = await names_of(caller, {known for known in (entry.person_id, entry.actor_id) if known})
    return page(
        request, caller, "ledger/entry.html", entry=entry,
        what=what(entry.kind, entry.source_kind, language_of(request)),
        person=names.get(entry.person_id) if entry.person_id else None,
        actor=names.get(entry.actor_id) if entry.actor_id else None,
        may_reverse=caller.administers and _is_reversible(entry),
    )  # fmt: skip
