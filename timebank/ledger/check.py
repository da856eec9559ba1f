"""Whether a community's books balance: each promise of the ledger looked at anew, in a few set-wise statements."""

from uuid import UUID

import msgspec

from timebank import database, settings
from timebank.database import transaction
from timebank.ledger.class_invariants import CLASSES
from timebank.ledger.invariants import CHAIN, LEDGER, Invariant
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import BooksOut, ProblemOut, Totals
from timebank.locale import _, put_together
from timebank.scope import Scope

FOUND_MAX = 100  # of each kind: whoever has more has one cause to look for, not a hundred

NOT_ZERO = _("{currency}的账不平：发出 {issued}，各处合计 {everywhere}。")
CURRENCIES = {"point": _("积分"), "minute": _("时间"), "class_minute": _("课时")}


class Problem(msgspec.Struct, frozen=True):
    """A violation: its sentence with the values that it names, and the records that it is about."""

    code: str
    sentence: str
    values: dict[str, object]
    ids: list[UUID]

    def text(self, language: str = "zh") -> str:
        return put_together(self.sentence, self.values, language)


class Books(msgspec.Struct, frozen=True):
    """What the check found: every currency's totals, and what cannot be right."""

    currencies: dict[str, Totals]
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        return not self.problems


_TOTALS = """
WITH system AS (
    SELECT a.currency, a.bucket,
           coalesce((SELECT sum(t.amount) FROM transfer t WHERE t.community_id = $1 AND t.credit_account = a.id), 0)
         - coalesce((SELECT sum(t.amount) FROM transfer t WHERE t.community_id = $1 AND t.debit_account = a.id), 0)
           AS taken
    FROM account a WHERE a.community_id = $1 AND a.owner_kind = 'system'
), stored AS (
    SELECT currency, bucket, sum(balance) AS taken FROM account
    WHERE community_id = $1 AND owner_kind <> 'system' GROUP BY 1, 2
), everything AS (SELECT * FROM system UNION ALL SELECT * FROM stored), owed AS (
    SELECT currency, sum(amount - repaid)::bigint AS owed FROM debt WHERE community_id = $1 GROUP BY 1
)
SELECT e.currency,
       -coalesce(sum(taken) FILTER (WHERE bucket = 'issued'), 0)::bigint AS issued,
       coalesce(sum(taken) FILTER (WHERE bucket = 'available'), 0)::bigint AS outstanding,
       coalesce(sum(taken) FILTER (WHERE bucket = 'held'), 0)::bigint AS held,
       coalesce(sum(taken) FILTER (WHERE bucket = 'redeemed'), 0)::bigint AS redeemed,
       coalesce(sum(taken) FILTER (WHERE bucket = 'expired'), 0)::bigint AS expired,
       coalesce(sum(taken) FILTER (WHERE bucket = 'donated'), 0)::bigint AS donated,
       coalesce(sum(taken) FILTER (WHERE bucket = 'converted'), 0)::bigint AS converted,
       coalesce(sum(taken) FILTER (WHERE bucket = 'adjusted'), 0)::bigint AS adjusted,
       coalesce(sum(taken) FILTER (WHERE bucket = 'clearing'), 0)::bigint AS clearing,
       coalesce(max(o.owed), 0)::bigint AS owed
FROM everything e LEFT JOIN owed o ON o.currency = e.currency GROUP BY e.currency
"""

_NOTHING = Totals(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


async def check_ledger(scope: Scope) -> Books:
    """Look at every promise of the community's books; for its administrators and auditors.

    Each statement sees one moment, so that postings going on meanwhile are never taken for an error.
    """
    scope.require_reader()
    async with transaction(scope):
        currencies = await totals(scope)
        problems = [p for name, of in currencies.items() if (p := _imbalance(name, of))]
        for invariant in (*LEDGER, *CHAIN, *CLASSES):
            problems += await _violations(scope, invariant)
    return Books(currencies, problems)


async def totals(scope: Scope) -> dict[str, Totals]:
    """Where each currency is, all people and all time together."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.fetch(_TOTALS, scope.community_id)
    counted = {row["currency"]: {name: row[name] for name in Totals.__struct_fields__} for row in found}
    return {c.value: Totals(**counted[c.value]) if c.value in counted else _NOTHING for c in Currency}


def _imbalance(name: str, of: Totals) -> Problem | None:
    places = msgspec.structs.asdict(of)
    everywhere = sum(amount for place, amount in places.items() if place not in ("issued", "owed"))
    if everywhere == of.issued:
        return None
    values: dict[str, object] = {"currency": CURRENCIES[name], "issued": of.issued, "everywhere": everywhere}
    return Problem("currency_not_zero", NOT_ZERO, values, [])


async def _violations(scope: Scope, invariant: Invariant) -> list[Problem]:
    arguments: tuple[object, ...] = (scope.community_id, FOUND_MAX)
    if "$3" in invariant.statement:
        arguments = (*arguments, settings.current().time_zone.key)
    return [
        Problem(invariant.code, invariant.sentence, {k: v for k, v in row.items() if k != "ids"}, list(row["ids"]))
        for row in await database.fetch(invariant.statement, *arguments)
    ]


def books_out(books: Books, language: str = "zh") -> BooksOut:
    """What the check found, as the API tells it."""
    problems = [ProblemOut(p.code, p.text(language), p.ids) for p in books.problems]
    return BooksOut(books.ok, books.currencies, problems)
