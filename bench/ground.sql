-- The residents of both communities, their points, their history and the shop, from the rows of bench_place: one for the
-- community that the service answers for and one for pgbench's. The ids of what happened in the past are of that time.
SET LOCAL session_replication_role = replica;  -- no row is checked against its foreign keys: they are right by construction

CREATE TABLE bench_person (
    n integer PRIMARY KEY, community_id uuid NOT NULL, id uuid NOT NULL, household_id uuid NOT NULL, login_id uuid NOT NULL,
    points uuid NOT NULL, held uuid NOT NULL, minutes uuid NOT NULL, station_id uuid NOT NULL, reads boolean NOT NULL
);
CREATE TABLE bench_stock (
    n integer PRIMARY KEY, community_id uuid NOT NULL, station_id uuid NOT NULL, good_id uuid NOT NULL, points integer NOT NULL
);

-- The places, the rules and the shop.
INSERT INTO area (community_id, id, kind, name, pinyin, path, created_at)
    SELECT community_id, grid_id, 'grid', '第一网格', 'diyiwangge', ARRAY[grid_id], laid_at FROM bench_place;
INSERT INTO station (community_id, id, area_id, name, pinyin, address, opens_at, closes_at, code_epoch, active, created_at)
    SELECT p.community_id, s.id, p.grid_id, '驿站' || s.n, 'yizhan' || s.n, '中心路 ' || s.n || ' 号', '00:00', '23:59', 1, true, p.laid_at
    FROM bench_place p, unnest(p.stations) WITH ORDINALITY AS s (id, n);
INSERT INTO rule (community_id, code, version, kind, name, minutes_per_point, points, unit, active, valid_from)
    SELECT p.community_id, r.code, 1, r.kind, r.name, r.minutes, r.points, r.unit, true, p.laid_at - interval '2 years'
    FROM bench_place p, (VALUES ('service', 'service', '志愿服务', 6, NULL::integer, NULL),
                                ('mediation', 'deed', '调解邻里纠纷', NULL, 10, '每件')) AS r (code, kind, name, minutes, points, unit);
INSERT INTO activity (community_id, id, name, pinyin, description, rule_code, needs_sign_up, active, created_at)
    SELECT community_id, activity_id, '站点值守', 'zhandianzhishou', '', 'service', false, true, laid_at FROM bench_place;
CREATE TEMP TABLE new_good ON COMMIT DROP AS
    SELECT p.community_id, p.stations, p.laid_at, p.first / p.persons * {goods} AS before, n, uuidv7() AS id, n % 8 + 1 AS points
    FROM bench_place p, generate_series(1, {goods}) AS n;
INSERT INTO good (community_id, id, name, pinyin, unit, points, active, created_at)
    SELECT community_id, id, '物品' || n, 'wupin' || n, '件', points, true, laid_at FROM new_good;
INSERT INTO good_price (community_id, good_id, points, since) SELECT community_id, id, points, laid_at FROM new_good;
-- Each good lies at one station.
INSERT INTO bench_stock SELECT before + n, community_id, stations[n % cardinality(stations) + 1], id, points FROM new_good;
INSERT INTO stock (community_id, station_id, good_id, quantity) SELECT community_id, station_id, good_id, {quantity} FROM bench_stock;
INSERT INTO stock_move (community_id, id, station_id, good_id, change, reason, moved_at)
    SELECT s.community_id, uuidv7(), s.station_id, s.good_id, {quantity}, 'received', p.laid_at FROM bench_stock s JOIN bench_place p USING (community_id);

-- The people, two in each household, with a login each, and everybody's accounts.
CREATE TEMP TABLE home ON COMMIT DROP AS
    SELECT p.community_id, p.grid_id, p.laid_at, k, uuidv7() AS id FROM bench_place p, generate_series(0, p.persons / 2) AS k;
INSERT INTO household (community_id, id, area_id, room, head_name, created_at)
    SELECT community_id, id, grid_id, k::text, '居民', laid_at FROM home;
INSERT INTO bench_person
    SELECT n, p.community_id, uuidv7(), h.id, uuidv7(), uuidv7(), uuidv7(), uuidv7(), p.stations[n % cardinality(p.stations) + 1],
           n - p.first < {readers}
    FROM bench_place p CROSS JOIN LATERAL generate_series(p.first, p.first + p.persons - 1) AS n
    JOIN home h ON h.community_id = p.community_id AND h.k = (n - p.first) / 2;
CREATE TEMP TABLE who ON COMMIT DROP AS
    SELECT w.*, p.laid_at, p.grid_id, p.activity_id FROM bench_person w JOIN bench_place p USING (community_id);
ANALYZE who;
INSERT INTO person (community_id, id, household_id, name, name_key, pinyin, publishes_name, status, code_epoch, created_at)
    SELECT community_id, id, household_id, '居民' || n, '居民' || n, 'jumin' || n, false, 'active', 1, laid_at FROM who;
INSERT INTO membership (community_id, login_id, person_id, created_at) SELECT community_id, login_id, id, laid_at FROM who;

-- What happened: everybody has been given points, and the readers have served and done good deeds for a year.
CREATE TEMP TABLE served ON COMMIT DROP AS
    SELECT w.community_id, w.id AS person_id, w.points, w.minutes, w.station_id, w.activity_id, k, t.at, uuid_v7(t.at) AS id,
           uuid_v7(t.at - interval '1 hour') AS visit_id, uuid_v7(t.at) AS entry_id
    FROM who w CROSS JOIN generate_series(1, {records}) AS k CROSS JOIN LATERAL (SELECT w.laid_at - k * interval '9 days' AS at) t WHERE w.reads;
CREATE TEMP TABLE done ON COMMIT DROP AS
    SELECT w.community_id, w.id AS person_id, w.points AS account_id, w.grid_id, k, t.at, uuid_v7(t.at) AS id, uuid_v7(t.at) AS entry_id,
           CASE k WHEN 0 THEN {given} ELSE 10 END AS points
    FROM who w CROSS JOIN generate_series(0, {deeds}) AS k
    CROSS JOIN LATERAL (SELECT w.laid_at - interval '5 days' - k * interval '18 days' AS at) t WHERE w.reads OR k = 0;
INSERT INTO visit (community_id, id, person_id, station_id, activity_id, in_at, out_at, status, in_by, out_by, opens_at, closes_at)
    SELECT community_id, visit_id, person_id, station_id, activity_id, at - interval '1 hour', at, 'closed', 'station_code', 'station_code',
           '00:00', '23:59' FROM served;
INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, visit_id, status, verdict)
    SELECT community_id, gen_random_uuid()::text, '', m.at, m.at, station_id, person_id, visit_id, 'ok', '{{"status": "ok"}}'
    FROM served s CROSS JOIN LATERAL (VALUES (s.at - interval '1 hour'), (s.at)) AS m (at);
INSERT INTO service_record (community_id, id, kind, person_id, visit_id, activity_id, station_id, started_at, ended_at, minutes, status, flags,
                            rule_code, rule_version, credited_minutes, credited_points, entry_id, created_at)
    SELECT community_id, id, 'credit', person_id, visit_id, activity_id, station_id, at - interval '1 hour', at, 60, 'approved', '{{}}', 'service', 1,
           60, 10, entry_id, at FROM served;
INSERT INTO message (community_id, id, person_id, kind, text, key, created_at, due_at, urgent, read_at)
    SELECT community_id, uuid_v7(at), person_id, 'record_credited', '您的服务已入账，积分 +10。', 'service:' || id, at, at, false, CASE WHEN k > 2 THEN at END
    FROM served;
INSERT INTO deed (community_id, id, person_id, area_id, rule_code, rule_version, points, points_reason, occurred_on, note, status, entry_id, created_at)
    SELECT community_id, id, person_id, grid_id, 'mediation', 1, points, CASE k WHEN 0 THEN '往年积分结转' END, at::date, '说和', 'credited', entry_id, at
    FROM done;

-- The ledger: each hour has three legs, and each deed one.
CREATE TEMP TABLE books ON COMMIT DROP AS
    SELECT p.community_id, k.currency, k.bucket, uuidv7() AS id FROM bench_place p,
        (VALUES ('minute', 'issued'), ('minute', 'converted'), ('point', 'issued'), ('point', 'redeemed')) AS k (currency, bucket);
INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket)
    SELECT community_id, id, 'system', community_id, currency, bucket FROM books;
CREATE TEMP TABLE book ON COMMIT DROP AS
    SELECT p.community_id,
           (SELECT id FROM books b WHERE b.community_id = p.community_id AND currency = 'minute' AND bucket = 'issued') AS minutes,
           (SELECT id FROM books b WHERE b.community_id = p.community_id AND currency = 'minute' AND bucket = 'converted') AS converted,
           (SELECT id FROM books b WHERE b.community_id = p.community_id AND currency = 'point' AND bucket = 'issued') AS points
    FROM bench_place p;
INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount, occurred_at,
                      posted_at, source_kind, source_id, rule_code, rule_version, memo)
    SELECT s.community_id, uuid_v7(s.at), s.entry_id, l.leg, 'service:' || s.id || CASE l.leg WHEN 1 THEN '' ELSE chr(31) || l.leg END, ''::bytea, l.kind,
           l.currency, l.debit, l.credit, l.amount, s.at, s.at, 'service_record', s.id, 'service', 1, '1 小时 · 驿站 · 志愿服务 v1'
    FROM served s JOIN book b USING (community_id)
    CROSS JOIN LATERAL (VALUES (1, 'service', 'minute', b.minutes, s.minutes, 60), (2, 'conversion', 'minute', s.minutes, b.converted, 60),
                               (3, 'service', 'point', b.points, s.points, 10)) AS l (leg, kind, currency, debit, credit, amount)
    UNION ALL
    SELECT d.community_id, uuid_v7(d.at), d.entry_id, 1, 'deed:' || d.id || ':credit', ''::bytea, 'deed', 'point', b.points, d.account_id, d.points, d.at, d.at,
           'deed', d.id, 'mediation', 1, '调解邻里纠纷'
    FROM done d JOIN book b USING (community_id);
-- The account without an expiry is the one that the ledger locks.
INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, expires_on, balance)
    SELECT w.community_id, a.id, 'person', w.id, a.currency, a.bucket, a.expires_on, a.balance FROM who w
    CROSS JOIN LATERAL (VALUES
        (uuidv7(), 'point', 'available', NULL::date, 0), (w.minutes, 'minute', 'available', NULL, 0), (w.held, 'point', 'held', '{until}', 0),
        (w.points, 'point', 'available', '{until}', {given} + CASE WHEN w.reads THEN 10 * ({records} + {deeds}) ELSE 0 END)
    ) AS a (id, currency, bucket, expires_on, balance);
