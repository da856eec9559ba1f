-- Pages of areas: each below the one that it belongs to, in the order in which they were added.
SET LOCAL ROLE timebank_owner;

CREATE INDEX area_path ON area (community_id, path);
