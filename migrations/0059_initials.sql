-- People are found by what is typed: pinyin in one word, initials, the last four digits of a phone, the beginning of a name.
SET LOCAL ROLE timebank_owner;

-- Compared byte by byte, so that everything that begins with some letters is a range of the index. A range is asked for by operators that
-- row-level security lets use an index; starts_with() is none of them.
ALTER TABLE person
    ADD COLUMN spelled varchar(240) COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN initials varchar(60) COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN initials_other varchar(60) COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX person_spelled ON person (community_id, spelled);
CREATE INDEX person_initials ON person (community_id, initials);
CREATE INDEX person_initials_other ON person (community_id, initials_other) WHERE initials_other <> '';
CREATE INDEX person_phone_last4 ON person (community_id, phone_last4) WHERE phone_last4 IS NOT NULL;
CREATE INDEX person_name_start ON person (community_id, name_key COLLATE "C");
