"""The panel's pages of the ledger: the last check, totals, entries, reversals and waiting expiries."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.core import clock
from timebank.core.capability import resolve
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.deeds.schemas import ReasonIn
from timebank.expiry.expiring import let_expire, waiting_expiries
from timebank.expiry.reversal import reverse_expiries_of_day
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.http.refusals import shown_again
from timebank.ledger.checking.check import CURRENCIES, Books
from timebank.ledger.checking.stored_result import ask_for_check, is_waiting, latest_books
from timebank.ledger.entries import Entry, find_entry, last_entries, reversal_of
from timebank.ledger.posting import Currency
from timebank.ledger.refusals import NotReversible, PurchaseNotReversible
from timebank.ledger.searching.kinds import kind_options
from timebank.ledger.statement_words import entry_kind_in_words
from timebank.people.directory import names_of
from timebank.web.forms import parse_form
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
EXPIRY = {"day": _("到期日"), "currency": _("哪一种账"), "amount": _("数目")}


class ExpiryIn(msgspec.Struct, forbid_unknown_fields=True):
    """The waiting expiry that the page showed. `amount` makes sure that nothing added since expires with it."""

    day: date
    currency: Currency
    amount: Annotated[int, Meta(ge=1)]


class PanelLedgerPages(Controller):
    path = "/admin/ledger"
    include_in_schema = False

    @get()
    async def books(
        self, request: AnyRequest, caller: NamedDependency[Scope], cursor: Cursor = None, done: FromQuery[str] = ""
    ) -> Template:
        """The last check, the totals and the latest entries; with `cursor` only further entries."""
        return await _books(request, caller, cursor, done)

    @post("/expiry")
    @shown_again(lambda request, caller: _books(request, caller, None, ""))
    async def expire(
        self, data: URLEncodedBody[dict[str, str]], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Carry out the waiting expiry of one last day and currency."""
        asked = parse_form(ExpiryIn, data, EXPIRY)
        await once.answer(caller, lambda: let_expire(caller, asked.day, asked.currency, asked.amount))
        return see_other("/admin/ledger?done=expired")

    @post("/check")
    @shown_again(lambda request, caller: _books(request, caller, None, ""))
    async def check(self, caller: NamedDependency[Scope]) -> Redirect:
        """Ask the worker to check the ledger now."""
        await ask_for_check(caller)
        return see_other("/admin/ledger?done=asked")

    @get("/{entry_id:uuid}")
    async def entry(self, request: AnyRequest, entry_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Template:
        """One ledger entry and the form to reverse it."""
        return await _entry(request, caller, entry_id)

    @post("/{entry_id:uuid}/reversal")
    @shown_again(lambda request, entry_id, caller: _entry(request, caller, entry_id))
    async def reverse(
        self, entry_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Reverse the source of the entry, with a reason."""
        entry = await find_entry(caller, entry_id)
        if not entry.reversed and reversal_of(entry) is None:
            raise PurchaseNotReversible if entry.source_kind == "class_purchase" else NotReversible
        reason = parse_form(ReasonIn, data, REASON).reason
        await once.answer(caller, lambda: _reverse(caller, entry, reason))
        return see_other("/admin/ledger?done=reversed")

    @post("/{entry_id:uuid}/day-reversal")
    @shown_again(lambda request, entry_id, caller: _entry(request, caller, entry_id))
    async def reverse_day(
        self, entry_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
        caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
    ) -> Redirect:  # fmt: skip
        """Reverse every expiry with the same last day as this entry."""
        reason = parse_form(ReasonIn, data, REASON).reason
        await once.answer(caller, lambda: reverse_expiries_of_day(caller, entry_id, reason))
        return see_other("/admin/ledger?done=day-reversed")


async def _reverse(caller: Scope, entry: Entry, reason: str) -> object:
    """Reverse an entry, or raise NotReversible if it is reversed already.

    The check runs inside `once.answer`, so that the same form sent twice gets the stored answer, not a refusal.
    """
    reversal = reversal_of(entry)
    if entry.reversed or reversal is None:
        raise NotReversible
    reverse = resolve(reversal.verb)
    return await reverse(caller, entry.entry_id if reversal.of == "entry" else entry.source_id, reason)


async def _books(request: AnyRequest, caller: Scope, cursor: str | None, done: str) -> Template:
    found = await last_entries(caller, limit=30, cursor=cursor)
    return page(
        request, caller, "ledger/books.html",
        first=cursor is None, books=await latest_books(caller) if cursor is None else None,
        asked=cursor is None and await is_waiting(caller), may_check=caller.administers,
        waiting=await waiting_expiries(caller) if cursor is None else [],
        items=await entries_in_words(caller, list(found.items), language_of(request)), next=found.next, done=done,
        currencies=CURRENCIES, places=PLACES, shown=_shown, may_expire=caller.administers, today=clock.local_day(),
        kinds=kind_options(language_of(request)),
    )  # fmt: skip


def _shown(books: Books) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """For each currency with entries: its name, the amount issued, and the amount by place."""
    return [
        (CURRENCIES[name], name, [(word, getattr(of, place)) for place, word in PLACES.items() if getattr(of, place)])
        for name, of in books.currencies.items()
        if of.issued
    ]


async def entries_in_words(caller: Scope, entries: list[Entry], language: str) -> list[tuple[Entry, str, str, str]]:
    """Entries with their kind in words, the person's name and the reason in words."""
    names = await names_of(caller, {e.person_id for e in entries if e.person_id})
    return [
        (
            e,
            entry_kind_in_words(e.kind, e.source_kind, language),
            names.get(e.person_id, "") if e.person_id else "",
            e.reason(language),
        )
        for e in entries
    ]


async def _entry(request: AnyRequest, caller: Scope, entry_id: UUID) -> Template:
    entry = await find_entry(caller, entry_id)
    names = await names_of(caller, {known for known in (entry.person_id, entry.actor_id) if known})
    return page(
        request, caller, "ledger/entry.html", entry=entry,
        what=entry_kind_in_words(entry.kind, entry.source_kind, language_of(request)),
        why=entry.reason(language_of(request)),
        person=names.get(entry.person_id) if entry.person_id else None,
        actor=names.get(entry.actor_id) if entry.actor_id else None,
        may_reverse=caller.administers and not entry.reversed and reversal_of(entry) is not None,
    )  # fmt: skip
