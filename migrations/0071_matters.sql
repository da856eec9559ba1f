-- Matters: what residents report, order and wish, what staff find, what a meeting pledges, in one loop from receipt to rating.
SET LOCAL ROLE timebank_owner;

-- What a matter may be about in this community, how long it may take, and who handles it unless the dispatcher says otherwise.
CREATE TABLE matter_category (
    community_id uuid NOT NULL REFERENCES region (id),
    code        varchar(40) NOT NULL,
    name        varchar(40) NOT NULL,
    pinyin      varchar(160) NOT NULL,
    kinds       text[] NOT NULL CONSTRAINT matter_category_kinds
                CHECK (kinds <@ ARRAY['report', 'event', 'order', 'wish', 'pledge'] AND cardinality(kinds) > 0),
    due_days    smallint NOT NULL CONSTRAINT matter_category_due_days CHECK (due_days BETWEEN 1 AND 90),
    due_counts  varchar(8) NOT NULL CONSTRAINT matter_category_due_counts CHECK (due_counts IN ('day', 'workday')),
    level       varchar(16) NOT NULL CONSTRAINT matter_category_level CHECK (level IN ('grid', 'community', 'street', 'county')),
    unit_id     uuid REFERENCES unit (id),
    team_id     uuid,
    activity_id uuid,                          -- orders: by which rule their minutes are credited
    public      boolean NOT NULL,              -- false: never on the board, and never shown to other residents
    staff_only  boolean NOT NULL DEFAULT false, -- opened by staff alone; residents read the advice instead
    needs_photo boolean NOT NULL DEFAULT false, -- to be finished with a picture
    minutes_max smallint CONSTRAINT matter_category_minutes CHECK (minutes_max BETWEEN 1 AND 1440),
    urgent      boolean NOT NULL DEFAULT false, -- its messages go out at night too
    advice      varchar(200) NOT NULL DEFAULT '', -- shown before sending: whom to ring first
    standard_code varchar(20),                 -- of GB/T 30428.2, where a city wants it
    active      boolean NOT NULL DEFAULT true,
    place       smallint NOT NULL DEFAULT 0,   -- where it stands in a list
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, code),
    CONSTRAINT matter_category_team FOREIGN KEY (community_id, team_id) REFERENCES team (community_id, id),
    CONSTRAINT matter_category_activity FOREIGN KEY (community_id, activity_id) REFERENCES activity (community_id, id),
    CONSTRAINT matter_category_name_unique UNIQUE (community_id, name)
);
CALL protect_tenant_table('matter_category', 'SELECT, INSERT, UPDATE');

CREATE TABLE matter (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    number      varchar(8) NOT NULL,           -- random, to be said on the phone
    kind        varchar(8) NOT NULL CONSTRAINT matter_kind CHECK (kind IN ('report', 'event', 'order', 'wish', 'pledge')),
    category_code varchar(40) NOT NULL,
    area_id     uuid NOT NULL,
    place       varchar(120) NOT NULL DEFAULT '',
    said        varchar(500) NOT NULL DEFAULT '', -- never public; emptied three years after the end
    public_text varchar(200),
    reporter_id uuid,                          -- null: who spoke has no record here, or staff opened it
    for_person_id uuid,                        -- an order or wish for somebody else
    entered_by  uuid,                          -- the keeper or grid worker who typed it for the reporter
    channel     varchar(16) NOT NULL CONSTRAINT matter_channel CHECK (channel IN (
                'member', 'desk', 'worker', 'round', 'call', 'meeting', 'mediation', 'import', 'hotline')),
    external_number varchar(40),
    origin_kind varchar(24),
    origin_id   uuid,
    status      varchar(12) NOT NULL CONSTRAINT matter_status CHECK (status IN (
                'received', 'dispatched', 'accepted', 'done', 'closed', 'refused', 'merged', 'withdrawn')),
    level       varchar(16) NOT NULL CONSTRAINT matter_level CHECK (level IN ('grid', 'community', 'street', 'county')),
    unit_id     uuid REFERENCES unit (id),
    team_id     uuid,
    assignee_id uuid,
    open_to     varchar(8) NOT NULL DEFAULT 'assigned' CONSTRAINT matter_open_to CHECK (open_to IN ('assigned', 'team', 'all')),
    wanted_at   timestamptz,                   -- orders: when somebody should come
    at_home     boolean NOT NULL DEFAULT false, -- orders: at somebody's home, shown in full to those who have taken it alone
    people_wanted smallint NOT NULL DEFAULT 1 CONSTRAINT matter_people_wanted CHECK (people_wanted BETWEEN 1 AND 20),
    value_max   integer CONSTRAINT matter_value CHECK (value_max BETWEEN 1 AND 100000),   -- wishes: yuan at most
    received_at timestamptz NOT NULL,          -- when the resident had spoken: the clock starts here and never stops
    dispatched_at timestamptz,
    accepted_at timestamptz,
    done_at     timestamptz,
    closed_at   timestamptz,
    due_at      timestamptz NOT NULL,
    first_due_at timestamptz NOT NULL,         -- as it was said in the receipt
    result      varchar(500),
    done_by     uuid,
    verified_by uuid,
    verified_at timestamptz,
    verified    varchar(8) CONSTRAINT matter_verified CHECK (verified IN ('true', 'untrue')),
    done_days   smallint,                      -- local days from receipt to the last finish; 0 is the same day
    returns     smallint NOT NULL DEFAULT 0,
    reopens     smallint NOT NULL DEFAULT 0,
    urged       smallint NOT NULL DEFAULT 0,
    final       boolean NOT NULL DEFAULT false,
    postponed_until timestamptz,
    postpone_reason varchar(200),
    followers   integer NOT NULL DEFAULT 0,
    merged_into uuid,
    refused_because varchar(12) CONSTRAINT matter_refused_because
                CHECK (refused_because IN ('not_ours', 'cannot', 'untrue', 'spam', 'elsewhere', 'mediation')),
    hides_reporter boolean NOT NULL DEFAULT false,
    may_be_contacted boolean NOT NULL DEFAULT true,
    published_at timestamptz,
    flags       text[] NOT NULL DEFAULT '{}',
    told        text[] NOT NULL DEFAULT '{}',  -- what the clock has told so far: waits for a dispatcher, is due soon
    mark        bytea,                         -- keyed hash of the session or browser that reported it; forgotten after 90 days
    nonce       varchar(64),                   -- of a report that waited on the phone: it is received once
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT matter_number_unique UNIQUE (community_id, number),
    CONSTRAINT matter_category_known FOREIGN KEY (community_id, category_code) REFERENCES matter_category (community_id, code),
    CONSTRAINT matter_area FOREIGN KEY (community_id, area_id) REFERENCES area (community_id, id),
    CONSTRAINT matter_reporter FOREIGN KEY (community_id, reporter_id) REFERENCES person (community_id, id),
    CONSTRAINT matter_for FOREIGN KEY (community_id, for_person_id) REFERENCES person (community_id, id),
    CONSTRAINT matter_assignee FOREIGN KEY (community_id, assignee_id) REFERENCES person (community_id, id),
    CONSTRAINT matter_team FOREIGN KEY (community_id, team_id) REFERENCES team (community_id, id),
    CONSTRAINT matter_merged FOREIGN KEY (community_id, merged_into) REFERENCES matter (community_id, id),
    CONSTRAINT matter_times CHECK (received_at <= least(dispatched_at, accepted_at, done_at, closed_at)),
    CONSTRAINT matter_done CHECK ((status IN ('done', 'closed')) = (done_at IS NOT NULL)),
    CONSTRAINT matter_done_days CHECK ((done_at IS NULL) = (done_days IS NULL)),
    CONSTRAINT matter_closed CHECK ((status IN ('closed', 'refused', 'merged', 'withdrawn')) = (closed_at IS NOT NULL)),
    CONSTRAINT matter_refused CHECK ((status = 'refused') = (refused_because IS NOT NULL)),
    CONSTRAINT matter_merged_once CHECK ((status = 'merged') = (merged_into IS NOT NULL) AND merged_into <> id),
    CONSTRAINT matter_taken CHECK (status <> 'accepted' OR num_nonnulls(unit_id, team_id, assignee_id) > 0),
    CONSTRAINT matter_wish CHECK (kind = 'wish' OR value_max IS NULL),
    CONSTRAINT matter_verified_by CHECK ((verified IS NULL) = (verified_at IS NULL)),
    CONSTRAINT matter_postponed CHECK ((postponed_until IS NULL) = (postpone_reason IS NULL)),
    CONSTRAINT matter_returns CHECK (returns >= 0 AND reopens >= 0 AND followers >= 0 AND urged BETWEEN 0 AND 3)
);
CREATE UNIQUE INDEX matter_external_unique ON matter (community_id, external_number) WHERE external_number IS NOT NULL;
CREATE UNIQUE INDEX matter_nonce_unique ON matter (community_id, nonce) WHERE nonce IS NOT NULL;
CREATE INDEX matter_due ON matter (community_id, status, due_at, id);
CREATE INDEX matter_similar ON matter (community_id, area_id, category_code, received_at);
CREATE INDEX matter_reporter_time ON matter (community_id, reporter_id, received_at);
CREATE INDEX matter_for_time ON matter (community_id, for_person_id, received_at) WHERE for_person_id IS NOT NULL;
CREATE INDEX matter_unit_due ON matter (community_id, unit_id, status, due_at) WHERE unit_id IS NOT NULL;
CREATE INDEX matter_team_due ON matter (community_id, team_id, status, due_at) WHERE team_id IS NOT NULL;
CREATE INDEX matter_assignee_status ON matter (community_id, assignee_id, status) WHERE assignee_id IS NOT NULL;
CREATE INDEX matter_received ON matter (community_id, received_at, id);
CREATE INDEX matter_open_to_all ON matter (community_id, kind, due_at, id) WHERE status = 'dispatched' AND open_to = 'all';
CREATE INDEX matter_unverified ON matter (community_id, closed_at, id) WHERE verified IS NULL AND status = 'closed';
CREATE INDEX matter_published ON matter (community_id, published_at, id) WHERE published_at IS NOT NULL;
CREATE INDEX matter_marked ON matter (community_id, mark, received_at) WHERE mark IS NOT NULL;
CREATE INDEX matter_merged_id ON matter (community_id, merged_into) WHERE merged_into IS NOT NULL;
CALL protect_tenant_table('matter', 'SELECT, INSERT, UPDATE');

-- The timeline: what was done, by whom and in which words. Nothing of it is changed or deleted.
CREATE TABLE matter_step (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    matter_id   uuid NOT NULL,
    at          timestamptz NOT NULL,
    by_id       uuid,                          -- without foreign key: a contact or a street's administrator acts from elsewhere
    by_kind     varchar(10) NOT NULL CONSTRAINT matter_step_by_kind
                CHECK (by_kind IN ('resident', 'keeper', 'worker', 'dispatcher', 'handler', 'system')),
    verb        varchar(16) NOT NULL,
    from_status varchar(12),                   -- null: it was opened
    to_status   varchar(12) NOT NULL,
    note        varchar(500),
    public      boolean NOT NULL,              -- whether the reporter reads the note
    unit_id     uuid,
    team_id     uuid,
    person_id   uuid,
    level       varchar(16),
    due_at      timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT matter_step_matter FOREIGN KEY (community_id, matter_id) REFERENCES matter (community_id, id)
);
CREATE INDEX matter_step_time ON matter_step (community_id, matter_id, at, id);
CALL protect_tenant_table('matter_step', 'SELECT, INSERT');

-- Who helps with an order, or brings a wish.
CREATE TABLE matter_helper (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    matter_id   uuid NOT NULL,
    person_id   uuid NOT NULL,
    took_at     timestamptz NOT NULL,
    started_at  timestamptz,
    ended_at    timestamptz,
    left_at     timestamptz,
    record_id   uuid,                          -- the honour record that its minutes became
    PRIMARY KEY (community_id, id),
    CONSTRAINT matter_helper_matter FOREIGN KEY (community_id, matter_id) REFERENCES matter (community_id, id),
    CONSTRAINT matter_helper_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT matter_helper_times CHECK ((started_at IS NULL) = (ended_at IS NULL) AND started_at < ended_at)
);
-- Who leaves and takes it again, also after it was reopened, has a row for each time.
CREATE UNIQUE INDEX matter_helper_once ON matter_helper (community_id, matter_id, person_id) WHERE left_at IS NULL;
CREATE INDEX matter_helper_matter_id ON matter_helper (community_id, matter_id, took_at);
CREATE INDEX matter_helper_person_id ON matter_helper (community_id, person_id, took_at);
CALL protect_tenant_table('matter_helper', 'SELECT, INSERT, UPDATE');

CREATE TABLE matter_follow (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    matter_id   uuid NOT NULL,
    person_id   uuid NOT NULL,
    kind        varchar(8) NOT NULL CONSTRAINT matter_follow_kind CHECK (kind IN ('same', 'thanks')),
    at          timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT matter_follow_once UNIQUE (community_id, matter_id, person_id),
    CONSTRAINT matter_follow_matter FOREIGN KEY (community_id, matter_id) REFERENCES matter (community_id, id),
    CONSTRAINT matter_follow_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE INDEX matter_follow_person_id ON matter_follow (community_id, person_id, at);
CALL protect_tenant_table('matter_follow', 'SELECT, INSERT, UPDATE, DELETE');

-- What the resident, the community or the unit says of how it was done; once for each time that it was finished.
CREATE TABLE rating (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    matter_id   uuid NOT NULL,
    reopening   smallint NOT NULL,             -- the matter's `reopens` when it was said
    by_kind     varchar(10) NOT NULL CONSTRAINT rating_by_kind CHECK (by_kind IN ('resident', 'community', 'unit')),
    by_id       uuid,
    how         varchar(10) NOT NULL CONSTRAINT rating_how CHECK (how IN ('phone', 'card', 'guardian', 'call')),
    solved      boolean NOT NULL,
    stars       smallint NOT NULL CONSTRAINT rating_stars CHECK (stars BETWEEN 1 AND 5),
    words       varchar(300),
    at          timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT rating_once UNIQUE (community_id, matter_id, reopening, by_kind),
    CONSTRAINT rating_matter FOREIGN KEY (community_id, matter_id) REFERENCES matter (community_id, id)
);
CALL protect_tenant_table('rating', 'SELECT, INSERT');

-- What was drawn to be looked at by somebody, and what they found.
CREATE TABLE spot_check (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    noun        varchar(16) NOT NULL CONSTRAINT spot_check_noun CHECK (noun IN ('matter', 'round', 'call', 'record')),
    noun_id     uuid NOT NULL,
    drawn_on    date NOT NULL,
    area_id     uuid,
    checker_id  uuid,
    found       varchar(8) CONSTRAINT spot_check_found CHECK (found IN ('true', 'untrue')),
    note        varchar(300),
    done_at     timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT spot_check_once UNIQUE (community_id, noun, noun_id),
    CONSTRAINT spot_check_done CHECK ((found IS NULL) = (done_at IS NULL))
);
CREATE INDEX spot_check_open ON spot_check (community_id, drawn_on, id) WHERE done_at IS NULL;
CALL protect_tenant_table('spot_check', 'SELECT, INSERT, UPDATE');

-- As before, with what people report, do and offer.
CREATE OR REPLACE FUNCTION person_links() RETURNS TABLE (noun text, field text, holds text) LANGUAGE sql IMMUTABLE AS $$
    VALUES ('visit', 'person_id', 'true'),
        ('service_record', 'person_id', 'NOT EXISTS (SELECT FROM service_record o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.source_kind, o.source_id) = (r.source_kind, r.source_id))'),
        ('deed', 'person_id', 'r.witness_id IS DISTINCT FROM $3 AND NOT EXISTS (SELECT FROM deed o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.source_kind, o.source_id, o.rule_code, o.area_id) = (r.source_kind, r.source_id, r.rule_code, r.area_id))'),
        ('deed', 'witness_id', 'r.person_id <> $3'),
        ('redemption', 'person_id', 'true'), ('class_purchase', 'guardian_id', 'true'), ('class_purchase', 'child_id', 'true'),
        ('booking', 'guardian_id', 'true'), ('booking', 'child_id', 'true'), ('household_move', 'person_id', 'true'),
        ('person', 'merged_into', 'r.id <> $3'),
        ('guardianship', 'guardian_id', 'r.child_id <> $3 AND NOT EXISTS (SELECT FROM guardianship o WHERE o.community_id = $1
            AND o.guardian_id = $3 AND o.child_id = r.child_id)'),
        ('guardianship', 'child_id', 'r.guardian_id <> $3 AND NOT EXISTS (SELECT FROM guardianship o WHERE o.community_id = $1
            AND o.child_id = $3 AND o.guardian_id = r.guardian_id)'),
        ('sign_up', 'person_id', 'NOT EXISTS (SELECT FROM sign_up o WHERE o.community_id = $1 AND o.shift_id = r.shift_id AND o.person_id = $3)'),
        ('message', 'person_id', 'NOT EXISTS (SELECT FROM message o WHERE o.community_id = $1 AND o.key = r.key AND o.person_id = $3)'),
        ('objection', 'person_id', 'NOT EXISTS (SELECT FROM objection o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.subject_kind, o.subject_id) = (r.subject_kind, r.subject_id))'),
        ('role_grant', 'person_id', 'r.region_id IS NULL AND NOT EXISTS (SELECT FROM role_grant o WHERE o.community_id = $1 AND o.person_id = $3
            AND o.ended_at IS NULL AND (o.role, o.area_id, o.station_id) IS NOT DISTINCT FROM (r.role, r.area_id, r.station_id))'),
        ('affiliation', 'person_id', 'r.ended_on IS NOT NULL OR NOT EXISTS (SELECT FROM affiliation o WHERE o.community_id = $1
            AND o.person_id = $3 AND o.ended_on IS NULL)'),
        ('team_member', 'person_id', 'NOT EXISTS (SELECT FROM team_member o WHERE o.community_id = $1 AND o.person_id = $3 AND o.team_id = r.team_id)'),
        ('person_skill', 'person_id', 'NOT EXISTS (SELECT FROM person_skill o WHERE o.community_id = $1 AND o.person_id = $3
            AND o.skill_id = r.skill_id)'),
        ('matter', 'reporter_id', 'true'), ('matter', 'for_person_id', 'true'), ('matter', 'assignee_id', 'true'),
        ('matter_helper', 'person_id', 'r.left_at IS NOT NULL OR NOT EXISTS (SELECT FROM matter_helper o WHERE o.community_id = $1
            AND o.person_id = $3 AND o.matter_id = r.matter_id AND o.left_at IS NULL)'),
        ('matter_follow', 'person_id', 'NOT EXISTS (SELECT FROM matter_follow o WHERE o.community_id = $1 AND o.person_id = $3
            AND o.matter_id = r.matter_id)')
$$;
