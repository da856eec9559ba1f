-- Two further kinds of workbooks are imported: who reported in from which unit, and an old book of matters. What such an import has made
-- can be taken back as a whole, which the serving role cannot do by itself: it deletes neither reporting-in nor matters.
SET LOCAL ROLE timebank_owner;

ALTER TABLE import_run DROP CONSTRAINT import_run_kind,
    ADD CONSTRAINT import_run_kind CHECK (kind IN ('residents', 'hours', 'deeds', 'goods', 'members', 'matters'));
ALTER TABLE import_draft DROP CONSTRAINT import_draft_kind,
    ADD CONSTRAINT import_draft_kind CHECK (kind IN ('residents', 'hours', 'deeds', 'goods', 'members', 'matters'));

-- `import`: the answer of the resident as an old book holds it.
ALTER TABLE rating DROP CONSTRAINT rating_how,
    ADD CONSTRAINT rating_how CHECK (how IN ('phone', 'card', 'guardian', 'call', 'import'));

-- Whether the running transaction undoes this import of the community in the name of who administers it.
CREATE FUNCTION undoes_import(p_community uuid, p_run uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN may_administer(p_community)
        AND EXISTS (SELECT FROM import_work w WHERE w.community_id = p_community AND w.run_id = p_run AND w.verb = 'undo');
END
$$;

-- Removes those of these reportings-in that the import has made and that nobody has ended since; says which.
CREATE FUNCTION forget_imported_affiliations(p_community uuid, p_run uuid, p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT undoes_import(p_community, p_run) THEN
        RAISE EXCEPTION 'nobody who undoes this import' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY DELETE FROM affiliation a WHERE a.community_id = p_community AND a.id = ANY (p_ids) AND a.ended_on IS NULL
        AND EXISTS (SELECT FROM import_row r WHERE r.community_id = p_community AND r.run_id = p_run AND r.noun = 'affiliation'
                    AND r.noun_id = a.id)
        RETURNING a.id;
END
$$;

-- Those of these matters on which somebody has acted since they were imported, or that others refer to. What the clock has told alone
-- does not count.
CREATE FUNCTION imported_matters_used(p_community uuid, p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN QUERY
        SELECT s.matter_id FROM matter_step s WHERE s.community_id = p_community AND s.matter_id = ANY (p_ids)
            AND s.verb <> 'import' AND s.by_kind <> 'system'
        UNION SELECT h.matter_id FROM matter_helper h WHERE h.community_id = p_community AND h.matter_id = ANY (p_ids)
        UNION SELECT f.matter_id FROM matter_follow f WHERE f.community_id = p_community AND f.matter_id = ANY (p_ids)
        UNION SELECT g.matter_id FROM rating g WHERE g.community_id = p_community AND g.matter_id = ANY (p_ids) AND g.how <> 'import'
        UNION SELECT k.noun_id FROM spot_check k WHERE k.community_id = p_community AND k.noun = 'matter' AND k.noun_id = ANY (p_ids)
        UNION SELECT t.noun_id FROM attachment t WHERE t.community_id = p_community AND t.noun = 'matter' AND t.noun_id = ANY (p_ids)
        UNION SELECT m.merged_into FROM matter m WHERE m.community_id = p_community AND m.merged_into = ANY (p_ids);
END
$$;

-- Removes those of these matters that the import has made and on which nobody has acted since; says which.
CREATE FUNCTION forget_imported_matters(p_community uuid, p_run uuid, p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    unused uuid[];
BEGIN
    IF NOT undoes_import(p_community, p_run) THEN
        RAISE EXCEPTION 'nobody who undoes this import' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Every verb locks the matter first: whoever was before this is seen below, whoever comes after finds no matter.
    PERFORM FROM matter m WHERE m.community_id = p_community AND m.id = ANY (p_ids) ORDER BY m.id FOR UPDATE;
    unused := ARRAY(
        SELECT m.id FROM matter m JOIN import_row r ON r.community_id = p_community AND r.run_id = p_run AND r.noun = 'matter' AND r.noun_id = m.id
        WHERE m.community_id = p_community AND m.id = ANY (p_ids) AND m.channel = 'import'
          AND m.id NOT IN (SELECT u.id FROM imported_matters_used(p_community, p_ids) AS u (id)));
    DELETE FROM matter_step s WHERE s.community_id = p_community AND s.matter_id = ANY (unused);
    DELETE FROM rating g WHERE g.community_id = p_community AND g.matter_id = ANY (unused);
    RETURN QUERY DELETE FROM matter m WHERE m.community_id = p_community AND m.id = ANY (unused) RETURNING m.id;
END
$$;

REVOKE EXECUTE ON FUNCTION undoes_import, forget_imported_affiliations, imported_matters_used, forget_imported_matters FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_imported_affiliations, imported_matters_used, forget_imported_matters TO timebank_app;
