"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import JSONB, UUID, Array, Date, Integer, Text, Timestamptz, Varchar
from piccolo.table import Table


class ServiceRecord(Table, tablename="service_record"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=8, default=None, null=False)
    person_id = UUID(default=None, null=False)
    visit_id = UUID(default=None, null=True)
    activity_id = UUID(default=None, null=True)
    station_id = UUID(default=None, null=True)
    started_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=False)
    minutes = Integer(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    flags = Array(base_column=Text(), default=list, null=False)
    reason = Varchar(length=500, default=None, null=True)
    entered_by = UUID(default=None, null=True)
    reviewed_by = UUID(default=None, null=True)
    reviewed_at = Timestamptz(default=None, null=True)
    review_note = Varchar(length=500, default=None, null=True)
    notice_until = Timestamptz(default=None, null=True)
    rule_code = Varchar(length=40, default=None, null=False)
    rule_version = Integer(default=None, null=True)
    credited_minutes = Integer(default=None, null=True)
    credited_points = Integer(default=None, null=True)
    entry_id = UUID(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)
    counts_on = Date(default=None, null=True)
    corrected_by = UUID(default=None, null=True)
    corrected_at = Timestamptz(default=None, null=True)
    withdrawn_at = Timestamptz(default=None, null=True)
    withdrawn_by = UUID(default=None, null=True)
    reason_said = JSONB(default=None, null=True)
    review_said = JSONB(default=None, null=True)
