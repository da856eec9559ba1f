"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import UUID, Array, Boolean, Date, Integer, SmallInt, Time, Timestamptz, Varchar
from piccolo.table import Table


class Activity(Table, tablename="activity"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    description = Varchar(length=500, default=None, null=False)
    station_id = UUID(default=None, null=True)
    rule_code = Varchar(length=40, default=None, null=False)
    needs_sign_up = Boolean(default=None, null=False)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    paid = Boolean(default=False, null=False)
    team_id = UUID(default=None, null=True)


class Shift(Table, tablename="shift"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    activity_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    starts_at = Timestamptz(default=None, null=False)
    ends_at = Timestamptz(default=None, null=False)
    seats = Integer(default=None, null=False)
    seats_taken = Integer(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    cancelled_at = Timestamptz(default=None, null=True)
    pattern_id = UUID(default=None, null=True)


class SignUp(Table, tablename="sign_up"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    shift_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    cancelled_at = Timestamptz(default=None, null=True)
    leads = Boolean(default=False, null=False)
    stands = Boolean(default=False, null=False)
    offered_at = Timestamptz(default=None, null=True)


class ShiftPattern(Table, tablename="shift_pattern"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    activity_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    weekdays = Array(base_column=SmallInt(), default=list, null=False)
    days = Varchar(length=8, default=None, null=False)
    starts_at = Time(default=None, null=False)
    ends_at = Time(default=None, null=False)
    seats = Integer(default=None, null=False)
    seats_min = Integer(default=None, null=False)
    starts_on = Date(default=None, null=False)
    ends_on = Date(default=None, null=True)
    ended_at = Timestamptz(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)


class PatternBreak(Table, tablename="pattern_break"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    pattern_id = UUID(default=None, null=False)
    starts_on = Date(default=None, null=False)
    ends_on = Date(default=None, null=False)


class Standing(Table, tablename="standing"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    pattern_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    weekday = SmallInt(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
