-- An administrator reserves a good or books a seat for a resident who cannot: who did it and why stays on the row.
SET LOCAL ROLE timebank_owner;

-- The login too, because an administrator may have no record in this community. All null where the family did it itself.
ALTER TABLE redemption
    ADD COLUMN reserved_by uuid,
    ADD COLUMN reserved_by_login uuid,
    ADD COLUMN reserved_because varchar(500),
    ADD CONSTRAINT redemption_reserved_for CHECK ((reserved_by_login IS NULL) = (reserved_because IS NULL)
        AND (reserved_by IS NULL OR reserved_by_login IS NOT NULL)),
    -- Nobody hands over what the same person has reserved for somebody else.
    ADD CONSTRAINT redemption_two_hands CHECK (status <> 'collected' OR reserved_by IS NULL OR ended_by IS DISTINCT FROM reserved_by);
ALTER TABLE booking
    ADD COLUMN booked_by uuid,
    ADD COLUMN booked_by_login uuid,
    ADD COLUMN booked_because varchar(500),
    ADD CONSTRAINT booking_booked_for CHECK ((booked_by_login IS NULL) = (booked_because IS NULL)
        AND (booked_by IS NULL OR booked_by_login IS NOT NULL)),
    ADD CONSTRAINT booking_two_hands CHECK (status <> 'attended' OR booked_by IS NULL OR ended_by IS DISTINCT FROM booked_by);

-- It is written once, under the own name and by an administrator.
CREATE POLICY reserved_for ON redemption AS RESTRICTIVE FOR INSERT TO timebank_app
    WITH CHECK (reserved_by_login IS NULL OR (is_acting(reserved_by) AND is_acting_login(reserved_by_login) AND may_administer(community_id)));
CREATE POLICY booked_for ON booking AS RESTRICTIVE FOR INSERT TO timebank_app
    WITH CHECK (booked_by_login IS NULL OR (is_acting(booked_by) AND is_acting_login(booked_by_login) AND may_administer(community_id)));
REVOKE UPDATE ON redemption, booking FROM timebank_app;
GRANT UPDATE (status, settled_entry_id, ended_at, ended_by, undone_at, returned_at) ON redemption TO timebank_app;
GRANT UPDATE (status, entry_id, ended_at, ended_by) ON booking TO timebank_app;
