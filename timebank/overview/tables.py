"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Array, BigInt, Date, Integer, Timestamptz, Varchar
from piccolo.table import Table


class CommunityFigures(Table, tablename="community_figures"):
    community_id = UUID(primary_key=True, default=None, null=False)
    counted_at = Timestamptz(default=None, null=False)
    expiring = BigInt(default=None, null=False)
    people_this_month = Integer(default=None, null=False)
    ahead_days = Array(base_column=Date(), default=list, null=False)
    ahead_points = Array(base_column=BigInt(), default=list, null=False)


class MonthService(Table, tablename="month_service"):
    community_id = UUID(default=None, null=False)
    month = Date(primary_key=True, default=None, null=False)
    kind = Varchar(length=8, default=None, null=False)
    about_id = UUID(default=None, null=False)
    minutes = BigInt(default=None, null=False)
    people = Integer(default=None, null=False)
    points = BigInt(default=None, null=False)
