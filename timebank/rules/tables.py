"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import UUID, Boolean, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Rule(Table, tablename="rule"):
    community_id = UUID(default=None, null=False)
    code = Varchar(length=40, primary_key=True, default=None, null=False)
    version = Integer(default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    minutes_per_point = Integer(default=None, null=True)
    points = Integer(default=None, null=True)
    unit = Varchar(length=20, default=None, null=True)
    cap_period = Varchar(length=8, default=None, null=True)
    cap_per_person = Integer(default=None, null=True)
    cap_per_area = Integer(default=None, null=True)
    active = Boolean(default=None, null=False)
    valid_from = Timestamptz(default=None, null=False)
    changed_by = UUID(default=None, null=True)
    trigger = Varchar(length=40, default=None, null=True)
    notice_days = Integer(default=None, null=True)
