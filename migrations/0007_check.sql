-- The check of the books: its stored result, and what pages need so that no page reads the history of a community.

SET LOCAL ROLE timebank_owner;

-- What the check of a community's books found last: pages show it, and whoever wants a new one asks here for it.
CREATE TABLE book_check (
    community_id uuid NOT NULL REFERENCES region (id),
    asked_at    timestamptz,                   -- somebody waits for a new check since then; null: nobody
    begun_at    timestamptz,                   -- a check runs since then; null: none does
    checked_at  timestamptz,                   -- when the check began whose result this is; null: none has ended yet
    problems    jsonb NOT NULL,                -- [{code, values, ids}], put in words for whoever reads it
    PRIMARY KEY (community_id)
);
CALL protect_tenant_table('book_check', 'SELECT, INSERT, UPDATE');

-- What is set aside now: few of the accounts that there are.
CREATE INDEX account_held ON account (community_id, currency) WHERE bucket = 'held' AND balance > 0;

-- Lists newest first, and what waits for somebody: each begins where its page begins.
CREATE INDEX service_record_time ON service_record (community_id, created_at, id);
CREATE INDEX redemption_time ON redemption (community_id, reserved_at, id);
CREATE INDEX booking_time ON booking (community_id, created_at, id);
CREATE INDEX objection_open ON objection (community_id, created_at, id) WHERE upheld IS NULL;
CREATE INDEX stock_move_new ON stock_move (community_id, good_id, moved_at, id);
CREATE INDEX message_person_new ON message (community_id, person_id, created_at, id);
CREATE INDEX message_unread ON message (community_id, person_id, created_at, id) WHERE read_at IS NULL;
CREATE INDEX booking_guardian_id ON booking (community_id, guardian_id);
CREATE INDEX shift_end ON shift (community_id, ends_at);
CREATE INDEX sign_up_person_id ON sign_up (community_id, person_id);
