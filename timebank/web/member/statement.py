"""The own book on the phone: what one has, how it came about, and why each number is just that."""

from dataclasses import dataclass
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from timebank.access.callers import AnyRequest
from timebank.classes.courses import course
from timebank.ledger.entries import find_entry
from timebank.ledger.explain import explained, reversed_words, what
from timebank.ledger.posting import Currency
from timebank.ledger.statement import ClassMinutes, balances, statement
from timebank.locale import _
from timebank.paging import Cursor
from timebank.people.books import Book, open_book
from timebank.people.directory import names_of
from timebank.people.guardians import children_of
from timebank.preferences import language_of
from timebank.rules.catalogue import versions
from timebank.scope import Scope
from timebank.web.pages import page

TABS = ((Currency.point, _("积分")), (Currency.minute, _("时间")), (Currency.class_minute, _("课时")))


@dataclass(frozen=True, slots=True)
class ClassTime:
    """A child's minutes in one course."""

    child_id: UUID
    child: str
    course_id: UUID
    title: str
    available: int


class StatementPages(Controller):
    path = "/statement"
    include_in_schema = False

    @get()
    async def statement(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
        currency: FromQuery[Currency] = Currency.point, cursor: Cursor = None,
    ) -> Template:  # fmt: skip
        """Balances, then the entries of one currency."""
        book = await open_book(caller, person_id)
        found = await statement(book.scope, book.person_id, currency, limit=30, cursor=cursor)
        has = await balances(book.scope, book.person_id, book.children)
        class_time = await _class_time(book, has.class_minutes)
        return page(
            request, caller, "member/statement.html", has=has, currency=currency.value, tabs_of=TABS, next=found.next,
            items=await explained(book.scope, found.items, language_of(request)), first=cursor is None,
            person_id=book.person_id, people=await _people(caller), class_time=class_time,
        )  # fmt: skip

    @get("/{entry_id:uuid}")
    async def entry(
        self, request: AnyRequest, entry_id: FromPath[UUID], caller: NamedDependency[Scope],
        person_id: FromQuery[UUID | None] = None,
    ) -> Template:  # fmt: skip
        """One entry, and the rule behind its number."""
        book = await open_book(caller, person_id)
        entry = await find_entry(book.scope, entry_id, person_id=book.person_id)
        rule = None
        if entry.rule_code:
            rule = next(
                (v for v in await versions(book.scope, entry.rule_code) if v.version == entry.rule_version), None
            )
        undone = await reversed_words(book.scope, [entry_id], language_of(request))
        return page(
            request, caller, "member/entry.html", entry=entry, rule=rule, undone=undone.get(entry_id),
            what=what(entry.kind, entry.source_kind, language_of(request)), person_id=book.person_id,
        )  # fmt: skip


async def _people(caller: Scope) -> list[tuple[UUID, str]]:
    """Whose books the reader may turn to: the own, and those of children with recorded consent."""
    own = [(caller.person_id, _("我"))] if caller.person_id else []
    children = [(c.person_id, c.name) for c in await children_of(caller) if c.consented]
    return own + children if children else []


async def _class_time(book: Book, has: list[ClassMinutes]) -> list[ClassTime]:
    titles = {course_id: (await course(book.scope, course_id)).title for course_id in {c.course_id for c in has}}
    names = await names_of(book.scope, {c.child_id for c in has})
    return [
        ClassTime(c.child_id, names.get(c.child_id, ""), c.course_id, titles[c.course_id], c.available) for c in has
    ]
