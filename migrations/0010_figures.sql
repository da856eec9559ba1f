-- Figures of a community that take reading its history: counted by the worker, stored, and shown with their time.

SET LOCAL ROLE timebank_owner;

CREATE TABLE community_figures (
    community_id uuid NOT NULL REFERENCES region (id),
    counted_at  timestamptz NOT NULL,
    expiring    bigint NOT NULL,               -- points that people can spend and that expire by the end of this year
    people_this_month integer NOT NULL,        -- people with an approved service record of this month
    PRIMARY KEY (community_id)
);
CALL protect_tenant_table('community_figures', 'SELECT, INSERT, UPDATE');

-- What is owed now: few of the debts that there were.
CREATE INDEX debt_owed ON debt (community_id, currency) WHERE repaid < amount;

-- A restored database has no statistics, and the server's own round may take a minute to begin: until then every plan
-- is a guess. The worker lets them be made at once. Tables that were never analysed are told by reltuples = -1.
CREATE FUNCTION analyze_new_tables() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found regclass;
    analysed integer := 0;
BEGIN
    FOR found IN
        SELECT c.oid::regclass FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.reltuples < 0
          AND c.relowner = 'timebank_owner'::regrole AND pg_relation_size(c.oid) > 0 ORDER BY c.oid
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', found);
        analysed := analysed + 1;
    END LOOP;
    RETURN analysed;
END
$$;
REVOKE EXECUTE ON FUNCTION analyze_new_tables FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyze_new_tables TO timebank_app;
