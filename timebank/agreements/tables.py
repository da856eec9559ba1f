"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import JSONB, UUID, Array, SmallInt, Timestamptz, Varchar
from piccolo.table import Table


class WaitingChange(Table, tablename="waiting_change"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=40, default=None, null=False)
    subject = Varchar(length=120, default=None, null=False)
    person_id = UUID(default=None, null=True)
    involved = Array(base_column=UUID(), default=list, null=False)
    change = JSONB(default=None, null=False)
    before = JSONB(default=None, null=False)
    needs = Varchar(length=8, default=None, null=False)
    depth = SmallInt(default=None, null=False)
    proposed_by = UUID(default=None, null=True)
    proposed_by_login = UUID(default=None, null=True)
    proposed_at = Timestamptz(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    decided_by = UUID(default=None, null=True)
    decided_by_login = UUID(default=None, null=True)
    decided_at = Timestamptz(default=None, null=True)
    note = Varchar(length=500, default=None, null=True)
