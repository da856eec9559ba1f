"""The table class of this capability; the migration defines the table."""

from piccolo.columns import UUID, Date, Integer, Varchar
from piccolo.table import Table


class ExportDay(Table, tablename="export_day"):
    community_id = UUID(default=None, null=False)
    login_id = UUID(primary_key=True, default=None, null=False)
    list = Varchar(length=40, default=None, null=False)
    day = Date(default=None, null=False)
    rows = Integer(default=None, null=False)
