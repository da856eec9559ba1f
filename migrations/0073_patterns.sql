-- Shifts that come again by a pattern, people who stand for a day of the week, seats on offer, the code on a leader's phone, and duty that is
-- paid for: it is attendance only.
SET LOCAL ROLE timebank_owner;

ALTER TABLE station ADD COLUMN kind varchar(10) NOT NULL DEFAULT 'station' CONSTRAINT station_kind
    CHECK (kind IN ('station', 'grid_post', 'canteen', 'gate', 'hall'));

ALTER TABLE activity
    ADD COLUMN paid boolean NOT NULL DEFAULT false,   -- a visit of it ends without a service record
    ADD COLUMN team_id uuid,
    ADD CONSTRAINT activity_team FOREIGN KEY (community_id, team_id) REFERENCES team (community_id, id);

-- Whether the visit is paid duty, as it was when it began.
ALTER TABLE visit ADD COLUMN paid boolean NOT NULL DEFAULT false;

-- The shift that the reader led at the time: the code was shown on their phone, at a place without a screen. Null: any other reading.
ALTER TABLE code_reading ADD COLUMN shift_id uuid;

CREATE TABLE shift_pattern (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    activity_id uuid NOT NULL,
    station_id  uuid NOT NULL,
    weekdays    smallint[] NOT NULL CONSTRAINT shift_pattern_weekdays
                CHECK (cardinality(weekdays) BETWEEN 1 AND 7 AND weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[]),   -- 1 is Monday
    days        varchar(8) NOT NULL CONSTRAINT shift_pattern_days CHECK (days IN ('all', 'workdays')),
    starts_at   time NOT NULL,
    ends_at     time NOT NULL,                 -- not later than starts_at: on the next day
    seats       integer NOT NULL,
    seats_min   integer NOT NULL,
    starts_on   date NOT NULL,
    ends_on     date CONSTRAINT shift_pattern_term CHECK (ends_on >= starts_on),   -- the last day; null: until it is ended
    ended_at    timestamptz,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT shift_pattern_activity FOREIGN KEY (community_id, activity_id) REFERENCES activity (community_id, id),
    CONSTRAINT shift_pattern_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT shift_pattern_length CHECK (starts_at <> ends_at),
    CONSTRAINT shift_pattern_seats CHECK (seats_min BETWEEN 0 AND seats AND seats > 0)
);
CREATE INDEX shift_pattern_activity_id ON shift_pattern (community_id, activity_id, id) WHERE ended_at IS NULL;
-- The same days and times twice would be two shifts at once.
CREATE UNIQUE INDEX shift_pattern_once ON shift_pattern (community_id, activity_id, station_id, weekdays, starts_at, starts_on) WHERE ended_at IS NULL;
CALL protect_tenant_table('shift_pattern', 'SELECT, INSERT, UPDATE');

-- Days on which a pattern makes no shift, such as the holidays of a school.
CREATE TABLE pattern_break (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    pattern_id  uuid NOT NULL,
    starts_on   date NOT NULL,
    ends_on     date NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT pattern_break_once UNIQUE (community_id, pattern_id, starts_on, ends_on),
    CONSTRAINT pattern_break_pattern FOREIGN KEY (community_id, pattern_id) REFERENCES shift_pattern (community_id, id),
    CONSTRAINT pattern_break_order CHECK (starts_on <= ends_on)
);
CALL protect_tenant_table('pattern_break', 'SELECT, INSERT, DELETE');

ALTER TABLE shift
    ADD COLUMN pattern_id uuid,
    ADD CONSTRAINT shift_pattern_id FOREIGN KEY (community_id, pattern_id) REFERENCES shift_pattern (community_id, id),
    ADD CONSTRAINT shift_pattern_day UNIQUE (community_id, pattern_id, starts_at);
-- What begins soon, for the warning of thin shifts.
CREATE INDEX shift_patterned ON shift (community_id, starts_at) WHERE pattern_id IS NOT NULL AND cancelled_at IS NULL;

ALTER TABLE sign_up
    ADD COLUMN leads boolean NOT NULL DEFAULT false,   -- leads the shift: sees its code on the own phone
    ADD COLUMN stands boolean NOT NULL DEFAULT false,  -- taken by standing for this day of the week
    ADD COLUMN offered_at timestamptz CONSTRAINT sign_up_offered CHECK (offered_at IS NULL OR cancelled_at IS NULL);

-- Who takes every shift of a pattern on a day of the week, by their own word, until they end it.
CREATE TABLE standing (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    pattern_id  uuid NOT NULL,
    person_id   uuid NOT NULL,
    weekday     smallint NOT NULL CONSTRAINT standing_weekday CHECK (weekday BETWEEN 1 AND 7),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT standing_once UNIQUE (community_id, pattern_id, weekday, person_id),
    CONSTRAINT standing_pattern FOREIGN KEY (community_id, pattern_id) REFERENCES shift_pattern (community_id, id),
    CONSTRAINT standing_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE INDEX standing_person_id ON standing (community_id, person_id);
CALL protect_tenant_table('standing', 'SELECT, INSERT, DELETE');
-- Standing is always the person's own act: nobody puts somebody else there.
CREATE POLICY stood_in_own_name ON standing AS RESTRICTIVE FOR INSERT TO timebank_app WITH CHECK (is_acting(person_id));

-- As before, with who stands for a pattern's shifts.
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
        ('standing', 'person_id', 'NOT EXISTS (SELECT FROM standing o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.pattern_id, o.weekday) = (r.pattern_id, r.weekday))'),
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
