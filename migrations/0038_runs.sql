-- An import writes in short batches, and so does its undoing: who opens the page sees how far it is, the worker carries on
-- what a stopped process has left, and the rows are written in the name of who started it.

SET LOCAL ROLE timebank_owner;

-- ------------------------------------------------------------------------------------------------------------ what ran

ALTER TABLE import_run
    ADD COLUMN ended_at timestamptz,           -- null: its rows are still being written
    ADD COLUMN stopped varchar(40);            -- the code of what kept it from writing the rest; null: it wrote all it could
UPDATE import_run SET ended_at = started_at;
CREATE POLICY started ON import_run AS RESTRICTIVE FOR INSERT TO timebank_app WITH CHECK (is_acting(started_by));
CREATE POLICY undone ON import_run AS RESTRICTIVE FOR UPDATE TO timebank_app USING (true) WITH CHECK (is_acting(undone_by));
REVOKE UPDATE ON import_run FROM timebank_app;
GRANT UPDATE (accepted, created, report, ended_at, stopped, undone_at, undone_by) ON import_run TO timebank_app;

-- ------------------------------------------------------------------------------------------------------------- what runs

-- The import, or the undoing of one, that a community has under way: one at a time, so that each sees what the one before it
-- has made. The row goes when it ends. `done` moves in the transaction that writes those rows, so a kill loses none.
CREATE TABLE import_work (
    community_id uuid PRIMARY KEY REFERENCES region (id),
    run_id      uuid NOT NULL,
    verb        varchar(8) NOT NULL CONSTRAINT import_work_verb CHECK (verb IN ('import', 'undo')),
    plan        bytea NOT NULL,                -- the rows to write, or the records to take back; AES-GCM
    done        integer NOT NULL,
    total       integer NOT NULL,
    created     integer NOT NULL,              -- rows that have made something new
    late        jsonb NOT NULL,                -- what was refused since the workbook was read; masked values only
    login_id    uuid,                          -- in whose name the rows are written; null: the operator's, by a command
    persons     uuid[] NOT NULL,               -- the resident records that this login stood for, the own one here first
    proof_hash  bytea,                         -- who shows this acts in that name
    proof_sealed bytea,                        -- what it is the hash of, under the secret key, which the database does not have
    proof_until timestamptz NOT NULL DEFAULT ledger_now() + interval '3 days',
    began_at    timestamptz NOT NULL,
    held_until  timestamptz NOT NULL,          -- until when the process that does it has it to itself
    CONSTRAINT import_work_run FOREIGN KEY (community_id, run_id) REFERENCES import_run (community_id, id),
    CONSTRAINT import_work_proof CHECK ((login_id IS NULL) = (proof_hash IS NULL) AND (login_id IS NULL) = (proof_sealed IS NULL))
);
CREATE INDEX import_work_run_id ON import_work (community_id, run_id);
CALL protect_tenant_table('import_work', 'DELETE');
GRANT SELECT (community_id, run_id, verb, plan, done, total, created, late, login_id, persons, proof_sealed, began_at, held_until),
    INSERT (community_id, run_id, verb, plan, done, total, created, late, login_id, persons, proof_hash, proof_sealed, began_at, held_until),
    UPDATE (done, created, late, held_until) ON import_work TO timebank_app;

-- The work whose proof the running transaction shows: set by timebank/database.py at BEGIN.
CREATE FUNCTION acting_work() RETURNS SETOF import_work
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shown text := nullif(current_setting('timebank.import', true), '');
BEGIN
    IF shown IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT w.* FROM import_work w
        WHERE w.community_id = ANY (visible_communities()) AND w.proof_hash = decode(shown, 'hex') AND w.proof_until > ledger_now();
END
$$;

-- As before, and whoever started the work whose proof is shown.
CREATE OR REPLACE FUNCTION acting_logins() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
BEGIN
    IF named IS NULL THEN RETURN coalesce((SELECT array_agg(w.login_id) FROM acting_work() w), '{}'); END IF;
    RETURN coalesce((SELECT array_agg(DISTINCT s.login_id) FROM session s
                     WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now()), '{}');
END
$$;

CREATE OR REPLACE FUNCTION is_acting(p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
BEGIN
    RETURN p_person IS NULL OR is_operator()
        OR EXISTS (SELECT FROM session s JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
                   WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now() AND m.person_id = p_person)
        OR EXISTS (SELECT FROM session s JOIN membership_question q ON q.login_id = s.login_id AND q.community_id = ANY (s.opens)
                   WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now() AND q.person_id = p_person
                     AND q.declined_at IS NULL)
        OR EXISTS (SELECT FROM counter_sign_on o JOIN membership m ON m.community_id = o.community_id AND m.login_id = o.login_id
                   WHERE o.community_id = ANY (visible_communities()) AND o.device_id = acting_device() AND m.person_id = p_person)
        OR EXISTS (SELECT FROM acting_work() w JOIN membership m ON m.login_id = w.login_id
                   WHERE m.person_id = p_person AND p_person = ANY (w.persons));
END
$$;

-- As before, and of who started the work whose proof is shown: the roles of now, over the work's community alone.
CREATE OR REPLACE FUNCTION acting_grants() RETURNS SETOF role_grant
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.* FROM session s
    JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
    JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
    JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
    WHERE s.id = ANY (nullif(current_setting('timebank.sessions', true), '')::uuid[]) AND s.ended_at IS NULL AND s.expires_at > ledger_now()
      AND g.ended_at IS NULL AND g.starts_on <= ledger_now()::date + 1 AND (g.ends_on IS NULL OR g.ends_on >= ledger_now()::date - 1)
    UNION ALL
    SELECT g.* FROM acting_work() w
    JOIN membership m ON m.login_id = w.login_id AND m.person_id = ANY (w.persons)
    JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
    JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
    JOIN region here ON here.id = w.community_id AND (g.region_id = ANY (here.path) OR g.region_id IS NULL AND g.community_id = here.id)
    WHERE g.ended_at IS NULL AND g.starts_on <= ledger_now()::date + 1 AND (g.ends_on IS NULL OR g.ends_on >= ledger_now()::date - 1)
$$;

-- Who started the work whose proof is shown, and what they may in its community now; nothing where they may nothing any more.
CREATE FUNCTION import_actor(p_today date, OUT login_id uuid, OUT persons jsonb, OUT grants jsonb) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT w.login_id,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('community_id', m.community_id, 'person_id', m.person_id, 'name', p.name,
                'community_name', r.name, 'household_id', p.household_id) ORDER BY array_position(w.persons, m.person_id)), '[]')
         FROM membership m JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
         JOIN region r ON r.id = m.community_id
         WHERE m.login_id = w.login_id AND m.person_id = ANY (w.persons)),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'community_id', w.community_id, 'area_id', g.area_id,
                'station_id', g.station_id, 'community_name', here.name)), '[]')
         FROM acting_grants() g WHERE g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today))
    FROM acting_work() w JOIN region here ON here.id = w.community_id
$$;

-- Work is begun by who administers the community, in the own name; by a command it is nobody's and gives nobody's rights.
CREATE POLICY begun ON import_work AS RESTRICTIVE FOR INSERT TO timebank_app WITH CHECK (
    login_id IS NULL OR (is_acting_login(login_id) AND may_administer(community_id)
                         AND NOT EXISTS (SELECT FROM unnest(persons) AS p (id) WHERE NOT is_acting(p.id))));

-- The communities whose work no process has to itself, and that the worker may carry on.
CREATE FUNCTION imports_left(p_now timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT w.community_id FROM import_work w WHERE w.held_until <= p_now AND w.login_id IS NOT NULL ORDER BY w.began_at
$$;

-- Those of these phones whose login somebody holds: a record entered with one would wait for that holder (see login_enter).
CREATE FUNCTION phones_held(p_community uuid, p_indexes bytea[]) RETURNS SETOF bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT may_administer(p_community) THEN
        RAISE EXCEPTION 'nobody who administers this community' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT l.phone_index FROM login l WHERE l.phone_index = ANY (p_indexes)
        AND EXISTS (SELECT FROM membership m WHERE m.login_id = l.id AND (m.community_id <> p_community OR login_is_used(l.id)));
END
$$;

-- ------------------------------------------------------------------------------------------------------------ the rest

-- An import holds its own row now, and not its community's.
DROP POLICY locked ON region;
REVOKE UPDATE (created_at) ON region FROM timebank_app;

-- When a worker was last at work: a page says when none is, and what waits for it.
ALTER TABLE installation ADD COLUMN worker_seen_at timestamptz;
GRANT UPDATE (worker_seen_at) ON installation TO timebank_app;

REVOKE EXECUTE ON FUNCTION acting_work, import_actor, imports_left, phones_held FROM PUBLIC;
GRANT EXECUTE ON FUNCTION import_actor, imports_left, phones_held TO timebank_app;
