"""Invariants between the ledger, the redemptions, the prices and the stock."""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import HELD, Invariant

_REDEMPTION_WITHOUT_HOLD = Invariant(
    "redemption_without_hold",
    _("一份待领取的兑换要 {points} 分，账上预留着 {held} 分。"),
    """
SELECT ARRAY[r.id, r.person_id] AS ids, r.points, coalesce(h.open, 0) AS held FROM redemption r
LEFT JOIN held h ON h.entry_id = r.entry_id AND h.source_id = r.id AND h.owner_id = r.person_id AND h.currency = 'point'
WHERE r.community_id = $1 AND r.status = 'reserved' AND r.points <> coalesce(h.open, 0) ORDER BY r.id LIMIT $2""",
    HELD,
)

_REDEMPTION_END_DIFFERS = Invariant(
    "redemption_end_differs",
    _("一份已经{status}的兑换是 {points} 分，账上办结的是 {closed} 分。"),
    """
, ended AS (
    SELECT r.id, r.person_id, r.points, r.status, r.settled_entry_id, h.settled_entry,
           coalesce(CASE WHEN r.status IN ('collected', 'returned') THEN h.settled ELSE h.voided END, 0) AS closed
    FROM redemption r LEFT JOIN held h ON h.entry_id = r.entry_id AND h.source_id = r.id
         AND h.owner_id = r.person_id AND h.currency = 'point'
    WHERE r.community_id = $1 AND r.status <> 'reserved'
)
SELECT ARRAY[e.id, e.person_id] AS ids, e.points, e.closed,
       CASE e.status WHEN 'collected' THEN '领取' WHEN 'returned' THEN '退货' WHEN 'cancelled' THEN '取消'
                     ELSE '过期退回' END AS status
FROM ended e WHERE e.points <> e.closed OR e.settled_entry_id IS DISTINCT FROM e.settled_entry
ORDER BY e.id LIMIT $2""",
    HELD,
)

_RETURN_WITHOUT_POINTS = Invariant(
    "return_without_points",
    _("一份兑换的退货（{points} 分）与账上退回的分数不符。"),
    """
WITH back AS (
    SELECT s.entry_id, sum(s.amount)::bigint AS points FROM transfer s
    JOIN transfer b ON b.community_id = $1 AND b.reverses = s.id
    WHERE s.community_id = $1 AND s.kind = 'settle' GROUP BY s.entry_id
)
SELECT ARRAY[r.id, r.person_id] AS ids, r.points FROM redemption r
LEFT JOIN back b ON b.entry_id = r.settled_entry_id
WHERE r.community_id = $1 AND r.status IN ('collected', 'returned')
  AND coalesce(b.points, 0) <> CASE r.status WHEN 'returned' THEN r.points ELSE 0 END
ORDER BY r.id LIMIT $2""",
)

# The points of a redemption must be its quantity times a present or former price of the good.
_REDEMPTION_OFF_PRICE = Invariant(
    "redemption_off_price",
    _("一份兑换是 {quantity} 件、{points} 分，不是这种物品有过的价。"),
    """
SELECT ARRAY[r.id, r.person_id] AS ids, r.quantity, r.points FROM redemption r
LEFT JOIN good_price p ON p.community_id = $1 AND p.good_id = r.good_id AND p.points * r.quantity = r.points
WHERE r.community_id = $1 AND p.good_id IS NULL ORDER BY r.id LIMIT $2""",
)

_STOCK_DIFFERS = Invariant(
    "stock_differs",
    _("库存记着 {stored} 件，进出合计是 {moved} 件。"),
    """
WITH moved AS (
    SELECT station_id, good_id, sum(change)::bigint AS quantity FROM stock_move WHERE community_id = $1 GROUP BY 1, 2
), kept AS (SELECT station_id, good_id, quantity FROM stock WHERE community_id = $1)
SELECT ARRAY[coalesce(s.station_id, m.station_id), coalesce(s.good_id, m.good_id)] AS ids,
       coalesce(s.quantity, 0) AS stored, coalesce(m.quantity, 0) AS moved
FROM kept s FULL JOIN moved m ON m.station_id = s.station_id AND m.good_id = s.good_id
WHERE coalesce(s.quantity, 0) <> coalesce(m.quantity, 0) ORDER BY 1 LIMIT $2""",
)

# Each redemption must have taken its quantity off the stock once; a cancelled, expired or returned one must have put it
# back once.
_REDEMPTION_MOVES = Invariant(
    "redemption_moves_differ",
    _("一份兑换是 {quantity} 件，为它出库 {taken} 件、退回 {put} 件。"),
    """
WITH moved AS (
    SELECT redemption_id, min(station_id::text) AS station, max(station_id::text) AS last_station,
           min(good_id::text) AS good, max(good_id::text) AS last_good,
           coalesce(-sum(change) FILTER (WHERE reason = 'reserved'), 0)::bigint AS taken,
           coalesce(sum(change) FILTER (WHERE reason = 'returned'), 0)::bigint AS put
    FROM stock_move WHERE community_id = $1 AND (redemption_id IS NOT NULL OR reason IN ('reserved', 'returned'))
    GROUP BY redemption_id
), made AS (
    SELECT id, person_id, quantity, station_id::text AS station, good_id::text AS good,
           CASE WHEN status IN ('reserved', 'collected') THEN 0 ELSE quantity END AS back
    FROM redemption WHERE community_id = $1
)
SELECT array_remove(ARRAY[coalesce(r.id, m.redemption_id), r.person_id], NULL) AS ids,
       coalesce(r.quantity, 0) AS quantity, coalesce(m.taken, 0) AS taken, coalesce(m.put, 0) AS put
FROM made r FULL JOIN moved m ON m.redemption_id = r.id
WHERE (r.quantity, r.back, r.station, r.station, r.good, r.good)
      IS DISTINCT FROM (m.taken, m.put, m.station, m.last_station, m.good, m.last_good)
ORDER BY 1 LIMIT $2""",
)

_MONTH_DIFFERS = Invariant(
    "household_month_differs",
    _("一户在 {month} 记着换了 {stored} 件，兑换合计是 {taken} 件。"),
    """
WITH taken AS (
    SELECT household_id, good_id, date_trunc('month', reserved_at AT TIME ZONE $3)::date AS month,
           sum(quantity)::bigint AS quantity
    FROM redemption WHERE community_id = $1 AND status IN ('reserved', 'collected') GROUP BY 1, 2, 3
), kept AS (SELECT household_id, good_id, month, quantity FROM household_month WHERE community_id = $1)
SELECT ARRAY[coalesce(k.household_id, t.household_id), coalesce(k.good_id, t.good_id)] AS ids,
       coalesce(k.month, t.month) AS month, coalesce(k.quantity, 0) AS stored, coalesce(t.quantity, 0) AS taken
FROM kept k FULL JOIN taken t ON t.household_id = k.household_id AND t.good_id = k.good_id AND t.month = k.month
WHERE coalesce(k.quantity, 0) <> coalesce(t.quantity, 0) ORDER BY 1, 2 LIMIT $2""",
)

SHOP: tuple[Invariant, ...] = (
    _REDEMPTION_WITHOUT_HOLD, _REDEMPTION_END_DIFFERS, _RETURN_WITHOUT_POINTS,
    _REDEMPTION_OFF_PRICE, _STOCK_DIFFERS, _REDEMPTION_MOVES, _MONTH_DIFFERS,
)  # fmt: skip
