-- Messages that an import tells: written at once for everybody, and gone with whom its undoing takes out of the book again.

SET LOCAL ROLE timebank_owner;

-- Without a foreign key: the import writes its own row last, when its report is known.
ALTER TABLE message ADD COLUMN import_id uuid;  -- the import, or its undoing, that told it: no sign that its reader has done anything

-- One message for each of these people, in the order of the arrays; the same key tells a person once.
CREATE FUNCTION tell_people(p_community uuid, p_kind text, p_import uuid, p_at timestamptz, p_ids uuid[], p_people uuid[], p_texts text[],
                            p_keys text[], p_abouts uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    INSERT INTO message (community_id, id, person_id, kind, text, about_id, key, created_at, import_id)
        SELECT p_community, m.id, m.person_id, p_kind, m.text, m.about_id, m.key, p_at, p_import
        FROM unnest(p_ids, p_people, p_texts, p_keys, p_abouts) AS m (id, person_id, text, key, about_id)
        ON CONFLICT (community_id, person_id, key) DO NOTHING;
END
$$;

-- Drops what imports have told those of these people whom this import has entered: they are about to leave the book with
-- it. It runs as the owner because the serving role deletes no message; what anybody else has told them stays.
CREATE FUNCTION forget_import_messages(p_community uuid, p_import uuid, p_people uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    DELETE FROM message m USING import_row r
        WHERE m.community_id = p_community AND m.person_id = ANY (p_people) AND m.import_id IS NOT NULL
          AND r.community_id = p_community AND r.run_id = p_import AND r.noun = 'person' AND r.noun_id = m.person_id
          AND EXISTS (SELECT FROM import_run i WHERE i.community_id = p_community AND i.id = p_import AND i.undone_at IS NULL);
END
$$;

REVOKE EXECUTE ON FUNCTION tell_people, forget_import_messages FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_people, forget_import_messages TO timebank_app;
