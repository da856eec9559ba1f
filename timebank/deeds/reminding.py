"""Objections that wait: whoever may decide is reminded, so that none delays a credit for longer than a week."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.database import retried, transaction
from timebank.people.messages import tell
from timebank.scope import Role, Scope
from timebank.wording import dated

DECIDE_WITHIN = timedelta(days=7)
REMIND_AFTER = (timedelta(days=3), timedelta(days=6), DECIDE_WITHIN)


class _Waiting(msgspec.Struct, frozen=True):
    id: UUID
    created_at: datetime
    involved: list[UUID]  # the household and filer of what is objected to, its witness, and who objected


def decide_by(created_at: datetime) -> datetime:
    """Until when an objection is to be decided."""
    return created_at + DECIDE_WITHIN


@retried
async def remind_of_objections(scope: Scope) -> int:
    """Remind the community's administrators of objections that wait for three and six days, and auditors too from the
    seventh on; nobody who is involved. Answers how many objections are due. Running it again tells nobody twice.
    """
    now = clock.now()
    async with transaction(scope):
        waiting = await database.rows(_Waiting, _WAITING, scope.community_id, now - REMIND_AFTER[0])
        for objection in waiting:
            step = max(n for n, after in enumerate(REMIND_AFTER) if objection.created_at <= now - after)
            is_overdue = step == len(REMIND_AFTER) - 1
            roles = [Role.community_admin.value, *([Role.auditor.value] if is_overdue else [])]
            listeners = await database.fetch(
                _DECIDERS, scope.community_id, roles, clock.local_day(), objection.involved
            )
            by = dated(clock.local_day(decide_by(objection.created_at)))
            text = (
                f"有一条异议过了决定的期限（{by}），被它拖着的积分还没有记。请今天在面板里决定，或请街道来决定。"
                if is_overdue
                else f"有一条异议在等您决定，请在 {by} 以前核实并决定：面板，道德积分，有异议。"
            )
            for row in listeners:
                key = f"objection:{objection.id}:waits:{step}"
                await tell(scope, row["person_id"], "objection_waits", text, key, objection.id)
    return len(waiting)


_WAITING = """
SELECT o.id, o.created_at, array_remove(ARRAY[o.person_id, o.entered_by, coalesce(d.filed_by, s.entered_by),
       d.witness_id, p.id] || ARRAY(SELECT m.id FROM person m WHERE m.community_id = p.community_id
                                    AND m.household_id = p.household_id), NULL) AS involved
FROM objection o
LEFT JOIN deed d ON d.community_id = o.community_id AND d.id = o.deed_id
LEFT JOIN service_record s ON s.community_id = o.community_id AND s.id = o.service_record_id
JOIN person p ON p.community_id = o.community_id AND p.id = coalesce(d.person_id, s.person_id)
WHERE o.community_id = $1 AND o.upheld IS NULL AND o.created_at <= $2 ORDER BY o.id
"""
_DECIDERS = """
SELECT DISTINCT g.person_id FROM role_grant g WHERE g.community_id = $1 AND g.role = ANY ($2) AND g.ended_at IS NULL
   AND g.starts_on <= $3 AND (g.ends_on IS NULL OR g.ends_on >= $3) AND g.person_id <> ALL ($4) ORDER BY g.person_id
"""
