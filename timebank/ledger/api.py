"""The ledger over HTTP: balances, statements, donations and the result of the ledger check."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.ledger.checking.check import books_out
from timebank.ledger.checking.stored_result import BooksNotChecked, latest_books
from timebank.ledger.donations import donate
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import BooksOut, DonationIn, DonationOut, StatementItem
from timebank.ledger.statement import Balances
from timebank.ledger.statement_words import worded_statement
from timebank.overview.resident import shown_balances
from timebank.people.statement_access import open_statement


@get("/me/balances")
async def own_balances(caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None) -> Balances:
    """Points, minutes and class time of the caller, of a child in the caller's care or, for staff, of any resident."""
    book = await open_statement(caller, person_id)
    return await shown_balances(book)


@get("/me/statement")
async def own_statement(
    request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
    currency: FromQuery[Currency] = Currency.point, course_id: FromQuery[UUID | None] = None, limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[StatementItem]]:  # fmt: skip
    """Ledger entries of one currency, newest first, each with the balance after it and its reason in words."""
    book = await open_statement(caller, person_id)
    found = await worded_statement(
        book.scope, book.person_id, currency, language_of(request), subject_id=course_id, limit=limit, cursor=cursor
    )
    return listed(request, found)


@post("/donations")
async def give(
    data: JSONBody[DonationIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
) -> Response[bytes]:
    """Donate own points to the community's common pool."""
    posted = await donate(
        caller.acting_as(data.person_id), data, key=once.required_key(), request_hash=once.request_hash
    )
    return once.posted(DonationOut(id=posted.entry_id, points=data.points), replayed=posted.replayed)


@get("/ledger/check")
async def check(request: AnyRequest, caller: NamedDependency[Scope]) -> BooksOut:
    """The result of the last ledger check: whether the community's books balanced, and the problems found."""
    books = await latest_books(caller)
    if books is None:
        raise BooksNotChecked
    return books_out(books, language_of(request))
