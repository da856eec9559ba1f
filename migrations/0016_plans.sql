-- Reads that stay bounded while a community's history grows.

SET LOCAL ROLE timebank_owner;

-- What a reversal left as a debt, by its entry.
CREATE INDEX debt_entry ON debt (community_id, entry_id);

-- The lessons of a course that are still to end.
CREATE INDEX lesson_course_end ON lesson (community_id, course_id, ends_at) WHERE cancelled_at IS NULL;

-- A child's bookings, newest first: of every state, and of one.
CREATE INDEX booking_child_time ON booking (community_id, child_id, created_at, id);
CREATE INDEX booking_child_status ON booking (community_id, child_id, status, created_at, id);
DROP INDEX booking_child_id;

-- The list of imports, newest first.
CREATE INDEX import_run_time ON import_run (community_id, started_at, id);

-- Who has minutes of a course left: few of those who ever had some.
CREATE INDEX account_minutes_left ON account (community_id, subject_id)
    WHERE owner_kind = 'person' AND currency = 'class_minute' AND balance > 0;

-- The unused minutes of a course, of a child, or of a child in a course, by purchase, newest first: used minutes count as the oldest. `refundable` of
-- them would bring `points` back today, usable until `back_until` (null: for ever); `worth` is what all of them cost. Where
-- nothing comes back, `waits` says why: points_expired (even the days of grace are over), payer_left (its accounts are
-- closed; p_left counts them all the same, for an administrator) or too_few (less than one point). `lasts_until`: the later
-- of the last day of the points and the end of the course; null: for ever. p_held counts booked minutes as well.
CREATE OR REPLACE FUNCTION class_unused(p_community uuid, p_course uuid, p_child uuid, p_today date, p_grace integer, p_left boolean DEFAULT false,
                             p_held boolean DEFAULT false)
    RETURNS TABLE (purchase_id uuid, course_id uuid, child_id uuid, guardian_id uuid, unused integer, worth integer, refundable integer,
                   points integer, back_until date, lasts_until date, waits text, bought_at timestamptz)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH found AS (
        -- One of the three, so that each is read by its own index.
        SELECT a.subject_id, a.owner_id, a.bucket, a.balance FROM account a
        WHERE p_course IS NOT NULL AND p_child IS NULL AND a.community_id = p_community AND a.subject_id = p_course
          AND a.owner_kind = 'person' AND a.currency = 'class_minute' AND a.balance > 0
        UNION ALL
        SELECT a.subject_id, a.owner_id, a.bucket, a.balance FROM account a
        WHERE p_course IS NOT NULL AND a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = p_child
          AND a.currency = 'class_minute' AND a.subject_id = p_course
        UNION ALL
        SELECT a.subject_id, a.owner_id, a.bucket, a.balance FROM account a
        WHERE p_course IS NULL AND a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = p_child
          AND a.currency = 'class_minute' AND a.subject_id IS NOT NULL
    ), has AS (
        SELECT f.subject_id, f.owner_id, sum(f.balance) AS minutes FROM found f
        WHERE (p_held OR f.bucket = 'available') AND f.balance > 0 GROUP BY 1, 2
    ), bought AS (
        -- Child by child, so that no plan reads the purchases of all of them.
        SELECT b.*, h.minutes AS available FROM has h CROSS JOIN LATERAL (
            SELECT p.*, p.refunded_minutes + p.moved_minutes AS done_minutes, p.refunded_points + p.moved_points AS done_points,
                   p.minutes - p.refunded_minutes - p.moved_minutes - p.expired_minutes AS open,
                   sum(p.minutes - p.refunded_minutes - p.moved_minutes - p.expired_minutes)
                       OVER (ORDER BY p.created_at DESC, p.id DESC) AS down_to_here
            FROM class_purchase p
            WHERE p.community_id = p_community AND p.course_id = h.subject_id AND p.child_id = h.owner_id) b
    ), share AS (
        SELECT b.*, greatest(0, least(b.open, b.available - (b.down_to_here - b.open)))::bigint AS unused FROM bought b
    ), paid AS (
        SELECT s.*, y.alive, y.back_until, y.points_until, g.payer_left
        FROM share s CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.points - m.returned) FILTER (WHERE m.back_until >= p_today), 0) AS alive,
                   nullif(max(m.back_until) FILTER (WHERE m.back_until >= p_today AND m.points > m.returned), 'infinity') AS back_until,
                   nullif(max(coalesce(m.expires_on, 'infinity')), 'infinity') AS points_until
            FROM (SELECT y.points, y.returned, a.expires_on, CASE WHEN a.expires_on IS NULL THEN 'infinity'
                      WHEN a.grace_of IS NOT NULL OR a.expires_on >= p_today THEN a.expires_on ELSE a.expires_on + p_grace END AS back_until
                  FROM class_payment y JOIN account a ON a.community_id = y.community_id AND a.id = y.account_id
                  WHERE y.community_id = p_community AND y.purchase_id = s.id) m
        ) y CROSS JOIN LATERAL (
            -- A sum, not EXISTS or LIMIT, for which a plan may read everybody's accounts.
            SELECT coalesce(bool_or(c.closed_at IS NOT NULL), false) AS payer_left FROM account c
            WHERE c.community_id = p_community AND c.owner_kind = 'person' AND c.owner_id = s.guardian_id
        ) g WHERE s.unused > 0
    ), priced AS (
        SELECT p.*, CASE WHEN p.alive = 0 THEN 0
            ELSE least(p.unused, ((p.done_points + p.alive + 1) * p.minutes - 1) / p.points - p.done_minutes) END AS can
        FROM paid p
    ), valued AS (
        SELECT p.*, p.points * (p.done_minutes + p.can) / p.minutes - p.done_points AS back FROM priced p
    )
    SELECT v.id, v.course_id, v.child_id, v.guardian_id, v.unused::integer,
           greatest(0, v.points * (v.done_minutes + v.unused) / v.minutes - v.done_points)::integer,
           CASE WHEN v.back > 0 AND (p_left OR NOT v.payer_left) THEN v.can ELSE 0 END::integer,
           CASE WHEN v.back > 0 AND (p_left OR NOT v.payer_left) THEN v.back ELSE 0 END::integer,
           v.back_until, CASE WHEN v.points_until IS NOT NULL THEN greatest(v.points_until, c.ends_on) END,
           CASE WHEN v.alive = 0 THEN 'points_expired' WHEN v.back = 0 THEN 'too_few' WHEN v.payer_left AND NOT p_left THEN 'payer_left' END,
           v.created_at
    FROM valued v JOIN course c ON c.community_id = p_community AND c.id = v.course_id
    ORDER BY v.created_at DESC, v.id DESC
$$;
