"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import JSONB, UUID, SmallInt, Timestamptz, Varchar
from piccolo.table import Table


class Outbox(Table, tablename="outbox"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=40, default=None, null=False)
    key = Varchar(length=160, default=None, null=False)
    to_community = UUID(default=None, null=True)
    from_community = UUID(default=None, null=True)
    payload = JSONB(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    due_at = Timestamptz(default=None, null=False)
    attempts = SmallInt(default=0, null=False)
    last_error = JSONB(default=None, null=True)
    done_at = Timestamptz(default=None, null=True)
    dead_at = Timestamptz(default=None, null=True)
    given_up_at = Timestamptz(default=None, null=True)
