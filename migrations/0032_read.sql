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
