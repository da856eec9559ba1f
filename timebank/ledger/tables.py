"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Date, Integer, SmallInt, Timestamptz, Varchar
from piccolo.table import Table


class Account(Table, tablename="account"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    owner_kind = Varchar(length=10, default=None, null=False)
    owner_id = UUID(default=None, null=False)
    currency = Varchar(length=12, default=None, null=False)
    bucket = Varchar(length=10, default=None, null=False)
    subject_id = UUID(default=None, null=True)
    expires_on = Date(default=None, null=True)
    grace_of = Date(default=None, null=True)
    balance = BigInt(default=None, null=True)
    closed_at = Timestamptz(default=None, null=True)


class Transfer(Table, tablename="transfer"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    entry_id = UUID(default=None, null=False)
    leg = SmallInt(default=None, null=False)
    key = Varchar(length=160, default=None, null=False)
    request_hash = Bytea(default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    currency = Varchar(length=12, default=None, null=False)
    debit_account = UUID(default=None, null=False)
    credit_account = UUID(default=None, null=False)
    amount = BigInt(default=None, null=False)
    occurred_at = Timestamptz(default=None, null=False)
    posted_at = Timestamptz(default=None, null=False)
    actor_id = UUID(default=None, null=True)
    source_kind = Varchar(length=24, default=None, null=False)
    source_id = UUID(default=None, null=False)
    rule_code = Varchar(length=40, default=None, null=True)
    rule_version = Integer(default=None, null=True)
    reverses = UUID(default=None, null=True)
    closes = UUID(default=None, null=True)
    memo = Varchar(length=200, default=None, null=False)
    draws_on = UUID(default=None, null=True)
    grace_days = SmallInt(default=None, null=True)
    memo_kind = Varchar(length=40, default=None, null=True)
    memo_values = JSONB(default=None, null=True)


class Debt(Table, tablename="debt"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    owner_kind = Varchar(length=10, default=None, null=False)
    owner_id = UUID(default=None, null=False)
    currency = Varchar(length=12, default=None, null=False)
    subject_id = UUID(default=None, null=True)
    amount = BigInt(default=None, null=False)
    repaid = BigInt(default=None, null=False)
    repay_to = UUID(default=None, null=False)
    reverses = UUID(default=None, null=False)
    entry_id = UUID(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    key = Varchar(length=160, default=None, null=True)


class DayTotal(Table, tablename="day_total"):
    community_id = UUID(default=None, null=False)
    day = Date(default=None, null=False)
    currency = Varchar(length=12, default=None, null=False)
    bucket = Varchar(length=10, primary_key=True, default=None, null=False)
    given = BigInt(default=None, null=False)
    taken = BigInt(default=None, null=False)
    transfers = Integer(default=None, null=False)


class BooksClosed(Table, tablename="books_closed"):
    community_id = UUID(primary_key=True, default=None, null=False)
    until = Date(default=None, null=False)
    closed_at = Timestamptz(default=None, null=False)


class ExpiryAnnouncement(Table, tablename="expiry_announcement"):
    community_id = UUID(default=None, null=False)
    day = Date(default=None, null=False)
    owner_id = UUID(primary_key=True, default=None, null=False)
    currency = Varchar(length=12, default=None, null=False)
    amount = BigInt(default=None, null=False)
    announced_at = Timestamptz(default=None, null=False)


class BookCheck(Table, tablename="book_check"):
    community_id = UUID(primary_key=True, default=None, null=False)
    asked_at = Timestamptz(default=None, null=True)
    begun_at = Timestamptz(default=None, null=True)
    checked_at = Timestamptz(default=None, null=True)
    problems = JSONB(default=None, null=False)
