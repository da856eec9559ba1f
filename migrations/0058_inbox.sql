-- Many waiting rows are decided together: chosen at once, pending for a minute, then decided one after the other by the worker, in the
-- name of who decided.

SET LOCAL ROLE timebank_owner;

-- One row for each decision about many. What was chosen is in mass_decision_item.
CREATE TABLE mass_decision (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    noun        varchar(40) NOT NULL,
    decision    varchar(8) NOT NULL CONSTRAINT mass_decision_decision CHECK (decision IN ('approve', 'reject')),
    note        varchar(500) NOT NULL,
    asked       jsonb NOT NULL,                -- the filter that was shown
    status      varchar(8) NOT NULL CONSTRAINT mass_decision_status CHECK (status IN ('pending', 'running', 'done', 'stopped', 'undone')),
    stopped     varchar(40),                   -- the code of what stopped it
    chosen      integer NOT NULL,
    done        integer NOT NULL DEFAULT 0,
    refused     integer NOT NULL DEFAULT 0,
    login_id    uuid NOT NULL,                 -- in whose name the rows are decided
    persons     uuid[] NOT NULL,               -- the resident records that this login stood for, the own one here first
    decided_by  uuid,
    proof_hash  bytea NOT NULL,                -- who shows this acts in that name while the decision is pending or running
    proof_sealed bytea NOT NULL,               -- what it is the hash of, under the secret key, which the database does not have
    proof_until timestamptz NOT NULL DEFAULT ledger_now() + interval '3 days',
    decided_at  timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,          -- until then it can be undone, and nothing is decided
    ended_at    timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT mass_decision_stopped CHECK ((status = 'stopped') = (stopped IS NOT NULL)),
    CONSTRAINT mass_decision_ended CHECK ((status IN ('pending', 'running')) = (ended_at IS NULL))
);
CREATE INDEX mass_decision_due ON mass_decision (community_id, due_at) WHERE ended_at IS NULL;
CREATE INDEX mass_decision_proof ON mass_decision (proof_hash) WHERE ended_at IS NULL;
CREATE INDEX mass_decision_newest ON mass_decision (community_id, decided_at, id);

-- The rows that a decision is about, in the order in which they are decided: that of the people whose rows are locked.
CREATE TABLE mass_decision_item (
    community_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    noun_id     uuid NOT NULL,
    place       integer NOT NULL,
    outcome     varchar(8) CONSTRAINT mass_decision_item_outcome CHECK (outcome IN ('done', 'refused', 'left')),
    refusal     varchar(40),                   -- the code of why it was refused
    PRIMARY KEY (community_id, decision_id, noun_id),
    CONSTRAINT mass_decision_item_decision FOREIGN KEY (community_id, decision_id) REFERENCES mass_decision (community_id, id),
    CONSTRAINT mass_decision_item_refusal CHECK ((outcome IS NOT DISTINCT FROM 'refused') = (refusal IS NOT NULL))
);
CREATE INDEX mass_decision_item_left ON mass_decision_item (community_id, decision_id, place) WHERE outcome IS NULL;
CREATE INDEX mass_decision_item_refused ON mass_decision_item (community_id, decision_id, place) WHERE outcome = 'refused';
CREATE INDEX mass_decision_item_noun ON mass_decision_item (community_id, noun_id) WHERE outcome IS NULL;

CALL protect_tenant_table('mass_decision_item', 'SELECT, INSERT');
GRANT UPDATE (outcome, refusal) ON mass_decision_item TO timebank_app;
ALTER TABLE mass_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mass_decision TO timebank_app USING (community_id = ANY ((SELECT visible_communities())::uuid[]));
GRANT SELECT (community_id, id, noun, decision, note, asked, status, stopped, chosen, done, refused, login_id, persons, decided_by,
              proof_sealed, decided_at, due_at, ended_at),
    INSERT (community_id, id, noun, decision, note, asked, status, chosen, login_id, persons, decided_by, proof_hash, proof_sealed,
            decided_at, due_at),
    UPDATE (status, stopped, done, refused, ended_at) ON mass_decision TO timebank_app;

-- Who decides is who administers the community, in the own name.
CREATE POLICY begun ON mass_decision AS RESTRICTIVE FOR INSERT TO timebank_app WITH CHECK (
    is_acting_login(login_id) AND may_administer(community_id) AND are_acting(persons) AND is_acting(decided_by));

-- Whose proof the running transaction shows: who started an import that is under way, or who decided what is not yet carried out.
CREATE FUNCTION acting_proofs(OUT community_id uuid, OUT login_id uuid, OUT persons uuid[]) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shown constant bytea := decode(nullif(current_setting('timebank.import', true), ''), 'hex');
BEGIN
    IF shown IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT w.community_id, w.login_id, w.persons FROM acting_work() w;
    RETURN QUERY SELECT d.community_id, d.login_id, d.persons FROM mass_decision d
        WHERE d.proof_hash = shown AND d.ended_at IS NULL AND d.community_id = ANY (visible_communities()) AND d.proof_until > ledger_now();
END
$$;
REVOKE EXECUTE ON FUNCTION acting_proofs FROM PUBLIC;

-- As before, with whoever decided what is not yet carried out.
CREATE OR REPLACE FUNCTION acting_logins() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
BEGIN
    IF named IS NULL THEN RETURN coalesce((SELECT array_agg(w.login_id) FROM acting_proofs() w), '{}'); END IF;
    RETURN coalesce((SELECT array_agg(DISTINCT s.login_id) FROM session s
                     WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > ledger_now()), '{}');
END
$$;

CREATE OR REPLACE FUNCTION is_acting(p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named constant uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
    here constant uuid[] := visible_communities();
    now constant timestamptz := ledger_now();
    shown constant uuid := acting_device();
BEGIN
    IF p_person IS NULL OR is_operator() THEN RETURN true; END IF;
    IF EXISTS (SELECT FROM session s JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
               WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > now AND m.person_id = p_person)
       OR EXISTS (SELECT FROM session s JOIN membership_question q ON q.login_id = s.login_id AND q.community_id = ANY (s.opens)
               WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > now AND q.person_id = p_person
                 AND q.declined_at IS NULL) THEN
        RETURN true;
    END IF;
    IF shown IS NOT NULL AND EXISTS (
        SELECT FROM counter_sign_on o JOIN membership m ON m.community_id = o.community_id AND m.login_id = o.login_id
        WHERE o.community_id = ANY (here) AND o.device_id = shown AND m.person_id = p_person) THEN
        RETURN true;
    END IF;
    RETURN EXISTS (SELECT FROM acting_proofs() w JOIN membership m ON m.login_id = w.login_id
                   WHERE m.person_id = p_person AND p_person = ANY (w.persons));
END
$$;

CREATE OR REPLACE FUNCTION acting_grants() RETURNS SETOF role_grant
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named constant uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
    now constant timestamptz := ledger_now();
    mine record;
    shown record;
BEGIN
    FOR mine IN SELECT m.community_id, m.person_id FROM session s
                JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
                WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > now LOOP
        RETURN QUERY SELECT * FROM grants_in_force(mine.community_id, mine.person_id, now::date - 1, now::date + 1);
    END LOOP;
    IF nullif(current_setting('timebank.import', true), '') IS NULL THEN RETURN; END IF;
    FOR shown IN SELECT w.community_id, w.login_id, w.persons, r.path FROM acting_proofs() w JOIN region r ON r.id = w.community_id LOOP
        FOR mine IN SELECT m.community_id, m.person_id FROM membership m
                    WHERE m.login_id = shown.login_id AND m.person_id = ANY (shown.persons) LOOP
            RETURN QUERY SELECT g.* FROM grants_in_force(mine.community_id, mine.person_id, now::date - 1, now::date + 1) g
                WHERE g.region_id = ANY (shown.path) OR g.region_id IS NULL AND g.community_id = shown.community_id;
        END LOOP;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION import_actor(p_today date, OUT login_id uuid, OUT persons jsonb, OUT grants jsonb, OUT addressed jsonb)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    started record;
    mine record;
BEGIN
    FOR started IN SELECT w.community_id, w.login_id, w.persons FROM acting_proofs() w LOOP
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

-- The rows that an import has made are found by their id, and the rows that wait with doubts before those without, oldest first.
CREATE INDEX import_row_noun ON import_row (community_id, noun_id);
CREATE INDEX service_record_waiting ON service_record (community_id, (flags = '{}'), created_at, id) WHERE status = 'pending';

-- The communities in which a decision's minute is over and its rows are not all decided.
CREATE FUNCTION mass_decisions_due(p_now timestamptz) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT d.community_id FROM mass_decision d WHERE d.ended_at IS NULL AND d.due_at <= p_now
        GROUP BY d.community_id ORDER BY min(d.due_at);
END
$$;
REVOKE EXECUTE ON FUNCTION mass_decisions_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mass_decisions_due TO timebank_app;
