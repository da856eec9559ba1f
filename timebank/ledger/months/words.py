"""A month of a statement in words."""

from uuid import UUID

from timebank.core.database import transaction
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.ledger.months.reading import AskedMonth, Month, month_of_statement
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import StatementItem
from timebank.ledger.statement_words import explain_lines


async def worded_month(
    scope: Scope, person_id: UUID, currency: Currency, asked: AskedMonth, language: str, *, limit: int = 50,
    cursor: str | None = None,
) -> tuple[Month, Page[StatementItem]]:  # fmt: skip
    """The month of `month_of_statement`, and its lines in words."""
    async with transaction(scope):
        found = await month_of_statement(scope, person_id, currency, asked, limit=limit, cursor=cursor)
        return found, Page(await explain_lines(scope, found.lines.items, language), found.lines.next)
