"""A resident's statement: balances, ledger entries, and the rule behind each amount."""

from datetime import date, timedelta
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from timebank.classes.pages.class_time import class_time
from timebank.core import clock
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.preferences import language_of
from timebank.ledger.entries import find_entry
from timebank.ledger.months.reading import AskedMonth, Sort
from timebank.ledger.months.words import worded_month
from timebank.ledger.posting import Currency
from timebank.ledger.statement_words import entry_kind_in_words, reversed_words
from timebank.overview.resident import shown_balances
from timebank.people.guardianship.guardians import children_of
from timebank.people.statement_access import open_statement
from timebank.rules.catalogue import versions
from timebank.web.pages import page

SORTS: tuple[tuple[Sort, str], ...] = (
    ("earned", _("得到")),
    ("spent", _("用掉")),
    ("expired", _("到期")),
    ("returned", _("退回、更正")),
)
MONTHS_OFFERED = 24
TABS = ((Currency.point, _("积分")), (Currency.minute, _("时间")), (Currency.class_minute, _("课时")))


class StatementPages(Controller):
    path = "/statement"
    include_in_schema = False

    @get()
    async def statement(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
        currency: FromQuery[Currency] = Currency.point, month: FromQuery[str] = "", sort: FromQuery[str] = "",
        cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """The balances, and a month's ledger entries of one currency: the newest month that has any, or the one asked.

        A month or a sort that there is not is left out of the question.
        """
        book = await open_statement(caller, person_id)
        asked = AskedMonth(_first_of(month), next((known for known, _word in SORTS if known == sort), None))
        shown, lines = await worded_month(
            book.scope, book.person_id, currency, asked, language_of(request), limit=30, cursor=cursor
        )
        has = await shown_balances(book)
        children_have = await class_time(book.scope, has.class_minutes, language_of(request))
        return page(
            request, caller, "member/statement.html", has=has, currency=currency.value, tabs_of=TABS, next=lines.next,
            items=lines.items, first=cursor is None, shown=shown, sort=asked.sort, sorts=SORTS,
            before=_first_before(shown.first), after=_first_after(shown.first), months=_months(shown.first),
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


def _first_of(month: str) -> date | None:
    """The first day of a month such as 2026-11; None for what is no month between 2000 and this one."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        return None
    return first if date(2000, 1, 1) <= first <= clock.local_day() else None


def _first_before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def _first_after(first: date) -> date | None:
    """The first day of the following month; None for this month."""
    after = (first + timedelta(days=31)).replace(day=1)
    return after if after <= clock.local_day() else None


def _months(shown: date) -> list[date]:
    """The months to choose from, newest first, the shown one among them."""
    found = [clock.local_day().replace(day=1)]
    while len(found) < MONTHS_OFFERED:
        found.append(_first_before(found[-1]))
    return sorted({*found, shown}, reverse=True)


async def _people(caller: Scope) -> list[tuple[UUID, str]]:
    """Id and name of those whose statement the caller may read: the caller, and children with recorded consent."""
    own = [(caller.person_id, _("我"))] if caller.person_id else []
    children = [(c.person_id, c.name) for c in await children_of(caller) if c.consented]
    return own + children if children else []
