-- Two people: changes that wait for a second person, who opened a login, who lived behind one door, and witnesses who answer.

SET LOCAL ROLE timebank_owner;

-- What somebody proposed and a second person agrees to or refuses; or (see the kinds whose change is in force already) what
-- was done alone and is to be seen by a second person.
CREATE TABLE waiting_change (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kind        varchar(40) NOT NULL,          -- a kind of timebank/agreements: how it is said and carried out
    subject     varchar(120) NOT NULL,         -- what it changes; one change of a subject waits at a time
    person_id   uuid,                          -- whom it concerns, who never decides about it
    involved    uuid[] NOT NULL DEFAULT '{}',  -- others who are party to it, and decide as little
    change      jsonb NOT NULL,                -- {do: what is carried out, says: the values of its sentence}
    before      jsonb NOT NULL,                -- what stood there when it was proposed; it is not carried out over anything else
    needs       varchar(8) NOT NULL CONSTRAINT waiting_change_needs CHECK (needs IN ('above', 'another')),
    depth       smallint NOT NULL,             -- 'above': of a region nearer to the county than this (county 1, street 2, community 3)
    proposed_by uuid,                          -- null: before there were agreements, or by a command
    proposed_by_login uuid,
    proposed_at timestamptz NOT NULL,
    status      varchar(16) NOT NULL CONSTRAINT waiting_change_status CHECK (status IN ('waiting', 'agreed', 'refused', 'withdrawn')),
    decided_by  uuid,
    decided_by_login uuid,                     -- null with decided_at: the operator, by command
    decided_at  timestamptz,
    note        varchar(500),
    PRIMARY KEY (community_id, id),
    CONSTRAINT waiting_change_decided CHECK ((status = 'waiting') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX waiting_change_one_open ON waiting_change (community_id, kind, subject) WHERE status = 'waiting';
CREATE INDEX waiting_change_time ON waiting_change (community_id, status, proposed_at, id);
CALL protect_tenant_table('waiting_change', 'SELECT, INSERT, UPDATE');

-- ------------------------------------------------------------------------------------------------------ who opened a login

ALTER TABLE one_time_code ADD COLUMN given_by_login uuid;  -- null: by a command
ALTER TABLE login
    ADD COLUMN opened_by_login uuid,           -- who gave the code by which it was last opened: its acts count as that one's too
    ADD COLUMN opened_at timestamptz,
    ADD COLUMN confirmed_by_login uuid,        -- somebody else who has confirmed since then that its holder is its holder
    ADD COLUMN confirmed_at timestamptz;
CREATE INDEX membership_person ON membership (person_id);

-- A one-time code opened a login. Who opens the own login by an own code opens it for nobody.
CREATE FUNCTION login_was_opened(p_login uuid, p_code uuid, p_now timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE login l SET opened_by_login = c.given_by_login, opened_at = p_now, confirmed_by_login = NULL, confirmed_at = NULL
    FROM one_time_code c
    WHERE l.id = p_login AND c.id = p_code AND c.login_id = l.id AND c.given_by_login IS NOT NULL AND c.given_by_login <> l.id
$$;
REVOKE EXECUTE ON FUNCTION login_was_opened FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_was_opened TO timebank_app;

-- Somebody else confirms that the logins of a person are the person's own. Answers how many were waiting for it.
CREATE FUNCTION login_confirmed(p_community uuid, p_person uuid, p_by_login uuid, p_now timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    confirmed integer;
BEGIN
    UPDATE login l SET confirmed_by_login = p_by_login, confirmed_at = p_now FROM membership m
    WHERE p_community = ANY (visible_communities()) AND m.community_id = p_community AND m.person_id = p_person AND l.id = m.login_id
      AND l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL;
    GET DIAGNOSTICS confirmed = ROW_COUNT;
    RETURN confirmed;
END
$$;
REVOKE EXECUTE ON FUNCTION login_confirmed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_confirmed TO timebank_app;

-- Staff of the community whose login was opened by a code that nobody else has confirmed since, with who gave it.
CREATE FUNCTION agreement_unconfirmed(p_community uuid, p_today date)
    RETURNS TABLE (person_id uuid, name varchar, opened_by_login uuid, opened_by uuid, opened_by_name varchar, opened_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (p.id) p.id, p.name, l.opened_by_login, o.id, o.name, l.opened_at
    FROM role_grant g
    JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active'
    JOIN membership m ON m.community_id = p.community_id AND m.person_id = p.id
    JOIN login l ON l.id = m.login_id AND l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL
    LEFT JOIN membership b ON b.login_id = l.opened_by_login
    LEFT JOIN person o ON o.community_id = b.community_id AND o.id = b.person_id
    WHERE p_community = ANY (visible_communities()) AND g.community_id = p_community AND g.ended_at IS NULL
      AND (g.ends_on IS NULL OR g.ends_on >= p_today)
    ORDER BY p.id, (b.community_id = p_community) DESC, o.id
$$;
REVOKE EXECUTE ON FUNCTION agreement_unconfirmed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_unconfirmed TO timebank_app;

-- ------------------------------------------------------------------------------------------------------------ who is near whom

-- Where somebody lived before: whoever lived behind one door with them then is no second person now.
CREATE TABLE household_move (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    from_household uuid NOT NULL,              -- not a key: a household that is left empty may be taken out of the book
    moved_at    timestamptz NOT NULL,
    moved_by    uuid,
    PRIMARY KEY (community_id, id),
    CONSTRAINT household_move_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE INDEX household_move_person_id ON household_move (community_id, person_id);
CALL protect_tenant_table('household_move', 'SELECT, INSERT');

-- Everything that one human acts by and lives in: the records that a login stands for (or that share this record's login), their
-- households now and before, and the logins whose acts count as theirs (down the codes by which they were opened).
CREATE FUNCTION agreement_side(p_community uuid, p_login uuid, p_person uuid, OUT persons uuid[], OUT households uuid[], OUT hands uuid[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE own AS (
        SELECT p_login AS id WHERE p_login IS NOT NULL
        UNION SELECT m.login_id FROM membership m WHERE m.person_id = p_person
    ), record AS (
        SELECT p_community AS community_id, p_person AS id WHERE p_person IS NOT NULL
        UNION SELECT m.community_id, m.person_id FROM membership m JOIN own ON own.id = m.login_id
    ), hand AS (
        SELECT id FROM own
        UNION SELECT l.opened_by_login FROM hand JOIN login l ON l.id = hand.id
              WHERE l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL
    )
    SELECT ARRAY(SELECT id FROM record),
           ARRAY(SELECT p.household_id FROM record r JOIN person p ON p.community_id = r.community_id AND p.id = r.id
                 WHERE p.household_id IS NOT NULL
                 UNION SELECT v.from_household FROM record r JOIN household_move v ON v.community_id = r.community_id AND v.person_id = r.id),
           ARRAY(SELECT id FROM hand)
    WHERE p_community = ANY (visible_communities())
$$;
REVOKE EXECUTE ON FUNCTION agreement_side FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_side TO timebank_app;

-- Administrators and auditors whose region is this community or lies above it, wherever they live.
CREATE FUNCTION agreement_officers(p_community uuid, p_today date)
    RETURNS TABLE (person_id uuid, home_id uuid, name varchar, role varchar, depth smallint, place varchar)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.person_id, g.community_id, p.name, g.role, cardinality(r.path)::smallint, r.name
    FROM region here JOIN region r ON r.id = ANY (here.path)
    JOIN role_grant g ON g.region_id = r.id AND g.ended_at IS NULL AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
    JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active'
    WHERE here.id = p_community AND p_community = ANY (visible_communities())
    ORDER BY cardinality(r.path) DESC, g.granted_at, g.id
$$;
REVOKE EXECUTE ON FUNCTION agreement_officers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_officers TO timebank_app;
CREATE INDEX role_grant_region_id ON role_grant (region_id) WHERE region_id IS NOT NULL;

-- ------------------------------------------------------------------------------------------------------------------- witnesses

ALTER TABLE deed
    ADD COLUMN witness_answer varchar(16) CONSTRAINT deed_witness_answer CHECK (witness_answer IN ('confirmed', 'denied', 'asked')),
    ADD COLUMN witness_note varchar(500),      -- the witness's own words
    ADD COLUMN witness_answered_at timestamptz,
    ADD COLUMN witness_asked_by uuid,          -- 'asked': the reviewer who asked the witness in person
    ADD CONSTRAINT deed_witness_answered CHECK ((witness_answer IS NULL) = (witness_answered_at IS NULL));

-- Whoever approved a deed before this took its witness as asked.
UPDATE deed SET witness_answer = 'asked', witness_answered_at = coalesce(reviewed_at, created_at), witness_asked_by = reviewed_by
WHERE witness_id IS NOT NULL AND status <> 'filed';

-- ------------------------------------------------------------------------------------------ what stood before there were two

-- Grants of administrators and auditors and policies of before stay, and are listed for a second person.
INSERT INTO waiting_change (community_id, id, kind, subject, person_id, change, before, needs, depth, proposed_by, proposed_at, status)
SELECT g.community_id, gen_random_uuid(), 'office_before', g.id::text, g.person_id,
       jsonb_build_object('do', NULL, 'says', jsonb_build_object('role', g.role, 'place', r.name)), 'null', 'above', cardinality(r.path),
       g.granted_by, g.granted_at, 'waiting'
FROM role_grant g JOIN region r ON r.id = g.region_id WHERE g.ended_at IS NULL;
INSERT INTO waiting_change (community_id, id, kind, subject, change, before, needs, depth, proposed_by, proposed_at, status)
SELECT p.community_id, gen_random_uuid(), 'policy_before', p.name,
       jsonb_build_object('do', NULL, 'says', jsonb_build_object('name', p.name, 'value', p.value)), 'null', 'above', 3, p.changed_by, p.changed_at,
       'waiting'
FROM policy p;
INSERT INTO waiting_change (community_id, id, kind, subject, change, before, needs, depth, proposed_by, proposed_at, status)
SELECT r.community_id, gen_random_uuid(), 'rule_before', r.code,
       jsonb_build_object('do', NULL, 'says', jsonb_build_object('name', r.name, 'points', r.points, 'minutes', r.minutes_per_point)), 'null',
       'above', 3, r.changed_by, r.valid_from, 'waiting'
FROM (SELECT DISTINCT ON (community_id, code) * FROM rule ORDER BY community_id, code, version DESC) r WHERE r.active;
