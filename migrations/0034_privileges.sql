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

-- The device whose token the running transaction shows, by the token's hash, which no other than the access functions read.
CREATE FUNCTION acting_device() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shown text := nullif(current_setting('timebank.device', true), '');
BEGIN
    IF shown IS NULL THEN RETURN NULL; END IF;
    RETURN (SELECT d.id FROM device d
            WHERE d.community_id = ANY (visible_communities()) AND d.token_hash = decode(shown, 'hex') AND d.revoked_at IS NULL);
END
$$;

-- Whether a resident record is one that the acting login stands for, or the keeper's who had signed on to the acting device:
-- what waited on a tablet is the keeper's of then. Nobody's name is no forged name.
CREATE FUNCTION is_acting(p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN p_person IS NULL OR is_operator()
        OR EXISTS (SELECT FROM membership m WHERE m.login_id = ANY (acting_logins()) AND m.person_id = p_person)
        OR EXISTS (SELECT FROM counter_sign_on o JOIN membership m ON m.community_id = o.community_id AND m.login_id = o.login_id
                   WHERE o.community_id = ANY (visible_communities()) AND o.device_id = acting_device() AND m.person_id = p_person);
END
$$;

CREATE FUNCTION is_acting_login(p_login uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN p_login IS NULL OR is_operator() OR p_login = ANY (acting_logins())
        OR EXISTS (SELECT FROM counter_sign_on o
                   WHERE o.community_id = ANY (visible_communities()) AND o.device_id = acting_device() AND o.login_id = p_login);
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

-- Whether the acting login administers a region that contains this one: the same region is not above itself.
CREATE FUNCTION administers_above(p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR EXISTS (
        SELECT FROM acting_grants() g JOIN region r ON g.region_id = ANY (r.path) AND g.region_id <> r.id
        WHERE r.id = p_region AND g.role IN ('community_admin', 'street_admin', 'county_admin'));
END
$$;

-- Whether the acting login stands above every role that this login or this resident record holds: above the region of an
-- administrator or auditor, and over the community of anybody else.
CREATE FUNCTION stands_above(p_login uuid, p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR NOT EXISTS (
        SELECT FROM role_grant g
        WHERE (g.community_id, g.person_id) IN (
                SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = p_login
                UNION SELECT p.community_id, p.id FROM person p WHERE p.id = p_person)
          AND g.ended_at IS NULL AND (g.ends_on IS NULL OR g.ends_on >= ledger_now()::date)
          AND NOT CASE WHEN g.region_id IS NULL THEN may_administer(g.community_id) ELSE administers_above(g.region_id) END);
END
$$;

-- The changes of these kinds to which the acting login agrees in the running transaction: what is carried out then is what
-- somebody else has proposed, also where an auditor agrees, who administers nothing.
CREATE FUNCTION agreed_now(p_community uuid, p_kinds text[]) RETURNS SETOF waiting_change
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT w.* FROM waiting_change w
    WHERE w.community_id = p_community AND w.status = 'agreed' AND w.kind = ANY (p_kinds)
      AND w.decided_by_login = ANY (acting_logins()) AND w.xmin = pg_current_xact_id()::xid
$$;

-- Whether the acting login serves people in a community: administers it, keeps a station or works a grid there.
CREATE FUNCTION may_serve(p_community uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN may_administer(p_community) OR EXISTS (
        SELECT FROM acting_grants() g WHERE g.community_id = p_community AND g.role IN ('station_keeper', 'grid_worker'));
END
$$;

-- Whether the acting login may appoint this person over a place of this community, or over this region: never oneself. An
-- administrator or auditor is appointed from above the region, or by who agrees to what another has proposed.
CREATE FUNCTION may_appoint(p_community uuid, p_person uuid, p_role text, p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (NOT is_acting(p_person) AND (
        CASE WHEN p_region IS NULL THEN may_administer(p_community)
             ELSE may_administer(p_community) AND administers_above(p_region) END
        OR EXISTS (SELECT FROM agreed_now(p_community, '{admin_grant}') w
                   WHERE w.person_id = p_person AND w.change->'do'->>'person_id' = p_person::text
                     AND w.change->'do'->>'role' = p_role AND w.change->'do'->>'region_id' = p_region::text)));
END
$$;

-- Whether the acting login may end this role: whoever administers the place, an auditor's from above it.
CREATE FUNCTION may_dismiss(p_community uuid, p_person uuid, p_role text, p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR CASE WHEN p_role = 'auditor' THEN administers_above(p_region)
                                 ELSE may_administer(coalesce(p_region, p_community)) END
        OR EXISTS (SELECT FROM agreed_now(p_community, '{end_auditor}') w WHERE w.person_id = p_person);
END
$$;

-- Whether the acting login may set this policy, or this rule, to what it is to be.
CREATE FUNCTION may_set_policy(p_community uuid, p_name text, p_value integer) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN may_administer(p_community) OR EXISTS (
        SELECT FROM agreed_now(p_community, '{looser_policy}') w
        WHERE w.change->'do'->>'name' = p_name AND w.change->'do'->>'value' = p_value::text);
END
$$;

CREATE FUNCTION may_set_rule(p_community uuid, p_code text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN may_administer(p_community) OR EXISTS (
        SELECT FROM agreed_now(p_community, '{looser_rule}') w WHERE w.change->'do'->>'code' = p_code);
END
$$;

-- Whether the acting login may let a login stand for a resident record: the person's own login may, and who serves there.
-- What the record may do passes to the login, so its roles count, not the login's. A link that is there may be made again.
CREATE FUNCTION may_link(p_community uuid, p_login uuid, p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_acting(p_person) OR (may_serve(p_community) AND stands_above(NULL, p_person))
        OR EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.login_id = p_login AND m.person_id = p_person)
        OR EXISTS (SELECT FROM agreed_now(p_community, '{correction,family_correction}') w WHERE w.person_id = p_person);
END
$$;

-- Whether the acting login may give a sign-in code for a login, in its own name.
CREATE FUNCTION may_give_code(p_login uuid, p_by uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (coalesce(p_by = ANY (acting_logins()), false) AND stands_above(p_login, NULL)
        AND EXISTS (SELECT FROM membership m WHERE m.login_id = p_login AND may_serve(m.community_id)));
END
$$;

-- Whether the acting login may agree to or refuse a change, in its own name: from above where that is needed, or as an
-- auditor; and neither as who proposed it nor as whom it concerns, nor through an account or behind a door of theirs, nor as
-- the guardian of whom it concerns, nor by a role that the proposer has given for it.
CREATE FUNCTION may_decide(p_community uuid, p_needs text, p_depth integer, p_people uuid[], p_proposed_by uuid, p_proposed_by_login uuid,
                           p_proposed_at timestamptz, p_by uuid)
    RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (coalesce(p_by = ANY (acting_logins()), false)
        AND EXISTS (SELECT FROM acting_grants() g JOIN region r ON r.id = g.region_id JOIN region here ON r.id = ANY (here.path)
                    WHERE here.id = p_community AND (g.role = 'auditor' OR (g.role IN ('community_admin', 'street_admin', 'county_admin')
                        AND (p_needs = 'another' OR cardinality(r.path) < p_depth)))
                      AND NOT (coalesce(g.granted_by = p_proposed_by, false) AND (g.role = 'auditor' OR g.granted_at >= p_proposed_at)))
        AND NOT EXISTS (
            SELECT FROM agreement_side(p_community, p_by, NULL) me, LATERAL (
                SELECT s.* FROM unnest(p_people || p_proposed_by) q (id), agreement_side(p_community, NULL, q.id) s WHERE q.id IS NOT NULL
                UNION ALL SELECT s.* FROM agreement_side(p_community, p_proposed_by_login, NULL) s
            ) other
            WHERE me.persons && other.persons OR me.households && other.households OR me.hands && other.hands)
        AND NOT EXISTS (
            SELECT FROM guardianship g, agreement_side(p_community, p_by, NULL) me
            WHERE g.community_id = p_community AND g.child_id = ANY (p_people) AND g.consented_at IS NOT NULL AND g.guardian_id = ANY (me.persons)));
END
$$;

-- Whether the acting login may agree, in its own name, to what was asked for at a counter: as staff, and as another human than
-- who asked, who does not live and has not lived with whom it concerns.
CREATE FUNCTION may_second(p_community uuid, p_person uuid, p_asked_by uuid, p_asked_by_login uuid, p_by uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (coalesce(p_by = ANY (acting_logins()), false) AND may_serve(p_community) AND NOT EXISTS (
        SELECT FROM agreement_side(p_community, p_by, NULL) me, agreement_side(p_community, NULL, p_asked_by) asker,
            agreement_side(p_community, p_asked_by_login, NULL) account, agreement_side(p_community, NULL, p_person) served
        WHERE me.persons && (asker.persons || account.persons || served.persons) OR me.hands && (asker.hands || account.hands)
           OR me.households && (asker.households || account.households || served.households)));
END
$$;

-- Whether the acting login may add a device to a station that it keeps: the first of its kind, one in the place of another that
-- ends in the running transaction, and a further one by agreement.
CREATE FUNCTION may_add_device(p_community uuid, p_station uuid, p_kind text, p_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (may_keep(p_community, p_station) AND NOT EXISTS (
            SELECT FROM device d WHERE d.community_id = p_community AND d.station_id = p_station AND d.kind = p_kind AND d.id <> p_id
            HAVING count(*) FILTER (WHERE d.revoked_at IS NULL) > 0
               AND count(*) FILTER (WHERE d.xmin = pg_current_xact_id()::xid AND d.revoked_at IS NOT NULL)
                <= count(*) FILTER (WHERE d.xmin = pg_current_xact_id()::xid AND d.revoked_at IS NULL)))
        OR EXISTS (SELECT FROM agreed_now(p_community, '{further_device}') w
                   WHERE w.change->'do'->>'station_id' = p_station::text AND w.change->'do'->>'kind' = p_kind);
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

-- Whether the acting login may sign on to the acting device as this resident record: it keeps the station, and the session is its own.
CREATE FUNCTION may_sign_on(p_community uuid, p_device uuid, p_person uuid, p_login uuid, p_session uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR (coalesce(p_device = acting_device(), false)
        AND EXISTS (SELECT FROM session s WHERE s.id = p_session AND s.login_id = p_login AND p_login = ANY (acting_logins())
                    AND s.id = ANY (nullif(current_setting('timebank.sessions', true), '')::uuid[]))
        AND EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.login_id = p_login AND m.person_id = p_person)
        AND EXISTS (SELECT FROM device d WHERE d.community_id = p_community AND d.id = p_device AND may_keep(p_community, d.station_id)));
END
$$;

-- Which caller's stored answers the running transaction may read: its login's, its device's, or a command's.
CREATE FUNCTION is_caller(p_caller uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR p_caller = ANY (acting_logins())
        OR p_caller = acting_device()
        OR p_caller = '00000000-0000-0000-0000-000000000000';
END
$$;

-- --------------------------------------------------------------------------------------------- rows that need the proof

ALTER POLICY owner ON transfer USING (true) WITH CHECK (is_acting(actor_id));
ALTER POLICY tenant ON audit USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND is_acting(person_id) AND is_acting_login(login_id));
ALTER POLICY tenant ON role_grant USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND CASE WHEN ended_at IS NULL THEN may_appoint(community_id, person_id, role, region_id)
        ELSE may_dismiss(community_id, person_id, role, region_id) END);
-- Only what an import has brought is taken back as if it had not been: a role over an area.
CREATE POLICY withdrawn ON role_grant AS RESTRICTIVE FOR DELETE TO timebank_app USING (region_id IS NULL AND may_administer(community_id));
ALTER POLICY tenant ON membership USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_link(community_id, login_id, person_id));
ALTER POLICY tenant ON device USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND (revoked_at IS NOT NULL OR may_add_device(community_id, station_id, kind, id)));
-- What has ended stays ended, and cannot end once more in the place of another.
CREATE POLICY ended ON device AS RESTRICTIVE FOR UPDATE TO timebank_app USING (revoked_at IS NULL) WITH CHECK (true);
ALTER POLICY tenant ON policy USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_set_policy(community_id, name, value));
ALTER POLICY tenant ON rule USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_set_rule(community_id, code));
ALTER POLICY tenant ON good_price USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_administer(community_id));
ALTER POLICY tenant ON household_move USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND is_acting(moved_by));

-- Who read a station's code is who it was, and is not forgotten while the code is still good.
ALTER POLICY tenant ON code_reading USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND (is_acting_login(reader_id) OR reader_id = acting_device()));
CREATE POLICY forgotten ON code_reading AS RESTRICTIVE FOR DELETE TO timebank_app USING (read_at < ledger_now() - interval '1 hour');

-- A change is proposed in the own name by who serves there, stays as it was proposed, and is decided by a second person.
ALTER POLICY tenant ON waiting_change USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND CASE status
        WHEN 'waiting' THEN is_operator() OR (is_acting(proposed_by) AND proposed_by_login IS NOT NULL AND is_acting_login(proposed_by_login)
            AND may_serve(community_id))
        WHEN 'withdrawn' THEN is_acting(decided_by) AND is_acting_login(decided_by_login)
        ELSE is_acting(decided_by) AND may_decide(community_id, needs, depth, involved || person_id, proposed_by, proposed_by_login,
                                                proposed_at, decided_by_login)
        END);
REVOKE UPDATE ON waiting_change FROM timebank_app;
GRANT UPDATE (status, decided_by, decided_by_login, decided_at, note) ON waiting_change TO timebank_app;

-- What was done alone is told anew while it waits to be seen: there is nothing in it to be carried out.
CREATE FUNCTION agreement_done_alone(p_community uuid, p_id uuid, p_kind text, p_subject text, p_person uuid, p_says jsonb, p_needs text,
                                     p_depth integer, p_by uuid, p_by_login uuid, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT (is_operator() OR (may_administer(p_community) AND p_by_login IS NOT NULL AND is_acting(p_by) AND is_acting_login(p_by_login))) THEN
        RAISE EXCEPTION 'nobody who administers this community' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Whoever set the same before, unseen as yet, stays party to it.
    INSERT INTO waiting_change AS w (community_id, id, kind, subject, person_id, change, before, needs, depth, proposed_by, proposed_by_login,
                                     proposed_at, status)
        VALUES (p_community, p_id, p_kind, p_subject, p_person, jsonb_build_object('do', NULL, 'says', p_says), 'null', p_needs, p_depth,
                p_by, p_by_login, p_now, 'waiting')
        ON CONFLICT (community_id, kind, subject) WHERE status = 'waiting' DO UPDATE
        SET involved = CASE WHEN w.proposed_by = ANY (w.involved || excluded.proposed_by) THEN w.involved
                            ELSE array_remove(w.involved || w.proposed_by, NULL) END,
            change = excluded.change, proposed_by = excluded.proposed_by, proposed_by_login = excluded.proposed_by_login,
            proposed_at = excluded.proposed_at
        WHERE w.change->'do' = 'null';
END
$$;

-- A second member of staff agrees at the counter: not who asked.
ALTER POLICY tenant ON counter_confirmation USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND CASE WHEN status = 'waiting'
        THEN asked_by_login IS NOT NULL AND is_acting_login(asked_by_login) AND is_acting(asked_by) AND may_keep(community_id, station_id)
        ELSE is_acting(decided_by) AND may_second(community_id, person_id, asked_by, asked_by_login, decided_by_login) END);
REVOKE UPDATE ON counter_confirmation FROM timebank_app;
GRANT UPDATE (status, redemption_id, decided_by, decided_by_login, decided_at) ON counter_confirmation TO timebank_app;

-- ------------------------------------------------------------------------------------------- devices, and who signs on to them

-- Of a device the token and the pairing code prove something, of a sign-on the session: nobody reads them.
REVOKE SELECT, UPDATE ON device FROM timebank_app;
GRANT SELECT (community_id, id, station_id, name, kind, created_at, created_by, revoked_at, pairing_expires_at, paired_at, seen_at),
    UPDATE (revoked_at) ON device TO timebank_app;
REVOKE SELECT, UPDATE ON counter_sign_on FROM timebank_app;
GRANT SELECT (community_id, id, device_id, person_id, login_id, signed_on_at, expires_at, signed_off_at) ON counter_sign_on TO timebank_app;

-- A keeper signs on by the session that the password has just opened, at the tablet that shows its token.
ALTER POLICY tenant ON counter_sign_on USING (community_id = ANY ((SELECT visible_communities())::uuid[]))
    WITH CHECK (community_id = ANY (visible_communities()) AND may_sign_on(community_id, device_id, person_id, login_id, session_id));

-- The device that a pairing code is for, while it waits for its browser.
CREATE FUNCTION device_waiting(p_community uuid, p_code_hash bytea, p_now timestamptz)
    RETURNS TABLE (id uuid, station_id uuid, kind varchar, name varchar, station varchar)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.id, d.station_id, d.kind, d.name, s.name FROM device d JOIN station s ON s.community_id = d.community_id AND s.id = d.station_id
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.pairing_hash = p_code_hash
      AND d.pairing_expires_at > p_now AND d.paired_at IS NULL AND d.revoked_at IS NULL
$$;

-- Makes whoever shows the pairing code the device, with this token; null where the code serves no more.
CREATE FUNCTION device_pair(p_community uuid, p_code_hash bytea, p_kind text, p_token_hash bytea, p_now timestamptz) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE device d SET token_hash = p_token_hash, paired_at = p_now, pairing_hash = NULL
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.kind = p_kind AND d.pairing_hash = p_code_hash
      AND d.pairing_expires_at > p_now AND d.paired_at IS NULL AND d.revoked_at IS NULL RETURNING d.id
$$;

-- When a device was last used is noted by the device itself.
CREATE FUNCTION device_seen(p_community uuid, p_device uuid, p_now timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE device d SET seen_at = p_now
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.id = p_device AND d.id = acting_device()
$$;

-- Another pairing code, and another token, for a device that no browser has become yet; null where one has, or it has ended.
CREATE FUNCTION device_renew(p_community uuid, p_device uuid, p_token_hash bytea, p_code_hash bytea, p_ends timestamptz) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE device d SET token_hash = p_token_hash, pairing_hash = p_code_hash, pairing_expires_at = p_ends
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.id = p_device
      AND d.paired_at IS NULL AND d.revoked_at IS NULL AND may_keep(p_community, d.station_id) RETURNING d.id
$$;

-- Ends who is signed on to the acting device and the session behind it; whose login it was, null where nobody is.
CREATE FUNCTION counter_sign_off(p_community uuid, p_device uuid, p_now timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended counter_sign_on;
BEGIN
    IF NOT (is_operator() OR coalesce(p_device = acting_device(), false)) THEN
        RAISE EXCEPTION 'not this device' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- One that ran out ended when it ran out.
    UPDATE counter_sign_on o SET signed_off_at = least(p_now, o.expires_at)
    WHERE p_community = ANY (visible_communities()) AND o.community_id = p_community AND o.device_id = p_device AND o.signed_off_at IS NULL
    RETURNING * INTO ended;
    RETURN session_end(ended.session_id, NULL, p_now);
END
$$;

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
CREATE POLICY given ON one_time_code FOR INSERT TO timebank_app WITH CHECK (may_give_code(login_id, given_by_login));
REVOKE SELECT, UPDATE, DELETE ON one_time_code FROM timebank_app;

-- Failures and known browsers of a login are counted and known by their functions alone.
ALTER TABLE sign_in_failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_failure FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON sign_in_failure TO timebank_owner USING (true);
ALTER TABLE sign_in_suspect ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_suspect FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON sign_in_suspect TO timebank_owner USING (true);
ALTER TABLE known_browser ENABLE ROW LEVEL SECURITY;
ALTER TABLE known_browser FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON known_browser TO timebank_owner USING (true);

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

-- The acting login itself, when its session was opened, and whether by a code.
CREATE FUNCTION login_own(OUT id uuid, OUT phone_sealed bytea, OUT salt text, OUT by_code boolean, OUT opened_at timestamptz) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id, l.phone_sealed, substring(l.password_hash FROM '^(.*\$)[^$]*$'), s.by_code, s.created_at
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

-- Sets a password: the acting login's own, whose present one is shown unless there is none or a code has opened the session,
-- which must have been opened in the last 15 minutes then.
CREATE FUNCTION login_set_password(p_login uuid, p_hash text, p_present text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE login l SET password_hash = p_hash WHERE l.id = p_login AND (is_operator() OR (l.id = ANY (acting_logins()) AND (
        l.password_hash = p_present OR EXISTS (
            SELECT FROM login_own() o WHERE o.id = l.id AND (o.by_code OR l.password_hash IS NULL)
              AND o.opened_at > ledger_now() - interval '15 minutes'))));
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
    -- From now on the login's acts count as its opener's too, until somebody else confirms whose it is.
    PERFORM login_was_opened(p_login, newest.id, p_now);
    RETURN true;
END
$$;

-- Ends a session, by its id or its token; whose login it was.
CREATE FUNCTION session_end(p_session uuid, p_token_hash bytea, p_now timestamptz) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE session SET ended_at = p_now WHERE (id = p_session OR token_hash = p_token_hash) AND ended_at IS NULL RETURNING login_id
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
CREATE FUNCTION session_sweep(p_before timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM session WHERE least(expires_at, ended_at) < p_before;
    DELETE FROM one_time_code WHERE expires_at < p_before;
$$;

CREATE FUNCTION answers_sweep(p_before timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ DELETE FROM idempotent_request WHERE created_at < p_before $$;

-- Whose acts a login's are is noted where a code is used, and nowhere else.
REVOKE EXECUTE ON FUNCTION login_was_opened FROM timebank_app;

-- One row in the audit of every community that the login stands for: it acts in all of them. In the login's name only what
-- the running transaction has done with it; a failed sign-in names nobody.
CREATE OR REPLACE FUNCTION access_audit_login(p_login_id uuid, p_verb text, p_request_id text, p_now timestamptz, p_change jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    running xid := pg_current_xact_id()::xid;
BEGIN
    IF p_verb NOT IN ('sign_in', 'fail_sign_in', 'sign_out', 'set_password') THEN
        RAISE EXCEPTION 'no verb of a login: %', p_verb;
    END IF;
    IF NOT (CASE p_verb
        WHEN 'sign_in' THEN EXISTS (SELECT FROM session s WHERE s.login_id = p_login_id AND s.xmin = running AND s.ended_at IS NULL)
        WHEN 'sign_out' THEN EXISTS (SELECT FROM session s WHERE s.login_id = p_login_id AND s.xmin = running AND s.ended_at IS NOT NULL)
        WHEN 'set_password' THEN EXISTS (SELECT FROM login l WHERE l.id = p_login_id AND l.xmin = running AND l.password_hash IS NOT NULL)
        ELSE true END) THEN
        RAISE EXCEPTION 'this login has not done it' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO audit (community_id, id, at, person_id, login_id, via, request_id, verb, noun, noun_id, reason, change)
    SELECT m.community_id, uuid_v7(p_now), p_now,
           CASE WHEN count(*) = 1 AND p_verb <> 'fail_sign_in' THEN (array_agg(m.person_id))[1] END,
           CASE WHEN p_verb <> 'fail_sign_in' THEN p_login_id END, 'sign_in', p_request_id, p_verb, 'login', p_login_id, NULL, p_change
    FROM membership m WHERE m.login_id = p_login_id GROUP BY m.community_id;
END
$$;

-- Ids of the audit sort by time; those of sign-ins did not.
UPDATE audit SET id = uuid_v7(at) WHERE via = 'sign_in';

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
GRANT EXECUTE ON FUNCTION ledger_now, is_operator, is_acting, is_acting_login, acting_device, may_administer, may_keep, may_serve, may_appoint, may_dismiss,
    may_set_policy, may_set_rule, may_decide, may_link, may_give_code, may_sign_on, is_signing_in, is_caller, agreement_done_alone,
    may_add_device, may_second, device_waiting, device_pair, device_renew, device_seen, counter_sign_off, login_ensure, login_of, login_own, login_has_password, login_proves,
    login_set_password, code_use, session_end, session_end_others, session_holders, session_sweep, answers_sweep, login_sample
    TO timebank_app;
