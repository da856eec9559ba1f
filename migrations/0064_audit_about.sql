-- The audit is asked what was done to somebody, by whom and why; entries are asked for by kind and amount.

SET LOCAL ROLE timebank_owner;

-- A column of its own: row-level security lets no index on an expression over `change` be used.
ALTER TABLE audit ADD COLUMN about_id uuid;    -- the resident whom the act is about; null where it is about no one person

UPDATE audit SET about_id = CASE WHEN noun = 'person' THEN noun_id ELSE coalesce(change->>'person_id', change->>'child_id')::uuid END
    WHERE noun = 'person' OR change ? 'person_id' OR change ? 'child_id';
UPDATE audit a SET about_id = r.person_id FROM service_record r
    WHERE a.noun = 'service_record' AND a.about_id IS NULL AND r.community_id = a.community_id AND r.id = a.noun_id;
UPDATE audit a SET about_id = d.person_id FROM deed d
    WHERE a.noun = 'deed' AND a.about_id IS NULL AND d.community_id = a.community_id AND d.id = a.noun_id;
UPDATE audit a SET about_id = r.person_id FROM redemption r
    WHERE a.noun = 'redemption' AND a.about_id IS NULL AND r.community_id = a.community_id AND r.id = a.noun_id;
UPDATE audit a SET about_id = v.person_id FROM visit v
    WHERE a.noun = 'visit' AND a.about_id IS NULL AND v.community_id = a.community_id AND v.id = a.noun_id;
UPDATE audit a SET about_id = b.child_id FROM booking b
    WHERE a.noun = 'booking' AND a.about_id IS NULL AND b.community_id = a.community_id AND b.id = a.noun_id;
UPDATE audit a SET about_id = o.owner_id FROM account o
    WHERE a.noun = 'account' AND a.about_id IS NULL AND o.community_id = a.community_id AND o.id = a.noun_id AND o.owner_kind = 'person';
UPDATE audit a SET about_id = c.person_id FROM card c
    WHERE a.noun = 'card' AND a.about_id IS NULL AND c.community_id = a.community_id AND c.id = a.noun_id;
UPDATE audit a SET about_id = g.child_id FROM guardianship g
    WHERE a.noun = 'guardianship' AND a.about_id IS NULL AND g.community_id = a.community_id AND g.id = a.noun_id;
UPDATE audit a SET about_id = w.person_id FROM waiting_change w
    WHERE a.noun = 'waiting_change' AND a.about_id IS NULL AND w.community_id = a.community_id AND w.id = a.noun_id;
CREATE INDEX audit_about ON audit (community_id, about_id, id) WHERE about_id IS NOT NULL;

-- Entries of one kind, the newest first, and of one amount.
CREATE INDEX transfer_kind ON transfer (community_id, kind, posted_at, id) WHERE leg = 1;
