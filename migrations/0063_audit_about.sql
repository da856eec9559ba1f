-- Whom a change concerns, so that everything that was done about a resident is read along an index.
-- A column: row-level security lets no expression that reads JSON use an index.
SET LOCAL ROLE timebank_owner;

ALTER TABLE audit ADD COLUMN about_id uuid;

UPDATE audit SET about_id = coalesce(change->>'person_id', change->>'child_id')::uuid
WHERE change ?| ARRAY['person_id', 'child_id'];
UPDATE audit SET about_id = noun_id WHERE noun = 'person';
UPDATE audit a SET about_id = r.person_id FROM service_record r
WHERE a.noun = 'service_record' AND r.community_id = a.community_id AND r.id = a.noun_id;
UPDATE audit a SET about_id = d.person_id FROM deed d
WHERE a.noun = 'deed' AND d.community_id = a.community_id AND d.id = a.noun_id;
UPDATE audit a SET about_id = v.person_id FROM visit v
WHERE a.noun = 'visit' AND v.community_id = a.community_id AND v.id = a.noun_id;
UPDATE audit a SET about_id = r.person_id FROM redemption r
WHERE a.noun = 'redemption' AND r.community_id = a.community_id AND r.id = a.noun_id;
UPDATE audit a SET about_id = b.child_id FROM booking b
WHERE a.noun = 'booking' AND b.community_id = a.community_id AND b.id = a.noun_id;
UPDATE audit a SET about_id = c.person_id FROM card c
WHERE a.noun = 'card' AND c.community_id = a.community_id AND c.id = a.noun_id;
UPDATE audit a SET about_id = g.child_id FROM guardianship g
WHERE a.noun = 'guardianship' AND g.community_id = a.community_id AND g.id = a.noun_id;
UPDATE audit a SET about_id = w.person_id FROM waiting_change w
WHERE a.noun = 'waiting_change' AND w.community_id = a.community_id AND w.id = a.noun_id;

CREATE INDEX audit_about ON audit (community_id, about_id, id) WHERE about_id IS NOT NULL;
