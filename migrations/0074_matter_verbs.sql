-- What the verbs of matters ask of rows that the serving role does not see or change.
SET LOCAL ROLE timebank_owner;

-- Who may gain by a matter: who spoke, whom it is for, who handles it, who helps.
CREATE FUNCTION matter_people(p_community uuid, p_matter uuid) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT array_remove(ARRAY[m.reporter_id, m.for_person_id, m.assignee_id] || ARRAY(
        SELECT h.person_id FROM matter_helper h WHERE h.community_id = m.community_id AND h.matter_id = m.id AND h.left_at IS NULL), NULL)
        FROM matter m WHERE m.community_id = p_community AND m.id = p_matter);
END
$$;

-- Lock people and then a matter: those that are named, and with `p_gains` all who may gain by it. False where others gain by it once it
-- is locked, null where there is no such matter.
CREATE FUNCTION lock_matter(p_community uuid, p_matter uuid, p_people uuid[], p_gains boolean) RETURNS boolean
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    people uuid[] := p_people;
BEGIN
    IF p_gains THEN
        people := people || coalesce(matter_people(p_community, p_matter), '{}');
    END IF;
    PERFORM FROM person p WHERE p.community_id = p_community AND p.id = ANY (people) ORDER BY p.id FOR NO KEY UPDATE;
    PERFORM FROM matter m WHERE m.community_id = p_community AND m.id = p_matter FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NOT p_gains OR matter_people(p_community, p_matter) <@ people;
END
$$;

-- Whether somebody dispatches in a community: a head of one of its grids, or its administrator, who may live elsewhere.
CREATE FUNCTION community_has_dispatcher(p_community uuid, p_today date) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM role_grant g WHERE g.ended_at IS NULL AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
        AND ((g.community_id = p_community AND g.role = 'grid_head') OR (g.region_id = p_community AND g.role = 'community_admin')));
END
$$;

-- One message to each contact of a unit who serves the community, in the community where the contact is registered.
CREATE FUNCTION tell_contacts(p_community uuid, p_unit uuid, p_now timestamptz, p_due timestamptz, p_today date, p_urgent boolean,
                              p_own uuid[], p_sentence text, p_said text, p_key text, p_about uuid)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN store_messages(array_agg(ROW(
            h.community_id, uuid_v7(p_now), h.person_id, p_sentence, p_said::jsonb, p_about, p_key, message_kind(p_sentence), p_now, p_due,
            p_urgent, NULL)::message_to_store))
        FROM (
            SELECT DISTINCT g.community_id, g.person_id FROM region here JOIN role_grant g ON g.region_id = ANY (here.path)
            WHERE here.id = p_community AND g.role = 'unit_contact' AND g.unit_id = p_unit AND g.ended_at IS NULL
              AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
        ) h JOIN person p ON p.community_id = h.community_id AND p.id = h.person_id AND p.status = 'active'
        WHERE h.person_id <> ALL (p_own);
END
$$;

-- Words, places and notes of matters that ended before a moment are emptied, at most `p_most` of them; the counts stay.
CREATE FUNCTION forget_matter_words(p_community uuid, p_before timestamptz, p_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended uuid[];
BEGIN
    PERFORM ledger_permit(p_community);
    ended := ARRAY(
        SELECT m.id FROM matter m WHERE m.community_id = p_community AND m.closed_at < p_before AND (m.said <> '' OR m.place <> '' OR m.result <> '')
        ORDER BY m.closed_at LIMIT p_most FOR NO KEY UPDATE SKIP LOCKED);
    UPDATE matter m SET said = '', place = '', result = CASE WHEN m.result IS NULL THEN NULL ELSE '' END
        WHERE m.community_id = p_community AND m.id = ANY (ended);
    UPDATE matter_step s SET note = NULL WHERE s.community_id = p_community AND s.matter_id = ANY (ended) AND s.note IS NOT NULL;
    UPDATE rating r SET words = NULL WHERE r.community_id = p_community AND r.matter_id = ANY (ended) AND r.words IS NOT NULL;
    RETURN cardinality(ended);
END
$$;
CREATE INDEX matter_ended ON matter (community_id, closed_at, id) WHERE closed_at IS NOT NULL;

REVOKE EXECUTE ON FUNCTION matter_people, lock_matter, community_has_dispatcher, tell_contacts, forget_matter_words FROM PUBLIC;
GRANT EXECUTE ON FUNCTION matter_people, lock_matter, community_has_dispatcher, tell_contacts, forget_matter_words TO timebank_app;
