"""Reminders of undecided objections to those who may decide them, because each delays a credit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.agreements.deciders import Decider, possible_deciders
from timebank.agreements.independence import Side, is_family, sides_of
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Role, Scope
from timebank.core.wording import dated
from timebank.objections.subjects import subject_rows
from timebank.people.messages import notify

DECIDE_WITHIN = timedelta(days=7)
REMIND_AFTER = (timedelta(days=3), timedelta(days=6), DECIDE_WITHIN)


class _Waiting(msgspec.Struct, frozen=True):
    id: UUID
    created_at: datetime
    involved: list[UUID]  # its parties, its person's household; who raised or entered the objection


class _Reminder(msgspec.Struct, frozen=True):
    """The message to one officer about one objection, sent in the officer's home community."""

    home_id: UUID
    person_id: UUID
    text: str
    key: str
    objection_id: UUID


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
    for reminder in [r for each in waiting for r in _reminders(each, officers, sides, place, now)]:
        home = Scope.of_system(reminder.home_id)
        await notify(
            home, reminder.person_id, "objection_waits", reminder.text, reminder.key, reminder.objection_id
        )  # fmt: skip
    return len(waiting)


def _reminders(
    objection: _Waiting, officers: Sequence[Decider], sides: dict[UUID, Side], place: str, now: datetime
) -> list[_Reminder]:  # fmt: skip
    """The reminders of one objection that are due now."""
    step = max(n for n, after in enumerate(REMIND_AFTER) if objection.created_at <= now - after)
    is_overdue = step == len(REMIND_AFTER) - 1
    by, key = dated(clock.local_day(decide_by(objection.created_at))), f"objection:{objection.id}:waits:{step}"
    texts = {
        Role.community_admin.value: f"有一条异议在等您决定，请在 {by} 以前核实并决定：面板，道德积分，有异议。"
        if not is_overdue
        else f"有一条异议过了决定的期限（{by}），被它拖着的积分还没有记。请今天在面板里决定，或请街道来决定。",
    }
    if is_overdue:
        above = (
            f"{place}有一条异议过了决定的期限（{by}），社区还没有决定，被它拖着的积分没有记。"
            "您可以决定：面板，道德积分，有异议。"
        )
        texts |= {Role.street_admin.value: above, Role.county_admin.value: above}
        texts[Role.auditor.value] = texts[Role.community_admin.value]
    return [
        _Reminder(officer.home_id, officer.person_id, texts[officer.role], key, objection.id)
        for officer in officers
        if officer.role in texts and not any(is_family(sides[officer.person_id], sides[p]) for p in objection.involved)
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
