-- Matters counted by the local day on which they were received: in all, and by grid, unit and category. The worker counts whole days
-- anew whenever something happened to a matter of that day, so that nothing is added up twice and nothing drifts. Pages read these rows.
SET LOCAL ROLE timebank_owner;

CREATE TABLE matter_tally (
    community_id uuid NOT NULL REFERENCES region (id),
    day         date NOT NULL,
    subject_kind varchar(8) NOT NULL CONSTRAINT matter_tally_subject CHECK (subject_kind IN ('all', 'grid', 'unit', 'category')),
    subject     varchar(40) NOT NULL,          -- the id of the grid or unit, the code of the category, '' for all
    received    integer NOT NULL,              -- every matter but wishes, whatever became of it
    counted     integer NOT NULL,              -- those of them that were not refused, merged or withdrawn: what the figures are of
    done0       integer NOT NULL,              -- done on the day of receipt
    done1       integer NOT NULL,              -- done by the end of the next local day
    done2       integer NOT NULL,              -- done by the end of the third local day
    finished    integer NOT NULL,              -- done, whenever
    reopened    integer NOT NULL,
    returned    integer NOT NULL,              -- that a unit or team gave back at least once
    asked       integer NOT NULL,              -- done, with a resident who was asked whether it is solved
    answered    integer NOT NULL,
    solved      integer NOT NULL,
    PRIMARY KEY (community_id, day, subject_kind, subject),
    CONSTRAINT matter_tally_order CHECK (done0 <= done1 AND done1 <= done2 AND done2 <= finished AND finished <= counted
        AND counted <= received AND solved <= answered AND answered <= asked AND asked <= finished)
);
CREATE INDEX matter_tally_kind ON matter_tally (community_id, subject_kind, day);
CALL protect_tenant_table('matter_tally', 'SELECT, INSERT, DELETE');

-- Up to which step the matters of a community have been counted.
CREATE TABLE matter_counted (
    community_id uuid PRIMARY KEY REFERENCES region (id),
    step_id     uuid NOT NULL,
    counted_at  timestamptz NOT NULL
);
CALL protect_tenant_table('matter_counted', 'SELECT, INSERT, UPDATE');

-- What is open now, and what was finished lately.
CREATE INDEX matter_open ON matter (community_id, due_at, id) WHERE status IN ('received', 'dispatched', 'accepted');
CREATE INDEX matter_finished ON matter (community_id, done_at) WHERE done_at IS NOT NULL;
