-- The overview shows months side by side, what expires when, and what the goods on the shelves are worth.

SET LOCAL ROLE timebank_owner;

-- The approved service that began in a month: of the whole community (`all`, about the community), of one activity, at one station, of
-- the people of one area without a parent. Counted by the worker; pages read it.
CREATE TABLE month_service (
    community_id uuid NOT NULL REFERENCES region (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    kind varchar(8) NOT NULL CHECK (kind IN ('all', 'activity', 'station', 'area')),
    about_id uuid NOT NULL,
    minutes bigint NOT NULL,
    people integer NOT NULL,
    PRIMARY KEY (community_id, month, kind, about_id)
);
CALL protect_tenant_table('month_service', 'SELECT, INSERT, UPDATE, DELETE');

-- Points that people can spend, by the day on which they expire, the earliest first.
ALTER TABLE community_figures
    ADD COLUMN ahead_days date[] NOT NULL DEFAULT '{}',
    ADD COLUMN ahead_points bigint[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT community_figures_ahead CHECK (cardinality(ahead_days) = cardinality(ahead_points));

-- What one piece costs the community, in fen; null where nobody has said it.
ALTER TABLE good ADD COLUMN cost_fen integer CHECK (cost_fen BETWEEN 0 AND 100000000);

-- The entries of one day, newest first.
CREATE INDEX transfer_posted ON transfer (community_id, posted_at, id) WHERE leg = 1;
