"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import JSONB, UUID, Array, BigInt, Boolean, Bytea, Integer, Text, Time, Timestamptz, Varchar
from piccolo.table import Table


class Claim(Table, tablename="claim"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    station_id = UUID(default=None, null=False)
    binding_hash = Bytea(default=None, null=False)
    scanned_at = Timestamptz(default=None, null=False)
    expires_at = Timestamptz(default=None, null=False)
    used_at = Timestamptz(default=None, null=True)


class Visit(Table, tablename="visit"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    activity_id = UUID(default=None, null=True)
    shift_id = UUID(default=None, null=True)
    in_at = Timestamptz(default=None, null=False)
    out_at = Timestamptz(default=None, null=True)
    status = Varchar(length=20, default=None, null=False)
    in_by = Varchar(length=16, default=None, null=False)
    out_by = Varchar(length=16, default=None, null=True)
    flags = Array(base_column=Text(), default=list, null=False)
    opens_at = Time(default=None, null=False)
    closes_at = Time(default=None, null=False)
    in_by_login = UUID(default=None, null=True)
    out_by_login = UUID(default=None, null=True)
    marks = Array(base_column=Bytea(), default=list, null=False)
    in_address = Bytea(default=None, null=True)
    read_by = Array(base_column=UUID(), default=list, null=False)
    in_received_at = Timestamptz(default=None, null=True)
    out_received_at = Timestamptz(default=None, null=True)
    paid = Boolean(default=False, null=False)


class Scan(Table, tablename="scan"):
    community_id = UUID(default=None, null=False)
    nonce = Varchar(length=64, primary_key=True, default=None, null=False)
    request_hash = Bytea(default=None, null=False)
    scanned_at = Timestamptz(default=None, null=False)
    received_at = Timestamptz(default=None, null=False)
    station_id = UUID(default=None, null=True)
    person_id = UUID(default=None, null=True)
    visit_id = UUID(default=None, null=True)
    status = Varchar(length=16, default=None, null=False)
    reason = Varchar(length=40, default=None, null=True)
    verdict = JSONB(default=None, null=False)
    device_at = Timestamptz(default=None, null=True)
    skew_seconds = BigInt(default=None, null=True)
    how = Varchar(length=16, default=None, null=True)
    card_id = UUID(default=None, null=True)
    device_id = UUID(default=None, null=True)
    by_login = UUID(default=None, null=True)
    sent_by_login = UUID(default=None, null=True)


class UndoneAct(Table, tablename="undone_act"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=20, default=None, null=False)
    noun_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    keeper_id = UUID(default=None, null=True)
    login_id = UUID(default=None, null=True)
    what = Varchar(length=200, default="", null=False)
    points = Integer(default=0, null=False)
    undone_at = Timestamptz(default=None, null=False)
