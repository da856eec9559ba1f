"""The ledger invariants of classes: holds of bookings, purchases, refunds, moves and expiries, and lesson seats."""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import HELD, Invariant

_BOOKING_WITHOUT_HOLD = Invariant(
    "booking_without_hold",
    _("一个已占座的预约在账上没有预留课时。"),
    """
SELECT ARRAY[b.id, b.child_id] AS ids FROM booking b
JOIN lesson l ON l.community_id = $1 AND l.id = b.lesson_id
LEFT JOIN held h ON h.entry_id = b.entry_id AND h.source_id = b.id AND h.owner_id = b.child_id
     AND h.currency = 'class_minute'
WHERE b.community_id = $1 AND b.status = 'held' AND l.minutes <> coalesce(h.open, 0)
ORDER BY b.id LIMIT $2""",
    HELD,
)

_BOOKING_END_DIFFERS = Invariant(
    "booking_end_differs",
    _("一个已经结束的预约是 {minutes} 分钟课时，账上办结的是 {closed} 分钟。"),
    """
, ended AS (
    SELECT b.id, b.child_id, CASE WHEN b.status = 'cancelled' THEN h.amount ELSE l.minutes END AS minutes,
           coalesce(CASE WHEN b.status = 'cancelled' THEN h.voided ELSE h.settled END, 0) AS closed
    FROM booking b JOIN lesson l ON l.community_id = $1 AND l.id = b.lesson_id
    LEFT JOIN held h ON h.entry_id = b.entry_id AND h.source_id = b.id AND h.owner_id = b.child_id
         AND h.currency = 'class_minute'
    WHERE b.community_id = $1
      AND (b.status IN ('attended', 'missed') OR b.status = 'cancelled' AND b.entry_id IS NOT NULL)
)
SELECT ARRAY[e.id, e.child_id] AS ids, coalesce(e.minutes, 0) AS minutes, e.closed FROM ended e
WHERE e.minutes IS DISTINCT FROM e.closed ORDER BY e.id LIMIT $2""",
    HELD,
)

# Only the legs between the right people count as paid and credited; any other leg makes the sum differ.
_PURCHASE_DIFFERS = Invariant(
    "purchase_differs",
    _("一次买课时是 {minutes} 分钟、{points} 分，账上是 {credited} 分钟、{paid} 分。"),
    """
WITH bought AS (
    SELECT id, minutes, points, guardian_id, child_id, course_id, entry_id FROM class_purchase
    WHERE community_id = $1 AND moved_from IS NULL
), posted AS (
    SELECT t.source_id, sum(t.amount)::bigint AS every, coalesce(sum(t.amount) FILTER (WHERE t.currency = 'point'
               AND coalesce(g.merged_into, d.owner_id) = b.guardian_id AND t.entry_id = b.entry_id), 0)::bigint AS paid,
           coalesce(sum(t.amount) FILTER (WHERE t.currency = 'class_minute'
               AND coalesce(k.merged_into, c.owner_id) = b.child_id
               AND c.subject_id = b.course_id), 0)::bigint AS credited
    FROM transfer t JOIN account d ON d.community_id = $1 AND d.id = t.debit_account
    JOIN account c ON c.community_id = $1 AND c.id = t.credit_account
    LEFT JOIN bought b ON b.id = t.source_id
    LEFT JOIN person g ON g.community_id = $1 AND g.id = d.owner_id
    LEFT JOIN person k ON k.community_id = $1 AND k.id = c.owner_id
    WHERE t.community_id = $1 AND t.kind = 'purchase' GROUP BY t.source_id
)
SELECT ARRAY[coalesce(b.id, p.source_id)] AS ids, coalesce(b.minutes, 0) AS minutes, coalesce(b.points, 0) AS points,
       coalesce(p.credited, 0) AS credited, coalesce(p.paid, 0) AS paid
FROM bought b FULL JOIN posted p ON p.source_id = b.id
WHERE (b.minutes, b.points, b.minutes + b.points) IS DISTINCT FROM (p.credited, p.paid, p.every) ORDER BY 1 LIMIT $2""",
)

_LESSON_SEATS = Invariant(
    "lesson_seats_differ",
    _("一节课记着占了 {stored} 个座位，预约合计是 {taken} 个。"),
    """
WITH taken AS (
    SELECT lesson_id, count(*) AS seats FROM booking
    WHERE community_id = $1 AND status IN ('held', 'attended', 'missed') GROUP BY lesson_id
)
SELECT ARRAY[l.id] AS ids, l.seats_taken AS stored, coalesce(t.seats, 0) AS taken
FROM lesson l LEFT JOIN taken t ON t.lesson_id = l.id
WHERE l.community_id = $1 AND l.seats_taken <> coalesce(t.seats, 0) ORDER BY l.id LIMIT $2""",
)

_RETURNS: tuple[Invariant, ...] = (
    Invariant(
        "class_refund_differs",
        _("一次买课时记着退回 {minutes} 分钟、{points} 分，账上是 {given_minutes} 分钟、{given_points} 分。"),
        """
WITH given AS (
    SELECT t.source_id, coalesce(sum(t.amount) FILTER (WHERE t.currency = 'class_minute'), 0)::bigint AS minutes,
           coalesce(sum(t.amount) FILTER (WHERE t.currency = 'point'), 0)::bigint AS points
    FROM (
        SELECT source_id, currency, amount FROM transfer
        WHERE community_id = $1 AND kind = 'refund' AND source_kind = 'class_purchase'
        UNION ALL  -- what was reversed of purchases while they could be
        SELECT t.source_id, t.currency, t.amount FROM transfer t JOIN (
            SELECT reverses FROM transfer WHERE community_id = $1 AND kind = 'reversal'
            UNION SELECT reverses FROM debt WHERE community_id = $1
        ) x ON x.reverses = t.id
        WHERE t.community_id = $1 AND t.kind = 'purchase' AND t.source_kind = 'class_purchase'
    ) t GROUP BY 1
), noted AS (SELECT id, refunded_minutes, refunded_points FROM class_purchase WHERE community_id = $1)
SELECT ARRAY[coalesce(n.id, g.source_id)] AS ids, coalesce(n.refunded_minutes, 0) AS minutes,
       coalesce(n.refunded_points, 0) AS points, coalesce(g.minutes, 0) AS given_minutes,
       coalesce(g.points, 0) AS given_points
FROM noted n FULL JOIN given g ON g.source_id = n.id
WHERE coalesce(n.refunded_minutes, 0) <> coalesce(g.minutes, 0)
   OR coalesce(n.refunded_points, 0) <> coalesce(g.points, 0) ORDER BY 1 LIMIT $2""",
    ),
    Invariant(
        "class_move_differs",
        _("一次买课时记着转出 {out_noted} 分钟、转入 {in_noted} 分钟，账上是 {out_moved} 分钟、{in_moved} 分钟。"),
        """
WITH moved AS (
    SELECT t.source_id, coalesce(sum(t.amount) FILTER (WHERE d.owner_kind = 'person'), 0)::bigint AS gone,
           coalesce(sum(t.amount) FILTER (WHERE d.owner_kind = 'system'), 0)::bigint AS come
    FROM transfer t JOIN account d ON d.community_id = t.community_id AND d.id = t.debit_account
    WHERE t.community_id = $1 AND t.kind = 'move' AND t.source_kind = 'class_purchase' GROUP BY 1
), noted AS (
    SELECT id, moved_minutes AS gone, CASE WHEN moved_from IS NULL THEN 0 ELSE minutes END AS come FROM class_purchase
    WHERE community_id = $1
)
SELECT ARRAY[coalesce(n.id, m.source_id)] AS ids, coalesce(n.gone, 0) AS out_noted, coalesce(n.come, 0) AS in_noted,
       coalesce(m.gone, 0) AS out_moved, coalesce(m.come, 0) AS in_moved
FROM noted n FULL JOIN moved m ON m.source_id = n.id
WHERE coalesce(n.gone, 0) <> coalesce(m.gone, 0) OR coalesce(n.come, 0) <> coalesce(m.come, 0) ORDER BY 1 LIMIT $2""",
    ),
    Invariant(
        "class_expiry_differs",
        _("一次买课时记着到期 {noted} 分钟，账上是 {moved} 分钟。"),
        """
WITH moved AS (
    SELECT t.source_id, sum(t.amount - coalesce(r.amount, 0))::bigint AS minutes FROM transfer t
    LEFT JOIN transfer r ON r.community_id = $1 AND r.reverses = t.id AND r.source_id = t.source_id
    WHERE t.community_id = $1 AND t.kind = 'expiry' AND t.source_kind = 'class_purchase' GROUP BY 1
), noted AS (SELECT id, expired_minutes FROM class_purchase WHERE community_id = $1)
SELECT ARRAY[coalesce(n.id, m.source_id)] AS ids, coalesce(n.expired_minutes, 0) AS noted,
       coalesce(m.minutes, 0) AS moved
FROM noted n FULL JOIN moved m ON m.source_id = n.id
WHERE coalesce(n.expired_minutes, 0) <> coalesce(m.minutes, 0) ORDER BY 1 LIMIT $2""",
    ),
    Invariant(
        "class_payment_differs",
        _("一次买课时付了 {points} 分、退转 {gone} 分，按付分的账户是 {paid} 分、{returned} 分。"),
        """
WITH paid AS (
    SELECT purchase_id, sum(points)::bigint AS points, sum(returned)::bigint AS returned FROM class_payment
    WHERE community_id = $1 GROUP BY 1
)
SELECT ARRAY[p.id] AS ids, p.points, p.refunded_points + p.moved_points AS gone, coalesce(y.points, 0) AS paid,
       coalesce(y.returned, 0) AS returned
FROM class_purchase p LEFT JOIN paid y ON y.purchase_id = p.id
WHERE p.community_id = $1 AND (coalesce(y.points, p.points) <> p.points
    OR coalesce(y.returned, 0) <> p.refunded_points + p.moved_points)
ORDER BY p.id LIMIT $2""",
    ),
)

CLASSES: tuple[Invariant, ...] = (
    _BOOKING_WITHOUT_HOLD, _BOOKING_END_DIFFERS, _PURCHASE_DIFFERS, _LESSON_SEATS, *_RETURNS,
)  # fmt: skip
