"""Move a child's unused class minutes to another course at the price that was paid for them."""

from typing import Any

from timebank.agreements.own_terms import require_seen_terms
from timebank.classes.class_time import entries
from timebank.classes.class_time.purchase import class_minutes, require_age, require_running
from timebank.classes.class_time.refunds import list_unused_minutes, require_right
from timebank.classes.courses import COURSE_TERMS, course
from timebank.classes.families import notify_family
from timebank.classes.schemas import MovedOut, MoveIn
from timebank.core import audit
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import because, phrase
from timebank.people.directory import names_of


class SameCourse(TimebankError):
    code = "same_course"
    sentence = "课时已经在这门课里。请选另一门课。"


@retried
async def move_class_hours(scope: Scope, wanted: MoveIn) -> MovedOut:
    """Move a child's unused minutes to a running course that accepts its age, and notify the family.

    The points paid for the minutes are converted at the other course's price. A later refund still goes to whoever
    paid. Raises what `refund` raises, and CourseOver, ChildAge, SameCourse, MinutesOutlived, OwnTerms.
    """
    if wanted.course_id == wanted.to_course_id:
        raise SameCourse
    async with transaction(scope):
        await require_right(scope, wanted.person_id, wanted.child_id, wanted.course_id, wanted.reason)
        left, entered = await course(scope, wanted.course_id), await course(scope, wanted.to_course_id)
        require_running(entered)
        await require_age(scope, wanted.child_id, entered)
        await require_seen_terms(scope, COURSE_TERMS, entered.id, wanted.person_id, entered.title)
        why = phrase("entry.class_moved", left=left.title, entered=entered.title)
        moved = await entries.post_move(scope, wanted.child_id, left.id, entered.id, wanted.minutes, why)
        await audit.record(
            scope, "move_class_hours", "course", left.id, reason=wanted.reason, child_id=wanted.child_id,
            to=entered.id, entry_id=moved.entry_id, minutes=moved.minutes, arrived=moved.arrived,
        )  # fmt: skip
        child = (await names_of(scope, [wanted.child_id]))[wanted.child_id]
        has = await list_unused_minutes(scope, child_id=wanted.child_id)
        last = next((u.lasts_until for u in has if u.course_id == entered.id), None)
        until: dict[str, Any] = {"until": last} if last else {}
        await notify_family(
            scope, wanted.child_id, "class_moved.until" if last else "class_moved",
            f"class_move:{moved.entry_id}", moved.entry_id, child=child, minutes=moved.minutes, left=left.title,
            entered=entered.title, points=moved.points, arrived=moved.arrived, why=because(wanted.reason), **until,
        )  # fmt: skip
        available = await class_minutes(scope, wanted.child_id, entered.id)
        return MovedOut(
            id=moved.entry_id,
            minutes=moved.minutes,
            points=moved.points,
            arrived=moved.arrived,
            available=available,
            lasts_until=last,
        )
