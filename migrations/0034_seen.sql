-- When a device was last used is noted by the device itself, and read by who may see it.

SET LOCAL ROLE timebank_owner;

GRANT SELECT (seen_at) ON device TO timebank_app;

CREATE FUNCTION device_seen(p_community uuid, p_device uuid, p_now timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE device d SET seen_at = p_now
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.id = p_device AND d.id = acting_device()
$$;
REVOKE EXECUTE ON FUNCTION device_seen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION device_seen TO timebank_app;
