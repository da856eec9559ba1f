"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Boolean, Date, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Good(Table, tablename="good"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    unit = Varchar(length=10, default=None, null=False)
    points = Integer(default=None, null=False)
    monthly_limit = Integer(default=None, null=True)
    photo_id = UUID(default=None, null=True)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    cost_fen = Integer(default=None, null=True)


class GoodPrice(Table, tablename="good_price"):
    community_id = UUID(default=None, null=False)
    good_id = UUID(primary_key=True, default=None, null=False)
    points = Integer(default=None, null=False)
    since = Timestamptz(default=None, null=False)


class Stock(Table, tablename="stock"):
    community_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    good_id = UUID(primary_key=True, default=None, null=False)
    quantity = Integer(default=None, null=False)


class StockMove(Table, tablename="stock_move"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    station_id = UUID(default=None, null=False)
    good_id = UUID(default=None, null=False)
    change = Integer(default=None, null=False)
    reason = Varchar(length=20, default=None, null=False)
    redemption_id = UUID(default=None, null=True)
    note = Varchar(length=200, default=None, null=True)
    moved_by = UUID(default=None, null=True)
    moved_at = Timestamptz(default=None, null=False)


class HouseholdMonth(Table, tablename="household_month"):
    community_id = UUID(default=None, null=False)
    household_id = UUID(default=None, null=False)
    good_id = UUID(primary_key=True, default=None, null=False)
    month = Date(default=None, null=False)
    quantity = Integer(default=None, null=False)


class Redemption(Table, tablename="redemption"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    household_id = UUID(default=None, null=False)
    good_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    quantity = Integer(default=None, null=False)
    points = Integer(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    entry_id = UUID(default=None, null=False)
    settled_entry_id = UUID(default=None, null=True)
    reserved_at = Timestamptz(default=None, null=False)
    expires_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=True)
    ended_by = UUID(default=None, null=True)
    undone_at = Timestamptz(default=None, null=True)
    returned_at = Timestamptz(default=None, null=True)
    reserved_by = UUID(default=None, null=True)
    reserved_by_login = UUID(default=None, null=True)
    reserved_because = Varchar(length=500, default=None, null=True)
    ended_by_login = UUID(default=None, null=True)


class CounterConfirmation(Table, tablename="counter_confirmation"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    person_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    good_id = UUID(default=None, null=False)
    quantity = Integer(default=None, null=False)
    redemption_id = UUID(default=None, null=True)
    asked_by = UUID(default=None, null=True)
    asked_by_login = UUID(default=None, null=True)
    asked_at = Timestamptz(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    decided_by = UUID(default=None, null=True)
    decided_by_login = UUID(default=None, null=True)
    decided_at = Timestamptz(default=None, null=True)
