"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, BigInt, Boolean, Integer, Time, Timestamptz, Varchar
from piccolo.table import Table


class Station(Table, tablename="station"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    area_id = UUID(default=None, null=True)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    address = Varchar(length=120, default=None, null=False)
    opens_at = Time(default=None, null=False)
    closes_at = Time(default=None, null=False)
    code_epoch = Integer(default=None, null=False)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    kind = Varchar(length=10, default="station", null=False)


class CodeReading(Table, tablename="code_reading"):
    community_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    step = BigInt(primary_key=True, default=None, null=False)
    reader_id = UUID(default=None, null=False)
    read_at = Timestamptz(default=None, null=False)
    shift_id = UUID(default=None, null=True)
