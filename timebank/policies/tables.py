"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Policy(Table, tablename="policy"):
    community_id = UUID(default=None, null=False)
    name = Varchar(length=40, primary_key=True, default=None, null=False)
    value = Integer(default=None, null=False)
    changed_by = UUID(default=None, null=True)
    changed_at = Timestamptz(default=None, null=False)
