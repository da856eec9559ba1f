"""What must hold between the ledger and the hours and deeds that it credits.

A record or deed that was withdrawn, rejected or still waits has no credit, and none that stands may name it.
"""

from timebank.ledger.invariants.parts import CREDITED, Invariant
from timebank.locale import _

_RECORD_WITHOUT_CREDIT = Invariant(
    "record_without_credit",
    _("一条{status}的服务记着 {minutes} 分钟、{points} 分，账上是 {credited_minutes} 分钟、{credited_points} 分。"),
    """
SELECT ARRAY[s.id, s.person_id] AS ids, CASE s.status WHEN 'approved' THEN '已入账' ELSE '已冲正' END AS status,
       coalesce(s.credited_minutes, 0) AS minutes, coalesce(s.credited_points, 0) AS points,
       coalesce(c.minutes, 0) AS credited_minutes, coalesce(c.points, 0) AS credited_points
FROM service_record s
LEFT JOIN credited c ON c.entry_id = s.entry_id AND c.source_id = s.id AND c.owner_id = s.person_id
     AND c.kind = 'service' AND c.reversed = (s.status = 'reversed')
WHERE s.community_id = $1 AND (s.status = 'approved' OR s.status = 'reversed' AND s.entry_id IS NOT NULL)
  AND (coalesce(s.credited_minutes, 0) <> coalesce(c.minutes, 0)
    OR coalesce(s.credited_points, 0) <> coalesce(c.points, 0))
ORDER BY s.id LIMIT $2""",
    CREDITED,
)

_CREDIT_WITHOUT_RECORD = Invariant(
    "credit_without_record",
    _("账上为一条服务记了 {amount} 分钟，那条服务不在了，或现在不是已计入。"),
    """
SELECT ARRAY[c.entry_id, c.source_id] AS ids, c.minutes AS amount FROM credited c
LEFT JOIN service_record s ON s.community_id = $1 AND s.id = c.source_id
WHERE c.kind = 'service'
  AND (s.id IS NULL OR NOT c.reversed AND (s.status <> 'approved' OR s.entry_id IS DISTINCT FROM c.entry_id))
ORDER BY c.entry_id LIMIT $2""",
    CREDITED,
)

# Minutes left over from earlier hours count too, so the points are compared with the minutes turned into them.
_RECORD_OFF_ITS_RULE = Invariant(
    "record_off_its_rule",
    _("一条服务记了 {points} 分，换掉了 {converted} 分钟，与它记着的规则不符。"),
    """
, converted AS (
    SELECT entry_id, sum(amount)::bigint AS minutes FROM transfer WHERE community_id = $1 AND kind = 'conversion'
    GROUP BY entry_id
)
SELECT ARRAY[s.id, s.person_id] AS ids, c.points, coalesce(v.minutes, 0) AS converted
FROM credited c JOIN service_record s ON s.community_id = $1 AND s.id = c.source_id AND s.entry_id = c.entry_id
LEFT JOIN rule r ON r.community_id = $1 AND r.code = s.rule_code AND r.version = s.rule_version
LEFT JOIN converted v ON v.entry_id = c.entry_id
WHERE c.kind = 'service' AND ((c.rule_code, c.rule_version) IS DISTINCT FROM (s.rule_code, s.rule_version)
    OR coalesce(v.minutes, 0) IS DISTINCT FROM c.points * r.minutes_per_point)
ORDER BY s.id LIMIT $2""",
    CREDITED,
)

_DEED_WITHOUT_CREDIT = Invariant(
    "deed_without_credit",
    _("一件{status}的善行是 {points} 分，账上是 {credited} 分。"),
    """
SELECT ARRAY[d.id, d.person_id] AS ids, CASE d.status WHEN 'credited' THEN '已记分' ELSE '已冲正' END AS status,
       d.points, coalesce(c.points, 0) AS credited
FROM deed d LEFT JOIN credited c ON c.entry_id = d.entry_id AND c.source_id = d.id AND c.owner_id = d.person_id
     AND c.kind = 'deed' AND c.reversed = (d.status = 'reversed')
WHERE d.community_id = $1 AND d.status IN ('credited', 'reversed') AND d.points <> coalesce(c.points, 0)
ORDER BY d.id LIMIT $2""",
    CREDITED,
)

_CREDIT_WITHOUT_DEED = Invariant(
    "credit_without_deed",
    _("账上为一件善行记了 {amount} 分，那件善行不在了，或现在不是已记分。"),
    """
SELECT ARRAY[c.entry_id, c.source_id] AS ids, c.points AS amount FROM credited c
LEFT JOIN deed d ON d.community_id = $1 AND d.id = c.source_id
WHERE c.kind = 'deed'
  AND (d.id IS NULL OR NOT c.reversed AND (d.status <> 'credited' OR d.entry_id IS DISTINCT FROM c.entry_id))
ORDER BY c.entry_id LIMIT $2""",
    CREDITED,
)

# Points other than the catalogue's carry their reason.
_DEED_OFF_ITS_RULE = Invariant(
    "deed_off_its_rule",
    _("一件善行是 {points} 分，没有写另给的原因，它的规则是 {catalogue} 分。"),
    """
SELECT ARRAY[d.id, d.person_id] AS ids, d.points, coalesce(r.points, 0) AS catalogue
FROM deed d LEFT JOIN rule r ON r.community_id = $1 AND r.code = d.rule_code AND r.version = d.rule_version
LEFT JOIN credited c ON c.entry_id = d.entry_id AND c.source_id = d.id AND c.kind = 'deed'
WHERE d.community_id = $1 AND (d.points_reason IS NULL AND d.points IS DISTINCT FROM r.points
    OR c.entry_id IS NOT NULL AND (c.rule_code, c.rule_version) IS DISTINCT FROM (d.rule_code, d.rule_version))
ORDER BY d.id LIMIT $2""",
    CREDITED,
)

# Hours are minutes and points of their person, deeds points of theirs, whatever else the entry moves.
_CREDIT_ASTRAY = Invariant(
    "credit_astray",
    _("为一条服务或一件善行记的 {amount}，到了别人的账户，或记成了另一种账。"),
    """
WITH stands_for AS (
    SELECT id, person_id, 'service_record' AS noun FROM service_record WHERE community_id = $1
    UNION ALL SELECT id, person_id, 'deed' FROM deed WHERE community_id = $1
), credited AS (
    SELECT t.id, t.entry_id, t.kind, t.currency, t.amount, t.source_id, t.source_kind, a.owner_kind,
           coalesce(w.merged_into, a.owner_id) AS owner_id
    FROM transfer t JOIN account a ON a.community_id = $1
         AND a.id = CASE t.kind WHEN 'conversion' THEN t.debit_account ELSE t.credit_account END
    LEFT JOIN person w ON w.community_id = $1 AND w.id = a.owner_id
    WHERE t.community_id = $1 AND t.kind IN ('service', 'deed', 'conversion')
)
SELECT ARRAY[c.id, c.entry_id] AS ids, c.amount FROM credited c
JOIN stands_for s ON s.id = c.source_id AND s.noun = c.source_kind
WHERE (c.owner_kind, c.owner_id) IS DISTINCT FROM ('person', s.person_id)
   OR CASE c.kind WHEN 'deed' THEN c.currency <> 'point' WHEN 'conversion' THEN c.currency <> 'minute'
                  ELSE c.currency NOT IN ('minute', 'point') END
ORDER BY c.id LIMIT $2""",
)

CREDITS: tuple[Invariant, ...] = (
    _RECORD_WITHOUT_CREDIT, _CREDIT_WITHOUT_RECORD, _RECORD_OFF_ITS_RULE, _DEED_WITHOUT_CREDIT, _CREDIT_WITHOUT_DEED,
    _DEED_OFF_ITS_RULE, _CREDIT_ASTRAY,
)  # fmt: skip
