"""The invariants between the ledger's own rows."""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import SUMMED, Invariant

_BALANCE_DIFFERS = Invariant(
    "balance_differs",
    _("一个账户存的余额是 {stored}，按流水应是 {summed}。"),
    """
SELECT ARRAY[a.id, a.owner_id] AS ids, a.balance AS stored, coalesce(s.change, 0) AS summed
FROM account a LEFT JOIN summed s ON s.account_id = a.id
WHERE a.community_id = $1 AND a.owner_kind <> 'system' AND a.balance IS DISTINCT FROM coalesce(s.change, 0)
ORDER BY a.id LIMIT $2""",
    SUMMED,
)

_ACCOUNT_NEGATIVE = Invariant(
    "account_negative",
    _("一个账户的余额是负数：{balance}。"),
    "SELECT ARRAY[id, owner_id] AS ids, balance FROM account WHERE community_id = $1 AND balance < 0 "
    "ORDER BY id LIMIT $2",
)

# An empty account without transfers is allowed: its owner may have been entered by mistake and removed.
_OWNER_UNKNOWN = Invariant(
    "owner_unknown",
    _("一个有 {balance} 的账户，它的主人不在名册里。"),
    """
SELECT ARRAY[a.id, a.owner_id] AS ids, coalesce(a.balance, s.change) AS balance
FROM account a LEFT JOIN summed s ON s.account_id = a.id
LEFT JOIN person p ON p.community_id = $1 AND p.id = a.owner_id AND a.owner_kind = 'person'
LEFT JOIN household h ON h.community_id = $1 AND h.id = a.owner_id AND a.owner_kind = 'household'
WHERE a.community_id = $1 AND (s.account_id IS NOT NULL OR a.balance <> 0)
  AND CASE a.owner_kind WHEN 'person' THEN p.id IS NULL WHEN 'household' THEN h.id IS NULL
                        WHEN 'system' THEN a.owner_id <> $1 ELSE false END
ORDER BY a.id LIMIT $2""",
    SUMMED,
)

_TRANSFER_ASTRAY = Invariant(
    "transfer_astray",
    _("一笔流水（{amount}）的账户不存在，或不是同一种账。"),
    """
SELECT ARRAY[t.id] AS ids, t.amount FROM transfer t
LEFT JOIN account d ON d.community_id = $1 AND d.id = t.debit_account
LEFT JOIN account c ON c.community_id = $1 AND c.id = t.credit_account
WHERE t.community_id = $1 AND (d.currency IS DISTINCT FROM t.currency OR c.currency IS DISTINCT FROM t.currency)
ORDER BY t.id LIMIT $2""",
)

# The allowed buckets of each kind of transfer. 'same': both accounts have one owner, currency and subject; 'twin': also
# one last day. A capture ('settle') may go to three system accounts. Adjustments are not checked; nor are reversals and
# repayments, whose accounts depend on the rows that they refer to.
_WAYS = """
WITH way (kind, from_bucket, to_bucket, owners) AS (VALUES
    ('service', 'issued', 'available', ''), ('deed', 'issued', 'available', ''),
    ('conversion', 'available', 'converted', ''), ('hold', 'available', 'held', 'twin'),
    ('settle', 'held', 'redeemed', ''), ('settle', 'held', 'donated', ''), ('settle', 'held', 'clearing', ''),
    ('void', 'held', 'available', 'same'), ('purchase', 'available', 'redeemed', ''),
    ('purchase', 'issued', 'available', ''), ('donation', 'available', 'donated', ''),
    ('expiry', 'available', 'expired', ''), ('refund', 'available', 'issued', ''),
    ('refund', 'redeemed', 'available', ''), ('move', 'available', 'issued', ''), ('move', 'issued', 'available', ''),
    ('merge', 'available', 'available', '')
)
"""

_WRONG_WAY = Invariant(
    "transfer_wrong_way",
    _("一笔 {amount} 的流水从一个账户到了不该到的另一个账户。"),
    """
SELECT ARRAY[t.id, t.entry_id] AS ids, t.amount FROM transfer t
JOIN account d ON d.community_id = $1 AND d.id = t.debit_account
JOIN account c ON c.community_id = $1 AND c.id = t.credit_account
LEFT JOIN way w ON w.kind = t.kind AND w.from_bucket = d.bucket AND w.to_bucket = c.bucket
WHERE t.community_id = $1 AND t.kind NOT IN ('reversal', 'repayment', 'adjustment')
  AND (w.kind IS NULL
    OR w.owners <> ''
       AND (d.owner_kind, d.owner_id, d.subject_id) IS DISTINCT FROM (c.owner_kind, c.owner_id, c.subject_id)
    OR w.owners = 'twin' AND d.expires_on IS DISTINCT FROM c.expires_on)
ORDER BY t.id LIMIT $2""",
    _WAYS,
)

# The legs of a refund, a move or an expiry of class minutes, or of its reversal, may have different sources: each names
# its own purchase.
_ENTRY_LEGS = Invariant(
    "entry_legs_differ",
    _("一笔账有 {legs} 行，行号、时间或来处对不上。"),
    """
SELECT ARRAY[t.entry_id] AS ids, count(*) AS legs FROM transfer t WHERE t.community_id = $1 GROUP BY t.entry_id
HAVING min(t.leg) <> 1 OR max(t.leg) <> count(*) OR count(DISTINCT t.leg) <> count(*)
    OR min(t.posted_at) <> max(t.posted_at)
    OR min(t.source_id::text) <> max(t.source_id::text) AND NOT bool_or(t.kind IN ('refund', 'move'))
       AND NOT bool_or(t.kind IN ('expiry', 'reversal') AND t.source_kind = 'class_purchase')
ORDER BY t.entry_id LIMIT $2""",
)

_HELD_DIFFERS = Invariant(
    "held_differs",
    _("一个预留账户有 {held}，没办完的预留合计 {open}。"),
    """
WITH open AS (
    SELECT h.credit_account, sum(h.amount)::bigint AS amount FROM transfer h
    LEFT JOIN transfer c ON c.community_id = $1 AND c.closes = h.id
    WHERE h.community_id = $1 AND h.kind = 'hold' AND c.id IS NULL GROUP BY h.credit_account
)
SELECT ARRAY[a.id, a.owner_id] AS ids, a.balance AS held, coalesce(o.amount, 0) AS open
FROM account a LEFT JOIN open o ON o.credit_account = a.id
WHERE a.community_id = $1 AND a.bucket = 'held' AND a.balance <> coalesce(o.amount, 0) ORDER BY a.id LIMIT $2""",
)

_CLOSING_DIFFERS = Invariant(
    "closing_differs",
    _("一次预留的办结（{amount}）与它所办结的预留不符。"),
    """
SELECT ARRAY[c.id, c.entry_id] AS ids, c.amount FROM transfer c
LEFT JOIN transfer h ON h.community_id = $1 AND h.id = c.closes
WHERE c.community_id = $1 AND (c.kind IN ('settle', 'void') OR c.closes IS NOT NULL)
  AND (c.kind NOT IN ('settle', 'void') OR h.kind IS DISTINCT FROM 'hold'
    OR (c.amount, c.currency, c.debit_account, c.source_kind, c.source_id)
       IS DISTINCT FROM (h.amount, h.currency, h.credit_account, h.source_kind, h.source_id))
ORDER BY c.id LIMIT $2""",
)

_DEBT_DIFFERS = Invariant(
    "debt_differs",
    _("欠账记着已补还 {repaid}，流水里补还了 {moved}。"),
    """
WITH owed AS (
    SELECT owner_kind, owner_id, currency, subject_id, repay_to, sum(repaid)::bigint AS repaid,
           min(id::text)::uuid AS id
    FROM debt WHERE community_id = $1 GROUP BY 1, 2, 3, 4, 5
), paid AS (
    SELECT a.owner_kind, a.owner_id, a.currency, a.subject_id, t.credit_account AS repay_to,
           sum(t.amount)::bigint AS moved, min(t.id::text)::uuid AS id
    FROM transfer t JOIN account a ON a.community_id = $1 AND a.id = t.debit_account
    WHERE t.community_id = $1 AND t.kind = 'repayment' GROUP BY 1, 2, 3, 4, 5
)
SELECT ARRAY[coalesce(o.id, p.id), coalesce(o.owner_id, p.owner_id)] AS ids, coalesce(o.repaid, 0) AS repaid,
       coalesce(p.moved, 0) AS moved
FROM owed o FULL JOIN paid p ON p.owner_id = o.owner_id AND p.owner_kind = o.owner_kind AND p.currency = o.currency
     AND p.repay_to = o.repay_to AND coalesce(p.subject_id, p.owner_id) = coalesce(o.subject_id, o.owner_id)
WHERE coalesce(o.repaid, 0) <> coalesce(p.moved, 0) ORDER BY 1 LIMIT $2""",
)

_DEBT_ASTRAY = Invariant(
    "debt_astray",
    _("一笔 {amount} 的欠账，它所冲正的流水不存在、更少，或是别人的。"),
    """
SELECT ARRAY[b.id, b.owner_id] AS ids, b.amount FROM debt b
LEFT JOIN transfer t ON t.community_id = $1 AND t.id = b.reverses
LEFT JOIN account a ON a.community_id = $1 AND a.id = t.credit_account
LEFT JOIN person w ON w.community_id = $1 AND w.id = a.owner_id
WHERE b.community_id = $1 AND (t.id IS NULL OR b.amount > t.amount
    OR (b.owner_kind, b.owner_id, b.currency, b.subject_id)
       IS DISTINCT FROM (a.owner_kind, coalesce(w.merged_into, a.owner_id), a.currency, a.subject_id))
ORDER BY b.id LIMIT $2""",
)

_REVERSAL_DIFFERS = Invariant(
    "reversal_differs",
    _("一次冲正要收回 {reversed}，实际收回 {taken}，记作欠账 {owed}。"),
    """
WITH undone AS (
    SELECT entry_id, reverses FROM transfer WHERE community_id = $1 AND reverses IS NOT NULL
    UNION SELECT entry_id, reverses FROM debt WHERE community_id = $1
), drawn AS (  -- what had been taken of an expiry before it was reversed
    SELECT draws_on AS expiry_id, sum(amount)::bigint AS amount FROM transfer
    WHERE community_id = $1 AND draws_on IS NOT NULL GROUP BY 1
), wanted AS (
    SELECT u.entry_id, t.currency, sum(t.amount - coalesce(d.amount, 0))::bigint AS amount FROM undone u
    JOIN transfer t ON t.community_id = $1 AND t.id = u.reverses
    LEFT JOIN drawn d ON d.expiry_id = t.id GROUP BY 1, 2
), taken AS (
    SELECT entry_id, currency, sum(amount)::bigint AS amount FROM transfer
    WHERE community_id = $1 AND kind = 'reversal' GROUP BY 1, 2
), owed AS (
    SELECT entry_id, currency, sum(amount)::bigint AS amount FROM debt WHERE community_id = $1 GROUP BY 1, 2
)
SELECT ARRAY[coalesce(w.entry_id, t.entry_id)] AS ids, coalesce(w.amount, 0) AS reversed,
       coalesce(t.amount, 0) AS taken, coalesce(o.amount, 0) AS owed
FROM wanted w FULL JOIN taken t USING (entry_id, currency) LEFT JOIN owed o USING (entry_id, currency)
WHERE coalesce(w.amount, 0) <> coalesce(t.amount, 0) + coalesce(o.amount, 0) ORDER BY 1 LIMIT $2""",
)

# For every day up to the last counted one: finds totals that were changed and totals that are missing.
_DAY_TOTAL_DIFFERS = Invariant(
    "day_total_differs",
    _("{day} 的日合计（{bucket}）与流水不符：记着发出 {given}、收回 {taken}，重数是 {given_now}、{taken_now}。"),
    """
WITH side AS (
    SELECT posted_at, debit_account AS account_id, amount AS given, 0::bigint AS taken
    FROM transfer WHERE community_id = $1
    UNION ALL SELECT posted_at, credit_account, 0, amount FROM transfer WHERE community_id = $1
), counted AS (
    SELECT (s.posted_at AT TIME ZONE $3)::date AS day, a.currency, a.bucket, sum(s.given)::bigint AS given,
           sum(s.taken)::bigint AS taken, count(*) AS transfers
    FROM side s JOIN account a ON a.community_id = $1 AND a.id = s.account_id AND a.owner_kind = 'system'
    GROUP BY 1, 2, 3
), kept AS (SELECT * FROM day_total WHERE community_id = $1)
SELECT ARRAY[]::uuid[] AS ids, coalesce(d.day, c.day) AS day, coalesce(d.bucket, c.bucket) AS bucket,
       coalesce(d.given, 0) AS given, coalesce(d.taken, 0) AS taken, coalesce(c.given, 0) AS given_now,
       coalesce(c.taken, 0) AS taken_now
FROM kept d FULL JOIN counted c ON c.day = d.day AND c.currency = d.currency AND c.bucket = d.bucket
WHERE (d.given, d.taken, d.transfers) IS DISTINCT FROM (c.given, c.taken, c.transfers)
  AND coalesce(d.day, c.day) <= (SELECT max(day) FROM kept)
ORDER BY 2, 3 LIMIT $2""",
)

# What moves between communities stands in the clearing account of the one until it has reached the other. No verb moves
# anything yet, so nothing stands there; the verb that does declares with its rows what may.
_CLEARING_OPEN = Invariant(
    "clearing_open",
    _("跨社区清算账户上有 {amount}，没有对应的转移。"),
    """
SELECT ARRAY[a.id] AS ids, s.change AS amount FROM account a JOIN summed s ON s.account_id = a.id
WHERE a.community_id = $1 AND a.bucket = 'clearing' AND s.change <> 0 ORDER BY a.id LIMIT $2""",
    SUMMED,
)

LEDGER: tuple[Invariant, ...] = (
    _BALANCE_DIFFERS, _ACCOUNT_NEGATIVE, _OWNER_UNKNOWN, _TRANSFER_ASTRAY, _WRONG_WAY, _ENTRY_LEGS,
    _HELD_DIFFERS, _CLOSING_DIFFERS, _DEBT_DIFFERS, _DEBT_ASTRAY, _REVERSAL_DIFFERS, _DAY_TOTAL_DIFFERS,
    _CLEARING_OPEN,
)  # fmt: skip
