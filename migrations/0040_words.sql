-- What a word of a community's own books means: chosen once, at the trial of a book, and known for every later one.

SET LOCAL ROLE timebank_owner;

CREATE TABLE import_word (
    community_id uuid NOT NULL REFERENCES region (id),
    word_kind   varchar(16) NOT NULL CONSTRAINT import_word_word_kind CHECK (word_kind IN ('item', 'station', 'activity', 'building')),
    word_key    varchar(100) NOT NULL,         -- the word without spaces, marks and width
    word        varchar(100) NOT NULL,         -- as it stood in the sheet
    target      varchar(60),                   -- the code of a rule, else an id; null: what it names waits for a second person
    added       boolean NOT NULL,              -- what it names was added for it
    decided_by  uuid,                          -- whose own rows it does not decide; null: the operator
    decided_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, word_kind, word_key)
);
CALL protect_tenant_table('import_word', 'SELECT, DELETE');
GRANT INSERT, UPDATE (word, target, added, decided_by, decided_at) ON import_word TO timebank_app;
CREATE POLICY decided ON import_word AS RESTRICTIVE FOR INSERT TO timebank_app WITH CHECK (is_acting(decided_by));
CREATE POLICY decided_again ON import_word AS RESTRICTIVE FOR UPDATE TO timebank_app USING (true) WITH CHECK (is_acting(decided_by));
