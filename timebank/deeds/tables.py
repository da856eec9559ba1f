"""The table class of this capability; the migrations define the table."""

from piccolo.columns import JSONB, UUID, Date, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Deed(Table, tablename="deed"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    area_id = UUID(default=None, null=False)
    rule_code = Varchar(length=40, default=None, null=False)
    rule_version = Integer(default=None, null=False)
    points = Integer(default=None, null=False)
    points_reason = Varchar(length=500, default=None, null=True)
    occurred_on = Date(default=None, null=False)
    note = Varchar(length=500, default=None, null=False)
    witness_id = UUID(default=None, null=True)
    filed_by = UUID(default=None, null=True)
    status = Varchar(length=16, default=None, null=False)
    reviewed_by = UUID(default=None, null=True)
    reviewed_at = Timestamptz(default=None, null=True)
    review_note = Varchar(length=500, default=None, null=True)
    notice_from = Timestamptz(default=None, null=True)
    notice_until = Timestamptz(default=None, null=True)
    entry_id = UUID(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)
    withdrawn_at = Timestamptz(default=None, null=True)
    withdrawn_by = UUID(default=None, null=True)
    witness_answer = Varchar(length=16, default=None, null=True)
    witness_note = Varchar(length=500, default=None, null=True)
    witness_answered_at = Timestamptz(default=None, null=True)
    witness_asked_by = UUID(default=None, null=True)
    source_kind = Varchar(length=24, default=None, null=True)
    source_id = UUID(default=None, null=True)
    note_said = JSONB(default=None, null=True)
