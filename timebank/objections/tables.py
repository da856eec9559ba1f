"""The table class of this capability; the migrations define the table."""

from piccolo.columns import UUID, Boolean, Timestamptz, Varchar
from piccolo.table import Table


class Objection(Table, tablename="objection"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    subject_kind = Varchar(length=24, default=None, null=False)
    subject_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    reason = Varchar(length=500, default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    upheld = Boolean(default=None, null=True)
    decided_by = UUID(default=None, null=True)
    decided_at = Timestamptz(default=None, null=True)
    decision_note = Varchar(length=500, default=None, null=True)
    entered_by = UUID(default=None, null=True)
