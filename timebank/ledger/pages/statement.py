"""A resident's statement: balances, ledger entries, and the rule behind each amount."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from timebank.classes.pages.class_time import class_time
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.ledger.entries import find_entry
from timebank.ledger.posting import Currency
from timebank.ledger.statement_words import entry_kind_in_words, reversed_words, worded_statement
from timebank.overview.resident import shown_balances
from timebank.people.guardianship.guardians import children_of
from timebank.people.statement_access import open_statement
from timebank.rules.catalogue import versions
from timebank.web.pages import page

TABS = ((Currency.point, _("积分")), (Currency.minute, _("时间")), (Currency.class_minute, _("课时")))


class StatementPages(Controller):
    path = "/statement"
    include_in_schema = False

    @get()
    async def statement(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
        currency: FromQuery[Currency] = Currency.point, cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The balances, and the ledger entries of one currency."""
        book = await open_statement(caller, person_id)
        found = await worded_statement(
            book.scope, book.person_id, currency, language_of(request), limit=30, cursor=cursor
        )
        has = await shown_balances(book)
        children_have = await class_time(book.scope, has.class_minutes, language_of(request))
        return page(
            request, caller, "member/statement.html", has=has, currency=currency.value, tabs_of=TABS, next=found.next,
            items=found.items, first=cursor is None,
            person_id=book.person_id, people=await _people(caller), class_time=children_have,
        )  # fmt: skip

    @get("/{entry_id:uuid}")
    async def entry(
        self, request: AnyRequest, entry_id: FromPath[UUID], caller: NamedDependency[Scope],
        person_id: FromQuery[UUID | None] = None,
    ) -> Template:  # fmt: skip
        """One ledger entry and the rule behind its amount."""
        book = await open_statement(caller, person_id)
        entry = await find_entry(book.scope, entry_id, person_id=book.person_id)
        rule = None
        if entry.rule_code:
            rule = next(
                (v for v in await versions(book.scope, entry.rule_code) if v.version == entry.rule_version), None
            )
        undone = await reversed_words(book.scope, [entry_id], language_of(request))
        return page(
            request, caller, "member/entry.html", entry=entry, rule=rule, undone=undone.get(entry_id),
            what=entry_kind_in_words(entry.kind, entry.source_kind, language_of(request)), person_id=book.person_id,
            why=entry.reason(language_of(request)),
        )  # fmt: skip


async def _people(caller: Scope) -> list[tuple[UUID, str]]:
    """Id and name of those whose statement the caller may read: the caller, and children with recorded consent."""
    own = [(caller.person_id, _("我"))] if caller.person_id else []
    children = [(c.person_id, c.name) for c in await children_of(caller) if c.consented]
    return own + children if children else []
