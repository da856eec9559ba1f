-- A screen or tablet that nobody misses should not go on showing the code: the panel lists when each was last used.

SET LOCAL ROLE timebank_owner;

ALTER TABLE device ADD COLUMN seen_at timestamptz;   -- when it last asked for anything, to within some minutes; null: not since this was noted

-- What waits at the counters is counted on the panel's first page.
CREATE INDEX counter_confirmation_waiting ON counter_confirmation (community_id, asked_at) WHERE status = 'waiting';
