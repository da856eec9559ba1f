-- Names are compared by a key that every spelling of one name has in common; two records of one person are merged.

SET LOCAL ROLE timebank_owner;

-- The key of a name (names.key), filled for those who are here already by the migration itself.
ALTER TABLE person ADD COLUMN name_key varchar(120);
CREATE INDEX person_name_key ON person (community_id, name_key);
