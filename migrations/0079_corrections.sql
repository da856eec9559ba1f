-- Where a matter is can be corrected: its step says where it was said to be, and where it is.
SET LOCAL ROLE timebank_owner;

-- Without foreign keys, like unit_id: a timeline says what was done then, also of an area that is gone.
ALTER TABLE matter_step
    ADD COLUMN from_area_id uuid,
    ADD COLUMN area_id uuid;
