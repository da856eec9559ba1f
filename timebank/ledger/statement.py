"""What a person has, and how it came about: balances as stored, statements with the balance after each entry."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.paging import Page, cursor_of, read_cursor
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency


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
    goes_on: bool


# The newest entries of a person's accounts: of each account the newest legs of its debit side and of its credit side,
# each along its index, then merged; and of each entry that the page shows, its legs. $5: how many entries, $6: how many
# legs of a side. Legs of one moment are read together. Where a side goes on, nothing is shown that is older than the
# last that was read of it: `goes_on` tells that there is more.
_ENTRIES = """
WITH own AS (
    SELECT id FROM account WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = $2 AND currency = $3
        AND bucket = 'available' AND ($4::uuid IS NULL OR subject_id = $4)
), side AS (
    SELECT leg.* FROM own CROSS JOIN LATERAL (
        SELECT d.*, CASE WHEN count(*) OVER () >= $6 THEN min(d.posted_at) OVER () END AS cut FROM (
            SELECT t.posted_at, t.entry_id FROM transfer t
            WHERE t.community_id = $1 AND t.debit_account = own.id {after}
            ORDER BY t.posted_at DESC FETCH FIRST ($6) ROWS WITH TIES) d
        UNION ALL
        SELECT c.*, CASE WHEN count(*) OVER () >= $6 THEN min(c.posted_at) OVER () END AS cut FROM (
            SELECT t.posted_at, t.entry_id FROM transfer t
            WHERE t.community_id = $1 AND t.credit_account = own.id {after}
            ORDER BY t.posted_at DESC FETCH FIRST ($6) ROWS WITH TIES) c
    ) AS leg
), bound AS (SELECT max(cut) AS cut FROM side), newest AS (
    SELECT DISTINCT s.posted_at, s.entry_id FROM side s
    WHERE s.posted_at >= coalesce((SELECT cut FROM bound), '-infinity')
    ORDER BY s.posted_at DESC, s.entry_id DESC LIMIT $5
), mine AS (SELECT array_agg(id) AS ids FROM own)
SELECT n.entry_id, n.posted_at, whole.*, (SELECT cut FROM bound) IS NOT NULL AS goes_on
FROM newest n CROSS JOIN LATERAL (
    SELECT max(t.occurred_at) AS occurred_at, (array_agg(t.kind ORDER BY t.leg))[1] AS kind,
           sum(CASE WHEN t.credit_account = ANY ((SELECT ids FROM mine)::uuid[]) THEN t.amount ELSE 0 END
             - CASE WHEN t.debit_account = ANY ((SELECT ids FROM mine)::uuid[]) THEN t.amount ELSE 0 END)::bigint
               AS amount,
           max(t.memo) AS memo, max(t.source_kind) AS source_kind, (array_agg(t.source_id))[1] AS source_id,
           max(t.rule_code) AS rule_code, max(t.rule_version) AS rule_version
    FROM transfer t WHERE t.community_id = $1 AND t.entry_id = n.entry_id
      AND (t.debit_account = ANY ((SELECT ids FROM mine)::uuid[])
        OR t.credit_account = ANY ((SELECT ids FROM mine)::uuid[]))
) AS whole ORDER BY n.posted_at DESC, n.entry_id DESC
"""
_FIRST = _ENTRIES.format(after="")
_NEXT = _ENTRIES.format(after="AND t.posted_at <= $7 AND (t.posted_at, t.entry_id) < ($7, $8)")


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
            _Entry, _NEXT if at else _FIRST, scope.community_id, person_id, currency.value, subject_id, limit + 1,
            2 * limit + 2, *(at[:2] if at else ()),
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
        told = {name: value for name, value in msgspec.structs.asdict(entry).items() if name != "goes_on"}
        lines.append(Line(**{**told, "balance": balance}))
        balance -= entry.amount
    more = bool(lines) and (len(entries) > limit or entries[0].goes_on)
    return Page(lines, cursor_of(lines[-1].posted_at, lines[-1].entry_id, balance) if more else None)
