-- How often a team's leaders write to its members in a day; members of units come by workbook.
SET LOCAL ROLE timebank_owner;

ALTER TABLE team
    ADD COLUMN wrote_on date,                  -- the day of the last message to all members
    ADD COLUMN wrote smallint NOT NULL DEFAULT 0;   -- how many were written on that day
