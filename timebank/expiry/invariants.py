"""The invariants of expiries, and of the reversals that take expired points."""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import Invariant

# A reversal may take points from an expiry (`draws_on`). The expiry must exist, its points must have been those of the
# owner whose credit is reversed, and no more may be taken than expired. Every reversal that takes from the expired
# account must name the expiry.
_EXPIRY_DRAWN = Invariant(
    "expiry_drawn_astray",
    _("一次冲正从到期的积分里收回了 {taken}，那笔到期只有 {expired}，或是别人的。"),
    """
WITH drawn AS (
    SELECT d.draws_on, d.entry_id, d.currency, d.kind, d.debit_account, min(d.id::text)::uuid AS id,
           sum(d.amount)::bigint AS amount, sum(sum(d.amount)) OVER (PARTITION BY d.draws_on)::bigint AS taken
    FROM transfer d JOIN account s ON s.community_id = $1 AND s.id = d.debit_account
    LEFT JOIN transfer o ON o.community_id = $1 AND o.id = d.reverses
    WHERE d.community_id = $1
      AND (d.draws_on IS NOT NULL OR s.bucket = 'expired' AND o.kind IS DISTINCT FROM 'expiry') GROUP BY 1, 2, 3, 4, 5
), undone AS (
    SELECT entry_id, reverses FROM transfer WHERE community_id = $1 AND reverses IS NOT NULL
    UNION SELECT entry_id, reverses FROM debt WHERE community_id = $1
), credited AS (
    SELECT u.entry_id, c.owner_id, c.currency, c.expires_on FROM undone u
    JOIN transfer t ON t.community_id = $1 AND t.id = u.reverses
    JOIN account c ON c.community_id = $1 AND c.id = t.credit_account AND c.owner_kind = 'person'
    GROUP BY 1, 2, 3, 4
)
SELECT array_remove(ARRAY[d.id, d.draws_on], NULL) AS ids, d.taken, coalesce(x.amount, 0) AS expired FROM drawn d
LEFT JOIN transfer x ON x.community_id = $1 AND x.id = d.draws_on AND x.kind = 'expiry'
LEFT JOIN account a ON a.community_id = $1 AND a.id = x.debit_account
LEFT JOIN credited c ON c.entry_id = d.entry_id AND c.owner_id = a.owner_id AND c.currency = a.currency
     AND c.expires_on = coalesce(a.grace_of, a.expires_on)
WHERE d.kind <> 'reversal' OR x.id IS NULL OR c.entry_id IS NULL OR d.taken > x.amount
   OR (d.currency, d.debit_account) IS DISTINCT FROM (x.currency, x.credit_account)
ORDER BY 1 LIMIT $2""",
)

EXPIRIES: tuple[Invariant, ...] = (
    _EXPIRY_DRAWN,
    Invariant(
        "expired_early",
        _("有 {amount} 在 {day} 结束之前就记成了到期。请核对服务器的日期，并撤回这笔到期。"),
        """
SELECT ARRAY[t.id, a.owner_id] AS ids, t.amount, a.expires_on AS day FROM transfer t
JOIN account a ON a.community_id = $1 AND a.id = t.debit_account
LEFT JOIN transfer r ON r.community_id = $1 AND r.reverses = t.id
WHERE t.community_id = $1 AND t.kind = 'expiry'
  AND a.expires_on > (SELECT until FROM books_closed WHERE community_id = $1) AND r.id IS NULL
ORDER BY t.id LIMIT $2""",
    ),
    Invariant(
        "grace_astray",
        _("有 {amount} 记进了 {day} 之后的宽限账户，可它不是那天以后退回来的。"),
        """
SELECT ARRAY[t.id, a.owner_id] AS ids, t.amount, a.grace_of AS day FROM account a
JOIN transfer t ON t.community_id = $1 AND t.credit_account = a.id
WHERE a.community_id = $1 AND a.grace_of IS NOT NULL AND a.bucket = 'available'
  AND (t.kind IN ('service', 'deed', 'conversion', 'adjustment') OR (t.posted_at AT TIME ZONE $3)::date <= a.grace_of)
ORDER BY t.id LIMIT $2""",
    ),
)
