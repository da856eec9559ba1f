-- The figures of a period are read from sums of whole weeks and from the days at its ends: a year of a county with all categories is 64
-- rows each instead of 366, and the index holds what is summed.
SET LOCAL ROLE timebank_owner;

CREATE TABLE matter_tally_week (
    community_id uuid NOT NULL REFERENCES region (id),
    week        date NOT NULL CONSTRAINT matter_tally_week_monday CHECK (extract(isodow FROM week) = 1),
    subject_kind varchar(8) NOT NULL,
    subject     varchar(40) NOT NULL,
    received    integer NOT NULL,
    counted     integer NOT NULL,
    done0       integer NOT NULL,
    done1       integer NOT NULL,
    done2       integer NOT NULL,
    finished    integer NOT NULL,
    reopened    integer NOT NULL,
    returned    integer NOT NULL,
    asked       integer NOT NULL,
    answered    integer NOT NULL,
    solved      integer NOT NULL,
    PRIMARY KEY (community_id, subject_kind, week, subject)
        INCLUDE (received, counted, done0, done1, done2, finished, reopened, returned, asked, answered, solved)
);
CALL protect_tenant_table('matter_tally_week', 'SELECT, INSERT, DELETE');
INSERT INTO matter_tally_week
SELECT community_id, date_trunc('week', day)::date, subject_kind, subject, sum(received), sum(counted), sum(done0), sum(done1), sum(done2),
       sum(finished), sum(reopened), sum(returned), sum(asked), sum(answered), sum(solved)
FROM matter_tally GROUP BY 1, 2, 3, 4;

DROP INDEX matter_tally_kind;
CREATE INDEX matter_tally_kind ON matter_tally (community_id, subject_kind, day)
    INCLUDE (subject, received, counted, done0, done1, done2, finished, reopened, returned, asked, answered, solved);
