-- Presence: a visit keeps the hours under which it began, and one login that is in two communities at once is seen.

SET LOCAL ROLE timebank_owner;

-- The opening hours that a visit is judged by: those of its station when it began, or longer ones that were set while it
-- was open. Hours that change later mint no minute and take none. Visits of before get the hours of today.
ALTER TABLE visit ADD COLUMN opens_at time, ADD COLUMN closes_at time;
UPDATE visit v SET opens_at = s.opens_at, closes_at = s.closes_at FROM station s
    WHERE s.community_id = v.community_id AND s.id = v.station_id;
ALTER TABLE visit ALTER COLUMN opens_at SET NOT NULL, ALTER COLUMN closes_at SET NOT NULL;

-- Whether a login of this person was, as another resident, in another community at the time: on a visit, or by hours that
-- were entered. It answers yes or no and names nobody: what happens in another community is not the caller's to read.
CREATE FUNCTION present_elsewhere(p_community uuid, p_person uuid, p_begin timestamptz, p_end timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    -- No visit and no record is longer than a day.
    RETURN EXISTS (
        SELECT FROM membership mine
        JOIN membership other ON other.login_id = mine.login_id AND other.community_id <> mine.community_id
        JOIN visit v ON v.community_id = other.community_id AND v.person_id = other.person_id
        WHERE mine.community_id = p_community AND mine.person_id = p_person AND v.status <> 'void'
          AND v.in_at > p_begin - interval '1 day' AND v.in_at < p_end AND (v.out_at IS NULL OR v.out_at > p_begin)
    ) OR EXISTS (
        SELECT FROM membership mine
        JOIN membership other ON other.login_id = mine.login_id AND other.community_id <> mine.community_id
        JOIN service_record r ON r.community_id = other.community_id AND r.person_id = other.person_id
        WHERE mine.community_id = p_community AND mine.person_id = p_person
          AND r.visit_id IS NULL AND r.status NOT IN ('rejected', 'reversed', 'withdrawn')
          AND r.started_at > p_begin - interval '1 day' AND r.started_at < p_end AND r.ended_at > p_begin
    );
END $$;
REVOKE EXECUTE ON FUNCTION present_elsewhere FROM PUBLIC;
GRANT EXECUTE ON FUNCTION present_elsewhere TO timebank_app;
