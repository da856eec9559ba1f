"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Array, Boolean, Bytea, Date, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Login(Table, tablename="login"):
    id = UUID(primary_key=True, default=None, null=False)
    phone_index = Bytea(default=None, null=False)
    phone_sealed = Bytea(default=None, null=False)
    password_hash = Varchar(length=200, default=None, null=True)
    created_at = Timestamptz(default=None, null=False)
    opened_by_login = UUID(default=None, null=True)
    opened_at = Timestamptz(default=None, null=True)
    confirmed_by_login = UUID(default=None, null=True)
    confirmed_at = Timestamptz(default=None, null=True)


class Session(Table, tablename="session"):
    id = UUID(primary_key=True, default=None, null=False)
    token_hash = Bytea(default=None, null=False)
    login_id = UUID(default=None, null=False)
    by_code = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    expires_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=True)
    opens = Array(base_column=UUID(), default=None, null=True)
    by_scan = Boolean(default=None, null=False)
    device = Varchar(length=16, default=None, null=True)
    used_at = Timestamptz(default=None, null=True)


class OneTimeCode(Table, tablename="one_time_code"):
    id = UUID(primary_key=True, default=None, null=False)
    login_id = UUID(default=None, null=False)
    code_hash = Bytea(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    expires_at = Timestamptz(default=None, null=False)
    used_at = Timestamptz(default=None, null=True)
    given_by_login = UUID(default=None, null=True)
    given_in = UUID(default=None, null=True)
    opens = Array(base_column=UUID(), default=None, null=True)
    proof = Varchar(length=8, default=None, null=True)
    person_id = UUID(default=None, null=True)


class Throttle(Table, tablename="throttle"):
    key = Varchar(length=120, primary_key=True, default=None, null=False)
    window_start = Timestamptz(default=None, null=False)
    attempts = Integer(default=None, null=False)


class SignInFailure(Table, tablename="sign_in_failure"):
    key = Bytea(primary_key=True, default=None, null=False)
    failures = Integer(default=None, null=False)
    failed_at = Timestamptz(default=None, null=False)
    free_at = Timestamptz(default=None, null=True)


class SignInSuspect(Table, tablename="sign_in_suspect"):
    network = Bytea(default=None, null=False)
    phone = Bytea(primary_key=True, default=None, null=False)
    failed_at = Timestamptz(default=None, null=False)


class KnownBrowser(Table, tablename="known_browser"):
    token_hash = Bytea(primary_key=True, default=None, null=False)
    login_id = UUID(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    used_at = Timestamptz(default=None, null=False)


class IdempotentRequest(Table, tablename="idempotent_request"):
    community_id = UUID(default=None, null=False)
    caller_id = UUID(default=None, null=False)
    key = Varchar(length=120, primary_key=True, default=None, null=False)
    request_hash = Bytea(default=None, null=False)
    status = Integer(default=None, null=True)
    body = Bytea(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)


class Pickup(Table, tablename="pickup"):
    community_id = UUID(default=None, null=False)
    code = Varchar(length=8, primary_key=True, default=None, null=False)
    noun = Varchar(length=40, default=None, null=False)
    noun_id = UUID(default=None, null=False)
    station_id = UUID(default=None, null=True)
    expires_at = Timestamptz(default=None, null=False)


class Membership(Table, tablename="membership"):
    community_id = UUID(default=None, null=False)
    login_id = UUID(default=None, null=False)
    person_id = UUID(primary_key=True, default=None, null=False)
    created_at = Timestamptz(default=None, null=False)


class MembershipQuestion(Table, tablename="membership_question"):
    community_id = UUID(default=None, null=False)
    person_id = UUID(primary_key=True, default=None, null=False)
    login_id = UUID(default=None, null=False)
    asked_by_login = UUID(default=None, null=True)
    asked_at = Timestamptz(default=None, null=False)
    declined_at = Timestamptz(default=None, null=True)


class SpendingRest(Table, tablename="spending_rest"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    login_id = UUID(default=None, null=True)
    cause = Varchar(length=8, default=None, null=False)
    since = Timestamptz(default=None, null=False)
    until = Timestamptz(default=None, null=False)
    by_login = UUID(default=None, null=True)
    from_login = UUID(default=None, null=True)
    ended_at = Timestamptz(default=None, null=True)
    ended_by_login = UUID(default=None, null=True)
    ended_station_id = UUID(default=None, null=True)


class Device(Table, tablename="device"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    station_id = UUID(default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    token_hash = Bytea(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    created_by = UUID(default=None, null=True)
    revoked_at = Timestamptz(default=None, null=True)
    pairing_hash = Bytea(default=None, null=True)
    pairing_expires_at = Timestamptz(default=None, null=True)
    paired_at = Timestamptz(default=None, null=True)
    seen_at = Timestamptz(default=None, null=True)


class CounterSignOn(Table, tablename="counter_sign_on"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    device_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    login_id = UUID(default=None, null=False)
    session_id = UUID(default=None, null=False)
    signed_on_at = Timestamptz(default=None, null=False)
    expires_at = Timestamptz(default=None, null=False)
    signed_off_at = Timestamptz(default=None, null=True)


class RoleGrant(Table, tablename="role_grant"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    role = Varchar(length=20, default=None, null=False)
    region_id = UUID(default=None, null=True)
    area_id = UUID(default=None, null=True)
    station_id = UUID(default=None, null=True)
    starts_on = Date(default=None, null=False)
    ends_on = Date(default=None, null=True)
    granted_by = UUID(default=None, null=True)
    granted_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=True)
    paid = Boolean(default=None, null=False)
    unit_id = UUID(default=None, null=True)
