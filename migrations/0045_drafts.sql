-- A tried workbook keeps everything that was found in it, with the cells of the rows that need a look: sealed like the
-- workbook itself. It also knows the run that has taken it in, so that the run's page finds the way back to it.

SET LOCAL ROLE timebank_owner;

-- What was tried before is found anew: a draft is kept for an hour, and its page asks for the file again.
DELETE FROM import_draft;
ALTER TABLE import_draft DROP COLUMN findings;
ALTER TABLE import_draft ADD COLUMN findings bytea NOT NULL;
ALTER TABLE import_draft ADD COLUMN run_id uuid;
