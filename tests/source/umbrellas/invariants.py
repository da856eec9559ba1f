"""Invariant between lent umbrellas and the points on hold for them."""

from timebank.ledger.checking.invariants.parts import HELD, Invariant

UMBRELLAS: tuple[Invariant, ...] = (
    Invariant(
        "umbrella_without_points",
        "一把借出的伞押 {points} 分，账上预留着 {held} 分。",
        """
SELECT ARRAY[u.id, u.person_id] AS ids, u.points, coalesce(h.open, 0) AS held FROM umbrella_loan u
LEFT JOIN held h ON h.entry_id = u.entry_id AND h.source_id = u.id AND h.owner_id = u.person_id
WHERE u.community_id = $1 AND u.returned_at IS NULL AND u.points <> coalesce(h.open, 0) ORDER BY u.id LIMIT $2""",
        HELD,
    ),
)
