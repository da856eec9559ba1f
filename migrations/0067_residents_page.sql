-- What the page of a resident still lacked: where somebody is signed in, with an end to it by an administrator for whoever has lost a
-- phone; the scans that were refused; and acts that are found by the words of their reason. And of the overview: points by area.

SET LOCAL ROLE timebank_owner;

ALTER TABLE session
    ADD COLUMN device varchar(16)              -- the kind alone, never what the browser sent; null where it was opened before
        CONSTRAINT session_device CHECK (device IN ('iphone', 'android', 'harmony', 'tablet', 'windows', 'mac', 'computer', 'counter', 'other')),
    ADD COLUMN used_at timestamptz;            -- of its last request, to the hour; null until the first

-- A session's time of use is noted by the statement that looks it up. Two requests that note it at once do not wait for each other.
CREATE FUNCTION session_used(p_session uuid, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE session s SET used_at = p_now
    WHERE s.id = (SELECT o.id FROM session o WHERE o.id = p_session AND o.ended_at IS NULL FOR NO KEY UPDATE SKIP LOCKED);
END
$$;

-- The sessions in force that open this resident record, those opened by a code while it waits for its login's holder included.
CREATE FUNCTION sessions_opening(p_community uuid, p_person uuid, p_now timestamptz) RETURNS SETOF session
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT s.* FROM membership m JOIN session s ON s.login_id = m.login_id AND (s.opens IS NULL OR p_community = ANY (s.opens))
        WHERE m.community_id = p_community AND m.person_id = p_person AND s.ended_at IS NULL AND s.expires_at > p_now
        UNION ALL
        SELECT s.* FROM membership_question q JOIN session s ON s.login_id = q.login_id AND p_community = ANY (s.opens)
        WHERE q.community_id = p_community AND q.person_id = p_person AND q.declined_at IS NULL AND s.ended_at IS NULL AND s.expires_at > p_now;
END
$$;

-- Those sessions as the person, an administrator and an auditor of the community see them; nobody else gets any.
CREATE FUNCTION sessions_of(p_community uuid, p_person uuid, p_now timestamptz)
    RETURNS TABLE (id uuid, device varchar, by_code boolean, opened_at timestamptz, used_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT (is_acting(p_person) OR may_administer(p_community) OR EXISTS (
            SELECT FROM acting_grants() g JOIN region r ON g.region_id = ANY (r.path) WHERE r.id = p_community AND g.role = 'auditor')) THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT s.id, s.device, s.by_code, s.created_at, s.used_at FROM sessions_opening(p_community, p_person, p_now) s
        ORDER BY coalesce(s.used_at, s.created_at) DESC, s.id;
END
$$;

-- Ends one of them, or all (p_session is null), and says of which logins: for whoever administers the community and stands above
-- every role of the login, never for an own record.
CREATE FUNCTION sessions_end_of(p_community uuid, p_person uuid, p_session uuid, p_now timestamptz)
    RETURNS TABLE (id uuid, login_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    signed_in record;
BEGIN
    IF NOT is_operator() AND (NOT may_administer(p_community) OR is_acting(p_person)) THEN
        RAISE EXCEPTION 'who administers a community ends the sign-ins of others there' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR signed_in IN SELECT s.id, s.login_id FROM sessions_opening(p_community, p_person, p_now) s
                WHERE p_session IS NULL OR s.id = p_session ORDER BY s.id LOOP
        IF NOT stands_above(signed_in.login_id, p_person) THEN
            RAISE EXCEPTION 'the login has a role of the same rank' USING ERRCODE = 'insufficient_privilege';
        END IF;
        UPDATE session s SET ended_at = p_now WHERE s.id = signed_in.id AND s.ended_at IS NULL;
        IF FOUND THEN
            id := signed_in.id; login_id := signed_in.login_id;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- As before, also where an administrator has ended its sign-ins.
CREATE OR REPLACE FUNCTION login_tell(p_login uuid, p_sentence text, p_said text, p_key text, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF message_kind(p_sentence) NOT IN ('sign_in_code', 'phone_changed', 'membership_asked', 'login_confirmed', 'sign_ins_ended') THEN
        RAISE EXCEPTION 'no message of a login: %', p_sentence;
    END IF;
    PERFORM store_messages(array_agg(ROW(
            m.community_id, uuid_v7(p_now), m.person_id, p_sentence, p_said::jsonb, NULL, p_key, message_kind(p_sentence), p_now, p_now,
            true, NULL)::message_to_store))
        FROM membership m WHERE m.login_id = p_login;
END
$$;

REVOKE EXECUTE ON FUNCTION session_used, sessions_opening, sessions_of, sessions_end_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_used, sessions_of, sessions_end_of TO timebank_app;

-- The scans of one person that were refused, the newest first.
CREATE INDEX scan_refused ON scan (community_id, person_id, received_at, nonce) WHERE status = 'error' AND person_id IS NOT NULL;

-- What has a reason, the newest first: its words are looked for in a bounded number of them.
CREATE INDEX audit_reasoned ON audit (community_id, id) WHERE reason IS NOT NULL;

-- The points of that service. The worker counts it anew every few hours.
ALTER TABLE month_service ADD COLUMN points bigint NOT NULL DEFAULT 0;
ALTER TABLE month_service ALTER COLUMN points DROP DEFAULT;
