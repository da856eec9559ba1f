-- The people, and functions for ids, times and accounts. ground.py fills in the values in braces.
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id_at(at timestamptz, salt text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT overlay(md5(salt) PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' FROM 1 FOR 13)::uuid
$$;
CREATE TEMP TABLE c AS SELECT '{community}'::uuid AS id, '{now}'::timestamptz AS now, '{heavy}'::uuid AS heavy,
    '{station}'::uuid AS station, '{good}'::uuid AS good, '{area}'::uuid AS area, '{guardian}'::uuid AS guardian,
    '{course}'::uuid AS course, '{activity}'::uuid AS activity;
CREATE TEMP TABLE who AS SELECT n, CASE n WHEN 0 THEN '{heavy}'::uuid ELSE md5('who' || n)::uuid END AS id
    FROM generate_series(0, {residents} - 1) n;
INSERT INTO person (community_id, id, household_id, name, name_key, pinyin, publishes_name, status, code_epoch, created_at)
    SELECT c.id, w.id, h.household_id, '居民' || w.n, '居民' || w.n, 'jumin' || w.n, false, 'active', 1, c.now FROM who w, c,
    LATERAL (SELECT household_id FROM person p WHERE p.community_id = c.id AND p.id = c.heavy) h WHERE w.n > 0;

-- The person of the n-th event: 张桂兰 in every twentieth.
CREATE FUNCTION pg_temp.acts(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n % 20 = 0 OR n % {residents} = 0 THEN '{heavy}'::uuid ELSE md5('who' || n % {residents})::uuid END
$$;
CREATE FUNCTION pg_temp.sys(cur text, buc text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT md5('system' || cur || buc)::uuid
$$;
CREATE FUNCTION pg_temp.acc(owner uuid, cur text, buc text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT md5(owner::text || cur || buc)::uuid
$$;
CREATE FUNCTION pg_temp.moment(n integer, of integer, second integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp(floor({epoch} - {years} * 365.25 * 86400 * (1 - n::float / of)) - 600 + second)
$$;

-- Service records, deeds, messages and the audit.
CREATE TEMP TABLE rec AS SELECT n, pg_temp.acts(n) AS person, pg_temp.moment(n, {records}, 0) AS at FROM generate_series(1, {records}) n;
ALTER TABLE rec ADD id uuid, ADD visit uuid, ADD entry uuid;
UPDATE rec SET id = pg_temp.id_at(at, 'record' || n), visit = pg_temp.id_at(at, 'visit' || n), entry = pg_temp.id_at(at, 're' || n);
INSERT INTO visit (community_id, id, person_id, station_id, activity_id, in_at, out_at, status, in_by, out_by, opens_at, closes_at,
        in_address)
    SELECT c.id, r.visit, r.person, c.station, c.activity, r.at - interval '1 hour', r.at, 'closed', 'station_code', 'station_code', '06:00', '22:00',
        CASE WHEN r.at > c.now - interval '3 days' THEN 'one network'::bytea END FROM rec r, c;
INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, visit_id, status, verdict)
    SELECT c.id, 'nonce' || r.n || s, '', r.at - s * interval '1 hour', r.at - s * interval '1 hour', c.station, r.person, r.visit, 'ok', '{{}}'
    FROM rec r, c, generate_series(0, 1) s;
INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, status, reason, verdict)
    SELECT c.id, 'refused' || r.n, '', r.at, r.at, c.station, r.person, 'error', 'expired_code', '{{"status": "error", "reason": "expired_code"}}'
    FROM rec r, c WHERE r.n % 4 = 0;
INSERT INTO service_record (community_id, id, kind, person_id, visit_id, activity_id, station_id, started_at, ended_at, minutes, status,
        flags, rule_code, rule_version, credited_minutes, credited_points, entry_id, created_at)
    SELECT c.id, r.id, 'credit', r.person, r.visit, c.activity, c.station, r.at - interval '1 hour', r.at, 60, 'approved', '{{}}', 'service', 1, 60, 10,
        r.entry, r.at FROM rec r, c;
INSERT INTO service_record (community_id, id, kind, person_id, started_at, ended_at, minutes, status, flags, notice_until, rule_code, created_at)
    SELECT c.id, pg_temp.id_at(c.now, 'waits' || n), 'honour', pg_temp.acts(n), c.now - interval '2 days', c.now - interval '47 hours', 60,
        CASE WHEN n > 40 THEN 'noticed' ELSE 'pending' END, '{{}}', CASE WHEN n > 40 THEN c.now + interval '5 days' END, 'service',
        c.now - interval '1 day' FROM generate_series(1, 60) n, c;
CREATE TEMP TABLE good_deed AS SELECT n, pg_temp.acts(n) AS person, pg_temp.moment(n, {deeds}, 100) AS at FROM generate_series(1, {deeds}) n;
ALTER TABLE good_deed ADD id uuid, ADD entry uuid, ADD points integer NOT NULL DEFAULT 10, ADD undone text;
UPDATE good_deed SET id = pg_temp.id_at(at, 'deed' || n), entry = pg_temp.id_at(at, 'de' || n);
-- Some deeds were reversed: the points were still there, or became a debt that was repaid or is open.
UPDATE good_deed SET undone = CASE WHEN n % 40 = 0 OR n % 10 = 3 THEN 'taken' WHEN n > {deeds} - 400 THEN 'owed' ELSE 'repaid' END
    WHERE n % 20 = 0 OR n % 10 IN (3, 7);
UPDATE good_deed SET points = 1000000, person = c.guardian FROM c WHERE n = 1;
INSERT INTO deed (community_id, id, person_id, area_id, rule_code, rule_version, points, points_reason, occurred_on, note, status, entry_id, created_at)
    SELECT c.id, d.id, d.person, c.area, 'mediation', 1, d.points, CASE WHEN n = 1 THEN '一次大的' END, d.at::date, '说和',
        CASE WHEN d.undone IS NULL THEN 'credited' ELSE 'reversed' END, d.entry, d.at
    FROM good_deed d, c;
INSERT INTO deed (community_id, id, person_id, area_id, rule_code, rule_version, points, occurred_on, note, status, notice_from, notice_until, created_at)
    SELECT c.id, pg_temp.id_at(c.now, 'filed' || n), pg_temp.acts(n), c.area, 'mediation', 1, 10, c.now::date, '说和',
        CASE WHEN n > 30 THEN 'noticed' ELSE 'filed' END, c.now, c.now + interval '5 days', c.now FROM generate_series(1, 50) n, c;
INSERT INTO objection (community_id, id, subject_kind, subject_id, person_id, reason, created_at, upheld, decided_at)
    SELECT c.id, pg_temp.id_at(d.at, 'objection' || d.n), 'deed', d.id, pg_temp.acts(d.n + 1), '不是这样', d.at, false, d.at FROM good_deed d, c WHERE d.n % 2 = 0;
INSERT INTO message (community_id, id, person_id, kind, text, key, created_at, due_at, urgent, read_at)
    SELECT c.id, pg_temp.id_at(r.at, 'message' || r.n || s), r.person, 'record_credited', '已入账', 'key' || r.n || s, r.at, r.at, false,
        CASE WHEN r.n < {records} * 0.99 THEN r.at END FROM rec r, c, generate_series(0, 1) s;
INSERT INTO audit (community_id, id, at, person_id, via, request_id, verb, noun, noun_id, reason, change)
    SELECT c.id, pg_temp.id_at(r.at, 'audit' || r.n || s), r.at, r.person, 'api', '', 'credit_record', 'service_record', r.id, CASE WHEN r.n % 2 = 0 THEN '核对过了' END, '{{}}'
    FROM rec r, c, generate_series(0, 1) s;

-- Redemptions, lessons and shifts.
CREATE TEMP TABLE red AS SELECT n, pg_temp.acts(n) AS person, pg_temp.moment(n, {redemptions}, 200) AS at, n <= {redemptions} - 30 AS taken
    FROM generate_series(1, {redemptions}) n;
ALTER TABLE red ADD id uuid, ADD entry uuid, ADD settled uuid;
UPDATE red SET id = pg_temp.id_at(at, 'red' || n), entry = pg_temp.id_at(at, 'he' || n), settled = pg_temp.id_at(at + interval '5 min', 'se' || n);
INSERT INTO redemption (community_id, id, person_id, household_id, good_id, station_id, quantity, points, status, entry_id, settled_entry_id,
        reserved_at, expires_at, ended_at)
    SELECT c.id, r.id, r.person, r.person, c.good, c.station, 1, 8, CASE WHEN taken THEN 'collected' ELSE 'reserved' END,
        r.entry, CASE WHEN taken THEN r.settled END, r.at, r.at + interval '7 days',
        CASE WHEN taken THEN r.at + interval '5 min' END FROM red r, c;
INSERT INTO undone_act (community_id, id, kind, noun_id, station_id, person_id, keeper_id, what, points, undone_at)
    SELECT c.id, pg_temp.id_at(r.at, 'undone' || r.n), 'hand_over', r.id, c.station, r.person, c.guardian, '', 8, r.at FROM red r, c
    WHERE r.n % 10 = 0;
INSERT INTO pickup (community_id, code, noun, noun_id, station_id, expires_at)
    SELECT r.community_id, lpad((row_number() OVER ())::text, 8, '0'), 'redemption', r.id, r.station_id, r.expires_at FROM redemption r, c
    WHERE r.community_id = c.id AND r.status = 'reserved';
INSERT INTO stock_move (community_id, id, station_id, good_id, change, reason, redemption_id, moved_at)
    SELECT c.id, pg_temp.id_at(r.at, 'move' || r.n), c.station, c.good, -1, 'reserved', r.id, r.at FROM red r, c;
INSERT INTO stock_move (community_id, id, station_id, good_id, change, reason, moved_at)
    SELECT c.id, pg_temp.id_at(c.now, 'in'), c.station, c.good, {redemptions}, 'received', c.now FROM c;
INSERT INTO household_month (community_id, household_id, good_id, month, quantity)
    SELECT c.id, r.person, c.good, date_trunc('month', r.at AT TIME ZONE '{zone}')::date, count(*) FROM red r, c GROUP BY 1, 2, 3, 4;
INSERT INTO lesson (community_id, id, course_id, starts_at, ends_at, minutes, seats, seats_taken)
    SELECT c.id, md5('lesson' || n)::uuid, c.course, pg_temp.moment(n, {bookings} / {children}, 0), pg_temp.moment(n, {bookings} / {children}, 0) + interval '1 hour',
        60, {children}, {children} FROM generate_series(0, {bookings} / {children} - 1) n, c;
CREATE TEMP TABLE bok AS SELECT i AS n, w.id AS child, pg_temp.moment(i / {children}, {bookings} / {children}, 300) AS at,
    md5('lesson' || i / {children})::uuid AS lesson FROM generate_series(0, {bookings} - 1) i JOIN who w ON w.n = 100 + i % {children};
ALTER TABLE bok ADD id uuid, ADD entry uuid;
UPDATE bok SET id = pg_temp.id_at(at, 'bok' || n), entry = pg_temp.id_at(at, 'be' || n);
INSERT INTO booking (community_id, id, lesson_id, child_id, guardian_id, status, entry_id, created_at, ended_at)
    SELECT c.id, b.id, b.lesson, b.child, c.guardian, 'attended', b.entry, b.at, b.at FROM bok b, c;
CREATE TEMP TABLE buy AS SELECT w.n, w.id AS child, pg_temp.moment(1, {records}, 500) AS at, pg_temp.id_at(c.now, 'buy' || w.n) AS id,
    pg_temp.id_at(c.now, 'pe' || w.n) AS entry FROM who w, c WHERE w.n BETWEEN 100 AND 99 + {children};
INSERT INTO class_purchase (community_id, id, guardian_id, child_id, course_id, minutes, points, entry_id, created_at)
    SELECT c.id, b.id, c.guardian, b.child, c.course, 12000, 4000, b.entry, b.at FROM buy b, c;
INSERT INTO class_payment (community_id, purchase_id, account_id, points, returned)
    SELECT c.id, b.id, pg_temp.acc(c.guardian, 'point', 'available'), 4000, 0 FROM buy b, c;
-- The guardian has ten of the children.
UPDATE person p SET born_on = c.now::date - 3650 FROM buy b, c WHERE p.community_id = c.id AND p.id = b.child;
INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at)
    SELECT c.id, md5('cares' || b.n)::uuid, c.guardian, b.child, '母亲', c.now FROM buy b, c WHERE b.n < 110;
INSERT INTO shift (community_id, id, activity_id, station_id, starts_at, ends_at, seats, seats_taken, created_at)
    SELECT c.id, md5('shift' || n)::uuid, c.activity, c.station, pg_temp.moment(n, 2000, 0), pg_temp.moment(n, 2000, 0) + interval '2 hours', 20, 10, c.now
    FROM generate_series(1, 2000) n, c;
INSERT INTO sign_up (community_id, id, shift_id, person_id, created_at)
    SELECT c.id, md5('up' || i)::uuid, md5('shift' || (1 + i / 10))::uuid, w.id, c.now
    FROM generate_series(0, 19999) i JOIN who w ON w.n = i % 10, c;

-- Imports.
INSERT INTO import_run (community_id, id, kind, file_name, file_hash, skip_bad, rows, accepted, created, report, started_by, started_at)
    SELECT c.id, pg_temp.id_at(pg_temp.moment(n, 2000, 0), 'run' || n), 'hours', '时长' || n || '.xlsx', '', false, 25, 25, 25,
        '{{"rows": 25, "accepted": 25, "created": 25, "outcome": "imported", "errors": [], "warnings": [], "notes": []}}', c.heavy, pg_temp.moment(n, 2000, 0)
    FROM generate_series(1, 2000) n, c;
INSERT INTO import_row (community_id, kind, row_key, run_id, noun, noun_id)
    SELECT c.id, 'hours', decode(md5('row' || r.n), 'hex'), pg_temp.id_at(pg_temp.moment(1 + r.n / 25, 2000, 0), 'run' || (1 + r.n / 25)), 'service_record', r.id
    FROM rec r, c WHERE r.n < {records} - 100;

-- The ledger entries of all of these.
CREATE TEMP TABLE leg AS
    SELECT entry, 1 AS leg, 'service' AS kind, 'minute' AS currency, pg_temp.sys('minute', 'issued') AS debit, pg_temp.acc(person, 'minute', 'available') AS credit,
        60 AS amount, at, 'service_record' AS source_kind, id AS source, 'service' AS rule, NULL::uuid AS closes,
        NULL::uuid AS reverses FROM rec
    UNION ALL SELECT entry, 2, 'conversion', 'minute', pg_temp.acc(person, 'minute', 'available'), pg_temp.sys('minute', 'converted'), 60, at,
        'service_record', id, 'service', NULL, NULL FROM rec
    UNION ALL SELECT entry, 3, 'service', 'point', pg_temp.sys('point', 'issued'), pg_temp.acc(person, 'point', 'available'), 10, at,
        'service_record', id, 'service', NULL, NULL FROM rec
    UNION ALL SELECT entry, 1, 'deed', 'point', pg_temp.sys('point', 'issued'), pg_temp.acc(person, 'point', 'available'), points, at, 'deed', id, 'mediation', NULL, NULL
        FROM good_deed
    UNION ALL SELECT entry, 1, 'hold', 'point', pg_temp.acc(person, 'point', 'available'), pg_temp.acc(person, 'point', 'held'), 8, at, 'redemption', id, NULL, NULL, NULL
        FROM red
    UNION ALL SELECT settled, 1, 'settle', 'point', pg_temp.acc(person, 'point', 'held'), pg_temp.sys('point', 'redeemed'), 8, at + interval '5 min', 'redemption', id,
        NULL, pg_temp.id_at(at, entry || '1'), NULL FROM red WHERE taken
    UNION ALL SELECT entry, 1, 'purchase', 'point', pg_temp.acc(c.guardian, 'point', 'available'), pg_temp.sys('point', 'redeemed'), 4000, at, 'class_purchase', b.id,
        NULL, NULL, NULL FROM buy b, c
    UNION ALL SELECT entry, 2, 'purchase', 'class_minute', pg_temp.sys('class_minute', 'issued'), pg_temp.acc(child, 'class_minute', 'available'), 12000, at,
        'class_purchase', b.id, NULL, NULL, NULL FROM buy b, c
    UNION ALL SELECT entry, 1, 'hold', 'class_minute', pg_temp.acc(child, 'class_minute', 'available'), pg_temp.acc(child, 'class_minute', 'held'), 60, at,
        'booking', id, NULL, NULL, NULL FROM bok
    UNION ALL SELECT md5(entry::text)::uuid, 1, 'settle', 'class_minute', pg_temp.acc(child, 'class_minute', 'held'), pg_temp.sys('class_minute', 'redeemed'), 60,
        at + interval '1 min', 'booking', id, NULL, pg_temp.id_at(at, entry || '1'), NULL FROM bok
    UNION ALL SELECT md5('back' || entry)::uuid, 1, 'reversal', 'point', pg_temp.acc(person, 'point', 'available'), pg_temp.sys('point', 'issued'), points,
        at + interval '2 min', 'deed', id, NULL, NULL, pg_temp.id_at(at, entry || '1') FROM good_deed WHERE undone = 'taken'
    UNION ALL SELECT md5('paid' || entry)::uuid, 1, 'repayment', 'point', pg_temp.acc(person, 'point', 'available'), pg_temp.sys('point', 'issued'), points,
        at + interval '3 min', 'deed', id, NULL, NULL, NULL FROM good_deed WHERE undone = 'repaid';
INSERT INTO debt (community_id, id, owner_kind, owner_id, currency, amount, repaid, repay_to, reverses, entry_id, created_at, key)
    SELECT c.id, pg_temp.id_at(d.at, 'debt' || d.n), 'person', d.person, 'point', d.points, CASE WHEN d.undone = 'repaid' THEN d.points ELSE 0 END,
        pg_temp.sys('point', 'issued'), pg_temp.id_at(d.at, d.entry || '1'), md5('back' || d.entry)::uuid, d.at + interval '2 min', 'back' || d.n
    FROM good_deed d, c WHERE d.undone IN ('owed', 'repaid');
INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount, occurred_at, posted_at,
        source_kind, source_id, rule_code, rule_version, closes, reverses, memo)
    SELECT c.id, pg_temp.id_at(l.at, l.entry || l.leg::text), l.entry, l.leg, l.entry || '#' || l.leg, '', l.kind, l.currency, l.debit, l.credit, l.amount,
        l.at, l.at, l.source_kind, l.source, l.rule, CASE WHEN l.rule IS NOT NULL THEN 1 END, l.closes, l.reverses, '1 小时 · 暖蜂驿站' FROM leg l, c ORDER BY l.at, l.leg;
INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, subject_id, expires_on, balance)
    SELECT DISTINCT c.id, pg_temp.acc(w.id, k.currency, k.bucket), 'person', w.id, k.currency, k.bucket, CASE k.currency WHEN 'class_minute' THEN c.course END,
        CASE k.currency WHEN 'point' THEN date '2099-12-31' END, coalesce(s.amount, 0)
    FROM (SELECT id FROM who UNION SELECT guardian FROM c) w CROSS JOIN c
    CROSS JOIN (VALUES ('minute', 'available'), ('point', 'available'), ('point', 'held'), ('class_minute', 'available'), ('class_minute', 'held')) k (currency, bucket)
    LEFT JOIN (SELECT account, sum(amount) AS amount FROM (SELECT debit AS account, -amount AS amount FROM leg UNION ALL SELECT credit, amount FROM leg) m
        GROUP BY account) s ON s.account = pg_temp.acc(w.id, k.currency, k.bucket);
INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket)
    SELECT c.id, pg_temp.sys(k.currency, k.bucket), 'system', c.id, k.currency, k.bucket FROM c, (VALUES ('minute', 'issued'), ('minute', 'converted'),
        ('point', 'issued'), ('point', 'redeemed'), ('class_minute', 'issued'), ('class_minute', 'redeemed')) k (currency, bucket);
INSERT INTO day_total (community_id, day, currency, bucket, given, taken, transfers)
    SELECT c.id, (m.at AT TIME ZONE '{zone}')::date AS day, a.currency, a.bucket, sum(m.given), sum(m.taken), count(*)
    FROM c, (SELECT at, debit AS account, amount AS given, 0 AS taken FROM leg UNION ALL SELECT at, credit, 0, amount FROM leg) m
    JOIN account a ON a.id = m.account AND a.owner_kind = 'system' WHERE m.at < date_trunc('day', c.now AT TIME ZONE '{zone}') AT TIME ZONE '{zone}'
    GROUP BY 1, 2, 3, 4;
INSERT INTO waiting_change (community_id, id, kind, subject, change, before, needs, depth, proposed_by, proposed_at, status, decided_at)
    SELECT c.id, md5('change' || n)::uuid, 'looser_policy', 'hold_days' || n,
        '{{"do": {{"name": "hold_days", "value": 9}}, "says": {{"title": "hold_days", "before": 7, "after": 9}}}}', '7', 'above', 3, c.heavy,
        c.now - n * interval '1 hour', CASE WHEN n <= 20 THEN 'waiting' ELSE 'agreed' END, CASE WHEN n > 20 THEN c.now END
    FROM c, generate_series(1, 5000) AS n;
