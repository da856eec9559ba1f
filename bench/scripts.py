"""The statements of pgbench: for each verb the least that it can cost, as one prepared statement over the same tables.

None checks a permission, looks a session or a key up, writes the audit, or words an answer. `:n` is the number of a
resident of pgbench's community in `bench_person`, `:good` one of a good in `bench_stock`; each is one look-up by key,
as the service has one by the id that the request names. `:issued_minutes` and `:issued_points` are system accounts. New
ids are in the order of time, as those of the service are.
"""

CHECK_IN = """
WITH came AS (
    INSERT INTO visit (community_id, id, person_id, station_id, in_at, status, in_by, opens_at, closes_at)
    SELECT community_id, uuidv7(), id, station_id, now(), 'open', 'station_code', '00:00', '23:59'
    FROM bench_person WHERE n = :n RETURNING community_id, id, person_id, station_id
)
INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, visit_id, status,
                  verdict)
SELECT community_id, gen_random_uuid()::text, '', now(), now(), station_id, person_id, id, 'ok', '{}' FROM came;
"""
"""A check-in: insert the visit and the scan."""

CHECK_OUT = """
WITH who AS (
    SELECT * FROM bench_person WHERE n = :n
), closed AS (
    UPDATE visit v SET status = 'closed', out_at = now(), out_by = 'station_code' FROM who w
    WHERE v.community_id = w.community_id AND v.person_id = w.id AND v.status = 'open'
    RETURNING w.*, v.id AS visit_id, v.in_at, v.out_at
), judged AS (
    SELECT *, uuidv7() AS record_id, uuidv7() AS entry_id, extract(epoch FROM out_at - in_at)::integer / 60 AS lasted
    FROM closed
), recorded AS (
    INSERT INTO service_record (community_id, id, kind, person_id, visit_id, station_id, started_at, ended_at, minutes,
                                status, flags, rule_code, rule_version, credited_minutes, credited_points, entry_id,
                                created_at)
    SELECT community_id, record_id, 'credit', id, visit_id, station_id, in_at, out_at, lasted, 'approved', '{}',
           'service', 1, lasted, lasted / 6, entry_id, now() FROM judged
), minutes AS (
    UPDATE account a SET balance = balance + j.lasted FROM judged j
    WHERE a.community_id = j.community_id AND a.id = j.minutes AND balance + j.lasted >= 0 RETURNING j.*
), points AS (
    UPDATE account a SET balance = balance + j.lasted / 6 FROM judged j
    WHERE a.community_id = j.community_id AND a.id = j.points AND balance + j.lasted / 6 >= 0 RETURNING j.*
)
INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account,
                      amount, occurred_at, posted_at, source_kind, source_id, memo)
SELECT community_id, uuidv7(), entry_id, 1, record_id::text, ''::bytea, 'service', 'minute', :issued_minutes::uuid,
       minutes, lasted, now(), now(), 'service_record', record_id, '' FROM minutes
UNION ALL
SELECT community_id, uuidv7(), entry_id, 2, record_id || ':2', ''::bytea, 'service', 'point', :issued_points::uuid,
       points, lasted / 6, now(), now(), 'service_record', record_id, '' FROM points;
"""
"""A check-out that credits: close the visit, insert its record, and transfer minutes and points, each with a guarded
update of the balance."""

RESERVATION = """
WITH wanted AS (
    SELECT w.*, s.good_id, s.station_id AS shelf_id, s.points AS price, uuidv7() AS redemption_id, uuidv7() AS entry_id
    FROM bench_person w, bench_stock s WHERE w.n = :n AND s.n = :good
), taken AS (
    UPDATE stock s SET quantity = quantity - 1 FROM wanted w
    WHERE s.community_id = w.community_id AND s.station_id = w.shelf_id AND s.good_id = w.good_id AND s.quantity >= 1
    RETURNING w.*
), paid AS (
    UPDATE account a SET balance = balance - t.price FROM taken t
    WHERE a.community_id = t.community_id AND a.id = t.points AND a.balance >= t.price RETURNING t.*
), held AS (
    UPDATE account a SET balance = balance + p.price FROM paid p
    WHERE a.community_id = p.community_id AND a.id = p.held RETURNING p.*
), moved AS (
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account,
                          credit_account, amount, occurred_at, posted_at, source_kind, source_id, memo)
    SELECT community_id, uuidv7(), entry_id, 1, redemption_id::text, '', 'hold', 'point', points, held, price, now(),
           now(), 'redemption', redemption_id, '' FROM held
)
INSERT INTO redemption (community_id, id, person_id, household_id, good_id, station_id, quantity, points, status,
                        entry_id, reserved_at, expires_at)
SELECT community_id, redemption_id, id, household_id, good_id, shelf_id, 1, price, 'reserved', entry_id, now(),
       now() + interval '7 days' FROM held;
"""
"""A reservation: a guarded update of the stock, the transfer to the held points with its guarded updates, and the
redemption."""

BALANCES = """
SELECT a.currency, a.bucket, a.subject_id, a.expires_on, a.grace_of, a.balance FROM bench_person w
JOIN account a ON a.community_id = w.community_id AND a.owner_kind = 'person' AND a.owner_id = w.id
WHERE w.n = :n AND a.balance > 0 ORDER BY a.expires_on NULLS LAST;
"""
"""Balances: the person's accounts."""

STATEMENT = """
SELECT t.* FROM bench_person w CROSS JOIN LATERAL (
    (SELECT id, posted_at, kind, amount, memo, source_kind, source_id FROM transfer
     WHERE community_id = w.community_id AND credit_account = w.points ORDER BY posted_at DESC LIMIT 50)
    UNION ALL
    (SELECT id, posted_at, kind, -amount, memo, source_kind, source_id FROM transfer
     WHERE community_id = w.community_id AND debit_account = w.points ORDER BY posted_at DESC LIMIT 50)
) AS t WHERE w.n = :n ORDER BY t.posted_at DESC LIMIT 50;
"""
"""A statement: the newest 50 transfers of the points, by index."""

HOME = """
SELECT w.id,
    (SELECT json_agg(a) FROM (SELECT currency, bucket, expires_on, balance FROM account a
        WHERE a.community_id = w.community_id AND a.owner_kind = 'person' AND a.owner_id = w.id AND a.balance > 0
        ) AS a) AS balances,
    (SELECT sum(amount) FROM transfer t WHERE t.community_id = w.community_id AND t.credit_account = w.points
        AND t.posted_at >= date_trunc('month', now())) AS points_this_month,
    (SELECT sum(credited_minutes) FROM service_record r WHERE r.community_id = w.community_id AND r.person_id = w.id
        AND r.started_at >= date_trunc('year', now()) AND r.status = 'approved') AS minutes_this_year,
    (SELECT in_at FROM visit v WHERE v.community_id = w.community_id AND v.person_id = w.id AND v.status = 'open'
        ) AS visit,
    (SELECT json_agg(r) FROM (SELECT id, good_id, points, expires_at FROM redemption r
        WHERE r.community_id = w.community_id AND r.person_id = w.id AND r.status = 'reserved'
        ORDER BY reserved_at DESC LIMIT 3) AS r) AS reserved,
    (SELECT json_agg(m) FROM (SELECT text, created_at FROM message m WHERE m.community_id = w.community_id
        AND m.person_id = w.id AND m.read_at IS NULL ORDER BY created_at DESC) AS m) AS messages,
    (SELECT json_agg(t) FROM (SELECT posted_at, kind, amount, memo FROM transfer t
        WHERE t.community_id = w.community_id AND t.credit_account = w.points
        ORDER BY posted_at DESC LIMIT 3) AS t) AS latest
FROM bench_person w WHERE w.n = :n;
"""
"""The first page: balances, the sums of month and year, the open visit, three reservations, the unread messages and the
newest three transfers, as one select."""
