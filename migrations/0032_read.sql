-- Who has read the station's code elsewhere than on its screen, and so may have passed it on, decides nothing about a visit
-- by that code. The readings themselves are dropped after a day; the visit keeps whose they were.

SET LOCAL ROLE timebank_owner;

-- Logins or devices, as in code_reading.
ALTER TABLE visit ADD COLUMN read_by uuid[] NOT NULL DEFAULT '{}';

-- Of before, once: what the audit knows of readings up to half a minute before either end.
UPDATE visit v SET read_by = ARRAY(
        SELECT DISTINCT a.login_id FROM audit a
        WHERE a.community_id = v.community_id AND a.verb = 'read_code' AND a.noun_id = v.station_id AND a.login_id IS NOT NULL
          AND (a.at BETWEEN v.in_at - interval '30 seconds' AND v.in_at
               OR a.at BETWEEN v.out_at - interval '30 seconds' AND v.out_at))
    WHERE 'code_read_by_staff' = ANY (v.flags);

-- Who cares for a child that lives elsewhere is as near to it as who lives with it: the points of the child are spent by the
-- code on the guardian's phone. Nearness takes no right from anybody, so the age is not asked here.
CREATE OR REPLACE FUNCTION agreement_side(p_community uuid, p_login uuid, p_person uuid, OUT persons uuid[], OUT households uuid[], OUT hands uuid[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE own AS (
        SELECT p_login AS id WHERE p_login IS NOT NULL
        UNION SELECT m.login_id FROM membership m WHERE m.person_id = p_person
    ), record AS (
        SELECT p_community AS community_id, p_person AS id WHERE p_person IS NOT NULL
        UNION SELECT m.community_id, m.person_id FROM membership m JOIN own ON own.id = m.login_id
    ), hand AS (
        SELECT id FROM own
        UNION SELECT l.opened_by_login FROM hand JOIN login l ON l.id = hand.id
              WHERE l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL
    )
    SELECT ARRAY(SELECT id FROM record),
           ARRAY(SELECT p.household_id FROM record r JOIN person p ON p.community_id = r.community_id AND p.id = r.id
                 WHERE p.household_id IS NOT NULL
                 UNION SELECT v.from_household FROM record r JOIN household_move v ON v.community_id = r.community_id AND v.person_id = r.id
                 UNION SELECT c.household_id FROM record r
                       JOIN guardianship g ON g.community_id = r.community_id AND g.guardian_id = r.id
                            AND g.consented_at IS NOT NULL AND g.ended_at IS NULL
                       JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id AND c.household_id IS NOT NULL),
           ARRAY(SELECT id FROM hand)
    WHERE p_community = ANY (visible_communities())
$$;
REVOKE EXECUTE ON FUNCTION agreement_side FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_side TO timebank_app;
