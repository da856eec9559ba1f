-- What the neighbourhood service stands on: units, the roles of its workers, and capabilities that a community switches on.
SET LOCAL ROLE timebank_owner;

-- The departments, firms and schools of a county. It holds no person's name and no phone number: every community of the county reads it.
CREATE TABLE unit (
    id          uuid PRIMARY KEY,
    county_id   uuid NOT NULL REFERENCES region (id),
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT unit_kind
                CHECK (kind IN ('department', 'utility', 'institution', 'firm', 'school', 'property', 'group')),
    active      boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL,
    CONSTRAINT unit_name_unique UNIQUE (county_id, name)
);
ALTER TABLE unit ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON unit TO timebank_app;
-- Everybody reads them; the county's administrators write them.
CREATE POLICY read ON unit FOR SELECT TO timebank_app USING (true);
CREATE POLICY founded ON unit FOR INSERT TO timebank_app WITH CHECK (may_administer(county_id));
CREATE POLICY changed ON unit FOR UPDATE TO timebank_app USING (may_administer(county_id)) WITH CHECK (may_administer(county_id));

-- What a unit is to a community: it handles matters, builds the neighbourhood together with it, is stationed there or gives to it.
CREATE TABLE unit_link (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    unit_id     uuid NOT NULL REFERENCES unit (id),
    kind        varchar(16) NOT NULL CONSTRAINT unit_link_kind CHECK (kind IN ('handler', 'co_builder', 'stationed', 'sponsor')),
    starts_on   date NOT NULL,
    ends_on     date CONSTRAINT unit_link_term CHECK (ends_on >= starts_on),   -- the last day; null: until it is ended
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id)
);
CREATE UNIQUE INDEX unit_link_once ON unit_link (community_id, unit_id, kind) WHERE ends_on IS NULL;
CALL protect_tenant_table('unit_link', 'SELECT, INSERT, UPDATE');

-- Who reported in to the community from which unit. Nothing is kept of why: no membership of a party, no post.
CREATE TABLE affiliation (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    unit_id     uuid NOT NULL REFERENCES unit (id),
    reported_on date NOT NULL,
    ended_on    date CONSTRAINT affiliation_term CHECK (ended_on >= reported_on),   -- the first day on which it no longer holds
    entered_by  uuid,                          -- null: the person, or an import by the worker
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT affiliation_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE UNIQUE INDEX affiliation_one_open ON affiliation (community_id, person_id) WHERE ended_on IS NULL;
CREATE INDEX affiliation_unit ON affiliation (community_id, unit_id, person_id);
CALL protect_tenant_table('affiliation', 'SELECT, INSERT, UPDATE');

-- A team has leaders and members of the community; it may belong to an area or come from a unit.
CREATE TABLE team (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    name        varchar(60) NOT NULL,
    pinyin      varchar(240) NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT team_kind CHECK (kind IN (
                'escort', 'errands', 'traffic', 'tutoring', 'mediation', 'policy', 'patrol', 'repair', 'care', 'cleaning', 'other')),
    area_id     uuid,
    unit_id     uuid REFERENCES unit (id),
    about       varchar(200) NOT NULL DEFAULT '',
    active      boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT team_area FOREIGN KEY (community_id, area_id) REFERENCES area (community_id, id),
    CONSTRAINT team_name_unique UNIQUE (community_id, name)
);
CALL protect_tenant_table('team', 'SELECT, INSERT, UPDATE');

CREATE TABLE team_member (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    team_id     uuid NOT NULL,
    person_id   uuid NOT NULL,
    leads       boolean NOT NULL DEFAULT false,
    asked_at    timestamptz NOT NULL,
    joined_on   date,                          -- null: asked to join, and no leader has confirmed it yet
    left_on     date,                          -- also: declined, or given up before it was confirmed
    confirmed_by uuid,
    PRIMARY KEY (community_id, id),
    CONSTRAINT team_member_once UNIQUE (community_id, team_id, person_id),
    CONSTRAINT team_member_team FOREIGN KEY (community_id, team_id) REFERENCES team (community_id, id),
    CONSTRAINT team_member_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT team_member_leader CHECK (NOT leads OR joined_on IS NOT NULL)
);
CREATE INDEX team_member_person_id ON team_member (community_id, person_id);
CALL protect_tenant_table('team_member', 'SELECT, INSERT, UPDATE');

-- What people can do for others, and when; `findable` is the person's consent to be found by it.
CREATE TABLE skill (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    name        varchar(40) NOT NULL,
    pinyin      varchar(160) NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT skill_kind CHECK (kind IN (
                'repair', 'care', 'teaching', 'errands', 'health', 'law', 'craft', 'other')),
    needs_proof boolean NOT NULL DEFAULT false,
    active      boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT skill_name_unique UNIQUE (community_id, name)
);
CALL protect_tenant_table('skill', 'SELECT, INSERT, UPDATE');

CREATE TABLE person_skill (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    skill_id    uuid NOT NULL,
    note        varchar(120) NOT NULL DEFAULT '',
    findable    boolean NOT NULL DEFAULT false,
    offered_at  timestamptz NOT NULL,
    withdrawn_at timestamptz,
    proof_seen_by uuid,
    proof_seen_at timestamptz,
    proof_until date,                          -- the last day on which the proof counts
    PRIMARY KEY (community_id, id),
    CONSTRAINT person_skill_once UNIQUE (community_id, person_id, skill_id),
    CONSTRAINT person_skill_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT person_skill_skill FOREIGN KEY (community_id, skill_id) REFERENCES skill (community_id, id),
    CONSTRAINT person_skill_proof CHECK ((proof_seen_at IS NULL) = (proof_seen_by IS NULL) AND (proof_until IS NULL OR proof_seen_at IS NOT NULL))
);
CREATE INDEX person_skill_findable ON person_skill (community_id, skill_id, person_id) WHERE findable AND withdrawn_at IS NULL;
CALL protect_tenant_table('person_skill', 'SELECT, INSERT, UPDATE');

CREATE TABLE free_time (
    community_id uuid NOT NULL REFERENCES region (id),
    person_id   uuid NOT NULL,
    weekday     smallint NOT NULL CONSTRAINT free_time_weekday CHECK (weekday BETWEEN 1 AND 7),   -- 1 is Monday
    part        varchar(9) NOT NULL CONSTRAINT free_time_part CHECK (part IN ('morning', 'afternoon', 'evening')),
    PRIMARY KEY (community_id, person_id, weekday, part),
    CONSTRAINT free_time_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CALL protect_tenant_table('free_time', 'SELECT, INSERT, DELETE');

-- A unit's contact serves it in a community, a street or the county. Paid duty is marked on each grant.
ALTER TABLE role_grant
    ADD COLUMN unit_id uuid CONSTRAINT role_grant_unit_id_fkey REFERENCES unit (id),
    DROP CONSTRAINT role_grant_role,
    ADD CONSTRAINT role_grant_role CHECK (role IN (
        'unit_head', 'building_head', 'grid_worker', 'station_keeper', 'community_admin', 'street_admin', 'county_admin', 'auditor',
        'grid_head', 'unit_contact', 'mediator', 'mobile_worker')),
    ADD CONSTRAINT role_grant_unit CHECK ((role = 'unit_contact') = (unit_id IS NOT NULL) AND (unit_id IS NULL OR region_id IS NOT NULL));
CREATE INDEX role_grant_unit_id ON role_grant (unit_id) WHERE unit_id IS NOT NULL;

-- The capabilities that a community has switched on, by the policies uses_….
CREATE FUNCTION capabilities_used(p_community uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(substr(p.name, 6) ORDER BY p.name), '[]') FROM policy p
            WHERE p.community_id = p_community AND p.name LIKE 'uses\_%' AND p.value = 1);
END
$$;

-- The communities that have switched a capability on, for the worker.
CREATE FUNCTION communities_using(p_capability text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT p.community_id FROM policy p WHERE p.name = 'uses_' || p_capability AND p.value = 1 ORDER BY p.community_id;
END
$$;
CREATE INDEX policy_used ON policy (name, community_id) WHERE value = 1 AND name LIKE 'uses\_%';

-- As before, with what the community has switched on.
CREATE OR REPLACE FUNCTION access_record(p_community uuid, p_person uuid, p_now timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('community_id', p.community_id, 'person_id', p.id, 'name', p.name, 'community_name', here.name,
                'path', here.path, 'household_id', p.household_id, 'uses', capabilities_used(p_community), 'rests_until', (
                    SELECT max(r.until) FROM spending_rest r WHERE r.community_id = p_community AND r.person_id = p_person
                    AND r.ended_at IS NULL AND r.until > p_now))
            FROM person p JOIN region here ON here.id = p_community
            WHERE p.community_id = p_community AND p.id = p_person AND p.status = 'active');
END
$$;

-- As before, with what the community has switched on.
CREATE OR REPLACE FUNCTION community_in_reach(p_community uuid, p_reach uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('id', r.id, 'name', r.name, 'path', r.path, 'uses', capabilities_used(p_community))
            FROM region r WHERE r.id = p_community AND r.kind = 'community' AND r.path && p_reach);
END
$$;

-- As before, with the unit that a contact serves.
CREATE OR REPLACE FUNCTION access_grant(held role_grant) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    over text := (SELECT r.kind FROM region r WHERE r.id = held.region_id);
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'role', held.role, 'area_id', held.area_id, 'station_id', held.station_id, 'unit_id', held.unit_id,
        'community_id', CASE WHEN over IS NULL THEN held.community_id WHEN over = 'community' THEN held.region_id END,
        'region_id', CASE WHEN over <> 'community' THEN held.region_id END));
END
$$;

REVOKE EXECUTE ON FUNCTION capabilities_used, communities_using FROM PUBLIC;
GRANT EXECUTE ON FUNCTION communities_using TO timebank_app;
