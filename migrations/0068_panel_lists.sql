-- The panel's first page shows how many residents are active; without the index it read every row of person.
CREATE INDEX person_active ON person (community_id) WHERE status = 'active';
-- The lists of redemptions by the rare statuses; without it such a list read every redemption.
CREATE INDEX redemption_rare ON redemption (community_id, status, reserved_at, id)
    WHERE status IN ('cancelled', 'expired', 'returned');
