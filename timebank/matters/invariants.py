"""Invariants between matters and what they have brought: no deed and no hours without a confirmed source."""

from timebank.core.locale import _
from timebank.ledger.checking.invariants.parts import Invariant

# A deed of a matter names who reported it, or who kept its pledge, and somebody has confirmed it.
_DEED_WITHOUT_MATTER = Invariant(
    "deed_without_matter",
    _("一件善行（{points} 分）写着来自一件事项，那件事项不在、没有核实，或不是这个人的。"),
    """
SELECT ARRAY[d.id, d.person_id] AS ids, d.points
FROM deed d LEFT JOIN matter m ON m.community_id = $1 AND m.id = d.source_id AND m.verified = 'true'
LEFT JOIN person p ON p.community_id = $1 AND p.id = d.person_id
LEFT JOIN person w ON w.community_id = $1 AND w.id = CASE m.kind WHEN 'pledge' THEN m.assignee_id ELSE m.reporter_id END
WHERE d.community_id = $1 AND d.source_kind = 'matter' AND d.status IN ('filed', 'noticed', 'objected', 'credited')
AND (w.id IS NULL OR coalesce(p.merged_into, d.person_id) IS DISTINCT FROM coalesce(w.merged_into, w.id))
ORDER BY d.id LIMIT $2""",
)

# Hours of an order name who helped, and the help names them.
_RECORD_WITHOUT_HELP = Invariant(
    "record_without_help",
    _("一条服务时长（{minutes} 分钟）写着来自帮忙，那次帮忙不在、没有核实，或不是这个人的。"),
    """
SELECT ARRAY[r.id, r.person_id] AS ids, r.minutes
FROM service_record r LEFT JOIN matter_helper h ON h.community_id = $1 AND h.id = r.source_id AND h.record_id = r.id
LEFT JOIN matter m ON m.community_id = $1 AND m.id = h.matter_id AND m.verified = 'true'
LEFT JOIN person p ON p.community_id = $1 AND p.id = r.person_id
LEFT JOIN person w ON w.community_id = $1 AND w.id = h.person_id
WHERE r.community_id = $1 AND r.source_kind = 'matter_helper' AND r.status IN ('pending', 'noticed', 'approved')
AND (m.id IS NULL OR coalesce(p.merged_into, r.person_id) IS DISTINCT FROM coalesce(w.merged_into, h.person_id))
ORDER BY r.id LIMIT $2""",
)

MATTERS: tuple[Invariant, ...] = (_DEED_WITHOUT_MATTER, _RECORD_WITHOUT_HELP)
