-- A browser that scanned two people is found by an index, not by reading the visits of two days. Visits are added all day, and one
-- check-out asks at once, so the index keeps no list of entries that still have to be sorted in.
SET LOCAL ROLE timebank_owner;

CREATE INDEX visit_marks ON visit USING gin (marks) WITH (fastupdate = off);

-- The visits of other people that one of these browsers or sessions scanned. Row-level security would keep the serving role from using
-- the index, so the owner reads, in a community that the transaction sees.
CREATE FUNCTION visits_marked(p_community uuid, p_person uuid, p_marks bytea[], p_begin timestamptz, p_end timestamptz)
    RETURNS TABLE (in_at timestamptz, out_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN QUERY SELECT v.in_at, v.out_at FROM visit v WHERE v.marks && p_marks AND v.community_id = p_community
        AND v.person_id <> p_person AND v.in_at > p_begin AND v.in_at < p_end;
END
$$;
REVOKE EXECUTE ON FUNCTION visits_marked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visits_marked TO timebank_app;

-- Every policy asks this. Its text is parsed here and put into the statement that asks, so that no search path has to be set for it.
CREATE OR REPLACE FUNCTION visible_communities() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('timebank.communities', true), '')::uuid[];
