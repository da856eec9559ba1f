"""What must hold between purchases of class minutes and the ledger; see invariants.py for the shape of a statement."""

from timebank.ledger.invariants import Invariant
from timebank.locale import _

CLASSES: tuple[Invariant, ...] = (
    Invariant(
        "class_refund_differs",
        _("一次买课时记着退回 {minutes} 分钟、{points} 分，账上是 {given_minutes} 分钟、{given_points} 分。"),
        """
WITH given AS (
    SELECT t.source_id, coalesce(sum(t.amount) FILTER (WHERE t.currency = 'class_minute'), 0)::bigint AS minutes,
           coalesce(sum(t.amount) FILTER (WHERE t.currency = 'point'), 0)::bigint AS points
    FROM transfer t WHERE t.community_id = $1 AND t.kind = 'refund' AND t.source_kind = 'class_purchase' GROUP BY 1
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
    SELECT source_id, sum(amount)::bigint AS minutes FROM transfer
    WHERE community_id = $1 AND kind = 'expiry' AND source_kind = 'class_purchase' GROUP BY 1
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
