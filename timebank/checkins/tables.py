"""The tables of this capability, as the migrations made them."""

from piccolo.columns import JSONB, UUID, Array, BigInt, Bytea, Date, Integer, Text, Time, Timestamptz, Varchar
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


class ServiceRecord(Table, tablename="service_record"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=8, default=None, null=False)
    person_id = UUID(default=None, null=False)
    visit_id = UUID(default=None, null=True)
    activity_id = UUID(default=None, null=True)
    station_id = UUID(default=None, null=True)
    started_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=False)
    minutes = Integer(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    flags = Array(base_column=Text(), default=list, null=False)
    reason = Varchar(length=500, default=None, null=True)
    entered_by = UUID(default=None, null=True)
    reviewed_by = UUID(default=None, null=True)
    reviewed_at = Timestamptz(default=None, null=True)
    review_note = Varchar(length=500, default=None, null=True)
    notice_until = Timestamptz(default=None, null=True)
    rule_code = Varchar(length=40, default=None, null=False)
    rule_version = Integer(default=None, null=True)
    credited_minutes = Integer(default=None, null=True)
    credited_points = Integer(default=None, null=True)
    entry_id = UUID(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)
    counts_on = Date(default=None, null=True)
    corrected_by = UUID(default=None, null=True)
    corrected_at = Timestamptz(default=None, null=True)
    withdrawn_at = Timestamptz(default=None, null=True)
    withdrawn_by = UUID(default=None, null=True)
