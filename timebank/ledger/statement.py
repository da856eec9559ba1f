"""A person's balances, and statements of ledger entries with the balance after each."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Filters, many, most, transaction, value
from timebank.core.paging import Page, cursor_of, read_cursor
from timebank.core.scope import Scope
from timebank.ledger.memos import Reasoned
from timebank.ledger.posting import Currency


class Expiring(msgspec.Struct, frozen=True, omit_defaults=True):
    """`amount` can be spent until `on`. `grace_of`: its original last day, if it is in its days of grace."""

    on: date
    amount: int
    grace_of: date | None = None


class PointBalance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points in each state. `lapsed` is past its last day, but not posted as expired yet."""

    available: int
    held: int
    expiring: list[Expiring]
    lapsed: int = 0


class ClassMinutes(msgspec.Struct, frozen=True):
    """Class minutes of a child in a course. `lasts_until`: the latest of their last days; None: no end or unknown."""

    child_id: UUID
    course_id: UUID
    available: int
    lasts_until: date | None = None


class Balances(msgspec.Struct, frozen=True):
    """A person's balances. `minutes` do not make a whole point yet; `class_minutes` per course; `owed` in points."""

    points: PointBalance
    minutes: int
    class_minutes: list[ClassMinutes]
    owed: int


class _Account(msgspec.Struct, frozen=True, kw_only=True):
    owner_id: UUID
    currency: str
    bucket: str
    subject_id: UUID | None
    expires_on: date | None
    grace_of: date | None
    balance: int


class _Stored(msgspec.Struct, frozen=True):
    accounts: list[_Account]
    owed: int


_ACCOUNTS = """
SELECT owner_id, currency, bucket, subject_id, expires_on, grace_of, balance FROM account
WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = ANY ($2::text[]::uuid[]) AND balance > 0
ORDER BY expires_on NULLS LAST, grace_of NULLS LAST, id
"""
_OWED = """
SELECT coalesce(sum(amount - repaid), 0)::bigint FROM debt
WHERE community_id = $1 AND owner_id = $2 AND currency = 'point' AND repaid < amount
"""


async def balances(scope: Scope, person_id: UUID, children: list[UUID]) -> Balances:
    """The stored balances of a person, and the class time of the person and of `children`."""
    people = database.as_texts([person_id, *children])
    async with transaction(scope):
        stored = await database.read(
            _Stored,
            accounts=many(_ACCOUNTS, scope.community_id, people),
            owed=value(_OWED, scope.community_id, person_id),
        )
    today, accounts = clock.local_day(), stored.accounts
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
        stored.owed,
    )


class Line(Reasoned, frozen=True, kw_only=True):
    """One ledger entry: `amount` is the change of what the person can spend, `balance` the amount after it."""

    entry_id: UUID
    posted_at: datetime
    occurred_at: datetime
    kind: str
    amount: int
    balance: int
    source_kind: str
    source_id: UUID
    rule_code: str | None
    rule_version: int | None


class Entry(Reasoned, frozen=True, kw_only=True):
    """One ledger entry as it is read; `goes_on`: there are older ones that were not read."""

    entry_id: UUID
    posted_at: datetime
    occurred_at: datetime
    kind: str
    amount: int
    source_kind: str
    source_id: UUID
    rule_code: str | None
    rule_version: int | None
    goes_on: bool


class _Newest(msgspec.Struct, frozen=True):
    entries: list[Entry]
    balance: int


# The newest entries of a person's accounts. Of each account it reads the newest legs of the debit and the credit side
# by index and puts the legs of an entry together. {count}: number of entries, {legs}: of legs per side. Legs of one
# moment are read together, as those of an entry are. If a side was not read to its end, entries older than its last leg
# read are left out, since legs of theirs may be unread, and `goes_on` is true: there are more.
_ENTRIES = """
WITH own AS (
    SELECT id FROM account WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = $2 AND currency = $3
        AND bucket = 'available'{subject}
), side AS (
    SELECT leg.* FROM own CROSS JOIN LATERAL (
        SELECT d.*, CASE WHEN count(*) OVER () >= {legs} THEN min(d.posted_at) OVER () END AS cut FROM (
            SELECT {columns}, -t.amount AS change FROM transfer t
            WHERE t.community_id = $1 AND t.debit_account = own.id{after}
            ORDER BY t.posted_at DESC FETCH FIRST ({legs}) ROWS WITH TIES) d
        UNION ALL
        SELECT c.*, CASE WHEN count(*) OVER () >= {legs} THEN min(c.posted_at) OVER () END AS cut FROM (
            SELECT {columns}, t.amount AS change FROM transfer t
            WHERE t.community_id = $1 AND t.credit_account = own.id{after}
            ORDER BY t.posted_at DESC FETCH FIRST ({legs}) ROWS WITH TIES) c
    ) AS leg
), bound AS (SELECT max(cut) AS cut FROM side)
SELECT s.entry_id, s.posted_at, max(s.occurred_at) AS occurred_at, (array_agg(s.kind ORDER BY s.leg))[1] AS kind,
       sum(s.change)::bigint AS amount, max(s.memo) AS memo, max(s.memo_kind) AS memo_kind,
       (array_agg(s.memo_values))[1]::text AS memo_values, max(s.source_kind) AS source_kind,
       (array_agg(s.source_id))[1] AS source_id, max(s.rule_code) AS rule_code, max(s.rule_version) AS rule_version,
       (SELECT cut FROM bound) IS NOT NULL AS goes_on
FROM side s WHERE s.posted_at >= coalesce((SELECT cut FROM bound), '-infinity')
GROUP BY s.posted_at, s.entry_id ORDER BY s.posted_at DESC, s.entry_id DESC LIMIT {count}
"""
_COLUMNS = (
    "t.posted_at, t.entry_id, t.leg, t.occurred_at, t.kind, t.memo, t.memo_kind, t.memo_values, t.source_kind, "
    "t.source_id, t.rule_code, t.rule_version"
)
_AFTER = "t.posted_at <= {0} AND (t.posted_at, t.entry_id) < ({0}, {1})"

_BALANCE = """
SELECT coalesce(sum(balance), 0)::bigint FROM account
WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = $2 AND currency = $3 AND bucket = 'available'
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
    """The ledger entries that changed what a person can spend, newest first, each with the balance after it.

    The first page starts from the stored balance. The cursor holds the balance for the next page, so a page never reads
    newer entries.
    """
    at = read_cursor(cursor, tuple[datetime, UUID, int])
    own = Filters(scope.community_id, person_id, currency.value)
    own.add_given("subject_id = {}", subject_id)
    page = Filters(*own.values)
    if at:
        page.add(_AFTER, *at[:2])
    newest = _ENTRIES.format(
        subject=own.sql, columns=_COLUMNS, after=page.sql, count=most(limit + 1), legs=most(2 * limit + 2)
    )
    async with transaction(scope):
        found = await database.read(
            _Newest, entries=many(newest, *page.values), balance=value(f"{_BALANCE}{own.sql}", *own.values)
        )
    entries = found.entries
    lines = with_balances(entries[:limit], at[2] if at else found.balance)
    if not lines or not (len(entries) > limit or entries[0].goes_on):
        return Page(lines, None)
    return Page(lines, cursor_of(lines[-1].posted_at, lines[-1].entry_id, lines[-1].balance - lines[-1].amount))


def with_balances(entries: Sequence[Entry], balance: int) -> list[Line]:
    """The entries, newest first, each with the balance after it; `balance` is that after the first."""
    lines: list[Line] = []
    for entry in entries:
        lines.append(
            Line(
                entry_id=entry.entry_id, posted_at=entry.posted_at, occurred_at=entry.occurred_at, kind=entry.kind,
                amount=entry.amount, balance=balance, source_kind=entry.source_kind, source_id=entry.source_id,
                rule_code=entry.rule_code, rule_version=entry.rule_version, memo=entry.memo,
                memo_kind=entry.memo_kind, memo_values=entry.memo_values,
            )
        )  # fmt: skip
        balance -= entry.amount
    return lines
