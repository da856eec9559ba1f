"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Integer, Timestamptz
from piccolo.table import Table


class Card(Table, tablename="card"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    epoch = Integer(default=None, null=False)
    issued_at = Timestamptz(default=None, null=False)
    issued_by = UUID(default=None, null=True)
    revoked_at = Timestamptz(default=None, null=True)
    issued_by_login = UUID(default=None, null=True)
    issued_by_device = UUID(default=None, null=True)
    confirmed_at = Timestamptz(default=None, null=True)
    confirmed_by_login = UUID(default=None, null=True)
    station_id = UUID(default=None, null=True)
