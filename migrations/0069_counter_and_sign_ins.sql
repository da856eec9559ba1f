-- What a counter ends is undone by the login that did it: the end of a spending pause too, and hand-overs and attendances by login as
-- visits are. And whoever is signed in sees where else, and ends it.

SET LOCAL ROLE timebank_owner;

-- At which counter a pause was ended; null where it was not ended at one.
ALTER TABLE spending_rest ADD COLUMN ended_station_id uuid;
CREATE INDEX spending_rest_ended ON spending_rest (community_id, ended_station_id, ended_at) WHERE ended_station_id IS NOT NULL;

-- The login beside the record, because a login may have no record here. Null for what ended before.
ALTER TABLE redemption ADD COLUMN ended_by_login uuid;
ALTER TABLE booking ADD COLUMN ended_by_login uuid;
GRANT UPDATE (ended_by_login) ON redemption, booking TO timebank_app;

-- As before, with the counter at which it was done.
DROP FUNCTION login_rests_end(uuid, uuid[], uuid, timestamptz);
CREATE FUNCTION login_rests_end(p_community uuid, p_rests uuid[], p_by uuid, p_now timestamptz, p_station uuid DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT (is_operator() OR (coalesce(p_by = ANY (acting_logins()), false) AND may_serve(p_community)
            AND (p_station IS NULL OR may_keep(p_community, p_station)) AND NOT EXISTS (
            SELECT FROM spending_rest r, agreement_side(p_community, p_by, NULL) me, agreement_side(p_community, NULL, r.person_id) whose,
                        agreement_side(p_community, r.by_login, NULL) maker
            WHERE r.community_id = p_community AND r.id = ANY (p_rests)
              AND (rest_is_made_for(p_community, p_by, maker.persons, r.since) OR me.persons && whose.persons OR me.households && whose.households
                   OR me.persons && maker.persons OR me.households && maker.households OR me.hands && maker.hands)))) THEN
        RAISE EXCEPTION 'nobody who may confirm this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE spending_rest SET ended_at = p_now, ended_by_login = p_by,
        ended_station_id = (SELECT t.id FROM station t WHERE t.community_id = p_community AND t.id = p_station)
    WHERE community_id = p_community AND id = ANY (p_rests) AND ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;

-- The pauses that a login has ended at a counter by one act, at this moment, go on as before; its word for the person's logins is taken
-- back with them. Within a minute, by the same login, never for itself or its household. Answers how many go on.
CREATE FUNCTION login_rests_go_on(p_community uuid, p_person uuid, p_by uuid, p_ended_at timestamptz, p_now timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    back integer;
BEGIN
    PERFORM ledger_permit(p_community);
    IF p_by IS NULL OR NOT is_acting_login(p_by) OR p_ended_at < p_now - interval '1 minute' OR EXISTS (
            SELECT FROM agreement_side(p_community, p_by, NULL) me, agreement_side(p_community, NULL, p_person) whose
            WHERE me.persons && whose.persons OR me.households && whose.households) THEN
        RAISE EXCEPTION 'nobody who may take back that word' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE spending_rest SET ended_at = NULL, ended_by_login = NULL, ended_station_id = NULL
    WHERE community_id = p_community AND person_id = p_person AND ended_by_login = p_by AND ended_at = p_ended_at
      AND ended_station_id IS NOT NULL;
    GET DIAGNOSTICS back = ROW_COUNT;
    IF back > 0 THEN
        UPDATE login l SET confirmed_by_login = NULL, confirmed_at = NULL FROM membership m
        WHERE m.community_id = p_community AND m.person_id = p_person AND l.id = m.login_id
          AND l.confirmed_by_login = p_by AND l.confirmed_at = p_ended_at;
    END IF;
    RETURN back;
END
$$;

-- Where the login of a session is signed in, as far as that session reaches. One that a code has opened ends no session that a password
-- has opened while the login's spending is paused: the code may be in the hands of whoever gave it.
CREATE FUNCTION sessions_own(p_session uuid, p_now timestamptz)
    RETURNS TABLE (id uuid, device varchar, by_code boolean, opened_at timestamptz, used_at timestamptz, is_this boolean, may_end boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine session;
    pauses boolean;
BEGIN
    SELECT * INTO mine FROM session s WHERE s.id = p_session AND s.ended_at IS NULL AND s.expires_at > p_now;
    IF NOT FOUND OR NOT coalesce(mine.login_id = ANY (acting_logins()), false) THEN
        RETURN;
    END IF;
    pauses := mine.by_code AND EXISTS (SELECT FROM spending_rest r WHERE r.login_id = mine.login_id AND r.ended_at IS NULL AND r.until > p_now);
    RETURN QUERY
        SELECT s.id, s.device, s.by_code, s.created_at, s.used_at, s.id = p_session, s.id <> p_session AND (s.by_code OR NOT pauses)
        FROM session s WHERE s.login_id = mine.login_id AND s.ended_at IS NULL AND s.expires_at > p_now
          AND (mine.opens IS NULL OR s.opens IS NULL OR s.opens && mine.opens)
        ORDER BY s.id = p_session DESC, coalesce(s.used_at, s.created_at) DESC, s.id;
END
$$;

-- Ends one of these, or all that may be ended (p_ended is null). Answers how many.
CREATE FUNCTION sessions_end_own(p_session uuid, p_ended uuid, p_now timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    UPDATE session s SET ended_at = p_now
    WHERE s.id IN (SELECT o.id FROM sessions_own(p_session, p_now) o WHERE o.may_end AND (p_ended IS NULL OR o.id = p_ended))
      AND s.ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;

REVOKE EXECUTE ON FUNCTION login_rests_end, login_rests_go_on, sessions_own, sessions_end_own FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_rests_end, login_rests_go_on, sessions_own, sessions_end_own TO timebank_app;
