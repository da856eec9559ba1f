-- Nobody takes over an account: a sign-in code opens the records of its giver's communities alone, a record joins a login only
-- when its holder agrees, and a login that was not seen, or whose phone was changed, spends nothing for a while.
SET LOCAL ROLE timebank_owner;

-- ------------------------------------------------------------------------------------------------- what a code opens

ALTER TABLE one_time_code
    ADD COLUMN given_in uuid REFERENCES region (id),  -- the community where it was given
    ADD COLUMN opens uuid[],                   -- the communities whose records it opens; null: all, of a code of before or by a command
    ADD COLUMN proof varchar(8) CONSTRAINT one_time_code_proof CHECK (proof IN ('scan', 'name', 'office')),
    ADD COLUMN person_id uuid;                 -- whom it was given to: a scan has seen this one and nobody else of the login
ALTER TABLE session
    ADD COLUMN opens uuid[],                   -- as the code that opened it; null: all
    ADD COLUMN by_scan boolean NOT NULL DEFAULT false;  -- its holder's card or own code was scanned for the code

-- A record whose phone belongs to a login already: it waits until the login's holder agrees.
CREATE TABLE membership_question (
    community_id uuid NOT NULL REFERENCES region (id),
    person_id   uuid NOT NULL,
    login_id    uuid NOT NULL REFERENCES login (id),
    asked_by_login uuid,                       -- null: by a command
    asked_at    timestamptz NOT NULL,
    declined_at timestamptz,
    PRIMARY KEY (community_id, person_id),
    CONSTRAINT membership_question_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE INDEX membership_question_login ON membership_question (login_id);
CALL protect_tenant_table('membership_question', 'SELECT, DELETE');

-- Until when nothing is spent through a person's login, and why; ended by somebody else of the staff who knows the person.
CREATE TABLE spending_rest (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    login_id    uuid REFERENCES login (id),    -- null: the person's phone is another's, who has not agreed yet
    cause       varchar(8) NOT NULL CONSTRAINT spending_rest_cause CHECK (cause IN ('code', 'phone', 'joined')),
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    by_login    uuid,                          -- who gave the code or changed the phone; null: by a command
    from_login  uuid REFERENCES login (id),    -- 'phone': the login of before, which is told
    ended_at    timestamptz,
    ended_by_login uuid,
    PRIMARY KEY (community_id, id),
    CONSTRAINT spending_rest_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE INDEX spending_rest_person_id ON spending_rest (community_id, person_id) WHERE ended_at IS NULL;
CREATE INDEX spending_rest_open ON spending_rest (community_id, until, id) WHERE ended_at IS NULL;
CREATE INDEX spending_rest_login ON spending_rest (login_id) WHERE ended_at IS NULL;
CREATE INDEX spending_rest_from ON spending_rest (from_login, since) WHERE from_login IS NOT NULL;
CALL protect_tenant_table('spending_rest', 'SELECT');

-- Whether somebody has signed in to a login before: then it has a holder, who is asked.
CREATE FUNCTION login_is_used(p_login uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM login l WHERE l.id = p_login AND (l.password_hash IS NOT NULL OR l.opened_at IS NOT NULL))
        OR EXISTS (SELECT FROM session s WHERE s.login_id = p_login)
$$;

-- Lets residents be entered with their phones: makes the logins that are missing, and lets each stand for its record at once
-- where nobody holds it yet; where somebody does, the record waits for that holder. The phone must be the record's own.
-- The arrays are read side by side, in the order of the phones, so that two communities that know the same phones wait for
-- each other and never crosswise. It runs as the owner because a login may stand for residents elsewhere. `p_agreed`: the
-- operator knows whose the phone is.
DROP FUNCTION login_ensure;
CREATE FUNCTION login_enter(p_community uuid, p_persons uuid[], p_ids uuid[], p_indexes bytea[], p_sealed bytea[], p_by uuid,
                            p_agreed boolean, p_now timestamptz)
    RETURNS TABLE (person_id uuid, login_id uuid, is_joined boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    given uuid[];
    into_logins uuid[];
    frees boolean[];
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT is_acting_login(p_by) OR (p_agreed AND NOT is_operator()) THEN
        RAISE EXCEPTION 'somebody else enters these people' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO login (id, phone_index, phone_sealed, created_at)
        SELECT n.id, n.phone_index, n.phone_sealed, p_now FROM unnest(p_ids, p_indexes, p_sealed) AS n (id, phone_index, phone_sealed)
        ORDER BY n.phone_index ON CONFLICT DO NOTHING;
    PERFORM FROM login l
        WHERE l.phone_index IN (
            SELECT w.phone_index FROM unnest(p_persons, p_indexes) AS w (person_id, phone_index)
            WHERE NOT EXISTS (SELECT FROM membership m JOIN login k ON k.id = m.login_id AND k.phone_index = w.phone_index
                              WHERE m.community_id = p_community AND m.person_id = w.person_id))
        ORDER BY l.phone_index FOR NO KEY UPDATE;
    -- Who held a phone that stands for nobody any more has no key to the next holder's record.
    WITH anew AS (
        UPDATE login l SET password_hash = NULL, opened_by_login = NULL, opened_at = NULL, confirmed_by_login = NULL, confirmed_at = NULL
        WHERE l.phone_index = ANY (p_indexes) AND login_is_used(l.id)
          AND NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id) RETURNING l.id
    ), forgotten AS (DELETE FROM known_browser b USING anew WHERE b.login_id = anew.id),
    codeless AS (DELETE FROM one_time_code c USING anew WHERE c.login_id = anew.id)
    DELETE FROM session s USING anew WHERE s.login_id = anew.id;
    SELECT array_agg(d.person_id), array_agg(d.login_id), array_agg(d.is_free) INTO given, into_logins, frees
    FROM (
        SELECT DISTINCT ON (w.person_id) w.person_id, l.id AS login_id,
               p_agreed OR NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id
                                       AND (m.community_id <> p_community OR login_is_used(l.id))) AS is_free
        FROM unnest(p_persons, p_indexes) AS w (person_id, phone_index)
        JOIN person p ON p.community_id = p_community AND p.id = w.person_id AND p.phone_index = w.phone_index
        JOIN login l ON l.phone_index = w.phone_index
        WHERE NOT EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.person_id = w.person_id AND m.login_id = l.id)
          AND (p_agreed OR NOT EXISTS (SELECT FROM membership_question q WHERE q.community_id = p_community
                                       AND q.person_id = w.person_id AND q.login_id = l.id))
        ORDER BY w.person_id
    ) d;
    IF EXISTS (SELECT FROM unnest(given, into_logins) AS d (person_id, login_id) WHERE NOT may_link(p_community, d.login_id, d.person_id)) THEN
        RAISE EXCEPTION 'nobody who may let a login stand for these people' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO membership (community_id, login_id, person_id, created_at)
        SELECT p_community, d.login_id, d.person_id, p_now FROM unnest(given, into_logins, frees) AS d (person_id, login_id, is_free)
        WHERE d.is_free ON CONFLICT DO NOTHING;
    -- Who has changed the record's phone meanwhile, while it stood for nobody, is as near to this login as who opened it.
    UPDATE spending_rest r SET login_id = d.login_id FROM unnest(given, into_logins, frees) AS d (person_id, login_id, is_free)
        WHERE d.is_free AND r.community_id = p_community AND r.person_id = d.person_id AND r.login_id IS NULL AND r.ended_at IS NULL;
    DELETE FROM membership_question q WHERE q.community_id = p_community AND q.person_id = ANY (given);
    INSERT INTO membership_question (community_id, person_id, login_id, asked_by_login, asked_at)
        SELECT p_community, d.person_id, d.login_id, p_by, p_now FROM unnest(given, into_logins, frees) AS d (person_id, login_id, is_free)
        WHERE NOT d.is_free;
    RETURN QUERY SELECT w.person_id, l.id, EXISTS (SELECT FROM membership m WHERE m.community_id = p_community
                                                   AND m.person_id = w.person_id AND m.login_id = l.id)
        FROM unnest(p_persons, p_indexes) AS w (person_id, phone_index) JOIN login l ON l.phone_index = w.phone_index;
END
$$;

-- Whether the acting login may give a sign-in code for a login, in its own name: to somebody of a community that it serves, also
-- whose record waits for the login's holder.
CREATE OR REPLACE FUNCTION may_give_code(p_login uuid, p_by uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (coalesce(p_by = ANY (acting_logins()), false) AND stands_above(p_login, NULL)
        AND NOT EXISTS (SELECT FROM membership_question q WHERE q.login_id = p_login AND NOT stands_above(NULL, q.person_id))
        AND EXISTS (SELECT FROM (SELECT m.community_id FROM membership m WHERE m.login_id = p_login
                                 UNION SELECT q.community_id FROM membership_question q WHERE q.login_id = p_login) AS c
                    WHERE may_serve(c.community_id)));
END
$$;

-- A code for a login, which opens the records of the communities that its giver administers, and of this one; of all, by the
-- operator. An administrator's word is an administrator's, and name and digits serve for a first sign-in alone.
DROP POLICY given ON one_time_code;
REVOKE INSERT ON one_time_code FROM timebank_app;
CREATE FUNCTION code_give(p_id uuid, p_login uuid, p_hash bytea, p_community uuid, p_proof text, p_by uuid, p_now timestamptz,
                          p_expires timestamptz, p_person uuid DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT (may_give_code(p_login, p_by) AND may_serve(p_community)
            AND CASE p_proof WHEN 'office' THEN may_administer(p_community) WHEN 'name' THEN NOT login_is_used(p_login) ELSE true END) THEN
        RAISE EXCEPTION 'nobody who may give this code' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO one_time_code (id, login_id, code_hash, created_at, expires_at, given_by_login, given_in, opens, proof, person_id)
    VALUES (p_id, p_login, p_hash, p_now, p_expires, p_by, p_community,
            CASE WHEN p_by IS NOT NULL THEN ARRAY(
                SELECT c.community_id FROM (SELECT m.community_id FROM membership m WHERE m.login_id = p_login
                                            UNION SELECT q.community_id FROM membership_question q
                                            WHERE q.login_id = p_login AND q.declined_at IS NULL) AS c
                WHERE c.community_id = p_community OR may_administer(c.community_id)) END, p_proof, p_person);
END
$$;

-- What a login stands for where a code opens it: its records, and those that wait for its holder.
CREATE FUNCTION code_records(p_login uuid, p_opens uuid[]) RETURNS TABLE (community_id uuid, person_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = p_login AND (p_opens IS NULL OR m.community_id = ANY (p_opens))
    UNION SELECT q.community_id, q.person_id FROM membership_question q
    WHERE q.login_id = p_login AND q.community_id = ANY (p_opens) AND q.declined_at IS NULL
$$;

-- Whether a login's holder was seen for a code: a scan of whom the login stands for, not of whose record waits for the holder.
CREATE FUNCTION code_has_seen(p_login uuid, p_proof text, p_person uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(p_proof = 'scan', false)
       AND EXISTS (SELECT FROM membership m WHERE m.login_id = p_login AND m.person_id = p_person)
$$;

-- Whether anything was ever there for a person to spend: own points, or class time of a child. What was taken back, used up
-- or turned into class time for the moment counts as well.
CREATE FUNCTION code_has_books(p_community uuid, p_person uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM account a WHERE a.community_id = p_community AND a.owner_kind = 'person'
                   AND (a.owner_id = p_person AND a.currency = 'point' OR a.currency IN ('point', 'class_minute') AND a.owner_id IN (
                        SELECT g.child_id FROM guardianship g WHERE g.community_id = p_community AND g.guardian_id = p_person
                        AND g.consented_at IS NOT NULL AND g.ended_at IS NULL)))
$$;

-- Whether this is a login's code, the newest of the community that gave it; it is used up by a success. Where nobody was seen
-- for it, the records that it opens rest: after a name and four digits always, after an administrator's word where there was
-- ever something to spend, and after a scan whoever else of the login was not seen, unless the login's holder was.
DROP FUNCTION code_use;
CREATE FUNCTION code_use(p_login uuid, p_hash bytea, p_rest interval, p_now timestamptz)
    RETURNS TABLE (opens uuid[], by_scan boolean, place varchar)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    used one_time_code;
    is_known boolean := login_is_used(p_login);
BEGIN
    SELECT * INTO used FROM one_time_code c
    WHERE c.login_id = p_login AND c.code_hash = p_hash AND c.used_at IS NULL AND c.expires_at > p_now
      AND NOT EXISTS (SELECT FROM one_time_code n WHERE n.login_id = p_login AND n.used_at IS NULL
                      AND n.given_in IS NOT DISTINCT FROM c.given_in AND n.created_at > c.created_at)
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE one_time_code SET used_at = p_now WHERE id = used.id;
    -- From now on the login's acts count as its opener's too, until somebody else confirms whose it is.
    PERFORM login_was_opened(p_login, used.id, p_now);
    IF used.given_by_login IS DISTINCT FROM p_login THEN
        INSERT INTO spending_rest (community_id, id, person_id, login_id, cause, since, until, by_login)
            SELECT r.community_id, uuid_v7(p_now), r.person_id, p_login, 'code', p_now, p_now + p_rest, used.given_by_login
            FROM code_records(p_login, used.opens) r
            WHERE used.proof = 'name'
               OR (used.proof = 'office' AND EXISTS (
                   SELECT FROM code_records(p_login, used.opens) h WHERE code_has_books(h.community_id, h.person_id)))
               OR (used.proof = 'scan' AND r.person_id IS DISTINCT FROM used.person_id
                   AND NOT (is_known AND code_has_seen(p_login, used.proof, used.person_id)));
    END IF;
    RETURN QUERY SELECT used.opens, code_has_seen(p_login, used.proof, used.person_id), (SELECT g.name FROM region g WHERE g.id = used.given_in);
END
$$;

-- A session opens what its code opens, and no other was given a scan that it did not have.
DROP POLICY opened ON session;
DROP FUNCTION is_signing_in;
CREATE FUNCTION is_signing_in(p_login uuid, p_by_code boolean, p_at timestamptz, p_opens uuid[], p_by_scan boolean) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shown text := current_setting('timebank.proof', true);
BEGIN
    RETURN is_operator() OR CASE WHEN p_by_code
        THEN EXISTS (SELECT FROM one_time_code c WHERE c.login_id = p_login AND encode(c.code_hash, 'hex') = shown AND c.used_at <= p_at
                     AND c.opens IS NOT DISTINCT FROM p_opens AND code_has_seen(p_login, c.proof, c.person_id) = p_by_scan
                     AND NOT EXISTS (SELECT FROM session s WHERE s.login_id = p_login AND s.by_code AND s.created_at >= c.used_at))
        ELSE p_opens IS NULL AND NOT p_by_scan
             AND coalesce((SELECT l.password_hash = shown FROM login l WHERE l.id = p_login), false) END;
END
$$;
CREATE POLICY opened ON session FOR INSERT TO timebank_app WITH CHECK (is_signing_in(login_id, by_code, created_at, opens, by_scan));

-- Whether several communities have this phone: one's code must not free guesses at what opens the others' records.
CREATE FUNCTION login_is_of_several(p_phone_index bytea) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(DISTINCT c.community_id) > 1 FROM login l CROSS JOIN LATERAL (
        SELECT m.community_id FROM membership m WHERE m.login_id = l.id
        UNION SELECT q.community_id FROM membership_question q WHERE q.login_id = l.id) c
    WHERE l.phone_index = p_phone_index
$$;

-- As before; a code of one community frees the password's count only where no other has this phone.
CREATE OR REPLACE FUNCTION sign_in_right(p_phone bytea, p_network bytea, p_by_code boolean, p_browser bytea, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM sign_in_failure f
    WHERE f.key IN (SELECT k.key FROM sign_in_keys(p_phone, p_network, true, p_browser) k
                    UNION SELECT k.key FROM sign_in_keys(p_phone, p_network, false, p_browser) k) ORDER BY f.key FOR NO KEY UPDATE;
    DELETE FROM sign_in_failure f
    WHERE f.key IN (SELECT k.key FROM sign_in_keys(p_phone, p_network, true, p_browser) k
                    UNION SELECT k.key FROM sign_in_keys(p_phone, p_network, false, p_browser) k WHERE k.free_tries IS NOT NULL
                    AND NOT (p_by_code AND login_is_of_several(p_phone)));
    IF p_browser IS NULL THEN
        DELETE FROM sign_in_suspect s WHERE s.network = p_network AND s.phone = p_phone;
        -- The network's delay began with this try: it passed none. A code was not delayed by it and does not end it.
        UPDATE sign_in_failure f SET free_at = NULL WHERE NOT p_by_code AND f.key = '\x61'::bytea || p_network;
    END IF;
END
$$;

-- As before, where no other community has this phone.
CREATE OR REPLACE FUNCTION sign_in_code_given(p_phone bytea) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM sign_in_failure f WHERE NOT login_is_of_several(p_phone) AND (f.key >= '\x63'::bytea || '\x62'::bytea || p_phone AND f.key < '\x63'::bytea || '\x62'::bytea || p_phone || '\xffffffffffffffffffffffffffffffffffffffffff'::bytea
        OR f.key >= '\x63'::bytea || '\x6e'::bytea || p_phone AND f.key < '\x63'::bytea || '\x6e'::bytea || p_phone || '\xffffffffffffffffffffffffffffffffffffffffff'::bytea
        OR f.key = '\x63'::bytea || '\x70'::bytea || p_phone)
$$;

-- Lets what a second code of its login opens be opened by a session too: whoever has both is known in both places.
CREATE FUNCTION session_widen(p_session uuid, p_hash bytea, p_rest interval, p_now timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here session;
    used record;
BEGIN
    SELECT * INTO here FROM session s WHERE s.id = p_session AND s.ended_at IS NULL AND s.expires_at > p_now;
    SELECT * INTO used FROM code_use(here.login_id, p_hash, p_rest, p_now);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE session s SET opens = ARRAY(SELECT unnest(s.opens) UNION SELECT unnest(used.opens)) WHERE s.id = here.id AND s.opens IS NOT NULL;
    RETURN true;
END
$$;

-- Whether a login stands for a record that a session does not open: then a password set by it would open that too.
CREATE FUNCTION session_is_narrow(p_session uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM session s JOIN membership m ON m.login_id = s.login_id
                   WHERE s.id = p_session AND NOT m.community_id = ANY (s.opens))
$$;

-- As before; a session that a code opened sets a password only where it opens all that the password would open.
CREATE OR REPLACE FUNCTION login_set_password(p_login uuid, p_hash text, p_present text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE login l SET password_hash = p_hash WHERE l.id = p_login AND (is_operator() OR (l.id = ANY (acting_logins()) AND (
        l.password_hash = p_present OR EXISTS (
            SELECT FROM login_own() o WHERE o.id = l.id AND (o.by_code OR l.password_hash IS NULL)
              AND o.opened_at > ledger_now() - interval '15 minutes'
              AND NOT EXISTS (SELECT FROM unnest(nullif(current_setting('timebank.sessions', true), '')::uuid[]) AS named (id)
                              WHERE session_is_narrow(named.id))))));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this login has not proved itself' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- As before; a session acts as the records that it opens alone, those that wait for its login's holder included.
CREATE OR REPLACE FUNCTION is_acting(p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
BEGIN
    RETURN p_person IS NULL OR is_operator()
        OR EXISTS (SELECT FROM session s JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
                   WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now() AND m.person_id = p_person)
        OR EXISTS (SELECT FROM session s JOIN membership_question q ON q.login_id = s.login_id AND q.community_id = ANY (s.opens)
                   WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now() AND q.person_id = p_person
                     AND q.declined_at IS NULL)
        OR EXISTS (SELECT FROM counter_sign_on o JOIN membership m ON m.community_id = o.community_id AND m.login_id = o.login_id
                   WHERE o.community_id = ANY (visible_communities()) AND o.device_id = acting_device() AND m.person_id = p_person);
END
$$;

-- As before, of the records that the session opens.
CREATE OR REPLACE FUNCTION acting_grants() RETURNS SETOF role_grant
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.* FROM session s
    JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
    JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
    JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
    WHERE s.id = ANY (nullif(current_setting('timebank.sessions', true), '')::uuid[]) AND s.ended_at IS NULL AND s.expires_at > ledger_now()
      AND g.ended_at IS NULL AND g.starts_on <= ledger_now()::date + 1 AND (g.ends_on IS NULL OR g.ends_on >= ledger_now()::date - 1)
$$;

-- ------------------------------------------------------------------------------------- records that wait for their holder

CREATE FUNCTION login_questions(p_session uuid)
    RETURNS TABLE (community_id uuid, community_name varchar, person_id uuid, name varchar, asked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT q.community_id, r.name, q.person_id, p.name, q.asked_at
    FROM session s JOIN membership_question q ON q.login_id = s.login_id AND q.declined_at IS NULL
    JOIN person p ON p.community_id = q.community_id AND p.id = q.person_id JOIN region r ON r.id = q.community_id
    WHERE s.id = p_session AND s.ended_at IS NULL ORDER BY q.asked_at, q.person_id LIMIT 20
$$;

-- The holder's answer: by a session that a password opened, or a code after a scan where the login lives already; not while
-- it is unclear whose the login is. A record that joins a login which somebody else has opened rests.
CREATE FUNCTION login_answer(p_session uuid, p_community uuid, p_person uuid, p_agrees boolean, p_rest interval, p_now timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here session;
    opener uuid;
BEGIN
    SELECT * INTO here FROM session s WHERE s.id = p_session AND s.ended_at IS NULL AND s.expires_at > p_now;
    PERFORM FROM membership_question q WHERE q.community_id = p_community AND q.person_id = p_person AND q.login_id = here.login_id
        AND q.declined_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN CASE WHEN p_agrees AND EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.person_id = p_person
                                              AND m.login_id = here.login_id) THEN 'joined' ELSE 'none' END;
    END IF;
    IF NOT (NOT here.by_code OR (here.by_scan AND EXISTS (
            SELECT FROM membership m WHERE m.login_id = here.login_id AND m.community_id = ANY (here.opens))))
       OR EXISTS (SELECT FROM membership m JOIN spending_rest r ON r.community_id = m.community_id AND r.person_id = m.person_id
                  WHERE m.login_id = here.login_id AND r.ended_at IS NULL AND r.until > p_now) THEN
        RETURN 'unproved';
    END IF;
    IF NOT p_agrees THEN
        UPDATE membership_question SET declined_at = p_now WHERE community_id = p_community AND person_id = p_person;
        RETURN 'declined';
    END IF;
    DELETE FROM membership_question WHERE community_id = p_community AND person_id = p_person;
    INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES (p_community, here.login_id, p_person, p_now)
        ON CONFLICT DO NOTHING;
    -- Who has changed the record's phone to this one is as near to the login as who opened it.
    UPDATE spending_rest SET login_id = here.login_id
        WHERE community_id = p_community AND person_id = p_person AND login_id IS NULL AND ended_at IS NULL;
    SELECT l.opened_by_login INTO opener FROM login l WHERE l.id = here.login_id AND l.confirmed_at IS NULL;
    IF opener IS NOT NULL THEN
        INSERT INTO spending_rest (community_id, id, person_id, login_id, cause, since, until, by_login)
        VALUES (p_community, uuid_v7(p_now), p_person, here.login_id, 'joined', p_now, p_now + p_rest, opener);
    END IF;
    RETURN 'agreed';
END
$$;

-- ------------------------------------------------------------------------------------------------------ logins that rest

CREATE FUNCTION login_rest(p_community uuid, p_person uuid, p_login uuid, p_by uuid, p_from uuid, p_rest interval, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT is_acting_login(p_by) THEN
        RAISE EXCEPTION 'somebody else has changed this phone' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO spending_rest (community_id, id, person_id, login_id, cause, since, until, by_login, from_login)
    VALUES (p_community, uuid_v7(p_now), p_person, p_login, 'phone', p_now, p_now + p_rest, p_by, p_from);
END
$$;

-- Whether all that a login serves by in a community was granted, since the rest, by whoever has brought it about.
CREATE FUNCTION rest_is_made_for(p_community uuid, p_login uuid, p_makers uuid[], p_since timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p_community = ANY (visible_communities()) AND coalesce((
        SELECT bool_and(coalesce(g.granted_by = ANY (p_makers), false) AND g.granted_at >= p_since)
        FROM membership m JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
        LEFT JOIN region here ON here.id = p_community
        WHERE m.login_id = p_login AND g.ended_at IS NULL
          AND g.role IN ('station_keeper', 'grid_worker', 'community_admin', 'street_admin', 'county_admin')
          AND (g.region_id = ANY (here.path) OR g.region_id IS NULL AND g.community_id = p_community)), false)
$$;

-- Somebody else confirms, in the own name, that the logins of a person are the person's own; whom the opener has appointed since
-- does not. Answers how many were waiting for it.
CREATE OR REPLACE FUNCTION login_confirmed(p_community uuid, p_person uuid, p_by_login uuid, p_now timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    confirmed integer;
BEGIN
    IF NOT (is_operator() OR (coalesce(p_by_login = ANY (acting_logins()), false) AND may_serve(p_community) AND NOT EXISTS (
            SELECT FROM agreement_side(p_community, p_by_login, NULL) me, agreement_side(p_community, NULL, p_person) other
            WHERE me.persons && other.persons OR me.households && other.households OR me.hands && other.hands))) THEN
        RAISE EXCEPTION 'nobody who may confirm this login' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE login l SET confirmed_by_login = p_by_login, confirmed_at = p_now FROM membership m
    WHERE p_community = ANY (visible_communities()) AND m.community_id = p_community AND m.person_id = p_person AND l.id = m.login_id
      AND l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL
      AND NOT rest_is_made_for(p_community, p_by_login, (agreement_side(p_community, l.opened_by_login, NULL)).persons, l.opened_at);
    GET DIAGNOSTICS confirmed = ROW_COUNT;
    RETURN confirmed;
END
$$;

-- Ends rests, as somebody of the staff who neither is the person, nor lives there, nor has brought the rest about.
CREATE FUNCTION login_rests_end(p_community uuid, p_rests uuid[], p_by uuid, p_now timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT (is_operator() OR (coalesce(p_by = ANY (acting_logins()), false) AND may_serve(p_community) AND NOT EXISTS (
            SELECT FROM spending_rest r, agreement_side(p_community, p_by, NULL) me, agreement_side(p_community, NULL, r.person_id) whose,
                        agreement_side(p_community, r.by_login, NULL) maker
            WHERE r.community_id = p_community AND r.id = ANY (p_rests)
              AND (rest_is_made_for(p_community, p_by, maker.persons, r.since) OR me.persons && whose.persons OR me.households && whose.households
                   OR me.persons && maker.persons OR me.households && maker.households OR me.hands && maker.hands)))) THEN
        RAISE EXCEPTION 'nobody who may confirm this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE spending_rest SET ended_at = p_now, ended_by_login = p_by
    WHERE community_id = p_community AND id = ANY (p_rests) AND ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;

-- The communities in which a session's login was lately replaced by another phone's: its holder is told where it is still open.
CREATE FUNCTION login_moved(p_token_hash bytea, p_now timestamptz) RETURNS TABLE (community_name varchar, since timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.name, max(r.since) FROM session s JOIN spending_rest r ON r.from_login = s.login_id AND r.since > p_now - interval '30 days'
    JOIN region g ON g.id = r.community_id
    WHERE s.token_hash = p_token_hash AND s.ended_at IS NULL AND s.expires_at > p_now GROUP BY g.name
$$;

-- Tells every record of a login, also in communities that the caller does not see, what happened to the login.
CREATE FUNCTION login_tell(p_login uuid, p_kind text, p_text text, p_key text, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF p_kind NOT IN ('sign_in_code', 'phone_changed', 'membership_asked', 'login_confirmed') THEN
        RAISE EXCEPTION 'no message of a login: %', p_kind;
    END IF;
    INSERT INTO message (community_id, id, person_id, kind, text, key, created_at)
        SELECT m.community_id, uuid_v7(p_now), m.person_id, p_kind, p_text, p_key, p_now FROM membership m WHERE m.login_id = p_login
        ON CONFLICT (community_id, person_id, key) DO NOTHING;
END
$$;

-- ------------------------------------------------------------------------------------- who a caller is, who is near whom

-- As before; a session that a code has opened stands for the records of the code's communities alone, with those there that
-- wait for their holder, which carry no role; and each record says until when nothing is spent through it.
CREATE OR REPLACE FUNCTION access_sessions(p_token_hashes bytea[], p_now timestamptz, p_today date,
                                OUT token_hash bytea, OUT session_id uuid, OUT login_id uuid, OUT expires_at timestamptz,
                                OUT persons jsonb, OUT grants jsonb) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH caller AS (
        SELECT s.token_hash, s.id, s.login_id, s.expires_at, s.opens FROM session s
        WHERE s.token_hash = ANY (p_token_hashes) AND s.ended_at IS NULL AND s.expires_at > p_now
    ), stands AS (
        SELECT c.id AS session_id, m.community_id, m.person_id, m.created_at, true AS is_joined
        FROM caller c JOIN membership m ON m.login_id = c.login_id AND (c.opens IS NULL OR m.community_id = ANY (c.opens))
        UNION ALL
        SELECT c.id, q.community_id, q.person_id, q.asked_at, false
        FROM caller c JOIN membership_question q ON q.login_id = c.login_id AND q.community_id = ANY (c.opens) AND q.declined_at IS NULL
    ), mine AS (
        SELECT m.session_id, m.community_id, m.person_id, p.name, p.household_id, r.name AS community_name, m.created_at, m.is_joined
        FROM stands m
        JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
        JOIN region r ON r.id = m.community_id
    ), held AS (
        SELECT m.session_id, g.role, g.area_id, g.station_id, g.community_id AS home, g.region_id
        FROM mine m JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
        WHERE m.is_joined AND g.ended_at IS NULL AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
    ), reached AS (
        SELECT session_id, role, home AS community_id, area_id, station_id, '' AS community_name FROM held WHERE region_id IS NULL
        UNION ALL
        SELECT h.session_id, h.role, r.id, NULL, NULL, r.name FROM held h JOIN region r ON h.region_id = ANY (r.path) AND r.kind = 'community'
        WHERE h.region_id IS NOT NULL
    )
    SELECT c.token_hash, c.id, c.login_id, c.expires_at,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('community_id', m.community_id, 'person_id', m.person_id, 'name', m.name,
                'community_name', m.community_name, 'household_id', m.household_id, 'rests_until',
                (SELECT max(r.until) FROM spending_rest r WHERE r.community_id = m.community_id AND r.person_id = m.person_id
                    AND r.ended_at IS NULL AND r.until > p_now)) ORDER BY m.created_at, m.person_id), '[]')
            FROM mine m WHERE m.session_id = c.id),
           (SELECT coalesce(jsonb_agg(jsonb_build_object('role', h.role, 'community_id', h.community_id, 'area_id', h.area_id,
                'station_id', h.station_id, 'community_name', h.community_name)), '[]') FROM reached h WHERE h.session_id = c.id)
    FROM caller c
$$;

-- As before; the roles of a record that waits for the login's holder count as well.
CREATE OR REPLACE FUNCTION access_offices(p_login_id uuid, p_today date)
    RETURNS TABLE (community_id uuid, role varchar, region_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.community_id, g.role, g.region_id
    FROM (SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = p_login_id
          UNION SELECT q.community_id, q.person_id FROM membership_question q WHERE q.login_id = p_login_id) AS mine
    JOIN role_grant g ON g.community_id = mine.community_id AND g.person_id = mine.person_id
    WHERE g.ended_at IS NULL AND (g.ends_on IS NULL OR g.ends_on >= p_today)
$$;

-- As before; nor one that a record waits for, or that was replaced by another phone and is still told of it.
CREATE OR REPLACE FUNCTION forget_unused_logins(p_login_ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login l WHERE l.id = ANY (p_login_ids) AND l.password_hash IS NULL
       AND NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id)
       AND NOT EXISTS (SELECT FROM membership_question q WHERE q.login_id = l.id)
       AND NOT EXISTS (SELECT FROM spending_rest r WHERE r.login_id = l.id OR r.from_login = l.id)
       AND NOT EXISTS (SELECT FROM session s WHERE s.login_id = l.id)
       AND NOT EXISTS (SELECT FROM one_time_code c WHERE c.login_id = l.id)
$$;

-- As before; the acts of a login to which somebody moved a record count as that one's too, until somebody else has confirmed it.
CREATE OR REPLACE FUNCTION agreement_side(p_community uuid, p_login uuid, p_person uuid, OUT persons uuid[], OUT households uuid[], OUT hands uuid[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE own AS (
        SELECT p_login AS id WHERE p_login IS NOT NULL
        UNION SELECT m.login_id FROM membership m WHERE m.person_id = p_person
    ), record AS (
        SELECT p_community AS community_id, p_person AS id WHERE p_person IS NOT NULL
        UNION SELECT m.community_id, m.person_id FROM membership m JOIN own ON own.id = m.login_id
    ), hand AS (
        SELECT id FROM own
        UNION SELECT x.by_login FROM hand CROSS JOIN LATERAL (
                  SELECT l.opened_by_login AS by_login FROM login l WHERE l.id = hand.id AND l.confirmed_at IS NULL
                  UNION ALL SELECT r.by_login FROM spending_rest r
                            WHERE r.login_id = hand.id AND r.cause = 'phone' AND r.ended_at IS NULL) AS x
              WHERE x.by_login IS NOT NULL
    )
    SELECT ARRAY(SELECT id FROM record),
           ARRAY(SELECT p.household_id FROM record r JOIN person p ON p.community_id = r.community_id AND p.id = r.id
                 WHERE p.household_id IS NOT NULL
                 UNION SELECT v.from_household FROM record r JOIN household_move v ON v.community_id = r.community_id AND v.person_id = r.id),
           ARRAY(SELECT id FROM hand)
    WHERE p_community = ANY (visible_communities())
$$;

-- As before, with staff whose phone somebody has changed and nobody else has confirmed.
CREATE OR REPLACE FUNCTION agreement_unconfirmed(p_community uuid, p_today date)
    RETURNS TABLE (person_id uuid, name varchar, opened_by_login uuid, opened_by uuid, opened_by_name varchar, opened_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (p.id) p.id, p.name, x.by_login, o.id, o.name, x.opened_at
    FROM role_grant g
    JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active'
    JOIN membership m ON m.community_id = p.community_id AND m.person_id = p.id
    CROSS JOIN LATERAL (
        SELECT l.opened_by_login AS by_login, l.opened_at FROM login l
        WHERE l.id = m.login_id AND l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL
        UNION ALL SELECT r.by_login, r.since FROM spending_rest r
        WHERE r.login_id = m.login_id AND r.cause = 'phone' AND r.ended_at IS NULL AND r.by_login IS NOT NULL) AS x
    LEFT JOIN membership b ON b.login_id = x.by_login
    LEFT JOIN person o ON o.community_id = b.community_id AND o.id = b.person_id
    WHERE p_community = ANY (visible_communities()) AND g.community_id = p_community AND g.ended_at IS NULL
      AND (g.ends_on IS NULL OR g.ends_on >= p_today)
    ORDER BY p.id, (b.community_id = p_community) DESC, o.id
$$;

REVOKE INSERT ON membership FROM timebank_app;
REVOKE EXECUTE ON FUNCTION login_is_used, login_enter, code_give, code_records, code_use, is_signing_in, session_widen, session_is_narrow, login_questions,
    login_answer, login_rest, login_rests_end, login_moved, login_tell, code_has_seen, code_has_books, rest_is_made_for, login_is_of_several FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_is_used, login_enter, code_give, code_use, is_signing_in, session_widen, session_is_narrow, login_questions,
    login_answer, login_rest, login_rests_end, login_moved, login_tell, rest_is_made_for TO timebank_app;
