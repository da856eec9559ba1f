"""Invariant: a shift's count of seats taken equals its sign-ups."""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import Invariant

_SHIFT_SEATS = Invariant(
    "shift_seats_differ",
    _("一个班次记着报了 {stored} 人，报名合计是 {taken} 人。"),
    """
WITH taken AS (
    SELECT shift_id, count(*) AS seats FROM sign_up WHERE community_id = $1 AND cancelled_at IS NULL GROUP BY shift_id
)
SELECT ARRAY[s.id] AS ids, s.seats_taken AS stored, coalesce(t.seats, 0) AS taken
FROM shift s LEFT JOIN taken t ON t.shift_id = s.id
WHERE s.community_id = $1 AND s.seats_taken <> coalesce(t.seats, 0) ORDER BY s.id LIMIT $2""",
)

SHIFTS: tuple[Invariant, ...] = (_SHIFT_SEATS,)
