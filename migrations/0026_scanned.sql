-- What decides is kept where it decides: who scanned, who issued a card, when a person was corrected, which prices a good has
-- had. The audit log is read here for the last time, to bring over what it alone knew.

SET LOCAL ROLE timebank_owner;

-- The login that sent each scan of a visit: whoever scanned does not decide about the hours. Null: a device that nobody had
-- signed on to. `marks` are keyed hashes of the browsers and sessions that sent a station's code at either end: one browser
-- for several people shows. `in_address` is a keyed hash of the network address with the day, kept for a few days as a hint.
ALTER TABLE visit ADD COLUMN in_by_login uuid, ADD COLUMN out_by_login uuid, ADD COLUMN marks bytea[] NOT NULL DEFAULT '{}',
                  ADD COLUMN in_address bytea;
UPDATE visit SET marks = ARRAY[in_device] WHERE in_device IS NOT NULL;
ALTER TABLE visit DROP COLUMN in_device;
CREATE INDEX visit_address ON visit (community_id, station_id, in_address, in_at) WHERE in_address IS NOT NULL;
UPDATE visit v SET in_by_login = a.login_id FROM audit a
    WHERE a.community_id = v.community_id AND a.noun_id = v.id AND a.noun = 'visit' AND a.verb = 'check_in';
UPDATE visit v SET out_by_login = a.login_id FROM (
        SELECT DISTINCT ON (community_id, noun_id) community_id, noun_id, login_id FROM audit
        WHERE noun = 'visit' AND verb IN ('check_out', 'undo_check_in') ORDER BY community_id, noun_id, at DESC, id DESC) a
    WHERE a.community_id = v.community_id AND a.noun_id = v.id AND v.out_by NOT IN ('closing_time', 'corrected');

-- A station's code that somebody read elsewhere than on its paired screen. Visits by the code of the same step, from then on,
-- are looked at.
CREATE TABLE code_reading (
    community_id uuid NOT NULL REFERENCES region (id),
    station_id  uuid NOT NULL,
    step        bigint NOT NULL,
    reader_id   uuid NOT NULL,                 -- the login, or the counter device
    read_at     timestamptz NOT NULL,
    PRIMARY KEY (community_id, station_id, step, reader_id),
    CONSTRAINT code_reading_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id)
);
CREATE INDEX code_reading_time ON code_reading (community_id, read_at);
CALL protect_tenant_table('code_reading', 'SELECT, INSERT, DELETE');

-- A pairing link serves one browser, once, within the hour. Devices of before keep their token and stay paired.
ALTER TABLE device ADD COLUMN pairing_hash bytea, ADD COLUMN pairing_expires_at timestamptz, ADD COLUMN paired_at timestamptz;

-- Who issued a card, and when somebody else confirmed that its holder has it. Cards of before stay as good as they were;
-- without `confirmed_by_login` they are listed for a second person all the same.
ALTER TABLE card ADD COLUMN issued_by_login uuid, ADD COLUMN issued_by_device uuid, ADD COLUMN confirmed_at timestamptz,
                 ADD COLUMN confirmed_by_login uuid;
UPDATE card SET confirmed_at = issued_at;
UPDATE card c SET issued_by_login = a.login_id FROM audit a
    WHERE a.community_id = c.community_id AND a.noun_id = c.id AND a.noun = 'card' AND a.verb = 'issue_card';
UPDATE card c SET issued_by_login = m.login_id FROM membership m
    WHERE c.issued_by_login IS NULL AND m.community_id = c.community_id AND m.person_id = c.issued_by
      AND NOT EXISTS (SELECT FROM membership other WHERE other.community_id = m.community_id
                      AND other.person_id = m.person_id AND other.login_id <> m.login_id);
CREATE INDEX card_to_confirm ON card (community_id, issued_at) WHERE confirmed_by_login IS NULL AND revoked_at IS NULL;

-- When somebody last changed what is written of a person: an import that entered the person cannot be taken back since.
ALTER TABLE person ADD COLUMN corrected_at timestamptz;
UPDATE person p SET corrected_at = a.at FROM (
        SELECT community_id, noun_id, max(at) AS at FROM audit
        WHERE noun = 'person' AND verb IN ('correct_person', 'set_status') GROUP BY 1, 2) a
    WHERE a.community_id = p.community_id AND a.noun_id = p.id;

-- Every price that a good has had: what a redemption of any time may have cost.
CREATE TABLE good_price (
    community_id uuid NOT NULL REFERENCES region (id),
    good_id     uuid NOT NULL,
    points      integer NOT NULL CONSTRAINT good_price_points CHECK (points > 0),
    since       timestamptz NOT NULL,
    PRIMARY KEY (community_id, good_id, points),
    CONSTRAINT good_price_good FOREIGN KEY (community_id, good_id) REFERENCES good (community_id, id)
);
CALL protect_tenant_table('good_price', 'SELECT, INSERT');
INSERT INTO good_price (community_id, good_id, points, since)
    SELECT g.community_id, g.id, p.points, min(p.at) FROM good g JOIN (
        SELECT community_id, id AS good_id, points, created_at AS at FROM good UNION ALL
        SELECT community_id, noun_id, (change->>'points')::integer, at FROM audit
        WHERE noun = 'good' AND change->>'points' IS NOT NULL) p ON p.community_id = g.community_id AND p.good_id = g.id
    WHERE p.points > 0 GROUP BY 1, 2, 3;
