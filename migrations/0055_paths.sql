-- A grant over a street or county travels once with a request, whatever number of communities is below the region. The community that
-- a request addresses is looked up with its session.
SET LOCAL ROLE timebank_owner;

-- Communities are found by a region above them. Regions rarely change, so the index is kept ready for reading.
CREATE INDEX region_path ON region USING gin (path) WITH (fastupdate = off);

DROP FUNCTION access_sessions, access_reach, import_actor;

-- As before, with the path of the record's community, by which a grant over a region is recognised as reaching it.
CREATE OR REPLACE FUNCTION access_record(p_community uuid, p_person uuid, p_now timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('community_id', p.community_id, 'person_id', p.id, 'name', p.name, 'community_name', here.name,
                'path', here.path, 'household_id', p.household_id, 'rests_until', (
                    SELECT max(r.until) FROM spending_rest r WHERE r.community_id = p_community AND r.person_id = p_person
                    AND r.ended_at IS NULL AND r.until > p_now))
            FROM person p JOIN region here ON here.id = p_community
            WHERE p.community_id = p_community AND p.id = p_person AND p.status = 'active');
END
$$;

-- A grant as its holder's requests carry it: in one community, or over a street or county.
CREATE FUNCTION access_grant(held role_grant) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    over text := (SELECT r.kind FROM region r WHERE r.id = held.region_id);
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'role', held.role, 'area_id', held.area_id, 'station_id', held.station_id,
        'community_id', CASE WHEN over IS NULL THEN held.community_id WHEN over = 'community' THEN held.region_id END,
        'region_id', CASE WHEN over <> 'community' THEN held.region_id END));
END
$$;

-- A community as the scope of a call in it carries it; null where its path has none of these ids of what the caller reaches.
CREATE FUNCTION community_in_reach(p_community uuid, p_reach uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('id', r.id, 'name', r.name, 'path', r.path)
            FROM region r WHERE r.id = p_community AND r.kind = 'community' AND r.path && p_reach);
END
$$;

-- As before, for each token with the community that its request addresses. `n` counts the tokens from 1. What a request carries grows
-- with the records and grants of its login alone.
CREATE FUNCTION access_sessions(p_token_hashes bytea[], p_communities uuid[], p_now timestamptz, p_today date,
                                OUT n bigint, OUT session_id uuid, OUT login_id uuid, OUT expires_at timestamptz,
                                OUT persons jsonb, OUT grants jsonb, OUT addressed jsonb) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    caller record;
    mine record;
    held role_grant;
    said jsonb;
    reach uuid[];
BEGIN
    FOR caller IN SELECT asked.n, asked.community_id, s.id, s.login_id, s.expires_at, s.opens
                  FROM unnest(p_token_hashes, p_communities) WITH ORDINALITY AS asked (token_hash, community_id, n)
                  JOIN session s ON s.token_hash = asked.token_hash
                  WHERE s.ended_at IS NULL AND s.expires_at > p_now LOOP
        n := caller.n; session_id := caller.id; login_id := caller.login_id; expires_at := caller.expires_at;
        persons := '[]'; grants := '[]'; reach := '{}';
        FOR mine IN
            SELECT m.community_id, m.person_id, m.created_at AS since, true AS is_joined FROM membership m
            WHERE m.login_id = caller.login_id AND (caller.opens IS NULL OR m.community_id = ANY (caller.opens))
            UNION ALL SELECT q.community_id, q.person_id, q.asked_at, false FROM membership_question q
            WHERE q.login_id = caller.login_id AND q.community_id = ANY (caller.opens) AND q.declined_at IS NULL
            ORDER BY since, person_id LOOP
            said := access_record(mine.community_id, mine.person_id, p_now);
            CONTINUE WHEN said IS NULL;
            persons := persons || said;
            reach := reach || mine.community_id;
            CONTINUE WHEN NOT mine.is_joined;
            FOR held IN SELECT * FROM grants_in_force(mine.community_id, mine.person_id, p_today, p_today) LOOP
                grants := grants || access_grant(held);
                reach := reach || coalesce(held.region_id, held.community_id);
            END LOOP;
        END LOOP;
        addressed := CASE WHEN caller.community_id IS NOT NULL THEN community_in_reach(caller.community_id, reach) END;
        RETURN NEXT;
    END LOOP;
END
$$;

-- As before: who started the work whose proof is shown, with the records and grants that count in its community now.
CREATE FUNCTION import_actor(p_today date, OUT login_id uuid, OUT persons jsonb, OUT grants jsonb, OUT addressed jsonb)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    started record;
    mine record;
BEGIN
    FOR started IN SELECT w.community_id, w.login_id, w.persons FROM acting_work() w LOOP
        login_id := started.login_id; persons := '[]';
        FOR mine IN SELECT m.community_id, m.person_id FROM membership m
                    WHERE m.login_id = started.login_id AND m.person_id = ANY (started.persons)
                    ORDER BY array_position(started.persons, m.person_id) LOOP
            persons := persons || coalesce(access_record(mine.community_id, mine.person_id, ledger_now()) - 'rests_until', '[]');
        END LOOP;
        grants := (SELECT coalesce(jsonb_agg(access_grant(g)), '[]') FROM acting_grants() g
                   WHERE g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today));
        addressed := community_in_reach(started.community_id, ARRAY[started.community_id]);
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION access_grant, community_in_reach, access_sessions, import_actor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION community_in_reach, access_sessions, import_actor TO timebank_app;
