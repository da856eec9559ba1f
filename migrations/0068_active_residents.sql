-- The panel's first page shows how many residents are active; without the index it read every row of person.
CREATE INDEX person_active ON person (community_id) WHERE status = 'active';
