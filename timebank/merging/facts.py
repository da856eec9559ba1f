"""The facts that decide whether two records may be merged."""

from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_not_over
from timebank.core import clock, database
from timebank.core.errors import Conflict, NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope


class CannotMerge(Conflict):
    code = "cannot_merge"
    sentence = "这两条登记不能合并：{why}。"


class Facts(msgspec.Struct, frozen=True):
    """Two records, the first reason against merging them, and whether one administrator may merge them alone.

    `harmless`: the names have equal keys, and the merged record has either earned nothing or the kept one's phone.
    Otherwise a merge could move points to a record that somebody else signs in to, and needs a second person. `stands`
    holds the present names, households, statuses and phone hashes, to notice a change before a waiting merge is done.
    """

    names: list[str]
    harmless: bool
    stands: str
    why: str | None


WHY = {
    "same": _("它们是同一条"), "merged": _("其中一条已经并过了"), "left": _("要留下的那一条不在册"),
    "identity": _("证件号不同，是两个人；证件号录错了的，先更正"), "born": _("出生日期不同；录错了的，先更正"),
    "sex": _("性别不同；录错了的，先更正"), "family": _("一条是另一条的监护人"),
    "inside": _("两条都在签到中，请先签退一条"), "booked": _("两条约了同一节课，请先取消一个"),
    "witness": _("一条为另一条的善行作证，请先退回那件善行"),
    "source": _("同一件事给两条各记了一份，请先冲正或退回其中一份"),
    "office": _("要并掉的一条是管理员或审计员，请先结束那个身份"),
}  # fmt: skip

_FACTS = f"""
SELECT ARRAY[k.name, m.name] AS names, k.name_key = m.name_key AND (m.phone_index = k.phone_index OR NOT (
        EXISTS (SELECT FROM account a WHERE a.community_id = $1 AND a.owner_id = m.id)
        OR EXISTS (SELECT FROM service_record s WHERE s.community_id = $1 AND s.person_id = m.id)
        OR EXISTS (SELECT FROM deed d WHERE d.community_id = $1 AND d.person_id = m.id))) IS TRUE AS harmless,
    concat_ws('|', k.name_key, m.name_key, k.household_id, m.household_id, k.status, m.status, k.phone_index,
              m.phone_index) AS stands,
    CASE WHEN k.id = m.id THEN 'same' WHEN num_nonnulls(k.merged_into, m.merged_into) > 0 THEN 'merged'
        WHEN k.status <> 'active' THEN 'left' WHEN k.identity_index <> m.identity_index THEN 'identity'
        WHEN k.born_on <> m.born_on THEN 'born' WHEN k.sex <> m.sex THEN 'sex'
        WHEN EXISTS (SELECT FROM guardianship g WHERE g.community_id = $1
            AND (g.guardian_id, g.child_id) IN ((k.id, m.id), (m.id, k.id))) THEN 'family'
        WHEN (SELECT count(*) FROM visit v WHERE v.community_id = $1 AND v.person_id IN (k.id, m.id)
            AND v.status = 'open') > 1 THEN 'inside'
        WHEN EXISTS (SELECT FROM booking b WHERE b.community_id = $1 AND b.child_id IN (k.id, m.id)
            AND b.status IN ('held', 'waiting') GROUP BY b.lesson_id HAVING count(*) > 1) THEN 'booked'
        WHEN EXISTS (SELECT FROM deed d WHERE d.community_id = $1
            AND (d.person_id, d.witness_id) IN ((k.id, m.id), (m.id, k.id))) THEN 'witness'
        WHEN EXISTS (SELECT FROM deed d JOIN deed o ON o.community_id = $1 AND o.person_id = m.id
            AND (o.source_kind, o.source_id, o.rule_code, o.area_id)
              = (d.source_kind, d.source_id, d.rule_code, d.area_id)
            WHERE d.community_id = $1 AND d.person_id = k.id AND o.status NOT IN ('rejected', 'reversed', 'withdrawn')
            AND d.status NOT IN ('rejected', 'reversed', 'withdrawn')) THEN 'source'
        WHEN EXISTS (SELECT FROM service_record s JOIN service_record o ON o.community_id = $1 AND o.person_id = m.id
            AND (o.source_kind, o.source_id) = (s.source_kind, s.source_id)
            WHERE s.community_id = $1 AND s.person_id = k.id AND o.status NOT IN ('rejected', 'reversed', 'withdrawn')
            AND s.status NOT IN ('rejected', 'reversed', 'withdrawn')) THEN 'source'
        WHEN EXISTS (SELECT FROM role_grant g WHERE g.community_id = $1 AND g.person_id = m.id
            AND g.region_id IS NOT NULL AND {is_not_over("$4")}) THEN 'office' END AS why
FROM person k JOIN person m ON m.community_id = k.community_id AND m.id = $3
WHERE k.community_id = $1 AND k.id = $2
"""  # noqa: S608


async def read_facts(scope: Scope, kept_id: UUID, merged_id: UUID) -> Facts | None:
    """The facts about two records of the community, also of two that cannot be merged; None where one is missing."""
    return await database.row(Facts, _FACTS, scope.community_id, kept_id, merged_id, clock.local_day())


async def facts_of(scope: Scope, kept_id: UUID, merged_id: UUID) -> Facts:
    """The facts about two records of the community. Raises NotFound, or CannotMerge with the reason."""
    found = await read_facts(scope, kept_id, merged_id)
    if found is None:
        raise NotFound
    if found.why is not None:
        raise CannotMerge(why=WHY[found.why])
    return found
