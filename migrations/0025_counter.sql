-- A keeper signs on to the counter and is its actor; a scan says how it was made; what waits for a second member of staff.

SET LOCAL ROLE timebank_owner;

-- Who serves at a counter since when. Devices that were paired before stay paired: they have no row until somebody signs on.
CREATE TABLE counter_sign_on (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    device_id   uuid NOT NULL,
    person_id   uuid NOT NULL,                 -- the keeper
    login_id    uuid NOT NULL,                 -- by whose password
    session_id  uuid NOT NULL,                 -- ends with the sign-on and ends it: a new password, a block, a sign-out
    signed_on_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    signed_off_at timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT counter_sign_on_device FOREIGN KEY (community_id, device_id) REFERENCES device (community_id, id),
    CONSTRAINT counter_sign_on_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CREATE UNIQUE INDEX counter_sign_on_one ON counter_sign_on (community_id, device_id) WHERE signed_off_at IS NULL;
CREATE INDEX counter_sign_on_time ON counter_sign_on (community_id, device_id, signed_on_at);
CALL protect_tenant_table('counter_sign_on', 'SELECT, INSERT, UPDATE');

-- The device of a token, and who is signed on to it now: an active keeper of its station or an administrator of the community.
-- It runs as the owner because sessions and grants from above lie outside the community; it answers only to a device's token.
CREATE FUNCTION access_device(p_community uuid, p_token_hash bytea, p_now timestamptz, p_today date,
                              OUT device_id uuid, OUT station_id uuid, OUT kind varchar, OUT login_id uuid, OUT session_id uuid,
                              OUT persons jsonb) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.id, d.station_id, d.kind, signed_on.login_id, signed_on.session_id,
           (SELECT jsonb_agg(jsonb_build_object('community_id', p.community_id, 'person_id', p.id, 'name', p.name,
                'community_name', r.name, 'household_id', p.household_id) ORDER BY p.id <> signed_on.person_id, p.id)
            FROM membership m JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id AND p.status = 'active'
            JOIN region r ON r.id = p.community_id
            WHERE m.community_id = d.community_id AND m.login_id = signed_on.login_id)
    FROM device d
    LEFT JOIN LATERAL (
        SELECT o.login_id, o.session_id, o.person_id FROM counter_sign_on o
        JOIN session s ON s.id = o.session_id AND s.ended_at IS NULL AND s.expires_at > p_now
        JOIN membership me ON me.community_id = o.community_id AND me.person_id = o.person_id AND me.login_id = o.login_id
        JOIN person k ON k.community_id = o.community_id AND k.id = o.person_id AND k.status = 'active'
        WHERE o.community_id = d.community_id AND o.device_id = d.id AND o.signed_off_at IS NULL AND o.expires_at > p_now
          AND EXISTS (
            SELECT FROM membership m JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id
            WHERE m.login_id = o.login_id AND g.ended_at IS NULL AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
              AND (g.community_id = d.community_id AND g.role = 'station_keeper' AND g.station_id = d.station_id
                   OR g.role IN ('community_admin', 'street_admin', 'county_admin')
                      AND g.region_id IN (SELECT unnest(c.path) FROM region c WHERE c.id = d.community_id)))
    ) AS signed_on ON d.kind = 'counter'
    WHERE d.community_id = p_community AND d.token_hash = p_token_hash AND d.revoked_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION access_device FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_device TO timebank_app;

-- How a scan recognised its person, and who answers for it. Scans of before have null: five minutes later nobody asks any more.
ALTER TABLE scan
    ADD COLUMN how varchar(16),                -- station_code, personal_code, card; keeper: by hand, which proves nobody's presence
    ADD COLUMN card_id uuid,
    ADD COLUMN device_id uuid,
    ADD COLUMN by_login uuid,                  -- the keeper or person who scanned; of a scan that waited on a device: who was signed on then
    ADD COLUMN sent_by_login uuid;             -- who was signed on when it was sent, where that is somebody else
CREATE INDEX scan_visit ON scan (community_id, visit_id) WHERE visit_id IS NOT NULL;

-- What a member of staff asks for at the counter and a second one agrees to: a resident's points spent without code or card, or
-- goods handed to the own household.
CREATE TABLE counter_confirmation (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT counter_confirmation_kind CHECK (kind IN ('spend', 'own_collection')),
    person_id   uuid NOT NULL,                 -- whose points they are
    station_id  uuid NOT NULL,
    good_id     uuid NOT NULL,
    quantity    integer NOT NULL CONSTRAINT counter_confirmation_quantity CHECK (quantity > 0),
    redemption_id uuid,                        -- own_collection: what is handed over; spend: what came of it
    asked_by    uuid,
    asked_by_login uuid,
    asked_at    timestamptz NOT NULL,
    status      varchar(16) NOT NULL CONSTRAINT counter_confirmation_status CHECK (status IN ('waiting', 'agreed', 'refused')),
    decided_by  uuid,
    decided_by_login uuid,
    decided_at  timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT counter_confirmation_person FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id),
    CONSTRAINT counter_confirmation_station FOREIGN KEY (community_id, station_id) REFERENCES station (community_id, id),
    CONSTRAINT counter_confirmation_good FOREIGN KEY (community_id, good_id) REFERENCES good (community_id, id),
    CONSTRAINT counter_confirmation_decided CHECK ((status = 'waiting') = (decided_at IS NULL))
);
CREATE INDEX counter_confirmation_status ON counter_confirmation (community_id, status, asked_at);
CREATE INDEX counter_confirmation_person ON counter_confirmation (community_id, person_id, decided_at);
CALL protect_tenant_table('counter_confirmation', 'SELECT, INSERT, UPDATE');
