"""What a person has, and how it came about: balances as stored, statements with the balance after each entry."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.database import transaction
from timebank.ledger.posting import Currency
from timebank.paging import Page, cursor_of, read_cursor
from timebank.scope import Scope


class Expiring(msgspec.Struct, frozen=True, omit_defaults=True):
    """`amount` can be spent until `on`; in its days of grace, `grace_of` was its original last day."""

    on: date
    amount: int
    grace_of: date | None = None


class PointBalance(msgspec.Struct, frozen=True, omit_defaults=True):
    """`lapsed` is past its last day and not booked as expired yet."""

    available: int
    held: int
    expiring: list[Expiring]
    lapsed: int = 0


class ClassMinutes(msgspec.Struct, frozen=True):
    """`lasts_until`: the last day of the longest lasting of them; None: for ever, or not known here."""

    child_id: UUID
    course_id: UUID
    available: int
    lasts_until: date | None = None


class Balances(msgspec.Struct, frozen=True):
    """`points` can be spent until each `expiring.on`; `minutes` wait to make a whole point; class time per child."""

    points: PointBalance
    minutes: int
    class_minutes: list[ClassMinutes]
    owed: int


class _Account(msgspec.Struct, frozen=True):
    owner_id: UUID
    currency: str
    bucket: str
    subject_id: UUID | None
    expires_on: date | None
    grace_of: date | None
    balance: int


async def balances(scope: Scope, person_id: UUID, children: list[UUID]) -> Balances:
    """The stored balances of a person and the class time of the children that the person is guardian of."""
    async with transaction(scope):
        accounts = await database.rows(
            _Account,
            "SELECT owner_id, currency, bucket, subject_id, expires_on, grace_of, balance FROM account "
            "WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = ANY ($2) AND balance > 0 "
            "ORDER BY expires_on NULLS LAST, grace_of NULLS LAST, id",
            scope.community_id, [person_id, *children],
        )  # fmt: skip
        owed: int = await database.fetch_value(
            "SELECT coalesce(sum(amount - repaid), 0)::bigint FROM debt "
            "WHERE community_id = $1 AND owner_id = $2 AND currency = 'point' AND repaid < amount",
            scope.community_id, person_id,
        )  # fmt: skip
    today = clock.local_day()
    own = [a for a in accounts if a.owner_id == person_id]
    points = [a for a in own if a.currency == Currency.point]
    usable = [a for a in points if a.bucket == "available" and (a.expires_on is None or a.expires_on >= today)]
    return Balances(
        PointBalance(
            sum(a.balance for a in usable),
            sum(a.balance for a in points if a.bucket == "held"),
            [Expiring(a.expires_on, a.balance, a.grace_of) for a in usable if a.expires_on],
            sum(a.balance for a in points if a.bucket == "available" and a not in usable),
        ),
        sum(a.balance for a in own if a.currency == Currency.minute),
        [
            ClassMinutes(a.owner_id, a.subject_id, a.balance)
            for a in accounts
            if a.currency == Currency.class_minute and a.bucket == "available" and a.subject_id
        ],
        owed,
    )


class Line(msgspec.Struct, frozen=True):
    """One entry as it changed what the person can spend. `balance` is what was left after it."""

    entry_id: UUID
    posted_at: datetime
    occurred_at: datetime
    kind: str
    amount: int
    balance: int
    memo: str
    source_kind: str
    source_id: UUID
    rule_code: str | None
    rule_version: int | None


class _Entry(msgspec.Struct, frozen=True):
    entry_id: UUID
    posted_at: datetime
    occurred_at: datetime
    kind: str
    amount: int
    memo: str
    source_kind: str
    source_id: UUID
    rule_code: str | None
    rule_version: int | None


_ENTRIES = """
WITH own AS (
    SELECT id FROM account WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = $2 AND currency = $3
        AND bucket = 'available' AND ($7::uuid IS NULL OR subject_id = $7)
), leg AS (
    SELECT t.*, -t.amount AS change FROM transfer t JOIN own ON own.id = t.debit_account
        WHERE t.community_id = $1 AND ($4::timestamptz IS NULL OR t.posted_at <= $4)
    UNION ALL
    SELECT t.*, t.amount FROM transfer t JOIN own ON own.id = t.credit_account
        WHERE t.community_id = $1 AND ($4::timestamptz IS NULL OR t.posted_at <= $4)
)
SELECT entry_id, max(posted_at) AS posted_at, max(occurred_at) AS occurred_at,
       (array_agg(kind ORDER BY leg))[1] AS kind, sum(change)::bigint AS amount, max(memo) AS memo,
       max(source_kind) AS source_kind, (array_agg(source_id))[1] AS source_id,
       max(rule_code) AS rule_code, max(rule_version) AS rule_version
FROM leg GROUP BY entry_id
HAVING $4::timestamptz IS NULL OR (max(posted_at), entry_id) < ($4, $5)
ORDER BY max(posted_at) DESC, entry_id DESC LIMIT $6
"""


_BALANCE = """
SELECT coalesce(sum(balance), 0)::bigint FROM account
WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = $2 AND currency = $3 AND bucket = 'available'
  AND ($4::uuid IS NULL OR subject_id = $4)
"""


async def statement(
    scope: Scope,
    person_id: UUID,
    currency: Currency,
    *,
    subject_id: UUID | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Line]:
    """The entries that changed what a person can spend, newest first, each with the balance after it.

    The first page starts from the stored balance; the cursor carries the balance on, so a page never reads what came
    after it.
    """
    at = read_cursor(cursor, tuple[datetime, UUID, int])
    async with transaction(scope):
        entries = await database.rows(
            _Entry, _ENTRIES, scope.community_id, person_id, currency.value,
            at[0] if at else None, at[1] if at else None, limit + 1, subject_id,
        )  # fmt: skip
        balance: int = (
            at[2]
            if at
            else await database.fetch_value(
                _BALANCE,
                scope.community_id,
                person_id,
                currency.value,
                subject_id,
            )
        )
    lines: list[Line] = []
    for entry in entries[:limit]:
        lines.append(Line(**{**msgspec.structs.asdict(entry), "balance": balance}))
        balance -= entry.amount
    more = len(entries) > limit and bool(lines)
    return Page(lines, cursor_of(lines[-1].posted_at, lines[-1].entry_id, balance) if more else None)
