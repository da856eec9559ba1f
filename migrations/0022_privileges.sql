-- What a stolen serving role could do: the database itself asks for the proof of who acts, who signs in and who appoints.
--
-- The serving role can set any setting, so a setting proves nothing by its name. What counts is what it carries: the id of
-- a living session, which only the access functions tell, and only to who shows its token. Whoever may act as the owner is
-- the operator (migrate, create-admin, import from a file, the demo's seeding) and needs no session.
-- docs/privileges.md says what this does and does not prevent.

SET LOCAL ROLE timebank_owner;

-- ------------------------------------------------------------------------------------------------------------ who acts

CREATE FUNCTION is_operator() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT pg_has_role(session_user, 'timebank_owner', 'MEMBER') $$;

-- The logins whose living sessions the running transaction names: set by timebank/database.py at BEGIN, gone at COMMIT.
CREATE FUNCTION acting_logins() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
BEGIN
    IF named IS NULL THEN RETURN '{}'; END IF;
    RETURN coalesce((SELECT array_agg(DISTINCT s.login_id) FROM session s
                     WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now()), '{}');
END
$$;

-- Whether a resident record is one that the acting login stands for. Nobody's name is no forged name.
CREATE FUNCTION is_acting(p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN p_person IS NULL OR is_operator()
        OR EXISTS (SELECT FROM membership m WHERE m.login_id = ANY (acting_logins()) AND m.person_id = p_person);
END
$$;

CREATE FUNCTION is_acting_login(p_login uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN p_login IS NULL OR is_operator() OR p_login = ANY (acting_logins());
END
$$;

-- The grants in force of the acting login, one day off at most: the service knows the local day, this server its own.
CREATE FUNCTION acting_grants() RETURNS SETOF role_grant
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.* FROM membership m
    JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
    JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
    WHERE m.login_id = ANY (acting_logins()) AND g.ended_at IS NULL AND g.starts_on <= ledger_now()::date + 1
      AND (g.ends_on IS NULL OR g.ends_on >= ledger_now()::date - 1)
$$;

-- Whether the acting login administers a region: its own, or one below it.
CREATE FUNCTION may_administer(p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR EXISTS (
        SELECT FROM acting_grants() g JOIN region r ON g.region_id = ANY (r.path)
        WHERE r.id = p_region AND g.role IN ('community_admin', 'street_admin', 'county_admin'));
END
$$;

-- Whether the acting login keeps this station or administers its community.
CREATE FUNCTION may_keep(p_community uuid, p_station uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN may_administer(p_community) OR EXISTS (
        SELECT FROM acting_grants() g WHERE g.community_id = p_community AND g.role = 'station_keeper' AND g.station_id = p_station);
END
$$;

-- Whether the acting login administers every place over which this login or this resident record holds a role.
CREATE FUNCTION stands_above(p_login uuid, p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR NOT EXISTS (
        SELECT FROM role_grant g
        WHERE (g.community_id, g.person_id) IN (
                SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = p_login
                UNION SELECT p.community_id, p.id FROM person p WHERE p.id = p_person)
          AND g.ended_at IS NULL AND (g.ends_on IS NULL OR g.ends_on >= ledger_now()::date)
          AND NOT may_administer(coalesce(g.region_id, g.community_id)));
END
$$;

-- Whether the acting login serves people in a community: administers it, keeps a station or works a grid there.
CREATE FUNCTION may_serve(p_community uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN may_administer(p_community) OR EXISTS (
        SELECT FROM acting_grants() g WHERE g.community_id = p_community AND g.role IN ('station_keeper', 'grid_worker'));
END
$$;

-- Whether the acting login may appoint this person over a place of this community, or over this region: never oneself.
CREATE FUNCTION may_appoint(p_community uuid, p_person uuid, p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (may_administer(coalesce(p_region, p_community)) AND may_administer(p_community) AND NOT is_acting(p_person));
END
$$;

-- Whether the acting login may let a login stand for a resident record: the person's own login may, and who serves there.
-- What the record may do passes to the login, so its roles count, not the login's. A link that is there may be made again.
CREATE FUNCTION may_link(p_community uuid, p_login uuid, p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_acting(p_person) OR (may_serve(p_community) AND stands_above(NULL, p_person))
        OR EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.login_id = p_login AND m.person_id = p_person);
END
$$;

-- Whether the acting login may give a sign-in code for a login.
CREATE FUNCTION may_give_code(p_login uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (stands_above(p_login, NULL)
        AND EXISTS (SELECT FROM membership m WHERE m.login_id = p_login AND may_serve(m.community_id)));
END
$$;

-- Whether the running transaction shows what opens this login: its password's hash, made again from the password, or the
-- hash of a sign-in code that is used up and has opened no session yet. The serving role can read neither.
CREATE FUNCTION is_signing_in(p_login uuid, p_by_code boolean, p_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    proof text := current_setting('timebank.proof', true);
BEGIN
    RETURN is_operator() OR CASE WHEN p_by_code
        THEN EXISTS (SELECT FROM one_time_code c WHERE c.login_id = p_login AND encode(c.code_hash, 'hex') = proof AND c.used_at <= p_at
                     AND NOT EXISTS (SELECT FROM session s WHERE s.login_id = p_login AND s.by_code AND s.created_at >= c.used_at))
        ELSE coalesce((SELECT l.password_hash = proof FROM login l WHERE l.id = p_login), false) END;
END
$$;

-- Which caller's stored answers the running transaction may read: its login's, its device's, or a command's.
CREATE FUNCTION is_caller(p_caller uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR p_caller = ANY (acting_logins())
        OR EXISTS (SELECT FROM device d WHERE d.community_id = ANY (visible_communities()) AND d.id = p_caller AND d.revoked_at IS NULL)
        OR p_caller = '00000000-0000-0000-0000-000000000000';
END
$$;

-- --------------------------------------------------------------------------------------------- rows that need the proof

ALTER POLICY owner ON transfer USING (true) WITH CHECK (is_acting(actor_id));
ALTER POLICY tenant ON audit USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND is_acting(person_id) AND is_acting_login(login_id));
ALTER POLICY tenant ON role_grant USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND (ended_at IS NOT NULL OR may_appoint(community_id, person_id, region_id)));
ALTER POLICY tenant ON membership USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_link(community_id, login_id, person_id));
ALTER POLICY tenant ON device USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND (revoked_at IS NOT NULL OR may_keep(community_id, station_id)));
ALTER POLICY tenant ON policy USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_administer(community_id));
ALTER POLICY tenant ON rule USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_administer(community_id));

-- Everybody may know the places' names. One is added by who administers what is above it, and none is ever changed.
ALTER TABLE region ENABLE ROW LEVEL SECURITY;
ALTER TABLE region FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON region TO timebank_owner USING (true);
CREATE POLICY read ON region FOR SELECT TO timebank_app USING (true);
CREATE POLICY added ON region FOR INSERT TO timebank_app WITH CHECK (may_administer(parent_id));
REVOKE UPDATE ON region FROM timebank_app;
-- An import locks its community's row, which takes the right to change a column of it; the policy lets no change through.
GRANT UPDATE (created_at) ON region TO timebank_app;
CREATE POLICY locked ON region FOR UPDATE TO timebank_app USING (true) WITH CHECK (false);

-- ------------------------------------------------------------------------------------------------------------- sign-in

ALTER TABLE login ENABLE ROW LEVEL SECURITY;
ALTER TABLE login FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON login TO timebank_owner USING (true);
REVOKE SELECT, INSERT, UPDATE ON login FROM timebank_app;

ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE session FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON session TO timebank_owner USING (true);
CREATE POLICY opened ON session FOR INSERT TO timebank_app WITH CHECK (is_signing_in(login_id, by_code, created_at));
REVOKE SELECT, UPDATE, DELETE ON session FROM timebank_app;

ALTER TABLE one_time_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE one_time_code FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON one_time_code TO timebank_owner USING (true);
CREATE POLICY given ON one_time_code FOR INSERT TO timebank_app WITH CHECK (may_give_code(login_id));
REVOKE SELECT, UPDATE, DELETE ON one_time_code FROM timebank_app;

-- Counts of attempts are no secret and open nothing: what they hold is a keyed hash.
ALTER TABLE throttle ENABLE ROW LEVEL SECURITY;
ALTER TABLE throttle FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON throttle TO timebank_owner USING (true);
CREATE POLICY counted ON throttle TO timebank_app USING (true);

ALTER TABLE idempotent_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotent_request FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON idempotent_request TO timebank_owner USING (true);
CREATE POLICY caller ON idempotent_request TO timebank_app USING (is_caller(caller_id));
REVOKE DELETE ON idempotent_request FROM timebank_app;

ALTER TABLE installation ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON installation TO timebank_owner USING (true);
CREATE POLICY everybody ON installation TO timebank_app USING (true);

-- The logins of these phones, made where there is none. The arrays are read side by side, in the order of the phones, so
-- that two communities that know the same phones wait for each other and never crosswise.
CREATE FUNCTION login_ensure(p_ids uuid[], p_indexes bytea[], p_sealed bytea[], p_now timestamptz)
    RETURNS TABLE (id uuid, phone_index bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO login (id, phone_index, phone_sealed, created_at)
        SELECT n.id, n.phone_index, n.phone_sealed, p_now FROM unnest(p_ids, p_indexes, p_sealed) AS n (id, phone_index, phone_sealed)
        ORDER BY n.phone_index ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT l.id, l.phone_index FROM login l WHERE l.phone_index = ANY (p_indexes);
END
$$;

-- The login of a phone and what its password's hash is made with, never the hash; the salt is null where there is none.
CREATE FUNCTION login_of(p_phone_index bytea, OUT id uuid, OUT salt text) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id, substring(l.password_hash FROM '^(.*\$)[^$]*$') FROM login l WHERE l.phone_index = p_phone_index
$$;

-- The acting login itself, and whether its session was opened by a code.
CREATE FUNCTION login_own(OUT id uuid, OUT phone_sealed bytea, OUT salt text, OUT by_code boolean) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id, l.phone_sealed, substring(l.password_hash FROM '^(.*\$)[^$]*$'), s.by_code
    FROM session s JOIN login l ON l.id = s.login_id
    WHERE s.id = ANY (nullif(current_setting('timebank.sessions', true), '')::uuid[]) AND s.ended_at IS NULL
$$;

CREATE FUNCTION login_has_password(p_login uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT EXISTS (SELECT FROM login l WHERE l.id = p_login AND l.password_hash IS NOT NULL) $$;

-- Whether this is the hash of the login's password: who sends it has made it from the password.
CREATE FUNCTION login_proves(p_login uuid, p_proof text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT EXISTS (SELECT FROM login l WHERE l.id = p_login AND l.password_hash = p_proof) $$;

-- Sets a password: the acting login's own, whose present one is shown unless there is none or a code has opened the session.
CREATE FUNCTION login_set_password(p_login uuid, p_hash text, p_present text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE login l SET password_hash = p_hash WHERE l.id = p_login AND (is_operator() OR (l.id = ANY (acting_logins()) AND (
        l.password_hash IS NULL OR l.password_hash = p_present OR EXISTS (SELECT FROM login_own() o WHERE o.id = l.id AND o.by_code))));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this login has not proved itself' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- Whether this is the login's newest unused code; it is used up by a success.
CREATE FUNCTION code_use(p_login uuid, p_hash bytea, p_now timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    newest one_time_code;
BEGIN
    SELECT * INTO newest FROM one_time_code c WHERE c.login_id = p_login AND c.used_at IS NULL AND c.expires_at > p_now
        ORDER BY c.created_at DESC LIMIT 1 FOR NO KEY UPDATE;
    IF newest.code_hash IS DISTINCT FROM p_hash THEN RETURN false; END IF;
    UPDATE one_time_code SET used_at = p_now WHERE id = newest.id;
    RETURN true;
END
$$;

CREATE FUNCTION session_end(p_session uuid, p_token_hash bytea, p_now timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE session SET ended_at = p_now WHERE (id = p_session OR token_hash = p_token_hash) AND ended_at IS NULL
$$;

CREATE FUNCTION session_end_others(p_login uuid, p_kept uuid, p_now timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE session SET ended_at = p_now WHERE login_id = p_login AND ended_at IS NULL AND id IS DISTINCT FROM p_kept
$$;

-- Which of these resident records have signed in since a moment.
CREATE FUNCTION session_holders(p_community uuid, p_persons uuid[], p_since timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.person_id FROM membership m JOIN session s ON s.login_id = m.login_id
    WHERE m.community_id = p_community AND m.person_id = ANY (p_persons) AND s.created_at > p_since
      AND p_community = ANY (visible_communities())
$$;

-- Drops what ended or ran out before a moment.
CREATE FUNCTION sign_in_sweep(p_before timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM session WHERE least(expires_at, ended_at) < p_before;
    DELETE FROM one_time_code WHERE expires_at < p_before;
$$;

CREATE FUNCTION answers_sweep(p_before timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ DELETE FROM idempotent_request WHERE created_at < p_before $$;

-- Some sealed phones, to try a key on.
CREATE FUNCTION login_sample(p_most bigint) RETURNS SETOF bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT phone_sealed FROM login ORDER BY random() LIMIT least(p_most, 1000) $$;

DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'timebank_owner'::regrole LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', routine);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION is_operator, is_acting, is_acting_login, may_administer, may_keep, may_appoint, may_link, may_give_code,
    is_signing_in, is_caller, login_ensure, login_of, login_own, login_has_password, login_proves, login_set_password, code_use,
    session_end, session_end_others, session_holders, sign_in_sweep, answers_sweep, login_sample TO timebank_app;
