"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import UUID, Boolean, Date, Timestamptz, Varchar
from piccolo.table import Table


class Unit(Table, tablename="unit"):
    id = UUID(primary_key=True, default=None, null=False)
    county_id = UUID(default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)


class UnitLink(Table, tablename="unit_link"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    unit_id = UUID(default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    starts_on = Date(default=None, null=False)
    ends_on = Date(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)


class Affiliation(Table, tablename="affiliation"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    unit_id = UUID(default=None, null=False)
    reported_on = Date(default=None, null=False)
    ended_on = Date(default=None, null=True)
    entered_by = UUID(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)
