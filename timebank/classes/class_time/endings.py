"""The last days of class minutes: reminders, and the expiry of minutes that cannot be refunded."""

from datetime import date, timedelta
from uuid import UUID

import msgspec

from timebank.classes.class_time import entries
from timebank.classes.families import notify_family
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.people.directory import names_of
from timebank.policies.values import policies

REMINDER_DAYS = (7, 30)
BATCH = 500


class _Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A child's unused minutes in a course, and the points that are refunded for them on the day after its last day."""

    course_id: UUID
    course: str
    ends_on: date
    child_id: UUID
    payers: list[UUID]
    unused: int
    points: int
    points_until: date | None


class _Due(msgspec.Struct, frozen=True):
    course_id: UUID
    course: str
    child_id: UUID


_ENDING = """
SELECT c.id AS course_id, c.title AS course, c.ends_on, u.child_id, array_agg(DISTINCT u.guardian_id) AS payers,
       sum(u.unused)::bigint AS unused, sum(u.points)::bigint AS points,
       CASE WHEN bool_and(u.back_until IS NOT NULL) FILTER (WHERE u.points > 0)
            THEN max(u.back_until) FILTER (WHERE u.points > 0) END AS points_until
FROM course c CROSS JOIN LATERAL class_unused($1, c.id, NULL, c.ends_on + 1, $2) u
WHERE c.community_id = $1 AND c.active AND c.ends_on BETWEEN $3 AND $4
GROUP BY c.id, c.title, c.ends_on, u.child_id
"""
# The payer and the recipient of the message may differ, so a message to any one of the payers, the child or its
# guardians counts as sent.
_NOT_TOLD = """
HAVING NOT EXISTS (
    SELECT FROM message m WHERE m.community_id = $1 AND m.key = {key} AND m.person_id = ANY (
        array_agg(u.guardian_id) || u.child_id || ARRAY(
            SELECT g.guardian_id FROM guardianship g WHERE g.community_id = $1 AND g.child_id = u.child_id)))
ORDER BY c.id, u.child_id LIMIT $5
"""


async def remind_of_class_ends(scope: Scope) -> int:
    """Worker job: notify each family, 30 and 7 days before a course ends, of its unused minutes and their refund.

    Each family gets each reminder once. Returns how many reminders were sent.
    """
    told, today = 0, clock.local_day()
    until = today
    for days in REMINDER_DAYS:
        since, until = until, today + timedelta(days=days)
        key = f"'class-ends:' || c.id || ':' || u.child_id || ':' || c.ends_on || ':{days}'"
        found = await _endings(scope, _ENDING + _NOT_TOLD.format(key=key), since, until)
        for ending in found:
            await _notify(scope, ending, f"class-ends:{ending.course_id}:{ending.child_id}:{ending.ends_on}:{days}")
        told += len(found)
        until += timedelta(days=1)
    return told


async def notify_last_days(scope: Scope) -> int:
    """Worker job: notify families once of the last day of minutes that were bought before the last day was shown.

    Returns how many families were notified.
    """
    key = "'class-last-day:' || c.id || ':' || u.child_id"
    bought_before = (
        "AND EXISTS (SELECT FROM class_purchase p WHERE p.community_id = $1 AND p.id = u.purchase_id "
        "AND NOT p.last_day_shown) GROUP BY"
    )
    sql = _ENDING.replace("GROUP BY", bought_before) + _NOT_TOLD.format(key=key)
    found = await _endings(scope, sql, clock.local_day(), date.max)
    for ending in found:
        await _notify(scope, ending, f"class-last-day:{ending.course_id}:{ending.child_id}")
    return len(found)


async def _endings(scope: Scope, sql: str, since: date, until: date) -> list[_Ending]:
    async with transaction(scope):
        grace = (await policies(scope)).grace_days
        return await database.rows(_Ending, sql, scope.community_id, grace, since, until, BATCH)


@retried
async def _notify(scope: Scope, ending: _Ending, key: str) -> None:
    async with transaction(scope):
        child = (await names_of(scope, [ending.child_id]))[ending.child_id]
        await notify_family(
            scope, ending.child_id, "class_ending", key, ending.course_id, course=ending.course, day=ending.ends_on,
            child=child, minutes=ending.unused, then=[_then(ending)],
        )  # fmt: skip


def _then(ending: _Ending) -> Phrase:
    """What becomes of the unused minutes."""
    if not ending.points:
        return phrase("class_ending_lost")
    if ending.points_until is None:
        return phrase("class_ending_refund", points=ending.points)
    return phrase("class_ending_refund.until", points=ending.points, until=ending.points_until)


async def expire_class_minutes(scope: Scope) -> int:
    """Worker job: expire minutes that are past their last day and the days of grace and that bring no points back.

    Returns for how many children and courses minutes expired.
    """
    async with transaction(scope):
        due = await database.rows(
            _Due, "SELECT DISTINCT c.id AS course_id, c.title AS course, u.child_id FROM course c "
            "CROSS JOIN LATERAL class_unused($1, c.id, NULL, $2, $3) u WHERE c.community_id = $1 AND c.ends_on < $2 "
            "AND u.waits IN ('points_expired', 'too_few') AND u.lasts_until + $3 < $2 ORDER BY 1, 3 LIMIT $4",
            scope.community_id, clock.local_day(), (await policies(scope)).grace_days, BATCH,
        )  # fmt: skip
    return sum([await _expire(scope, one) for one in due])


@retried
async def _expire(scope: Scope, due: _Due) -> bool:
    async with transaction(scope):
        minutes = await entries.post_expiry(
            scope, due.child_id, due.course_id, phrase("entry.class_expired", course=due.course)
        )
        if minutes:
            await audit.record(
                scope, "expire_class_hours", "course", due.course_id, child_id=due.child_id, minutes=minutes
            )
            child = (await names_of(scope, [due.child_id]))[due.child_id]
            await notify_family(
                scope, due.child_id, "class_expired", f"class_expired:{clock.new_id()}", due.course_id,
                course=due.course, child=child, minutes=minutes,
            )  # fmt: skip
    return minutes > 0
