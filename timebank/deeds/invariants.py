"""Invariants between the ledger and the deeds that it credits.

A deed that is withdrawn, rejected or undecided has no credit: only a reversed credit may refer to it.
"""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import CREDITED, Invariant, credit_without_source

_DEED_WITHOUT_CREDIT = Invariant(
    "deed_without_credit",
    _("一件{status}的善行是 {points} 分，账上是 {credited} 分。"),
    """
SELECT ARRAY[d.id, d.person_id] AS ids, CASE d.status WHEN 'credited' THEN '已记分' ELSE '已冲正' END AS status,
       d.points, coalesce(c.points, 0) AS credited
FROM deed d LEFT JOIN person w ON w.community_id = $1 AND w.id = d.person_id
LEFT JOIN credited c ON c.entry_id = d.entry_id AND c.source_id = d.id
     AND c.owner_id = coalesce(w.merged_into, d.person_id) AND c.kind = 'deed' AND c.reversed = (d.status = 'reversed')
WHERE d.community_id = $1 AND d.status IN ('credited', 'reversed') AND d.points <> coalesce(c.points, 0)
ORDER BY d.id LIMIT $2""",
    CREDITED,
)

_CREDIT_WITHOUT_DEED = credit_without_source(
    "credit_without_deed",
    _("账上为一件善行记了 {amount} 分，那件善行不在了，或现在不是已记分。"),
    kind="deed", table="deed", status="credited", amount="points",
)  # fmt: skip

# A deed with points other than the catalogue's must carry a reason.
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

DEEDS: tuple[Invariant, ...] = (_DEED_WITHOUT_CREDIT, _CREDIT_WITHOUT_DEED, _DEED_OFF_ITS_RULE)
