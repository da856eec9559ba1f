"""Refund unused class minutes as points: asked by a guardian or an administrator, or when a course ends."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.agreements.independence import near
from timebank.classes.class_time import entries
from timebank.classes.class_time.entries import Given, RefundShare
from timebank.classes.class_time.purchase import class_minutes
from timebank.classes.courses import course
from timebank.classes.families import guardians_of, notify_family
from timebank.classes.schemas import CourseOut, PointsBack, Refunded, RefundIn, Unused
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, because, phrase
from timebank.people.directory import names_of
from timebank.people.guardianship.guardians import NotGuardian, require_guardian
from timebank.people.identity.ages import is_minor
from timebank.policies.values import policies


class OwnRefund(TimebankError):
    code = "own_refund"
    status = 403
    sentence = "不能替自己或同一户的人办。您是家长就在自己的手机上办，不是就请另一位管理员来办。"


class RefundReason(TimebankError):
    code = "refund_reason_missing"
    sentence = "替家长办要写明原因，家长会看到。"


class ChildGrown(TimebankError):
    code = "child_grown"
    sentence = "孩子已满 18 岁，家长不能再代办。请本人到社区，由管理员来办。"


RefundCause = Literal["asked", "course_ended", "course_stopped"]


class _Child(msgspec.Struct, frozen=True):
    born_on: date | None


# $2 a course, $3 a child: one of the two may be null.
_UNUSED = """
SELECT u.child_id, u.course_id, sum(u.unused)::bigint AS unused, sum(u.worth)::bigint AS worth,
       sum(u.refundable)::bigint AS minutes,
       sum(u.points)::bigint AS points,
       CASE WHEN bool_and(u.back_until IS NOT NULL) FILTER (WHERE u.points > 0)
            THEN max(u.back_until) FILTER (WHERE u.points > 0) END AS points_until,
       coalesce(sum(u.unused) FILTER (WHERE u.waits IN ('points_expired', 'payer_left')), 0)::bigint AS waiting,
       CASE WHEN bool_and(u.lasts_until IS NOT NULL) THEN max(u.lasts_until) END AS lasts_until
FROM class_unused($1, $2, $3, $4, $5) u GROUP BY u.child_id, u.course_id ORDER BY u.child_id, u.course_id
"""


async def list_unused_minutes(
    scope: Scope, *, course_id: UUID | None = None, child_id: UUID | None = None, on: date | None = None
) -> list[Unused]:
    """Unused and unbooked minutes, per child of a course or per course of a child, and the points of a refund.

    `on`: computed for that day instead of today. It checks no permission; the calling function does.
    """
    async with transaction(scope):
        return await database.rows(
            Unused, _UNUSED, scope.community_id, course_id, child_id, on or clock.local_day(),
            (await policies(scope)).grace_days,
        )  # fmt: skip


class Guardian(msgspec.Struct, frozen=True):
    person_id: UUID
    name: str


class Holder(msgspec.Struct, frozen=True):
    """A child with unused minutes in a course, and its guardians, as the panel shows them for a refund."""

    child: str
    has: Unused
    guardians: list[Guardian]


async def holders(scope: Scope, course_id: UUID) -> list[Holder]:
    """Every child with unused minutes in a course, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        has = await list_unused_minutes(scope, course_id=course_id)
        guardians = await guardians_of(scope, [u.child_id for u in has])
        people = {u.child_id for u in has} | {g for each in guardians.values() for g in each}
        names = await names_of(scope, people)
    return [Holder(names[u.child_id], u, [Guardian(g, names[g]) for g in guardians[u.child_id]]) for u in has]


@retried
async def refund(scope: Scope, wanted: RefundIn) -> Refunded:
    """Refund a child's unused minutes as points to whoever paid, at the price paid, and notify the family.

    The caller is the guardian, or an administrator who gives a reason and is not close to the family. Raises
    NotGuardian, ChildGrown, OwnRefund, RefundReason, NotEnoughUnused, WorthTooLittle.
    """
    async with transaction(scope):
        await require_right(scope, wanted.person_id, wanted.child_id, wanted.course_id, wanted.reason)
        if wanted.pay_to is not None:
            scope.require_admin()
            await require_guardian(scope, wanted.pay_to, wanted.child_id)
            await require_not_close(scope, [wanted.pay_to])
        given = await refund_and_notify(
            scope, wanted.child_id, await course(scope, wanted.course_id), wanted.minutes, wanted.reason or "",
            instead=wanted.pay_to,
        )  # fmt: skip
        back = [
            PointsBack(person_id=b.person_id, points=b.points, expires_on=b.until)
            for b in await entries.who_got_back(scope, given.entry_id)
        ]
        left = await class_minutes(scope, wanted.child_id, wanted.course_id)
        return Refunded(id=given.entry_id, minutes=given.minutes, points=given.points, available=left, returned=back)


async def refund_and_notify(
    scope: Scope, child_id: UUID, taken: CourseOut, minutes: int | None, why: str, *, instead: UUID | None = None,
    cause: RefundCause = "asked",
) -> Given:  # fmt: skip
    """Post the refund and notify the family and the payers. The calling function has checked the permission.

    `why` is the reason that a person wrote, if any.
    """
    given = await entries.post_refund(
        scope, child_id, taken.id, minutes, _memo(taken.title, cause, why), instead=instead
    )
    await audit.record(
        scope, "refund_class_hours", "course", taken.id, reason=why or None, child_id=child_id, entry_id=given.entry_id,
        minutes=given.minutes, points=given.points, cause=cause,
    )  # fmt: skip
    child = (await names_of(scope, [child_id]))[child_id]
    said: dict[str, Any] = {
        "course": taken.title, "child": child, "minutes": given.minutes, "points": given.points,
        "why": because(_reason(cause, why)),
    }  # fmt: skip
    await notify_family(
        scope, child_id, "class_refunded", f"class_refund:{given.entry_id}", given.entry_id,
        instead={
            b.person_id: phrase("class_refunded.yours", **said, yours=_yours(b, given.points))
            for b in await entries.who_got_back(scope, given.entry_id)
        }, **said,
    )  # fmt: skip
    return given


def _reason(cause: RefundCause, why: str) -> str | Phrase:
    """The reason of a refund in the message about it."""
    if cause == "asked":
        return why
    if cause == "course_ended":
        return phrase("course_over")
    return phrase("course_stops.because", reason=why) if why else phrase("course_stops")


def _memo(title: str, cause: RefundCause, why: str) -> Phrase:
    match cause, bool(why):
        case "course_ended", _:
            return phrase("entry.class_refunded_at_end", course=title)
        case "course_stopped", True:
            return phrase("entry.class_refunded_at_stop_because", course=title, reason=why)
        case "course_stopped", False:
            return phrase("entry.class_refunded_at_stop", course=title)
        case _, True:
            return phrase("entry.class_refunded_because", course=title, reason=why)
        case _:
            return phrase("entry.class_refunded", course=title)


def _yours(back: RefundShare, of: int) -> list[Phrase]:
    """A payer's part: how many of the `of` points they got back, until when, and the repaid debt."""
    yours = [phrase("refunded.all") if back.points == of else phrase("refunded.part", points=back.points)]
    yours += [phrase("refunded.until", until=back.until)] if back.until else []
    return yours + ([phrase("refunded.repaid", points=back.repaid)] if back.repaid else [])


async def require_right(
    scope: Scope, person_id: UUID, child_id: UUID, course_id: UUID, reason: str | None
) -> None:  # fmt: skip
    """Require the child's guardian, or an administrator who acts for a guardian or payer and gives a reason.

    Raises ChildGrown, NotGuardian, OwnRefund, RefundReason, Forbidden or NotFound.
    """
    child = await database.row(
        _Child, "SELECT born_on FROM person WHERE community_id = $1 AND id = $2",
        scope.community_id, child_id,
    )  # fmt: skip
    if scope.is_own(person_id):
        if child is not None and not is_minor(child.born_on):
            raise ChildGrown
        await require_guardian(scope, person_id, child_id)
        return
    if not scope.administers:
        raise Forbidden if scope.reads_all or scope.kept_stations else NotFound
    paid = await payers(scope, child_id, course_id)
    if child is None or person_id not in {*paid, *(await guardians_of(scope, [child_id]))[child_id]}:
        raise NotGuardian
    await require_not_close(scope, [child_id, person_id, *paid])
    if not reason:
        raise RefundReason


async def payers(scope: Scope, child_id: UUID, course_id: UUID) -> list[UUID]:
    """The people who bought a child's minutes in a course."""
    found = await database.fetch(
        "SELECT DISTINCT guardian_id FROM class_purchase WHERE community_id = $1 AND child_id = $2 AND course_id = $3",
        scope.community_id, child_id, course_id,
    )  # fmt: skip
    return [UUID(bytes=row["guardian_id"].bytes) for row in found]


async def require_not_close(scope: Scope, people: Sequence[UUID]) -> None:
    """Refuse if one of these people is the caller, lives or has lived with them, or is in their care.

    Raises OwnRefund.
    """
    if (await near(scope, people)).home.intersection(people):
        raise OwnRefund
