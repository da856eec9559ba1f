"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, BigInt, Integer, Timestamptz
from piccolo.table import Table


class CommunityFigures(Table, tablename="community_figures"):
    community_id = UUID(primary_key=True, default=None, null=False)
    counted_at = Timestamptz(default=None, null=False)
    expiring = BigInt(default=None, null=False)
    people_this_month = Integer(default=None, null=False)
