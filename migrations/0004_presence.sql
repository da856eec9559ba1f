-- Presence: opening hours past midnight, what a scan says of its clock, who corrected a record, and withdrawing instead of deleting.

SET LOCAL ROLE timebank_owner;

-- ------------------------------------------------------------------------------------------------------- opening hours

-- A closing time that is not later than the opening time is of the next day; equal times are open around the clock.
-- '24:00' is a time to PostgreSQL and to nobody else here: midnight is written 00:00.
ALTER TABLE station DROP CONSTRAINT station_hours;
ALTER TABLE station ADD CONSTRAINT station_hours CHECK (opens_at < '24:00' AND closes_at < '24:00');

-- --------------------------------------------------------------------------------------------------------------- visits

-- Why somebody looks at a visit, as far as its own scans say so: offline, offline_late, skew, forgotten_check_out, corrected_end.
ALTER TABLE visit ADD COLUMN flags text[] NOT NULL DEFAULT '{}';
ALTER TABLE visit DROP CONSTRAINT visit_out_by;
ALTER TABLE visit ADD CONSTRAINT visit_out_by CHECK (out_by IN ('station_code', 'personal_code', 'card', 'keeper', 'closing_time', 'corrected'));
UPDATE visit v SET flags = ARRAY['offline_late'] FROM scan s
    WHERE v.status = 'open' AND s.community_id = v.community_id AND s.visit_id = v.id
      AND s.received_at - s.scanned_at > interval '15 minutes';

-- scanned_at is the moment that the server counts from; these two say how it was found for a scan that waited on a device.
ALTER TABLE scan
    ADD COLUMN device_at timestamptz,          -- when it was made, by the device's own clock
    ADD COLUMN skew_seconds bigint;            -- the server's clock less the device's, measured when the scan was sent; null: not told

-- -------------------------------------------------------------------------------------------------------------- records

ALTER TABLE service_record
    ADD COLUMN counts_on date,                 -- the local day of the opening it began in, where that is not the day it began on
    ADD COLUMN corrected_by uuid,              -- who entered another end, and so does not approve it
    ADD COLUMN corrected_at timestamptz,
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by uuid;
ALTER TABLE service_record DROP CONSTRAINT service_record_status;
ALTER TABLE service_record ADD CONSTRAINT service_record_status
    CHECK (status IN ('pending', 'noticed', 'approved', 'rejected', 'reversed', 'withdrawn'));
-- Withdrawn is what nobody had decided about and nothing was credited for; a visit keeps its record.
ALTER TABLE service_record ADD CONSTRAINT service_record_withdrawn
    CHECK ((status = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (status <> 'withdrawn' OR entry_id IS NULL AND visit_id IS NULL));

ALTER TABLE deed
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by uuid;
ALTER TABLE deed DROP CONSTRAINT deed_status;
ALTER TABLE deed ADD CONSTRAINT deed_status
    CHECK (status IN ('filed', 'noticed', 'objected', 'credited', 'rejected', 'reversed', 'withdrawn'));
ALTER TABLE deed ADD CONSTRAINT deed_withdrawn
    CHECK ((status = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (status <> 'withdrawn' OR entry_id IS NULL));

-- The books rest on these rows; and the serving role deletes no good and no shelf either.
REVOKE DELETE ON service_record, deed, good, stock, message FROM timebank_app;
