-- The schema of timebank, in reading order: roles, places, people, access, presence, moral bank, shop, classes, imports, ledger (0002).
--
-- Rules that every table keeps:
--   * tenant = community: PRIMARY KEY, UNIQUE and FOREIGN KEY of a tenant table start with community_id;
--   * ids are UUIDv7 made by the application; times are timestamptz, days are local dates, amounts are integers;
--   * an invariant is a named constraint (the application maps its name to one sentence), never a trigger;
--   * forced row-level security: the serving role sees the communities named in timebank.communities and no others.

-- ---------------------------------------------------------------------------------------------------------------- roles

DO $$
BEGIN
    -- Roles belong to the whole server: several databases, or two first runs at once, may create them.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'timebank_owner') THEN
        BEGIN CREATE ROLE timebank_owner NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'timebank_app') THEN
        BEGIN CREATE ROLE timebank_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
    END IF;
    -- Whoever migrates acts as the owner; whoever serves acts as the serving role, which owns nothing. Asking whether one
    -- may is not enough: since PostgreSQL 16 who creates a role is its member without the right to act as it.
    BEGIN
        SET LOCAL ROLE timebank_owner;
        RESET ROLE;
    EXCEPTION WHEN insufficient_privilege THEN
        EXECUTE format('GRANT timebank_owner TO %I', session_user);
    END;
    BEGIN
        SET LOCAL ROLE timebank_app;
        RESET ROLE;
    EXCEPTION WHEN insufficient_privilege THEN
        EXECUTE format('GRANT timebank_app TO %I', session_user);
    END;
END
$$;

GRANT USAGE, CREATE ON SCHEMA public TO timebank_owner;
GRANT USAGE ON SCHEMA public TO timebank_app;
SET LOCAL ROLE timebank_owner;

-- The communities that the running transaction may see: set by timebank/database.py at BEGIN, gone at COMMIT.
CREATE FUNCTION visible_communities() RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT nullif(current_setting('timebank.communities', true), '')::uuid[] $$;

-- Puts a tenant table behind forced row-level security and gives the serving role just these privileges on it.
CREATE PROCEDURE protect_tenant_table(name regclass, privileges text)
    LANGUAGE plpgsql SET search_path = public, pg_temp
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON %s TO timebank_app USING (community_id = ANY ((SELECT visible_communities())::uuid[]))', name);
    EXECUTE format('CREATE POLICY owner ON %s TO timebank_owner USING (true)', name);
    EXECUTE format('GRANT %s ON %s TO timebank_app', privileges, name);
END
$$;

-- --------------------------------------------------------------------------------------------------------------- places

-- County, street and community: a small reference table. A community's id is the community_id of all its rows.
CREATE TABLE region (
    id          uuid PRIMARY KEY,
    parent_id   uuid REFERENCES region (id),
    kind        varchar(16) NOT NULL CONSTRAINT region_kind CHECK (kind IN ('county', 'street', 'community')),
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    path        uuid[] NOT NULL,               -- from the county down to this row, itself included
    created_at  timestamptz NOT NULL,
    CONSTRAINT region_name_unique UNIQUE NULLS NOT DISTINCT (parent_id, name)
);
GRANT SELECT, INSERT, UPDATE ON region TO timebank_app;

-- Grid, building and unit inside a community.
CREATE TABLE area (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    parent_id   uuid,
    kind        varchar(16) NOT NULL CONSTRAINT area_kind CHECK (kind IN ('grid', 'building', 'unit')),
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    path        uuid[] NOT NULL,               -- from the grid down to this row, itself included
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT area_parent FOREIGN KEY (community_id, parent_id) REFERENCES area (community_id, id),
    CONSTRAINT area_name_unique UNIQUE NULLS NOT DISTINCT (community_id, parent_id, name)
);
CALL protect_tenant_table('area', 'SELECT, INSERT, UPDATE, DELETE');

-- A community's own choice where it differs from the default of timebank/areas/policies.py.
CREATE TABLE policy (
    community_id uuid NOT NULL REFERENCES region (id),
    name        varchar(40) NOT NULL,
    value       integer NOT NULL,
    changed_by  uuid,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, name)
);
CALL protect_tenant_table('policy', 'SELECT, INSERT, UPDATE');

-- Who changed what, when and why: one row per change, written in the change's own transaction, never altered.
CREATE TABLE audit (
    community_id uuid NOT NULL,
    id          uuid NOT NULL,
    at          timestamptz NOT NULL,
    person_id   uuid,                          -- the acting resident; null for a device, a command or the worker
    login_id    uuid,
    via         varchar(16) NOT NULL,
    request_id  varchar(64) NOT NULL,
    verb        varchar(60) NOT NULL,
    noun        varchar(40) NOT NULL,
    noun_id     uuid,
    reason      varchar(500),
    change      jsonb NOT NULL,                -- the new values; no names, phones or identity numbers
    PRIMARY KEY (community_id, id)
);
CREATE INDEX audit_noun ON audit (community_id, noun_id, at);
CALL protect_tenant_table('audit', 'SELECT, INSERT');

-- --------------------------------------------------------------------------------------------------------------- people

CREATE TABLE household (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    area_id     uuid NOT NULL,                 -- the unit (or building, or grid) it lives in
    room        varchar(20) NOT NULL,
    head_name   varchar(60) NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT household_area FOREIGN KEY (community_id, area_id) REFERENCES area (community_id, id),
    CONSTRAINT household_room_unique UNIQUE (community_id, area_id, room, head_name)
);
CALL protect_tenant_table('household', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE person (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    household_id uuid,
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,         -- sort key: the database needs no Chinese collation
    sex         varchar(1) CONSTRAINT person_sex CHECK (sex IN ('男', '女')),
    born_on     date,
    relation    varchar(20),                   -- to the head of the household
    identity_sealed bytea,                     -- AES-GCM; the index is a keyed hash for look-up only
    identity_index  bytea,
    phone_sealed    bytea,
    phone_index     bytea,
    phone_last4     varchar(4),
    publishes_name  boolean NOT NULL,          -- consented to be named in full on the public board
    status      varchar(16) NOT NULL CONSTRAINT person_status CHECK (status IN ('active', 'blocked', 'left')),
    code_epoch  integer NOT NULL,              -- raising it ends every personal code shown before
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT person_household FOREIGN KEY (community_id, household_id) REFERENCES household (community_id, id),
    CONSTRAINT person_identity_unique UNIQUE (community_id, identity_index)
);
CREATE INDEX person_phone ON person (community_id, phone_index);
CREATE INDEX person_name ON person (community_id, name);
CREATE INDEX person_pinyin ON person (community_id, pinyin, id);
CREATE INDEX person_household_id ON person (community_id, household_id);
CALL protect_tenant_table('person', 'SELECT, INSERT, UPDATE, DELETE');

-- A guardian's recorded consent to hold points and classes for a child (个人信息保护法 31).
CREATE TABLE guardianship (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    guardian_id uuid NOT NULL,
    child_id    uuid NOT NULL,
    relation    varchar(20) NOT NULL,
    consented_at timestamptz,                  -- null: named as guardian, consent not yet given
    recorded_by uuid,
    ended_at    timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT guardianship_guardian FOREIGN KEY (community_id, guardian_id) REFERENCES person (community_id, id),
    CONSTRAINT guardianship_child FOREIGN KEY (community_id, child_id) REFERENCES person (community_id, id),
    CONSTRAINT guardianship_not_own CHECK (guardian_id <> child_id),
    CONSTRAINT guardianship_pair_unique UNIQUE (community_id, guardian_id, child_id)
);
CREATE INDEX guardianship_child_id ON guardianship (community_id, child_id);
CALL protect_tenant_table('guardianship', 'SELECT, INSERT, UPDATE, DELETE');

-- A printed card: the number on it is opaque; a higher epoch replaces the earlier card.
CREATE TABLE card (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,                 -- the number in the card's code
    person_id   uuid NOT NULL,
    epoch       integer NOT NULL,
    issued_at   timestamptz NOT NULL,
    issued_by   uuid,
    revoked_at  timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT card_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT card_epoch_unique UNIQUE (community_id, person_id, epoch)
);
CALL protect_tenant_table('card', 'SELECT, INSERT, UPDATE');

-- A sentence for one person: a reversal with its reason, a seat that came free, points about to expire.
CREATE TABLE message (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    kind        varchar(40) NOT NULL,
    text        varchar(500) NOT NULL,
    about_id    uuid,
    key         varchar(120) NOT NULL,         -- the same event tells a person once
    created_at  timestamptz NOT NULL,
    read_at     timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT message_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT message_key_unique UNIQUE (community_id, person_id, key)
);
CALL protect_tenant_table('message', 'SELECT, INSERT, UPDATE, DELETE');

-- --------------------------------------------------------------------------------------------------------------- access

-- Who signs in: one phone. It may stand for a resident record in several communities (membership).
CREATE TABLE login (
    id          uuid PRIMARY KEY,
    phone_index bytea NOT NULL,
    phone_sealed bytea NOT NULL,
    password_hash varchar(200),                -- Argon2id; null until the first password is set
    created_at  timestamptz NOT NULL,
    CONSTRAINT login_phone_unique UNIQUE (phone_index)
);
GRANT SELECT, INSERT, UPDATE ON login TO timebank_app;

CREATE TABLE session (
    id          uuid PRIMARY KEY,
    token_hash  bytea NOT NULL,                -- SHA-256 of a random 256-bit token that only the browser keeps
    login_id    uuid NOT NULL REFERENCES login (id),
    by_code     boolean NOT NULL,              -- opened by a one-time code: a new password may be set without the old one
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT session_token_unique UNIQUE (token_hash)
);
CREATE INDEX session_login ON session (login_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON session TO timebank_app;

-- A six-digit code for signing in without a password, given out at the counter to the person in front of it.
CREATE TABLE one_time_code (
    id          uuid PRIMARY KEY,
    login_id    uuid NOT NULL REFERENCES login (id),
    code_hash   bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX one_time_code_login ON one_time_code (login_id, created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON one_time_code TO timebank_app;

-- Attempts per key and window (sign-in, one-time codes, redemption codes): counted here so that every process agrees.
CREATE TABLE throttle (
    key         varchar(120) NOT NULL,
    window_start timestamptz NOT NULL,
    attempts    integer NOT NULL,
    PRIMARY KEY (key, window_start)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON throttle TO timebank_app;

-- One row per Idempotency-Key and caller: the stored answer is replayed, byte for byte.
CREATE TABLE idempotent_request (
    caller_id   uuid NOT NULL,                 -- login or device
    key         varchar(120) NOT NULL,
    request_hash bytea NOT NULL,               -- of method, path and body
    status      integer,                       -- null while the first request still runs
    body        bytea,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (caller_id, key)
);
CREATE INDEX idempotent_request_age ON idempotent_request (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotent_request TO timebank_app;

CREATE TABLE membership (
    community_id uuid NOT NULL REFERENCES region (id),
    login_id    uuid NOT NULL REFERENCES login (id),
    person_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, login_id, person_id),
    CONSTRAINT membership_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE INDEX membership_login ON membership (login_id);
CREATE INDEX membership_person_id ON membership (community_id, person_id);
CALL protect_tenant_table('membership', 'SELECT, INSERT, DELETE');

-- Drops those of these logins that stand for nobody and never signed in, so that a roster taken back leaves no phone
-- behind. It runs as the owner because a login may stand for residents of communities that the caller does not see.
CREATE FUNCTION forget_unused_logins(p_login_ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login l WHERE l.id = ANY (p_login_ids) AND l.password_hash IS NULL
       AND NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id)
       AND NOT EXISTS (SELECT FROM session s WHERE s.login_id = l.id)
       AND NOT EXISTS (SELECT FROM one_time_code c WHERE c.login_id = l.id)
$$;
REVOKE EXECUTE ON FUNCTION forget_unused_logins FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_unused_logins TO timebank_app;

-- --------------------------------------------------------------------------------------------------- stations, activities

CREATE TABLE station (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    area_id     uuid,                          -- the grid it stands in; null: the whole community's
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    address     varchar(120) NOT NULL,
    opens_at    time NOT NULL,
    closes_at   time NOT NULL,
    code_epoch  integer NOT NULL,              -- its code's key is derived from the secret key, the id and this
    active      boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT station_area FOREIGN KEY (community_id, area_id) REFERENCES area (community_id, id),
    CONSTRAINT station_name_unique UNIQUE (community_id, name),
    CONSTRAINT station_hours CHECK (opens_at < closes_at)
);
CALL protect_tenant_table('station', 'SELECT, INSERT, UPDATE');

-- A screen or tablet that belongs to one station: it shows the code, or scans at the counter.
CREATE TABLE device (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    station_id  uuid NOT NULL,
    name        varchar(60) NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT device_kind CHECK (kind IN ('display', 'counter')),
    token_hash  bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  uuid,
    revoked_at  timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT device_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT device_token_unique UNIQUE (community_id, token_hash)
);
CALL protect_tenant_table('device', 'SELECT, INSERT, UPDATE');

-- A role held by a person over a region (county, street, community), an area (grid, building, unit) or a station.
CREATE TABLE role_grant (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    role        varchar(20) NOT NULL CONSTRAINT role_grant_role CHECK (role IN (
                    'unit_head', 'building_head', 'grid_worker', 'station_keeper',
                    'community_admin', 'street_admin', 'county_admin', 'auditor')),
    region_id   uuid REFERENCES region (id),
    area_id     uuid,
    station_id  uuid,
    starts_on   date NOT NULL,
    ends_on     date,                          -- the last day on which it holds
    granted_by  uuid,
    granted_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT role_grant_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT role_grant_area FOREIGN KEY (community_id, area_id) REFERENCES area (community_id, id),
    CONSTRAINT role_grant_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT role_grant_one_place CHECK (num_nonnulls(region_id, area_id, station_id) = 1)
);
CREATE INDEX role_grant_person_id ON role_grant (community_id, person_id);
CREATE INDEX role_grant_area_id ON role_grant (community_id, area_id);
CALL protect_tenant_table('role_grant', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE activity (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    description varchar(500) NOT NULL,
    station_id  uuid,                          -- where its code hangs; null: at any station of the community
    rule_code   varchar(40) NOT NULL,          -- the earning rule its minutes are credited by
    needs_sign_up boolean NOT NULL,
    active      boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT activity_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT activity_name_unique UNIQUE (community_id, name)
);
CALL protect_tenant_table('activity', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE shift (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    activity_id uuid NOT NULL,
    station_id  uuid NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,          -- the planned length is ends_at - starts_at; under 60 % does not count
    seats       integer NOT NULL,
    seats_taken integer NOT NULL,
    created_at  timestamptz NOT NULL,
    cancelled_at timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT shift_activity FOREIGN KEY (community_id, activity_id) REFERENCES activity (community_id, id),
    CONSTRAINT shift_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT shift_order CHECK (starts_at < ends_at),
    CONSTRAINT shift_seats CHECK (seats_taken BETWEEN 0 AND seats)
);
CREATE INDEX shift_station_time ON shift (community_id, station_id, starts_at);
CALL protect_tenant_table('shift', 'SELECT, INSERT, UPDATE');

CREATE TABLE sign_up (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    shift_id    uuid NOT NULL,
    person_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    cancelled_at timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT sign_up_shift FOREIGN KEY (community_id, shift_id) REFERENCES shift (community_id, id),
    CONSTRAINT sign_up_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT sign_up_once UNIQUE (community_id, shift_id, person_id)
);
CALL protect_tenant_table('sign_up', 'SELECT, INSERT, UPDATE');

-- What earns how much. A change is a new version; records keep the version that credited them.
CREATE TABLE rule (
    community_id uuid NOT NULL REFERENCES region (id),
    code        varchar(40) NOT NULL,
    version     integer NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT rule_kind CHECK (kind IN ('service', 'deed')),
    name        varchar(60) NOT NULL,
    minutes_per_point integer,                 -- service
    points      integer,                       -- deed: per unit
    unit        varchar(20),                   -- deed: 每次, 每件, 每周一次
    cap_period  varchar(8) CONSTRAINT rule_cap_period CHECK (cap_period IN ('day', 'week', 'month', 'year')),
    cap_per_person integer,                    -- deeds credited per period to one person
    cap_per_area integer,                      -- deeds credited per period for one building or unit
    active      boolean NOT NULL,
    valid_from  timestamptz NOT NULL,
    changed_by  uuid,
    PRIMARY KEY (community_id, code, version),
    CONSTRAINT rule_amount CHECK ((kind = 'service' AND minutes_per_point > 0 AND points IS NULL)
                               OR (kind = 'deed' AND points > 0 AND minutes_per_point IS NULL))
);
CALL protect_tenant_table('rule', 'SELECT, INSERT');

-- ------------------------------------------------------------------------------------------------------------- presence

-- The right to check in that opening a station's code gives a phone for 120 s: arrival is the scan, not the sign-in.
CREATE TABLE claim (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    station_id  uuid NOT NULL,
    binding_hash bytea NOT NULL,               -- of a random cookie of the phone that scanned
    scanned_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT claim_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id)
);
CREATE INDEX claim_expiry ON claim (community_id, expires_at);
CALL protect_tenant_table('claim', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE visit (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    station_id  uuid NOT NULL,
    activity_id uuid,
    shift_id    uuid,
    in_at       timestamptz NOT NULL,
    out_at      timestamptz,
    status      varchar(20) NOT NULL CONSTRAINT visit_status CHECK (status IN ('open', 'closed', 'needs_confirmation', 'void')),
    in_by       varchar(16) NOT NULL CONSTRAINT visit_in_by CHECK (in_by IN ('station_code', 'personal_code', 'card', 'keeper')),
    out_by      varchar(16) CONSTRAINT visit_out_by CHECK (out_by IN ('station_code', 'personal_code', 'card', 'keeper', 'closing_time')),
    in_device   bytea,                         -- keyed hash of the phone's or counter's token: one phone for several people shows
    PRIMARY KEY (community_id, id),
    CONSTRAINT visit_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT visit_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT visit_activity FOREIGN KEY (community_id, activity_id) REFERENCES activity (community_id, id),
    CONSTRAINT visit_shift FOREIGN KEY (community_id, shift_id) REFERENCES shift (community_id, id),
    CONSTRAINT visit_out CHECK ((status = 'open') = (out_at IS NULL)),
    CONSTRAINT visit_order CHECK (out_at >= in_at)
);
CREATE UNIQUE INDEX visit_one_open ON visit (community_id, person_id) WHERE status = 'open';
CREATE INDEX visit_person_time ON visit (community_id, person_id, in_at);
CREATE INDEX visit_station_time ON visit (community_id, station_id, in_at);
CALL protect_tenant_table('visit', 'SELECT, INSERT, UPDATE');

-- Every scan, refused ones too, with the verdict that was given. A nonce is used once, for ever.
CREATE TABLE scan (
    community_id uuid NOT NULL REFERENCES region (id),
    nonce       varchar(64) NOT NULL,
    request_hash bytea NOT NULL,
    scanned_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    station_id  uuid,
    person_id   uuid,
    visit_id    uuid,
    status      varchar(16) NOT NULL CONSTRAINT scan_status CHECK (status IN ('ok', 'incomplete', 'error')),
    reason      varchar(40),
    verdict     jsonb NOT NULL,
    PRIMARY KEY (community_id, nonce)
);
CREATE INDEX scan_station_time ON scan (community_id, station_id, received_at);
CALL protect_tenant_table('scan', 'SELECT, INSERT');

-- Minutes served, by code at both ends (credit) or entered by a person with a reason (honour).
CREATE TABLE service_record (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kind        varchar(8) NOT NULL CONSTRAINT service_record_kind CHECK (kind IN ('credit', 'honour')),
    person_id   uuid NOT NULL,
    visit_id    uuid,
    activity_id uuid,
    station_id  uuid,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL,
    minutes     integer NOT NULL CONSTRAINT service_record_minutes CHECK (minutes BETWEEN 0 AND 1440),
    status      varchar(16) NOT NULL CONSTRAINT service_record_status CHECK (status IN ('pending', 'noticed', 'approved', 'rejected', 'reversed')),
    flags       text[] NOT NULL,               -- why it needs a look: overlap, over_12_hours, same_device, …
    reason      varchar(500),                  -- honour: why it was entered by hand
    entered_by  uuid,
    reviewed_by uuid,
    reviewed_at timestamptz,
    review_note varchar(500),
    notice_until timestamptz,
    rule_code   varchar(40) NOT NULL,
    rule_version integer,                      -- with credited_*: set when credited
    credited_minutes integer,
    credited_points integer,
    entry_id    uuid,                          -- the ledger entry that credited it
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT service_record_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT service_record_visit FOREIGN KEY (community_id, visit_id) REFERENCES visit (community_id, id),
    CONSTRAINT service_record_visit_once UNIQUE (community_id, visit_id),
    CONSTRAINT service_record_order CHECK (started_at <= ended_at),
    CONSTRAINT service_record_credited CHECK (status <> 'approved' OR credited_minutes IS NOT NULL)
);
CREATE INDEX service_record_person_time ON service_record (community_id, person_id, started_at);
CREATE INDEX service_record_status_time ON service_record (community_id, status, created_at, id);
CALL protect_tenant_table('service_record', 'SELECT, INSERT, UPDATE, DELETE');

-- ------------------------------------------------------------------------------------------------------------ moral bank

CREATE TABLE deed (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    area_id     uuid NOT NULL,                 -- the building or unit it was done for
    rule_code   varchar(40) NOT NULL,
    rule_version integer NOT NULL,
    points      integer NOT NULL CONSTRAINT deed_points CHECK (points > 0),
    points_reason varchar(500),                -- why they differ from the catalogue; only an admin may say so
    occurred_on date NOT NULL,
    note        varchar(500) NOT NULL,
    witness_id  uuid,
    filed_by    uuid,
    status      varchar(16) NOT NULL CONSTRAINT deed_status CHECK (status IN ('filed', 'noticed', 'objected', 'credited', 'rejected', 'reversed')),
    reviewed_by uuid,
    reviewed_at timestamptz,
    review_note varchar(500),
    notice_from timestamptz,
    notice_until timestamptz,
    entry_id    uuid,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT deed_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT deed_area FOREIGN KEY (community_id, area_id) REFERENCES area (community_id, id),
    CONSTRAINT deed_rule FOREIGN KEY (community_id, rule_code, rule_version) REFERENCES rule (community_id, code, version),
    CONSTRAINT deed_witness FOREIGN KEY (community_id, witness_id) REFERENCES person (community_id, id),
    CONSTRAINT deed_not_own_witness CHECK (witness_id <> person_id)
);
CREATE INDEX deed_status_time ON deed (community_id, status, notice_until);
CREATE INDEX deed_person_day ON deed (community_id, person_id, occurred_on);
CREATE INDEX deed_area_day ON deed (community_id, area_id, rule_code, occurred_on);
CALL protect_tenant_table('deed', 'SELECT, INSERT, UPDATE, DELETE');

-- Anyone signed in may object, with a reason, to a deed or an honour hour while it hangs on the board.
CREATE TABLE objection (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    deed_id     uuid,
    service_record_id uuid,
    person_id   uuid NOT NULL,
    reason      varchar(500) NOT NULL,
    created_at  timestamptz NOT NULL,
    upheld      boolean,                       -- null until somebody decided
    decided_by  uuid,
    decided_at  timestamptz,
    decision_note varchar(500),
    PRIMARY KEY (community_id, id),
    CONSTRAINT objection_deed FOREIGN KEY (community_id, deed_id) REFERENCES deed (community_id, id),
    CONSTRAINT objection_record FOREIGN KEY (community_id, service_record_id) REFERENCES service_record (community_id, id),
    CONSTRAINT objection_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT objection_one_subject CHECK (num_nonnulls(deed_id, service_record_id) = 1),
    CONSTRAINT objection_once UNIQUE NULLS NOT DISTINCT (community_id, deed_id, service_record_id, person_id)
);
CALL protect_tenant_table('objection', 'SELECT, INSERT, UPDATE');

-- ----------------------------------------------------------------------------------------------------------------- shop

CREATE TABLE photo (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    media_type  varchar(20) NOT NULL CONSTRAINT photo_media_type CHECK (media_type = 'image/webp'),
    content     bytea NOT NULL,                -- drawn anew by us, so no camera data stays in it
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id)
);
CALL protect_tenant_table('photo', 'SELECT, INSERT, DELETE');

CREATE TABLE good (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    unit        varchar(10) NOT NULL,
    points      integer NOT NULL CONSTRAINT good_points CHECK (points > 0),
    monthly_limit integer CONSTRAINT good_monthly_limit CHECK (monthly_limit > 0),   -- per household and month; null: none
    photo_id    uuid,
    active      boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT good_photo FOREIGN KEY (community_id, photo_id) REFERENCES photo (community_id, id),
    CONSTRAINT good_name_unique UNIQUE (community_id, name)
);
CALL protect_tenant_table('good', 'SELECT, INSERT, UPDATE, DELETE');

-- What lies at a station and is not reserved by anybody.
CREATE TABLE stock (
    community_id uuid NOT NULL REFERENCES region (id),
    station_id  uuid NOT NULL,
    good_id     uuid NOT NULL,
    quantity    integer NOT NULL CONSTRAINT stock_not_negative CHECK (quantity >= 0),
    PRIMARY KEY (community_id, station_id, good_id),
    CONSTRAINT stock_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT stock_good FOREIGN KEY (community_id, good_id) REFERENCES good (community_id, id)
);
CALL protect_tenant_table('stock', 'SELECT, INSERT, UPDATE, DELETE');

-- Every change of stock; stock.quantity is their sum.
CREATE TABLE stock_move (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    station_id  uuid NOT NULL,
    good_id     uuid NOT NULL,
    change      integer NOT NULL CONSTRAINT stock_move_change CHECK (change <> 0),
    reason      varchar(20) NOT NULL CONSTRAINT stock_move_reason CHECK (reason IN ('received', 'reserved', 'returned', 'counted', 'import', 'import_undone')),
    redemption_id uuid,
    note        varchar(200),
    moved_by    uuid,
    moved_at    timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT stock_move_stock FOREIGN KEY (community_id, station_id, good_id) REFERENCES stock (community_id, station_id, good_id)
);
CREATE INDEX stock_move_good ON stock_move (community_id, good_id, station_id, moved_at);
CALL protect_tenant_table('stock_move', 'SELECT, INSERT');

-- How many of a good a household has taken in a month: the guarded counter behind the monthly limit.
CREATE TABLE household_month (
    community_id uuid NOT NULL REFERENCES region (id),
    household_id uuid NOT NULL,                -- the person's own id when no household is known
    good_id     uuid NOT NULL,
    month       date NOT NULL,                 -- its first day
    quantity    integer NOT NULL CONSTRAINT household_month_not_negative CHECK (quantity >= 0),
    PRIMARY KEY (community_id, household_id, good_id, month)
);
CALL protect_tenant_table('household_month', 'SELECT, INSERT, UPDATE');

CREATE TABLE redemption (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    household_id uuid NOT NULL,
    good_id     uuid NOT NULL,
    station_id  uuid NOT NULL,
    quantity    integer NOT NULL CONSTRAINT redemption_quantity CHECK (quantity > 0),
    points      integer NOT NULL CONSTRAINT redemption_points CHECK (points > 0),
    status      varchar(16) NOT NULL CONSTRAINT redemption_status CHECK (status IN ('reserved', 'collected', 'cancelled', 'expired', 'returned')),
    code        varchar(8),                    -- eight digits, told at the counter; null once it is over
    entry_id    uuid NOT NULL,                 -- the hold
    settled_entry_id uuid,                     -- the settlement, once collected
    reserved_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz,                   -- collected, cancelled or expired
    ended_by    uuid,
    returned_at timestamptz,                   -- brought back after it had been collected
    PRIMARY KEY (community_id, id),
    CONSTRAINT redemption_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT redemption_stock FOREIGN KEY (community_id, station_id, good_id) REFERENCES stock (community_id, station_id, good_id),
    CONSTRAINT redemption_code_unique UNIQUE (community_id, code),
    CONSTRAINT redemption_ended CHECK ((status = 'reserved') = (ended_at IS NULL)),
    CONSTRAINT redemption_settled CHECK ((status IN ('collected', 'returned')) = (settled_entry_id IS NOT NULL)),
    CONSTRAINT redemption_returned CHECK ((status = 'returned') = (returned_at IS NOT NULL))
);
CREATE INDEX redemption_person_time ON redemption (community_id, person_id, reserved_at);
CREATE INDEX redemption_station_status ON redemption (community_id, station_id, status, reserved_at);
CREATE INDEX redemption_due ON redemption (community_id, status, expires_at);
CALL protect_tenant_table('redemption', 'SELECT, INSERT, UPDATE');

-- -------------------------------------------------------------------------------------------------------------- classes

CREATE TABLE course (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    title       varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    age_min     integer NOT NULL,
    age_max     integer NOT NULL,
    starts_on   date NOT NULL,
    ends_on     date NOT NULL,
    points_per_hour integer NOT NULL CONSTRAINT course_points CHECK (points_per_hour > 0),
    teacher     varchar(60) NOT NULL,
    station_id  uuid NOT NULL,                 -- where the lessons are given
    active      boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT course_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT course_title_unique UNIQUE (community_id, title, starts_on),
    CONSTRAINT course_ages CHECK (age_min <= age_max),
    CONSTRAINT course_term CHECK (starts_on <= ends_on)
);
CALL protect_tenant_table('course', 'SELECT, INSERT, UPDATE');

CREATE TABLE lesson (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    course_id   uuid NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    minutes     integer NOT NULL CONSTRAINT lesson_minutes CHECK (minutes > 0),     -- of class time that a seat costs
    seats       integer NOT NULL,
    seats_taken integer NOT NULL,
    cancelled_at timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT lesson_course FOREIGN KEY (community_id, course_id) REFERENCES course (community_id, id),
    CONSTRAINT lesson_time_unique UNIQUE (community_id, course_id, starts_at),
    CONSTRAINT lesson_order CHECK (starts_at < ends_at),
    CONSTRAINT lesson_seats CHECK (seats_taken BETWEEN 0 AND seats)
);
CALL protect_tenant_table('lesson', 'SELECT, INSERT, UPDATE');

CREATE TABLE class_purchase (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    guardian_id uuid NOT NULL,
    child_id    uuid NOT NULL,
    course_id   uuid NOT NULL,
    minutes     integer NOT NULL CONSTRAINT class_purchase_minutes CHECK (minutes > 0),
    points      integer NOT NULL CONSTRAINT class_purchase_points CHECK (points > 0),
    entry_id    uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT class_purchase_guardian FOREIGN KEY (community_id, guardian_id) REFERENCES person (community_id, id),
    CONSTRAINT class_purchase_child FOREIGN KEY (community_id, child_id) REFERENCES person (community_id, id),
    CONSTRAINT class_purchase_course FOREIGN KEY (community_id, course_id) REFERENCES course (community_id, id)
);
CREATE INDEX class_purchase_child_id ON class_purchase (community_id, child_id);
CALL protect_tenant_table('class_purchase', 'SELECT, INSERT');

CREATE TABLE booking (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    lesson_id   uuid NOT NULL,
    child_id    uuid NOT NULL,
    guardian_id uuid NOT NULL,
    status      varchar(16) NOT NULL CONSTRAINT booking_status CHECK (status IN ('held', 'waiting', 'attended', 'missed', 'cancelled')),
    code        varchar(8),                    -- shown at the door; null while waiting and once it is over
    entry_id    uuid,                          -- the hold of class minutes; null while waiting
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    ended_by    uuid,
    PRIMARY KEY (community_id, id),
    CONSTRAINT booking_lesson FOREIGN KEY (community_id, lesson_id) REFERENCES lesson (community_id, id),
    CONSTRAINT booking_child FOREIGN KEY (community_id, child_id) REFERENCES person (community_id, id),
    CONSTRAINT booking_code_unique UNIQUE (community_id, code),
    CONSTRAINT booking_hold CHECK (status <> 'held' OR entry_id IS NOT NULL)
);
CREATE UNIQUE INDEX booking_one_active ON booking (community_id, lesson_id, child_id) WHERE status IN ('held', 'waiting');
CREATE INDEX booking_lesson_line ON booking (community_id, lesson_id, status, created_at, id);
CREATE INDEX booking_child_id ON booking (community_id, child_id);
CALL protect_tenant_table('booking', 'SELECT, INSERT, UPDATE');

-- -------------------------------------------------------------------------------------------------------------- imports

CREATE TABLE import_run (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT import_run_kind CHECK (kind IN ('residents', 'hours', 'deeds', 'goods')),
    file_name   varchar(200) NOT NULL,
    file_hash   bytea NOT NULL,
    skip_bad    boolean NOT NULL,
    rows        integer NOT NULL,
    accepted    integer NOT NULL,
    created     integer NOT NULL,              -- rows that were not known before
    report      jsonb NOT NULL,                -- masked values only
    started_by  uuid,
    started_at  timestamptz NOT NULL,
    undone_at   timestamptz,
    undone_by   uuid,
    PRIMARY KEY (community_id, id)
);
CALL protect_tenant_table('import_run', 'SELECT, INSERT, UPDATE');

-- Which row of a workbook made which record: the key makes a second run change nothing, the run makes undo possible.
CREATE TABLE import_row (
    community_id uuid NOT NULL REFERENCES region (id),
    kind        varchar(16) NOT NULL,
    row_key     bytea NOT NULL,                -- keyed hash of the row's meaning
    run_id      uuid NOT NULL,
    noun        varchar(20) NOT NULL,
    noun_id     uuid NOT NULL,
    PRIMARY KEY (community_id, kind, row_key, noun),
    CONSTRAINT import_row_run FOREIGN KEY (community_id, run_id) REFERENCES import_run (community_id, id)
);
CREATE INDEX import_row_run_id ON import_row (community_id, run_id);
CALL protect_tenant_table('import_row', 'SELECT, INSERT, DELETE');

-- A workbook between its trial and its import, for one hour and for one session alone.
CREATE TABLE import_draft (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    session_id  uuid NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT import_draft_kind CHECK (kind IN ('residents', 'hours', 'deeds', 'goods')),
    file_name   varchar(200) NOT NULL,
    content     bytea NOT NULL,                -- AES-GCM
    findings    jsonb NOT NULL,                -- what the trial found; masked values only
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id)
);
CREATE INDEX import_draft_age ON import_draft (community_id, created_at);
CALL protect_tenant_table('import_draft', 'SELECT, INSERT, UPDATE, DELETE');

-- Thousands of new rows that the planner has not counted make every later query slow, until the server's own round.
CREATE FUNCTION count_imported() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
BEGIN
    ANALYZE area, household, person, guardianship, login, membership, role_grant, service_record, deed, import_row;
END
$$;
REVOKE EXECUTE ON FUNCTION count_imported FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_imported TO timebank_app;

-- ------------------------------------------------------------------------------------------------------ who is this caller

-- Of each session asked for: its login, the resident records it may act as, and today's grants, one for each community
-- that a grant reaches: one round trip for every request, so that a role change works on the next one. It runs as the
-- owner because a caller's communities are not known before it has answered.
CREATE FUNCTION access_sessions(p_token_hashes bytea[], p_now timestamptz, p_today date,
                                OUT token_hash bytea, OUT session_id uuid, OUT login_id uuid, OUT expires_at timestamptz,
                                OUT persons jsonb, OUT grants jsonb) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH caller AS (
        SELECT s.token_hash, s.id, s.login_id, s.expires_at FROM session s
        WHERE s.token_hash = ANY (p_token_hashes) AND s.ended_at IS NULL AND s.expires_at > p_now
    ), mine AS (
        SELECT c.id AS session_id, m.community_id, m.person_id, p.name, p.household_id, r.name AS community_name, m.created_at
        FROM caller c JOIN membership m ON m.login_id = c.login_id
        JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
        JOIN region r ON r.id = m.community_id
    ), held AS (
        SELECT m.session_id, g.role, g.area_id, g.station_id, g.community_id AS home, g.region_id
        FROM mine m JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
        WHERE g.ended_at IS NULL AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
    ), reached AS (
        SELECT session_id, role, home AS community_id, area_id, station_id, '' AS community_name FROM held WHERE region_id IS NULL
        UNION ALL
        SELECT h.session_id, h.role, r.id, NULL, NULL, r.name FROM held h JOIN region r ON h.region_id = ANY (r.path) AND r.kind = 'community'
        WHERE h.region_id IS NOT NULL
    )
    SELECT c.token_hash, c.id, c.login_id, c.expires_at,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('community_id', m.community_id, 'person_id', m.person_id, 'name', m.name,
                'community_name', m.community_name, 'household_id', m.household_id) ORDER BY m.created_at, m.person_id), '[]')
            FROM mine m WHERE m.session_id = c.id),
           (SELECT coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'community_id', h.community_id, 'area_id', h.area_id,
                'station_id', h.station_id, 'community_name', h.community_name)), '[]') FROM reached h WHERE h.session_id = c.id)
    FROM caller c
$$;
REVOKE EXECUTE ON FUNCTION access_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_sessions TO timebank_app;

-- The roles that a login holds anywhere: whoever gives out a sign-in code must stand above all of them, also in
-- communities out of sight. It runs as the owner for that reason and tells nothing else.
CREATE FUNCTION access_offices(p_login_id uuid, p_today date)
    RETURNS TABLE (community_id uuid, role varchar, region_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.community_id, g.role, g.region_id
    FROM membership m JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
    WHERE m.login_id = p_login_id AND g.ended_at IS NULL AND (g.ends_on IS NULL OR g.ends_on >= p_today)
$$;
REVOKE EXECUTE ON FUNCTION access_offices FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_offices TO timebank_app;
