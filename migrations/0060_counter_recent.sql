-- A counter shows what was done there last, whatever it was.
SET LOCAL ROLE timebank_owner;

CREATE INDEX redemption_handed ON redemption (community_id, station_id, ended_at) WHERE status IN ('collected', 'returned');
CREATE INDEX booking_attended ON booking (community_id, ended_at) WHERE status = 'attended';

-- When the keeper who handed it over took it back within the minute.
ALTER TABLE redemption ADD COLUMN undone_at timestamptz;
CREATE INDEX redemption_undone ON redemption (community_id, undone_at, id) WHERE undone_at IS NOT NULL;
