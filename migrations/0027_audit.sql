-- The audit names the device, and is read along its own indexes; an objection says who entered it for a resident.

SET LOCAL ROLE timebank_owner;

ALTER TABLE audit ADD COLUMN device_id uuid;   -- the screen or tablet that the change came from

-- Newest first by one person, of one kind, or about one thing: ids sort by time.
CREATE INDEX audit_person ON audit (community_id, person_id, id);
CREATE INDEX audit_verb ON audit (community_id, verb, id);
CREATE INDEX audit_thing ON audit (community_id, noun_id, id);
DROP INDEX audit_noun;

ALTER TABLE objection ADD COLUMN entered_by uuid;   -- the member of staff who entered it in the resident's name
CREATE INDEX objection_waiting ON objection (community_id, person_id) WHERE upheld IS NULL;
