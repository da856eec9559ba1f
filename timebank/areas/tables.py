"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import UUID, Array, Boolean, Date, Timestamptz, Varchar
from piccolo.table import Table


class Region(Table, tablename="region"):
    id = UUID(primary_key=True, default=None, null=False)
    parent_id = UUID(default=None, null=True)
    kind = Varchar(length=16, default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    path = Array(base_column=UUID(), default=list, null=False)
    created_at = Timestamptz(default=None, null=False)


class Area(Table, tablename="area"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    parent_id = UUID(default=None, null=True)
    kind = Varchar(length=16, default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    path = Array(base_column=UUID(), default=list, null=False)
    created_at = Timestamptz(default=None, null=False)


class Workday(Table, tablename="workday"):
    id = UUID(primary_key=True, default=None, null=False)
    county_id = UUID(default=None, null=True)
    day = Date(default=None, null=False)
    works = Boolean(default=None, null=False)
    name = Varchar(length=40, default=None, null=False)
    source = Varchar(length=16, default=None, null=False)
    estimated = Boolean(default=None, null=False)
    set_by = UUID(default=None, null=True)
    set_at = Timestamptz(default=None, null=False)
