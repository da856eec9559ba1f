-- What a counter did is undone for a minute, by who did it, and each undone act is listed for administrators and auditors.
SET LOCAL ROLE timebank_owner;

-- When the server was told of each end of a visit: a scan that waited on a device, or after which the keeper chose, is older. Null: before this.
ALTER TABLE visit ADD COLUMN in_received_at timestamptz, ADD COLUMN out_received_at timestamptz;

-- A check-out that is undone withdraws the record of its visit, whose credit is reversed; the next check-out makes another one.
ALTER TABLE service_record
    DROP CONSTRAINT service_record_withdrawn,
    ADD CONSTRAINT service_record_withdrawn
        CHECK ((status = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (status <> 'withdrawn' OR visit_id IS NOT NULL OR entry_id IS NULL)),
    DROP CONSTRAINT service_record_visit_once;
CREATE UNIQUE INDEX service_record_visit_once ON service_record (community_id, visit_id) WHERE status <> 'withdrawn';

CREATE TABLE undone_act (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kind        varchar(20) NOT NULL,          -- the name of the kind in its manifest: check_in, check_out, hand_over, …
    noun_id     uuid NOT NULL,                 -- the visit, redemption or booking
    station_id  uuid NOT NULL,
    person_id   uuid NOT NULL,                 -- for whom it had been done
    keeper_id   uuid,                          -- who did and undid it; null for a login without a record here
    login_id    uuid,                          -- null: before this was kept
    what        varchar(200) NOT NULL DEFAULT '',  -- the good, the activity or the class, as it was called
    points      integer NOT NULL DEFAULT 0,
    undone_at   timestamptz NOT NULL,
    PRIMARY KEY (community_id, id)
);
CREATE INDEX undone_act_newest ON undone_act (community_id, undone_at, id);
CREATE INDEX undone_act_noun ON undone_act (community_id, noun_id);
INSERT INTO undone_act (community_id, id, kind, noun_id, station_id, person_id, keeper_id, what, points, undone_at)
    SELECT r.community_id, r.id, 'hand_over', r.id, r.station_id, r.person_id, r.ended_by, concat_ws(' ', g.name, r.quantity, g.unit),
           r.points, r.undone_at
    FROM redemption r JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id WHERE r.undone_at IS NOT NULL;
CALL protect_tenant_table('undone_act', 'SELECT, INSERT');
-- It stays, and in the name of who undid it.
CREATE POLICY undone_in_own_name ON undone_act AS RESTRICTIVE FOR INSERT TO timebank_app
    WITH CHECK (login_id IS NOT NULL AND is_acting_login(login_id) AND is_acting(keeper_id));
DROP INDEX redemption_undone;

-- At which counter a card was given; null where it was not given at one.
ALTER TABLE card ADD COLUMN station_id uuid;
CREATE INDEX card_given ON card (community_id, station_id, issued_at) WHERE station_id IS NOT NULL;
-- What was agreed to at a counter lately.
CREATE INDEX counter_confirmation_agreed ON counter_confirmation (community_id, station_id, decided_at) WHERE status = 'agreed';
