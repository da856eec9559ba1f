-- The outbox: what a verb leaves, in its own transaction, for the worker to deliver afterwards. A row is there if and only if the verb's
-- changes are, so nothing is sent for what was rolled back and nothing is lost that was committed.

SET LOCAL ROLE timebank_owner;

CREATE TABLE outbox (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kind        varchar(40) NOT NULL,          -- which capability delivers it: `deliveries` of its manifest
    key         varchar(160) NOT NULL,         -- what it is, so that it is delivered once however often it is put
    to_community uuid REFERENCES region (id),  -- whose outbox gets it: a verb touches one community
    from_community uuid REFERENCES region (id), -- whose outbox it came from
    payload     jsonb NOT NULL,                -- ids, numbers and words of the code; nothing that names a person
    created_at  timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,          -- not before; moved on by each attempt
    attempts    smallint NOT NULL DEFAULT 0,   -- begun ones, also those of a worker that was killed
    last_error  jsonb,                         -- code and numbers of the last failure
    done_at     timestamptz,
    dead_at     timestamptz,                   -- no further attempt until an administrator wants one
    given_up_at timestamptz,                   -- an administrator wants none
    PRIMARY KEY (community_id, id),
    CONSTRAINT outbox_key_unique UNIQUE NULLS NOT DISTINCT (community_id, kind, key, from_community),
    CONSTRAINT outbox_one_way CHECK (num_nonnulls(to_community, from_community) <= 1 AND to_community <> community_id),
    CONSTRAINT outbox_ended CHECK (num_nonnulls(done_at, dead_at) <= 1 AND (given_up_at IS NULL OR dead_at IS NOT NULL))
);
CREATE INDEX outbox_due ON outbox (community_id, due_at, id) WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (community_id, dead_at, id) WHERE dead_at IS NOT NULL AND given_up_at IS NULL;
CREATE INDEX outbox_ended ON outbox (community_id, coalesce(done_at, given_up_at)) WHERE done_at IS NOT NULL OR given_up_at IS NOT NULL;
CALL protect_tenant_table('outbox', 'SELECT, DELETE');
GRANT INSERT (community_id, id, kind, key, to_community, from_community, payload, created_at, due_at),
    UPDATE (due_at, attempts, last_error, done_at, dead_at, given_up_at) ON outbox TO timebank_app;
-- What has not ended is not deleted.
CREATE POLICY purged ON outbox AS RESTRICTIVE FOR DELETE TO timebank_app USING (done_at IS NOT NULL OR given_up_at IS NOT NULL);

-- As before; where the community lets the push gateway know of new messages, each is put into the outbox when it is stored.
CREATE OR REPLACE FUNCTION store_messages(p_messages message_to_store[]) RETURNS integer
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    stored integer;
BEGIN
    WITH kept AS (
        INSERT INTO message (community_id, id, person_id, kind, sentence, said, about_id, key, created_at, due_at, urgent, import_id)
            SELECT m.community_id, m.id, m.person_id, m.kind, m.sentence, m.said, m.about_id, m.key, m.created_at, m.due_at, m.urgent,
                   m.import_id
            FROM unnest(p_messages) m
            ON CONFLICT (community_id, person_id, key) DO NOTHING RETURNING community_id, id, created_at, due_at
    ), put AS (
        INSERT INTO outbox (community_id, id, kind, key, payload, created_at, due_at)
            SELECT k.community_id, k.id, 'message', k.id::text, jsonb_build_object('message_id', k.id), k.created_at, k.due_at
            FROM kept k JOIN policy p ON p.community_id = k.community_id AND p.name = 'pushes_messages' AND p.value = 1
            ON CONFLICT DO NOTHING
    )
    SELECT count(*) INTO stored FROM kept;
    RETURN stored;
END
$$;
