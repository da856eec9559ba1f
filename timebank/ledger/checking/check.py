"""The ledger check: verifies every invariant of a community's ledger, each by one set-based statement."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database, settings
from timebank.core.database import transaction
from timebank.core.locale import _, put_together
from timebank.core.scope import Scope
from timebank.ledger.checking.invariants import Invariant, invariants
from timebank.ledger.checking.invariants.parts import SUMMED
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import BooksOut, ProblemOut, Totals
from timebank.ledger.totals import NOTHING

FOUND_MAX = 100  # violations reported of each invariant; more of them are likely to have one cause

NOT_ZERO = _("{currency}的账不平：发出 {issued}，各处合计 {everywhere}。")
UNKNOWN = _("账上有一处对不上（{code}）。")
CURRENCIES = {"point": _("积分"), "minute": _("时间"), "class_minute": _("课时")}

# With a time limit the check of a large community would fail one day. Nested loops are off because the planner may
# choose them for a table without statistics, where they take too long.
_WITHOUT_LIMITS = (
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL work_mem = '64MB'; "
    "SET LOCAL enable_nestloop = off; SET LOCAL jit = off"
)


class Problem(msgspec.Struct, frozen=True):
    """A violation: the code of its invariant, the values of its sentence, and the ids of the records concerned."""

    code: str
    values: dict[str, str | int]
    ids: list[UUID]

    def text(self, language: str = "zh") -> str:
        sentence = _sentences().get(self.code, UNKNOWN)
        return put_together(sentence, {**self.values, "code": self.code}, language)


class Books(msgspec.Struct, frozen=True):
    """The result of a check. `checked_at` is when it began; `currencies` are the totals by currency."""

    checked_at: datetime
    currencies: dict[str, Totals]
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        return not self.problems


def _sentences() -> dict[str, str]:
    return {"currency_not_zero": NOT_ZERO} | {one.code: one.sentence for one in invariants()}


_TOTALS = Invariant(
    "totals",
    "",
    """
, placed AS (
    SELECT a.currency, a.bucket, CASE a.owner_kind WHEN 'system' THEN coalesce(s.change, 0) ELSE a.balance END AS amount
    FROM account a LEFT JOIN summed s ON s.account_id = a.id WHERE a.community_id = $1
), owed AS (
    SELECT currency, sum(amount - repaid)::bigint AS owed FROM debt WHERE community_id = $1 GROUP BY 1
)
SELECT p.currency,
       -coalesce(sum(amount) FILTER (WHERE bucket = 'issued'), 0)::bigint AS issued,
       coalesce(sum(amount) FILTER (WHERE bucket = 'available'), 0)::bigint AS outstanding,
       coalesce(sum(amount) FILTER (WHERE bucket = 'held'), 0)::bigint AS held,
       coalesce(sum(amount) FILTER (WHERE bucket = 'redeemed'), 0)::bigint AS redeemed,
       coalesce(sum(amount) FILTER (WHERE bucket = 'expired'), 0)::bigint AS expired,
       coalesce(sum(amount) FILTER (WHERE bucket = 'donated'), 0)::bigint AS donated,
       coalesce(sum(amount) FILTER (WHERE bucket = 'converted'), 0)::bigint AS converted,
       coalesce(sum(amount) FILTER (WHERE bucket = 'adjusted'), 0)::bigint AS adjusted,
       coalesce(sum(amount) FILTER (WHERE bucket = 'clearing'), 0)::bigint AS clearing,
       coalesce(max(o.owed), 0)::bigint AS owed
FROM placed p LEFT JOIN owed o ON o.currency = p.currency GROUP BY p.currency
""",
    SUMMED,
)


async def check_ledger(scope: Scope) -> Books:
    """Verify every invariant of the community's ledger; for administrators and auditors. It may take minutes.

    Each statement reads one snapshot, so a concurrent posting is never reported as a violation.
    """
    scope.require_reader()
    began = clock.now()
    async with transaction(scope):
        await database.execute(_WITHOUT_LIMITS)
        currencies = await _counted(scope)
        problems = [p for name, of in currencies.items() if (p := _imbalance(name, of))]
        for invariant in invariants():
            problems += await _violations(scope, invariant)
    return Books(began, currencies, problems)


async def _counted(scope: Scope) -> dict[str, Totals]:
    """The totals of each currency, summed from every account and every transfer."""
    found = await database.fetch_unlimited(_TOTALS.statement, scope.community_id)
    counted = {row["currency"]: {name: row[name] for name in Totals.__struct_fields__} for row in found}
    return {c.value: Totals(**counted[c.value]) if c.value in counted else NOTHING for c in Currency}


def _imbalance(name: str, of: Totals) -> Problem | None:
    places = msgspec.structs.asdict(of)
    everywhere = sum(amount for place, amount in places.items() if place not in ("issued", "owed"))
    if everywhere == of.issued:
        return None
    values: dict[str, str | int] = {"currency": CURRENCIES[name], "issued": of.issued, "everywhere": everywhere}
    return Problem("currency_not_zero", values, [])


async def _violations(scope: Scope, invariant: Invariant) -> list[Problem]:
    arguments: tuple[object, ...] = (scope.community_id, FOUND_MAX)
    if "$3" in invariant.statement:
        arguments = (*arguments, settings.current().time_zone.key)
    return [
        Problem(
            invariant.code,
            {name: _stored(value) for name, value in row.items() if name != "ids"},
            [UUID(bytes=each.bytes) for each in row["ids"]],
        )
        for row in await database.fetch_unlimited(invariant.statement, *arguments)
    ]


def _stored(value: object) -> str | int:
    if isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def books_out(books: Books, language: str = "zh") -> BooksOut:
    """The result of a check as the API returns it."""
    problems = [ProblemOut(code=p.code, text=p.text(language), ids=p.ids) for p in books.problems]
    return BooksOut(ok=books.ok, checked_at=books.checked_at, currencies=books.currencies, problems=problems)
