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

-- A statement reads each side of an account newest first, entry by entry: the index has the entry as well.
CREATE INDEX transfer_debit_entry ON transfer (community_id, debit_account, posted_at, entry_id);
CREATE INDEX transfer_credit_entry ON transfer (community_id, credit_account, posted_at, entry_id);
DROP INDEX transfer_debit;
DROP INDEX transfer_credit;

-- Lists newest first, with and without a filter, and what waits for somebody: each begins where its page begins.
CREATE INDEX service_record_time ON service_record (community_id, created_at, id);
CREATE INDEX service_record_person_new ON service_record (community_id, person_id, created_at, id);
CREATE INDEX service_record_station_new ON service_record (community_id, station_id, created_at, id);
CREATE INDEX service_record_entered ON service_record (community_id, entered_by, created_at, id) WHERE entered_by IS NOT NULL;
CREATE INDEX service_record_notice ON service_record (community_id, notice_until, id) WHERE status = 'noticed';
CREATE INDEX service_record_month ON service_record (community_id, created_at) INCLUDE (person_id) WHERE status = 'approved';
CREATE INDEX deed_notice ON deed (community_id, notice_until, id) WHERE status IN ('noticed', 'objected');
CREATE INDEX deed_status_new ON deed (community_id, status, id);
CREATE INDEX deed_person_new ON deed (community_id, person_id, id);
CREATE INDEX deed_filed ON deed (community_id, filed_by, id) WHERE filed_by IS NOT NULL;
CREATE INDEX deed_witness_new ON deed (community_id, witness_id, id) WHERE witness_id IS NOT NULL;
CREATE INDEX deed_area_new ON deed (community_id, area_id, id);
CREATE INDEX objection_open ON objection (community_id, created_at, id) WHERE upheld IS NULL;
CREATE INDEX redemption_time ON redemption (community_id, reserved_at, id);
CREATE INDEX redemption_status_new ON redemption (community_id, status, reserved_at, id);
CREATE INDEX redemption_station_new ON redemption (community_id, station_id, reserved_at, id);
CREATE INDEX redemption_good_new ON redemption (community_id, good_id, reserved_at, id);
CREATE INDEX stock_move_new ON stock_move (community_id, good_id, moved_at, id);
CREATE INDEX message_person_new ON message (community_id, person_id, created_at, id);
CREATE INDEX message_unread ON message (community_id, person_id, created_at, id) WHERE read_at IS NULL;
CREATE INDEX booking_time ON booking (community_id, created_at, id);
CREATE INDEX booking_open ON booking (community_id, status, lesson_id) WHERE status IN ('held', 'waiting');
CREATE INDEX shift_end ON shift (community_id, ends_at);
CREATE INDEX import_run_time ON import_run (community_id, started_at, id);
