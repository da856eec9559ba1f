"""Invariants between the ledger and the hours that it credits.

A record that is withdrawn, rejected or undecided has no credit: only a reversed credit may refer to it.
"""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import CREDITED, Invariant, credit_without_source

_RECORD_WITHOUT_CREDIT = Invariant(
    "record_without_credit",
    _("一条{status}的服务记着 {minutes} 分钟、{points} 分，账上是 {credited_minutes} 分钟、{credited_points} 分。"),
    """
SELECT ARRAY[s.id, s.person_id] AS ids, CASE s.status WHEN 'approved' THEN '已入账' ELSE '已冲正' END AS status,
       coalesce(s.credited_minutes, 0) AS minutes, coalesce(s.credited_points, 0) AS points,
       coalesce(c.minutes, 0) AS credited_minutes, coalesce(c.points, 0) AS credited_points
FROM service_record s LEFT JOIN person w ON w.community_id = $1 AND w.id = s.person_id
LEFT JOIN credited c ON c.entry_id = s.entry_id AND c.source_id = s.id
     AND c.owner_id = coalesce(w.merged_into, s.person_id) AND c.kind = 'service'
     AND c.reversed = (s.status = 'reversed')
WHERE s.community_id = $1 AND (s.status = 'approved' OR s.status = 'reversed' AND s.entry_id IS NOT NULL)
  AND (coalesce(s.credited_minutes, 0) <> coalesce(c.minutes, 0)
    OR coalesce(s.credited_points, 0) <> coalesce(c.points, 0))
ORDER BY s.id LIMIT $2""",
    CREDITED,
)

_CREDIT_WITHOUT_RECORD = credit_without_source(
    "credit_without_record",
    _("账上为一条服务记了 {amount} 分钟，那条服务不在了，或现在不是已计入。"),
    kind="service", table="service_record", status="approved", amount="minutes",
)  # fmt: skip

# The points are compared with the minutes converted into them, because these include minutes left from earlier hours.
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

RECORDS: tuple[Invariant, ...] = (_RECORD_WITHOUT_CREDIT, _CREDIT_WITHOUT_RECORD, _RECORD_OFF_ITS_RULE)
