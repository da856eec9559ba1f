"""What must hold between the ledger's rows, and between them and what they stand for: one statement each.

Every statement reads one snapshot of one community ($1) and answers a row per violation: `ids`, and the values that
its sentence names. $2 is how many rows at most, $3 the time zone of the local days.
"""

from dataclasses import dataclass

from timebank.locale import _


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise of the books. `sentence` says in words what one violation is."""

    code: str
    sentence: str
    sql: str
    given: str = ""  # the common table expressions that the statement begins with

    @property
    def statement(self) -> str:
        return self.given + self.sql


# What each account's transfers add up to.
_SUMMED = """
WITH moved AS (
    SELECT debit_account AS account_id, -amount AS change FROM transfer WHERE community_id = $1
    UNION ALL SELECT credit_account, amount FROM transfer WHERE community_id = $1
), summed AS (SELECT account_id, sum(change)::bigint AS change FROM moved GROUP BY account_id)
"""

# The legs of holds that nothing has settled or returned.
_OPEN = """
WITH open AS (
    SELECT h.entry_id, h.credit_account, h.amount, h.source_kind, h.source_id FROM transfer h
    WHERE h.community_id = $1 AND h.kind = 'hold'
      AND NOT EXISTS (SELECT FROM transfer c WHERE c.community_id = h.community_id AND c.closes = h.id)
)
"""

# What an entry credited to people, and whether it has been reversed.
_CREDITED = """
WITH undone AS (
    SELECT reverses FROM transfer WHERE community_id = $1 AND reverses IS NOT NULL
    UNION SELECT reverses FROM debt WHERE community_id = $1
), credited AS (
    SELECT t.entry_id, a.owner_id, t.kind, t.currency, sum(t.amount)::bigint AS amount,
           bool_or(u.reverses IS NOT NULL) AS reversed
    FROM transfer t JOIN account a ON a.community_id = t.community_id AND a.id = t.credit_account
    LEFT JOIN undone u ON u.reverses = t.id
    WHERE t.community_id = $1 AND t.kind IN ('service', 'deed') AND a.owner_kind = 'person'
    GROUP BY t.entry_id, a.owner_id, t.kind, t.currency
)
"""

LEDGER: tuple[Invariant, ...] = (
    Invariant(
        "balance_differs",
        _("一个账户存的余额是 {stored}，按流水应是 {summed}。"),
        """
SELECT ARRAY[a.id, a.owner_id] AS ids, a.balance AS stored, coalesce(s.change, 0) AS summed
FROM account a LEFT JOIN summed s ON s.account_id = a.id
WHERE a.community_id = $1 AND a.owner_kind <> 'system' AND a.balance IS DISTINCT FROM coalesce(s.change, 0)
ORDER BY a.id LIMIT $2""",
        _SUMMED,
    ),
    Invariant(
        "account_negative",
        _("一个账户的余额是负数：{balance}。"),
        "SELECT ARRAY[id, owner_id] AS ids, balance FROM account WHERE community_id = $1 AND balance < 0 "
        "ORDER BY id LIMIT $2",
    ),
    Invariant(
        "transfer_astray",
        _("一笔流水（{amount}）的账户不存在，或不是同一种账。"),
        """
SELECT ARRAY[t.id] AS ids, t.amount FROM transfer t
LEFT JOIN account d ON d.community_id = t.community_id AND d.id = t.debit_account
LEFT JOIN account c ON c.community_id = t.community_id AND c.id = t.credit_account
WHERE t.community_id = $1 AND (d.currency IS DISTINCT FROM t.currency OR c.currency IS DISTINCT FROM t.currency)
ORDER BY t.id LIMIT $2""",
    ),
    Invariant(
        "held_differs",
        _("一个预留账户有 {held}，没办完的预留合计 {open}。"),
        """
SELECT ARRAY[a.id, a.owner_id] AS ids, a.balance AS held, coalesce(o.amount, 0) AS open
FROM account a LEFT JOIN (SELECT credit_account, sum(amount)::bigint AS amount FROM open GROUP BY 1) o
    ON o.credit_account = a.id
WHERE a.community_id = $1 AND a.bucket = 'held' AND a.balance <> coalesce(o.amount, 0) ORDER BY a.id LIMIT $2""",
        _OPEN,
    ),
    Invariant(
        "debt_differs",
        _("冲正后的欠分记着已还 {repaid}，流水里还了 {moved}。"),
        """
WITH owed AS (
    SELECT owner_kind, owner_id, currency, subject_id, repay_to, sum(repaid)::bigint AS repaid,
           min(id::text)::uuid AS id
    FROM debt WHERE community_id = $1 GROUP BY 1, 2, 3, 4, 5
), paid AS (
    SELECT a.owner_kind, a.owner_id, a.currency, a.subject_id, t.credit_account AS repay_to,
           sum(t.amount)::bigint AS moved, min(t.id::text)::uuid AS id
    FROM transfer t JOIN account a ON a.community_id = t.community_id AND a.id = t.debit_account
    WHERE t.community_id = $1 AND t.kind = 'repayment' GROUP BY 1, 2, 3, 4, 5
)
SELECT ARRAY[coalesce(o.id, p.id), coalesce(o.owner_id, p.owner_id)] AS ids, coalesce(o.repaid, 0) AS repaid,
       coalesce(p.moved, 0) AS moved
FROM owed o FULL JOIN paid p ON p.owner_id = o.owner_id AND p.owner_kind = o.owner_kind AND p.currency = o.currency
     AND p.repay_to = o.repay_to AND coalesce(p.subject_id, o.owner_id) = coalesce(o.subject_id, o.owner_id)
WHERE coalesce(o.repaid, 0) <> coalesce(p.moved, 0) ORDER BY 1 LIMIT $2""",
    ),
    Invariant(
        "reversal_differs",
        _("一次冲正要收回 {reversed}，实际收回 {taken}，记欠 {owed}。"),
        """
WITH undone AS (
    SELECT entry_id, reverses FROM transfer WHERE community_id = $1 AND reverses IS NOT NULL
    UNION SELECT entry_id, reverses FROM debt WHERE community_id = $1
), wanted AS (
    SELECT u.entry_id, t.currency, sum(t.amount)::bigint AS amount FROM undone u
    JOIN transfer t ON t.community_id = $1 AND t.id = u.reverses GROUP BY 1, 2
), taken AS (
    SELECT entry_id, currency, sum(amount)::bigint AS amount FROM transfer
    WHERE community_id = $1 AND kind = 'reversal' GROUP BY 1, 2
), owed AS (
    SELECT entry_id, currency, sum(amount)::bigint AS amount FROM debt WHERE community_id = $1 GROUP BY 1, 2
)
SELECT ARRAY[w.entry_id] AS ids, w.amount AS reversed, coalesce(t.amount, 0) AS taken, coalesce(o.amount, 0) AS owed
FROM wanted w LEFT JOIN taken t USING (entry_id, currency) LEFT JOIN owed o USING (entry_id, currency)
WHERE w.amount <> coalesce(t.amount, 0) + coalesce(o.amount, 0) ORDER BY w.entry_id LIMIT $2""",
    ),
    Invariant(
        "day_total_differs",
        _("{day} 的日合计（{bucket}）与流水不符：记着发出 {given}、收回 {taken}，重数是 {given_now}、{taken_now}。"),
        """
WITH counted AS (
    SELECT (t.posted_at AT TIME ZONE $3)::date AS day, a.currency, a.bucket,
           coalesce(sum(t.amount) FILTER (WHERE t.debit_account = a.id), 0)::bigint AS given,
           coalesce(sum(t.amount) FILTER (WHERE t.credit_account = a.id), 0)::bigint AS taken, count(*) AS transfers
    FROM account a JOIN transfer t ON t.community_id = a.community_id AND t.debit_account = a.id
    WHERE a.community_id = $1 AND a.owner_kind = 'system' GROUP BY 1, 2, 3
    UNION ALL
    SELECT (t.posted_at AT TIME ZONE $3)::date, a.currency, a.bucket, 0, sum(t.amount)::bigint, count(*)
    FROM account a JOIN transfer t ON t.community_id = a.community_id AND t.credit_account = a.id
    WHERE a.community_id = $1 AND a.owner_kind = 'system' GROUP BY 1, 2, 3
), recount AS (
    SELECT day, currency, bucket, sum(given)::bigint AS given, sum(taken)::bigint AS taken,
           sum(transfers)::bigint AS transfers FROM counted GROUP BY 1, 2, 3
)
SELECT ARRAY[]::uuid[] AS ids, d.day, d.bucket, d.given, d.taken, coalesce(r.given, 0) AS given_now,
       coalesce(r.taken, 0) AS taken_now
FROM day_total d LEFT JOIN recount r USING (day, currency, bucket)
WHERE d.community_id = $1 AND (d.given, d.taken, d.transfers) IS DISTINCT FROM (r.given, r.taken, r.transfers)
ORDER BY d.day, d.currency, d.bucket LIMIT $2""",
    ),
    Invariant(
        "expired_early",
        _("有 {amount} 在 {day} 结束之前就记成了到期。请核对服务器的日期，并撤回这笔到期。"),
        """
SELECT ARRAY[t.id, a.owner_id] AS ids, t.amount, a.expires_on AS day FROM transfer t
JOIN account a ON a.community_id = t.community_id AND a.id = t.debit_account
JOIN books_closed b ON b.community_id = t.community_id
LEFT JOIN transfer r ON r.community_id = t.community_id AND r.reverses = t.id
WHERE t.community_id = $1 AND t.kind = 'expiry' AND a.expires_on > b.until AND r.id IS NULL
ORDER BY t.id LIMIT $2""",
    ),
    Invariant(
        "grace_astray",
        _("有 {amount} 记进了 {day} 之后的宽限账户，可它不是那天以后退回来的。"),
        """
SELECT ARRAY[t.id, a.owner_id] AS ids, t.amount, a.grace_of AS day FROM account a
JOIN transfer t ON t.community_id = a.community_id AND t.credit_account = a.id
WHERE a.community_id = $1 AND a.grace_of IS NOT NULL AND a.bucket = 'available'
  AND (t.kind IN ('service', 'deed', 'conversion', 'adjustment') OR (t.posted_at AT TIME ZONE $3)::date <= a.grace_of)
ORDER BY t.id LIMIT $2""",
    ),
)

CHAIN: tuple[Invariant, ...] = (
    Invariant(
        "hold_without_cause",
        _("一笔 {amount} 的预留没有对应的兑换或预约。"),
        """
SELECT ARRAY[o.entry_id, min(o.source_id::text)::uuid] AS ids, sum(o.amount)::bigint AS amount FROM open o
WHERE NOT EXISTS (SELECT FROM redemption r WHERE r.community_id = $1 AND r.entry_id = o.entry_id
                  AND r.status = 'reserved')
  AND NOT EXISTS (SELECT FROM booking b WHERE b.community_id = $1 AND b.entry_id = o.entry_id AND b.status = 'held')
GROUP BY o.entry_id ORDER BY o.entry_id LIMIT $2""",
        _OPEN,
    ),
    Invariant(
        "redemption_without_hold",
        _("一份待领取的兑换要 {points} 分，账上预留着 {held} 分。"),
        """
SELECT ARRAY[r.id, r.person_id] AS ids, r.points, coalesce(o.amount, 0) AS held FROM redemption r
LEFT JOIN (SELECT o.entry_id, a.owner_id, sum(o.amount)::bigint AS amount FROM open o
           JOIN account a ON a.community_id = $1 AND a.id = o.credit_account AND a.currency = 'point' GROUP BY 1, 2) o
    ON o.entry_id = r.entry_id AND o.owner_id = r.person_id
WHERE r.community_id = $1 AND r.status = 'reserved' AND r.points <> coalesce(o.amount, 0) ORDER BY r.id LIMIT $2""",
        _OPEN,
    ),
    Invariant(
        "redemption_end_differs",
        _("一份已经{status}的兑换是 {points} 分，账上办结的是 {closed} 分。"),
        """
WITH closed AS (
    SELECT h.entry_id, c.kind, sum(c.amount)::bigint AS amount FROM transfer h
    JOIN transfer c ON c.community_id = h.community_id AND c.closes = h.id
    WHERE h.community_id = $1 AND h.kind = 'hold' GROUP BY 1, 2
)
SELECT ARRAY[r.id, r.person_id] AS ids, r.points, coalesce(c.amount, 0) AS closed,
       CASE r.status WHEN 'collected' THEN '领取' WHEN 'returned' THEN '退货' WHEN 'cancelled' THEN '取消'
                     ELSE '过期退回' END AS status
FROM redemption r LEFT JOIN closed c ON c.entry_id = r.entry_id
     AND c.kind = CASE WHEN r.status IN ('collected', 'returned') THEN 'settle' ELSE 'void' END
WHERE r.community_id = $1 AND r.status <> 'reserved' AND r.points <> coalesce(c.amount, 0) ORDER BY r.id LIMIT $2""",
    ),
    Invariant(
        "return_without_points",
        _("一份兑换的退货（{points} 分）与账上退回的分数不符。"),
        """
SELECT ARRAY[r.id, r.person_id] AS ids, r.points FROM redemption r
WHERE r.community_id = $1 AND r.status IN ('collected', 'returned') AND (r.status = 'returned') <> EXISTS (
    SELECT FROM transfer s JOIN transfer b ON b.community_id = s.community_id AND b.reverses = s.id
    WHERE s.community_id = $1 AND s.entry_id = r.settled_entry_id)
ORDER BY r.id LIMIT $2""",
    ),
    Invariant(
        "booking_without_hold",
        _("一个已占座的预约在账上没有预留课时。"),
        """
SELECT ARRAY[b.id, b.child_id] AS ids FROM booking b
WHERE b.community_id = $1 AND b.status = 'held' AND NOT EXISTS (
    SELECT FROM open o JOIN account a ON a.community_id = $1 AND a.id = o.credit_account
    WHERE o.entry_id = b.entry_id AND a.owner_id = b.child_id AND a.currency = 'class_minute')
ORDER BY b.id LIMIT $2""",
        _OPEN,
    ),
    Invariant(
        "purchase_differs",
        _("一次买课时是 {minutes} 分钟、{points} 分，账上是 {credited} 分钟、{paid} 分。"),
        """
WITH posted AS (
    SELECT t.source_id, coalesce(sum(t.amount) FILTER (WHERE t.currency = 'point'), 0)::bigint AS paid,
           coalesce(sum(t.amount) FILTER (WHERE t.currency = 'class_minute'), 0)::bigint AS credited
    FROM transfer t WHERE t.community_id = $1 AND t.kind = 'purchase' AND t.source_kind = 'class_purchase' GROUP BY 1
), bought AS (SELECT id, minutes, points FROM class_purchase WHERE community_id = $1 AND moved_from IS NULL)
SELECT ARRAY[coalesce(b.id, p.source_id)] AS ids, coalesce(b.minutes, 0) AS minutes, coalesce(b.points, 0) AS points,
       coalesce(p.credited, 0) AS credited, coalesce(p.paid, 0) AS paid
FROM bought b FULL JOIN posted p ON p.source_id = b.id
WHERE (b.minutes, b.points) IS DISTINCT FROM (p.credited, p.paid) ORDER BY 1 LIMIT $2""",
    ),
    Invariant(
        "record_without_credit",
        _("一条{status}的服务记着 {minutes} 分钟、{points} 分，账上是 {credited_minutes} 分钟、{credited_points} 分。"),
        """
SELECT ARRAY[s.id, s.person_id] AS ids, CASE s.status WHEN 'approved' THEN '已入账' ELSE '已冲正' END AS status,
       coalesce(s.credited_minutes, 0) AS minutes, coalesce(s.credited_points, 0) AS points,
       coalesce(m.amount, 0) AS credited_minutes, coalesce(p.amount, 0) AS credited_points
FROM service_record s
LEFT JOIN credited m ON m.entry_id = s.entry_id AND m.owner_id = s.person_id AND m.currency = 'minute'
     AND m.kind = 'service' AND m.reversed = (s.status = 'reversed')
LEFT JOIN credited p ON p.entry_id = s.entry_id AND p.owner_id = s.person_id AND p.currency = 'point'
     AND p.kind = 'service' AND p.reversed = (s.status = 'reversed')
WHERE s.community_id = $1 AND (s.status = 'approved' OR s.status = 'reversed' AND s.entry_id IS NOT NULL)
  AND (coalesce(s.credited_minutes, 0) <> coalesce(m.amount, 0)
    OR coalesce(s.credited_points, 0) <> coalesce(p.amount, 0))
ORDER BY s.id LIMIT $2""",
        _CREDITED,
    ),
    Invariant(
        "credit_without_record",
        _("账上为一条服务记了 {amount}，那条服务现在不是已计入。"),
        """
SELECT ARRAY[c.entry_id, s.id] AS ids, c.amount FROM credited c
JOIN transfer t ON t.community_id = $1 AND t.entry_id = c.entry_id AND t.leg = 1
JOIN service_record s ON s.community_id = $1 AND s.id = t.source_id
WHERE c.kind = 'service' AND NOT c.reversed AND (s.status <> 'approved' OR s.entry_id IS DISTINCT FROM c.entry_id)
ORDER BY c.entry_id LIMIT $2""",
        _CREDITED,
    ),
    Invariant(
        "deed_without_credit",
        _("一件{status}的善行是 {points} 分，账上是 {credited} 分。"),
        """
SELECT ARRAY[d.id, d.person_id] AS ids, CASE d.status WHEN 'credited' THEN '已记分' ELSE '已冲正' END AS status,
       d.points, coalesce(c.amount, 0) AS credited
FROM deed d LEFT JOIN credited c ON c.entry_id = d.entry_id AND c.owner_id = d.person_id AND c.kind = 'deed'
     AND c.currency = 'point' AND c.reversed = (d.status = 'reversed')
WHERE d.community_id = $1 AND d.status IN ('credited', 'reversed') AND d.points <> coalesce(c.amount, 0)
ORDER BY d.id LIMIT $2""",
        _CREDITED,
    ),
    Invariant(
        "credit_without_deed",
        _("账上为一件善行记了 {amount} 分，那件善行现在不是已记分。"),
        """
SELECT ARRAY[c.entry_id, d.id] AS ids, c.amount FROM credited c
JOIN transfer t ON t.community_id = $1 AND t.entry_id = c.entry_id AND t.leg = 1
JOIN deed d ON d.community_id = $1 AND d.id = t.source_id
WHERE c.kind = 'deed' AND NOT c.reversed AND (d.status <> 'credited' OR d.entry_id IS DISTINCT FROM c.entry_id)
ORDER BY c.entry_id LIMIT $2""",
        _CREDITED,
    ),
    Invariant(
        "stock_differs",
        _("库存记着 {stored} 件，进出合计是 {moved} 件。"),
        """
SELECT ARRAY[s.station_id, s.good_id] AS ids, s.quantity AS stored, coalesce(sum(m.change), 0)::bigint AS moved
FROM stock s LEFT JOIN stock_move m ON m.community_id = s.community_id AND m.station_id = s.station_id
     AND m.good_id = s.good_id
WHERE s.community_id = $1 GROUP BY s.station_id, s.good_id, s.quantity
HAVING s.quantity <> coalesce(sum(m.change), 0) ORDER BY 1 LIMIT $2""",
    ),
)
