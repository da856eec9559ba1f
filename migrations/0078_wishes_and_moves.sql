-- What is brought to a station for a wish and collected there, and reports of a place in another community, which are opened there.
SET LOCAL ROLE timebank_owner;

-- A thing that a keeper has received for a wish. Its pickup code stands in pickup, with the noun matter. Who gave it stands in the
-- matter alone, and whom it is for too.
CREATE TABLE wish_gift (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    matter_id   uuid NOT NULL,
    station_id  uuid NOT NULL,
    value       integer NOT NULL CONSTRAINT wish_gift_value CHECK (value BETWEEN 1 AND 100000),   -- yuan, as the keeper judges it
    received_at timestamptz NOT NULL,
    received_by uuid,                          -- the keeper's login
    waits_until timestamptz NOT NULL,          -- until when its code is found; the keeper renews it
    collected_at timestamptz,
    collected_by uuid,                         -- the login of the keeper who handed it over
    undone_at   timestamptz,                   -- the receipt was a mistake, undone within a minute
    PRIMARY KEY (community_id, id),
    CONSTRAINT wish_gift_matter FOREIGN KEY (community_id, matter_id) REFERENCES matter (community_id, id),
    CONSTRAINT wish_gift_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT wish_gift_ended CHECK (collected_at IS NULL OR undone_at IS NULL)
);
CREATE UNIQUE INDEX wish_gift_waiting ON wish_gift (community_id, matter_id) WHERE collected_at IS NULL AND undone_at IS NULL;
CREATE INDEX wish_gift_at_station ON wish_gift (community_id, station_id, waits_until, id)
    WHERE collected_at IS NULL AND undone_at IS NULL;
CREATE INDEX wish_gift_matter_id ON wish_gift (community_id, matter_id, received_at);
CREATE INDEX wish_gift_received ON wish_gift (community_id, station_id, received_at);
CREATE INDEX wish_gift_collected ON wish_gift (community_id, station_id, collected_at) WHERE collected_at IS NOT NULL;
CALL protect_tenant_table('wish_gift', 'SELECT, INSERT, UPDATE');

-- Wishes that somebody has taken and brings to a station.
CREATE INDEX matter_wish_taken ON matter (community_id, accepted_at, id) WHERE kind = 'wish' AND status = 'accepted';

-- Where a refused report was opened instead, and where one that came so was refused; origin_id is its id there.
ALTER TABLE matter
    ADD COLUMN moved_to uuid REFERENCES region (id),
    ADD COLUMN moved_from uuid REFERENCES region (id),
    ADD CONSTRAINT matter_moved CHECK (moved_to IS NULL OR (refused_because = 'elsewhere' AND moved_to <> community_id));
CREATE UNIQUE INDEX matter_moved_once ON matter (community_id, moved_from, origin_id) WHERE moved_from IS NOT NULL;

-- The other communities of a community's county that have switched matters on: a report may go there.
CREATE FUNCTION communities_with_matters(p_community uuid, OUT id uuid, OUT name text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN QUERY SELECT there.id, there.name::text FROM region here
        JOIN policy p ON p.name = 'uses_matters' AND p.value = 1
        JOIN region there ON there.id = p.community_id AND there.kind = 'community' AND there.path[1] = here.path[1]
        WHERE here.id = p_community AND there.id <> here.id
        ORDER BY there.name, there.id;
END
$$;

-- What the community to which a report goes reads of it: its words and place, and the reporter's own record there, if their login has
-- one. Null where the report does not go there.
CREATE FUNCTION moved_matter(p_community uuid, p_from uuid, p_matter uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN (SELECT jsonb_build_object(
            'kind', m.kind, 'category', m.category_code, 'said', m.said, 'received_at', m.received_at, 'channel', m.channel,
            'hides_reporter', m.hides_reporter, 'may_be_contacted', m.may_be_contacted, 'number', m.number, 'from_name', here.name,
            'place', concat_ws(' ', (SELECT string_agg(step.name, '' ORDER BY cardinality(step.path)) FROM area a
                JOIN area step ON step.community_id = a.community_id AND step.id = ANY (a.path)
                WHERE a.community_id = m.community_id AND a.id = m.area_id), nullif(m.place, '')),
            'reporter_id', (SELECT there.person_id FROM membership own
                JOIN membership there ON there.login_id = own.login_id AND there.community_id = p_community
                JOIN person p ON p.community_id = there.community_id AND p.id = there.person_id AND p.status = 'active'
                WHERE own.community_id = m.community_id AND own.person_id = m.reporter_id ORDER BY there.created_at, p.id LIMIT 1))
        FROM matter m JOIN region here ON here.id = m.community_id
        WHERE m.community_id = p_from AND m.id = p_matter AND m.status = 'refused' AND m.moved_to = p_community);
END
$$;

-- Its pictures, copied into the community to which it goes and attached there; returns how many.
CREATE FUNCTION moved_pictures(p_community uuid, p_from uuid, p_matter uuid, p_new uuid, p_now timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    each_one record;
    copied uuid;
    many integer := 0;
BEGIN
    PERFORM ledger_permit(p_community);
    FOR each_one IN SELECT p.media_type, p.content, p.side, a.painted_at FROM matter m
            JOIN attachment a ON a.community_id = m.community_id AND a.noun = 'matter' AND a.noun_id = m.id AND a.stage = 'before'
            JOIN photo p ON p.community_id = a.community_id AND p.id = a.photo_id
            WHERE m.community_id = p_from AND m.id = p_matter AND m.moved_to = p_community ORDER BY a.added_at, a.id LOOP
        copied := uuid_v7(p_now);
        INSERT INTO photo (community_id, id, media_type, content, created_at, side)
            VALUES (p_community, copied, each_one.media_type, each_one.content, p_now, each_one.side);
        INSERT INTO attachment (community_id, id, noun, noun_id, photo_id, stage, added_at, painted_at)
            VALUES (p_community, uuid_v7(p_now), 'matter', p_new, copied, 'before', p_now, each_one.painted_at);
        many := many + 1;
    END LOOP;
    RETURN many;
END
$$;

REVOKE EXECUTE ON FUNCTION communities_with_matters, moved_matter, moved_pictures FROM PUBLIC;
GRANT EXECUTE ON FUNCTION communities_with_matters, moved_matter, moved_pictures TO timebank_app;
