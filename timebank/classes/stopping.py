"""Stop a course: its coming lessons are cancelled and unused minutes are refunded by the worker.

`stop_course` only stores the stop. The worker processes each lesson and each child in its own transaction, so that a
large course is finished in batches and a second worker repeats nothing.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from timebank.classes.attendance import cancel_lesson_of_stopped
from timebank.classes.class_time.entries import NotEnoughUnused, WorthTooLittle
from timebank.classes.class_time.refunds import RefundCause, refund_and_notify
from timebank.classes.courses import course
from timebank.classes.families import notify_family
from timebank.classes.schemas import CourseOut, StopPreview
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import because
from timebank.people.directory import names_of
from timebank.policies.values import policies

BATCH = 500


class _Comes(msgspec.Struct, frozen=True):
    lessons: int
    seats: int


class _Back(msgspec.Struct, frozen=True):
    children: int
    minutes: int
    points: int
    waiting: int


class _Lesson(msgspec.Struct, frozen=True):
    id: UUID
    reason: str


class _Due(msgspec.Struct, frozen=True):
    course_id: UUID
    child_id: UUID


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A child's minutes in a stopped course that cannot be refunded."""

    course_id: UUID
    course: str
    reason: str
    child_id: UUID
    key: str
    minutes: int
    last: date | None


async def stop_preview(scope: Scope, course_id: UUID) -> StopPreview:
    """Preview, for an administrator, what stopping the course would cancel and refund now."""
    scope.require_admin()
    async with transaction(scope):
        await course(scope, course_id)
        comes = await database.row(
            _Comes, "SELECT count(*) AS lessons, coalesce(sum(seats_taken), 0)::bigint AS seats FROM lesson "
            "WHERE community_id = $1 AND course_id = $2 AND cancelled_at IS NULL AND starts_at > $3",
            scope.community_id, course_id, clock.now(),
        )  # fmt: skip
        back = await database.row(
            _Back, "SELECT count(DISTINCT child_id) AS children, coalesce(sum(refundable), 0)::bigint AS minutes, "
            "coalesce(sum(points), 0)::bigint AS points, coalesce(sum(unused - refundable), 0)::bigint AS waiting "
            "FROM class_unused($1, $2, NULL, $3, $4, false, true)",
            scope.community_id, course_id, clock.local_day(), (await policies(scope)).grace_days,
        )  # fmt: skip
    assert comes is not None
    assert back is not None
    return StopPreview(
        lessons=comes.lessons,
        seats=comes.seats,
        children=back.children,
        minutes=back.minutes,
        points=back.points,
        waiting_minutes=back.waiting,
    )


@retried
async def stop_course(scope: Scope, course_id: UUID, reason: str) -> CourseOut:
    """Stop a course: purchases and bookings are refused from now on, and the worker does the refunds. Idempotent."""
    scope.require_admin()
    async with transaction(scope):
        stopped = await database.execute(
            "UPDATE course SET active = false, stopped_at = $3, stop_reason = $4 "
            "WHERE community_id = $1 AND id = $2 AND stopped_at IS NULL",
            scope.community_id, course_id, clock.now(), reason or None,
        )  # fmt: skip
        if stopped == "UPDATE 1":
            await audit.record(scope, "stop_course", "course", course_id, reason=reason or None)
        return await course(scope, course_id)


async def cancel_lessons_of_stopped(scope: Scope) -> int:
    """Worker job: cancel the lessons that begin after their course was stopped; returns how many."""
    async with transaction(scope):
        lessons = await database.rows(
            _Lesson, "SELECT l.id, coalesce(c.stop_reason, '') AS reason FROM course c "
            "JOIN lesson l ON l.community_id = c.community_id AND l.course_id = c.id AND l.cancelled_at IS NULL "
            "AND l.starts_at > c.stopped_at "
            "WHERE c.community_id = $1 AND c.stopped_at IS NOT NULL ORDER BY l.starts_at, l.id LIMIT $2",
            scope.community_id, BATCH,
        )  # fmt: skip
    return sum([await cancel_lesson_of_stopped(scope, one.id, one.reason) for one in lessons])


# A course counts as ended only when the database has closed its last day (books_closed): the clock of this process
# alone does not decide.
_DUE = """
SELECT DISTINCT u.course_id, u.child_id FROM course c CROSS JOIN LATERAL class_unused($1, c.id, NULL, $2, $3) u
WHERE c.community_id = $1 AND u.points > 0 AND CASE
    WHEN c.active THEN c.ends_on < $2
        AND EXISTS (SELECT FROM books_closed b WHERE b.community_id = $1 AND b.until >= c.ends_on)
    ELSE NOT EXISTS (SELECT FROM lesson l WHERE l.community_id = $1 AND l.course_id = c.id AND l.cancelled_at IS NULL
                     AND l.starts_at > c.stopped_at) END
ORDER BY 1, 2 LIMIT $4
"""


async def refund_ended(scope: Scope) -> int:
    """Worker job: refund unused minutes of stopped and ended courses; returns how many refunds were posted."""
    async with transaction(scope):
        due = await database.rows(
            _Due, _DUE, scope.community_id, clock.local_day(), (await policies(scope)).grace_days, BATCH
        )
    return sum([await _refund(scope, one.course_id, one.child_id) for one in due])


@retried
async def _refund(scope: Scope, course_id: UUID, child_id: UUID) -> bool:
    """Refund one child's minutes. False if nothing is left to refund, or if the course was reopened or extended."""
    try:
        async with transaction(scope):
            ended = await course(scope, course_id)
            if ended.active and ended.ends_on >= clock.local_day():
                return False
            cause: RefundCause = "course_ended" if ended.active else "course_stopped"
            why = "" if ended.active else await _reason(scope, course_id)
            await refund_and_notify(scope, child_id, ended, None, why, cause=cause)
    except (NotEnoughUnused, WorthTooLittle):
        return False
    return True


_UNTOLD = """
SELECT * FROM (
    SELECT c.id AS course_id, c.title AS course, coalesce(c.stop_reason, '') AS reason, u.child_id,
           'class-stopped:' || c.id || ':' || u.child_id || ':' || extract(epoch FROM c.stopped_at)::bigint AS key,
           sum(u.unused)::bigint AS minutes, max(u.lasts_until) AS last
    FROM course c CROSS JOIN LATERAL class_unused($1, c.id, NULL, $2, $3) u
    WHERE c.community_id = $1 AND c.stopped_at IS NOT NULL AND u.points = 0
    GROUP BY c.id, c.title, c.stop_reason, c.stopped_at, u.child_id
) kept
WHERE NOT EXISTS (
    SELECT FROM message m WHERE m.community_id = $1 AND m.key = kept.key AND m.person_id = ANY (kept.child_id || ARRAY(
        SELECT g.guardian_id FROM guardianship g WHERE g.community_id = $1 AND g.child_id = kept.child_id)))
ORDER BY course_id, child_id LIMIT $4
"""


async def notify_stopped(scope: Scope) -> int:
    """Worker job: notify families once of minutes in a stopped course that cannot be refunded but can be moved.

    Returns how many messages were due.
    """
    async with transaction(scope):
        grace = (await policies(scope)).grace_days
        found = await database.rows(_Kept, _UNTOLD, scope.community_id, clock.local_day(), grace, BATCH)
    for kept in found:
        await _notify(scope, kept)
    return len(found)


@retried
async def _notify(scope: Scope, kept: _Kept) -> None:
    async with transaction(scope):
        child = (await names_of(scope, [kept.child_id]))[kept.child_id]
        until: dict[str, Any] = {"until": kept.last} if kept.last else {}
        await notify_family(
            scope, kept.child_id, "course_stopped.until" if kept.last else "course_stopped", kept.key, kept.course_id,
            course=kept.course, child=child, minutes=kept.minutes, why=because(kept.reason), **until,
        )  # fmt: skip


async def _reason(scope: Scope, course_id: UUID) -> str:
    reason: str | None = await database.fetch_value(
        "SELECT stop_reason FROM course WHERE community_id = $1 AND id = $2", scope.community_id, course_id
    )
    return reason or ""
