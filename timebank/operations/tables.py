"""The installation's table. Nothing reads the class but the test that holds it to the migrations."""

from piccolo.columns import Bytea, SmallInt, Timestamptz
from piccolo.table import Table


class Installation(Table, tablename="installation"):
    id = SmallInt(primary_key=True, default=None, null=False)
    key_fingerprint = Bytea(default=None, null=False)
    recorded_at = Timestamptz(default=None, null=False)
    worker_seen_at = Timestamptz(default=None, null=True)
