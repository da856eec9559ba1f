-- A photo may be painted over before something has it, or before it is sent.
SET LOCAL ROLE timebank_owner;

ALTER TABLE photo ADD COLUMN painted_at timestamptz;
