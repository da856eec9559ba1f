-- The eight digits that are shown at a counter stand in one table, whatever waits there: the counter's one field looks in one
-- place, and no two things in a community have the same code. redemption.code and booking.code are still written for a while, and
-- no longer read.

SET LOCAL ROLE timebank_owner;

CREATE TABLE pickup (
    community_id uuid NOT NULL REFERENCES region (id),
    code        varchar(8) NOT NULL,
    noun        varchar(40) NOT NULL,          -- what waits, with its id: its own table says the rest
    noun_id     uuid NOT NULL,
    station_id  uuid,                          -- where it waits; null: its own row says where
    expires_at  timestamptz NOT NULL,          -- from when it is not found by the code any more
    PRIMARY KEY (community_id, code),
    CONSTRAINT pickup_noun_once UNIQUE (community_id, noun, noun_id)
);
CALL protect_tenant_table('pickup', 'SELECT, INSERT, DELETE');
GRANT UPDATE (station_id, expires_at) ON pickup TO timebank_app;

INSERT INTO pickup (community_id, code, noun, noun_id, station_id, expires_at)
    SELECT r.community_id, r.code, 'redemption', r.id, r.station_id, r.expires_at FROM redemption r
    WHERE r.status = 'reserved' AND r.code IS NOT NULL;

-- A seat in a lesson may have the code of a reservation by chance. Until now the counter found the reservation alone by it, so the
-- seat gets the next free number, which its family sees on its page.
DO $$
DECLARE
    seat record;
    free text;
BEGIN
    FOR seat IN SELECT b.community_id, b.id, b.code FROM booking b
            JOIN pickup k ON k.community_id = b.community_id AND k.code = b.code WHERE b.status = 'held' ORDER BY b.id LOOP
        free := seat.code;
        WHILE EXISTS (SELECT FROM pickup k WHERE k.community_id = seat.community_id AND k.code = free)
                OR EXISTS (SELECT FROM booking b WHERE b.community_id = seat.community_id AND b.code = free) LOOP
            free := lpad(((free::integer + 1) % 100000000)::text, 8, '0');
        END LOOP;
        UPDATE booking SET code = free WHERE community_id = seat.community_id AND id = seat.id;
    END LOOP;
END
$$;
INSERT INTO pickup (community_id, code, noun, noun_id, station_id, expires_at)
    SELECT b.community_id, b.code, 'booking', b.id, c.station_id, l.ends_at FROM booking b
    JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id
    JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id
    WHERE b.status = 'held' AND b.code IS NOT NULL;
