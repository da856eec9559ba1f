-- What the verbs that people wait for need, so that a request sends few statements.

SET LOCAL ROLE timebank_owner;

-- A device's time of use is noted by the statement that looks it up. Who knows the token is the device: nothing else is checked.
DROP FUNCTION device_seen;
CREATE FUNCTION device_used(p_community uuid, p_token_hash bytea, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE device d SET seen_at = p_now
    WHERE d.community_id = p_community AND d.token_hash = p_token_hash AND d.revoked_at IS NULL;
END $$;
REVOKE EXECUTE ON FUNCTION device_used FROM PUBLIC;
GRANT EXECUTE ON FUNCTION device_used TO timebank_app;

-- The children of whom the holder of a session is guardian, by every record that the session stands for, in all communities of
-- the login, with and without consent.
CREATE FUNCTION own_children(p_session uuid, p_today date)
    RETURNS TABLE (person_id uuid, community_id uuid, name varchar, consented boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT c.id, c.community_id, c.name, g.consented_at IS NOT NULL
    FROM session s
    CROSS JOIN LATERAL (
        SELECT m.community_id, m.person_id FROM membership m
        WHERE m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
        UNION SELECT q.community_id, q.person_id FROM membership_question q
        WHERE q.login_id = s.login_id AND q.community_id = ANY (s.opens) AND q.declined_at IS NULL) AS own
    JOIN person me ON me.community_id = own.community_id AND me.id = own.person_id AND me.status = 'active'
    JOIN guardianship g ON g.community_id = own.community_id AND g.guardian_id = own.person_id AND g.ended_at IS NULL
    JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id AND c.status = 'active'
    WHERE s.id = p_session AND s.ended_at IS NULL
      AND (c.born_on IS NULL OR c.born_on > p_today - interval '18 years')
    ORDER BY c.born_on, c.id;
END $$;
REVOKE EXECUTE ON FUNCTION own_children FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_children TO timebank_app;

-- Locks the rows of a child that is booked and of the children who wait for the lesson, in the order of their ids, then the lesson's:
-- people before lessons. Returns the child of each booking that waited, by the booking's id.
CREATE FUNCTION booking_lock(p_community uuid, p_lesson uuid, p_child uuid) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    waiters uuid[];
    locked jsonb;
BEGIN
    SELECT array_agg(b.child_id), jsonb_object_agg(b.id, b.child_id) INTO waiters, locked FROM booking b
    WHERE b.community_id = p_community AND b.lesson_id = p_lesson AND b.status = 'waiting';
    PERFORM FROM person p WHERE p.community_id = p_community AND (p.id = p_child OR p.id = ANY (waiters))
        ORDER BY p.id FOR NO KEY UPDATE;
    PERFORM FROM lesson l WHERE l.community_id = p_community AND l.id = p_lesson FOR NO KEY UPDATE;
    RETURN coalesce(locked, '{}');
END $$;
REVOKE EXECUTE ON FUNCTION booking_lock FROM PUBLIC;
GRANT EXECUTE ON FUNCTION booking_lock TO timebank_app;
