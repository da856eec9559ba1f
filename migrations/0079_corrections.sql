-- Where a matter is can be corrected, a report that goes to another community more than once keeps its first receipt, and a gift for a wish
-- that nobody collects goes back to who brought it.
SET LOCAL ROLE timebank_owner;

-- Without foreign keys, like unit_id: a timeline says what was done then, also of an area that is gone.
ALTER TABLE matter_step
    ADD COLUMN from_area_id uuid,
    ADD COLUMN area_id uuid;

-- The community and the matter of the first receipt of one that was moved, however often, and how often it had been when it came here
-- last. What had been moved twice before this keeps the community that sent it last.
ALTER TABLE matter
    ADD COLUMN first_from uuid REFERENCES region (id),
    ADD COLUMN first_id uuid,
    ADD COLUMN moves smallint NOT NULL DEFAULT 0,
    ADD CONSTRAINT matter_first CHECK ((first_from IS NULL) = (first_id IS NULL) AND first_from <> community_id);
UPDATE matter SET first_from = moved_from, first_id = origin_id, moves = 1 WHERE moved_from IS NOT NULL;
CREATE UNIQUE INDEX matter_first_once ON matter (community_id, first_from, first_id) WHERE first_from IS NOT NULL;
DROP INDEX matter_moved_once;

-- What the community to which a report goes reads of it: its words and place, its first receipt, the reporter's own record here, if
-- their login has one, and the matter that it is here already. Null where the report does not go there.
CREATE OR REPLACE FUNCTION moved_matter(p_community uuid, p_from uuid, p_matter uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN (SELECT jsonb_build_object(
            'kind', m.kind, 'category', m.category_code, 'said', m.said, 'received_at', m.received_at, 'channel', m.channel,
            'hides_reporter', m.hides_reporter, 'may_be_contacted', m.may_be_contacted, 'number', m.number, 'from_name', here.name,
            -- Where it stood in a community that was not the right one says nothing.
            'place', CASE WHEN m.first_from IS NULL THEN concat_ws(' ', here.name,
                (SELECT string_agg(step.name, '' ORDER BY cardinality(step.path)) FROM area a
                 JOIN area step ON step.community_id = a.community_id AND step.id = ANY (a.path)
                 WHERE a.community_id = m.community_id AND a.id = m.area_id), nullif(m.place, '')) ELSE m.place END,
            'first_from', first.community_id, 'first_id', first.id, 'moves', m.moves + 1,
            'here_id', (SELECT known.id FROM matter known WHERE known.community_id = p_community
                AND (known.first_from = first.community_id AND known.first_id = first.id
                     OR first.community_id = p_community AND known.id = first.id)),
            'reporter_id', (SELECT there.person_id FROM membership own
                JOIN membership there ON there.login_id = own.login_id AND there.community_id = p_community
                JOIN person p ON p.community_id = there.community_id AND p.id = there.person_id AND p.status = 'active'
                WHERE own.community_id = first.community_id AND own.person_id = first.reporter_id ORDER BY there.created_at, p.id LIMIT 1))
        FROM matter m JOIN region here ON here.id = m.community_id
        JOIN matter first ON first.community_id = coalesce(m.first_from, m.community_id) AND first.id = coalesce(m.first_id, m.id)
        WHERE m.community_id = p_from AND m.id = p_matter AND m.status = 'refused' AND m.moved_to = p_community);
END
$$;

-- A gift for which nobody came in time, given back to who had brought it.
ALTER TABLE wish_gift
    ADD COLUMN returned_at timestamptz,
    ADD COLUMN returned_by uuid,               -- the login of the keeper who gave it back
    DROP CONSTRAINT wish_gift_ended,
    ADD CONSTRAINT wish_gift_ended CHECK (num_nonnulls(collected_at, undone_at, returned_at) <= 1);
DROP INDEX wish_gift_waiting, wish_gift_at_station;
CREATE UNIQUE INDEX wish_gift_waiting ON wish_gift (community_id, matter_id)
    WHERE collected_at IS NULL AND undone_at IS NULL AND returned_at IS NULL;
CREATE INDEX wish_gift_at_station ON wish_gift (community_id, station_id, waits_until, id)
    WHERE collected_at IS NULL AND undone_at IS NULL AND returned_at IS NULL;
CREATE INDEX wish_gift_returned ON wish_gift (community_id, station_id, returned_at) WHERE returned_at IS NOT NULL;
