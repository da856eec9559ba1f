-- What the verbs that people wait for need, so that a request sends few statements.

SET LOCAL ROLE timebank_owner;

-- A device's time of use is noted by the statement that looks it up. Who knows the token is the device: nothing else is checked.
DROP FUNCTION device_seen;
CREATE FUNCTION device_used(p_community uuid, p_token_hash bytea, p_now timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE device d SET seen_at = p_now
    WHERE d.community_id = p_community AND d.token_hash = p_token_hash AND d.revoked_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION device_used FROM PUBLIC;
GRANT EXECUTE ON FUNCTION device_used TO timebank_app;
