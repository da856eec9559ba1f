-- A message is stored as the kind of its sentence and the values in it, and put into words for each reader in the
-- reader's language. What is not urgent becomes visible after the quiet hours.

SET LOCAL ROLE timebank_owner;

ALTER TABLE message ALTER COLUMN text DROP NOT NULL;
ALTER TABLE message
    ADD COLUMN sentence varchar(60),           -- the kind of its sentence in the manifests; null: its text, of before
    ADD COLUMN said jsonb,                     -- the values of the sentence
    ADD COLUMN urgent boolean NOT NULL DEFAULT false,
    ADD COLUMN due_at timestamptz;             -- from when on it is visible
UPDATE message SET due_at = created_at;
ALTER TABLE message ALTER COLUMN due_at SET NOT NULL, ALTER COLUMN urgent DROP DEFAULT;
ALTER TABLE message
    ADD CONSTRAINT message_in_words CHECK (num_nonnulls(text, sentence) = 1 AND (sentence IS NULL) = (said IS NULL)),
    ADD CONSTRAINT message_said_size CHECK (octet_length(said::text) <= 32768);

-- A list shows what is due, newest first, and counts what of it is unread.
DROP INDEX message_person_new, message_unread;
CREATE INDEX message_person_new ON message (community_id, person_id, due_at, id);
CREATE INDEX message_unread ON message (community_id, person_id, due_at, id) WHERE read_at IS NULL;

-- A message that is about to be stored.
CREATE TYPE message_to_store AS (
    community_id uuid, id uuid, person_id uuid, sentence text, said jsonb, about_id uuid, key text, kind text, created_at timestamptz,
    due_at timestamptz, urgent boolean, import_id uuid
);

-- Stores messages, once per person and key, and returns how many it has stored. Every message is stored here: what brings
-- messages to their readers by another way begins here, for each from its due_at on.
CREATE FUNCTION store_messages(p_messages message_to_store[]) RETURNS integer
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    stored integer;
BEGIN
    INSERT INTO message (community_id, id, person_id, kind, sentence, said, about_id, key, created_at, due_at, urgent, import_id)
        SELECT m.community_id, m.id, m.person_id, m.kind, m.sentence, m.said, m.about_id, m.key, m.created_at, m.due_at, m.urgent,
               m.import_id
        FROM unnest(p_messages) m
        ON CONFLICT (community_id, person_id, key) DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    RETURN stored;
END
$$;

-- What HTTP calls the kind of a message: the kind of its sentence up to the first dot.
CREATE FUNCTION message_kind(p_sentence text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT split_part(p_sentence, '.', 1) $$;

DROP FUNCTION tell_people(uuid, text, uuid, timestamptz, uuid[], uuid[], text[], text[], uuid[]);

-- One message for each of these people, in the order of the arrays. Guardians whose consent is in force get a copy of each
-- message to a child under 14, in which the child's message is a part. What is written to one of the writer's own records
-- (p_own) is due at once, anything else from p_due on.
CREATE FUNCTION tell_people(p_community uuid, p_import uuid, p_now timestamptz, p_due timestamptz, p_today date, p_urgent boolean,
                            p_own uuid[], p_ids uuid[], p_people uuid[], p_sentences text[], p_said text[], p_keys text[],
                            p_abouts uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM store_messages(array_agg(ROW(
            p_community, e.id, e.person_id, e.sentence, e.said, e.about_id, e.key, e.kind, p_now,
            CASE WHEN e.person_id = ANY (p_own) THEN p_now ELSE p_due END, p_urgent, p_import)::message_to_store ORDER BY e.n, e.copy))
        FROM (
            SELECT m.n, 0 AS copy, m.id, m.person_id, m.sentence, m.said::jsonb AS said, m.about_id, m.key, message_kind(m.sentence) AS kind
            FROM unnest(p_ids, p_people, p_sentences, p_said, p_keys, p_abouts) WITH ORDINALITY
                AS m (id, person_id, sentence, said, key, about_id, n)
            UNION ALL
            -- The copy's id begins like the message's own, so that messages stay in the order in which they were written.
            SELECT m.n, 1, (left(m.id::text, 19) || substr(gen_random_uuid()::text, 20))::uuid, g.guardian_id, 'for_child',
                   jsonb_build_object('child', p.name, 'message', jsonb_build_object('kind', m.sentence, 'values', m.said::jsonb)),
                   m.about_id, m.key, message_kind(m.sentence)
            FROM unnest(p_ids, p_people, p_sentences, p_said, p_keys, p_abouts) WITH ORDINALITY
                AS m (id, person_id, sentence, said, key, about_id, n)
            JOIN person p ON p.community_id = p_community AND p.id = m.person_id AND p.born_on > p_today - interval '14 years'
            JOIN guardianship g ON g.community_id = p_community AND g.child_id = p.id AND g.consented_at IS NOT NULL AND g.ended_at IS NULL
        ) e;
END
$$;

DROP FUNCTION login_tell(uuid, text, text, text, timestamptz);

-- Notifies every record of a login, also in communities that the caller does not see, of what happened to the login: at
-- once, since it may be in a stranger's hands.
CREATE FUNCTION login_tell(p_login uuid, p_sentence text, p_said text, p_key text, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF message_kind(p_sentence) NOT IN ('sign_in_code', 'phone_changed', 'membership_asked', 'login_confirmed') THEN
        RAISE EXCEPTION 'no message of a login: %', p_sentence;
    END IF;
    PERFORM store_messages(array_agg(ROW(
            m.community_id, uuid_v7(p_now), m.person_id, p_sentence, p_said::jsonb, NULL, p_key, message_kind(p_sentence), p_now, p_now,
            true, NULL)::message_to_store))
        FROM membership m WHERE m.login_id = p_login;
END
$$;

-- Notifies everybody who holds one of the roles in force for a place, never the writer (p_own). The place is an area or a
-- station, or neither: the whole community. A grant over the community or a region above it is in force for every place
-- there, one over an area for the areas and stations in it. Each holder is notified in the community of their own record,
-- which may be another one. Returns how many were notified.
CREATE FUNCTION tell_holders(p_community uuid, p_roles text[], p_area uuid, p_station uuid, p_now timestamptz, p_due timestamptz,
                             p_today date, p_urgent boolean, p_own uuid[], p_sentence text, p_said text, p_key text, p_about uuid)
    RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN store_messages(array_agg(ROW(
            h.community_id, uuid_v7(p_now), h.person_id, p_sentence, p_said::jsonb, p_about, p_key, message_kind(p_sentence), p_now, p_due,
            p_urgent, NULL)::message_to_store))
        FROM (
            SELECT g.community_id, g.person_id FROM region here JOIN role_grant g ON g.region_id = ANY (here.path)
            WHERE here.id = p_community AND g.role = ANY (p_roles) AND g.ended_at IS NULL
              AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
            UNION
            SELECT g.community_id, g.person_id FROM role_grant g
            WHERE g.community_id = p_community AND g.role = ANY (p_roles) AND g.ended_at IS NULL
              AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
              AND (g.station_id = p_station OR g.area_id IN (
                  SELECT unnest(a.path) FROM area a WHERE a.community_id = p_community AND a.id = coalesce(p_area, (
                      SELECT s.area_id FROM station s WHERE s.community_id = p_community AND s.id = p_station))))
        ) h JOIN person p ON p.community_id = h.community_id AND p.id = h.person_id AND p.status = 'active'
        WHERE h.person_id <> ALL (p_own);
END
$$;

REVOKE EXECUTE ON FUNCTION tell_people, login_tell, tell_holders, store_messages, message_kind FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_people, login_tell, tell_holders TO timebank_app;
