"""Reminders of undecided objections to those who may decide them, because each delays a credit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.deciders import Decider, possible_deciders
from timebank.agreements.independence import Side, is_family, sides_of
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Role, Scope
from timebank.objections.subjects import subject_rows
from timebank.people.messages import notify

DECIDE_WITHIN = timedelta(days=7)
REMIND_AFTER = (timedelta(days=3), timedelta(days=6), DECIDE_WITHIN)
ABOVE = "objection_waits.overdue_below"


class _Waiting(msgspec.Struct, frozen=True):
    id: UUID
    created_at: datetime
    involved: list[UUID]  # its parties, its person's household; who raised or entered the objection


class _Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """The message to one officer about one objection, sent in the officer's home community."""

    home_id: UUID
    person_id: UUID
    kind: str
    key: str
    objection_id: UUID
    decide_by: datetime


def decide_by(created_at: datetime) -> datetime:
    """The deadline of the decision of an objection: seven days after it was raised."""
    return created_at + DECIDE_WITHIN


async def remind_of_objections(scope: Scope) -> int:
    """Remind the community's administrators of objections that wait for three, six and seven days.

    From the seventh day on, auditors and the street's and the county's administrators, who can decide them, are
    reminded too. Nobody who is involved is reminded, and nobody twice of the same step. Returns how many objections
    have waited for three days or longer.
    """
    now = clock.now()
    async with transaction(scope):
        waiting = await database.rows(_Waiting, _waiting(), scope.community_id, now - REMIND_AFTER[0])
        if not waiting:
            return 0
        officers = await possible_deciders(scope)
        place: str = await database.fetch_value("SELECT name FROM region WHERE id = $1", scope.community_id)
        people = [*(o.person_id for o in officers), *(person for each in waiting for person in each.involved)]
        sides = await sides_of(scope, people)
    for reminder in [r for each in waiting for r in _reminders(each, officers, sides, now)]:
        home = Scope.of_system(reminder.home_id)
        by = clock.local_day(reminder.decide_by)
        values: dict[str, Any] = {"place": place} if reminder.kind == ABOVE else {}
        await notify(home, reminder.person_id, reminder.kind, reminder.key, reminder.objection_id, by=by, **values)
    return len(waiting)


def _reminders(
    objection: _Waiting, officers: Sequence[Decider], sides: dict[UUID, Side], now: datetime
) -> list[_Reminder]:  # fmt: skip
    """The reminders of one objection that are due now."""
    step = max(n for n, after in enumerate(REMIND_AFTER) if objection.created_at <= now - after)
    is_overdue = step == len(REMIND_AFTER) - 1
    key = f"objection:{objection.id}:waits:{step}"
    own = "objection_waits.overdue" if is_overdue else "objection_waits"
    kinds = {Role.community_admin.value: own}
    if is_overdue:
        kinds |= {Role.street_admin.value: ABOVE, Role.county_admin.value: ABOVE, Role.auditor.value: own}
    return [
        _Reminder(
            home_id=officer.home_id,
            person_id=officer.person_id,
            kind=kinds[officer.role],
            key=key,
            objection_id=objection.id,
            decide_by=decide_by(objection.created_at),
        )
        for officer in officers
        if officer.role in kinds and not any(is_family(sides[officer.person_id], sides[p]) for p in objection.involved)
    ]


def _waiting() -> str:
    return f"""
SELECT o.id, o.created_at, array_remove(
           ARRAY[o.person_id, o.entered_by] || subject.acted || subject.concerns
           || ARRAY(SELECT m.id FROM person m WHERE m.community_id = p.community_id
                    AND m.household_id = p.household_id), NULL) AS involved
FROM objection o CROSS JOIN LATERAL ({subject_rows()}) AS subject
JOIN person p ON p.community_id = o.community_id AND p.id = subject.person_id
WHERE o.community_id = $1 AND o.upheld IS NULL AND o.created_at <= $2 ORDER BY o.id
"""  # noqa: S608  # declared in manifests
