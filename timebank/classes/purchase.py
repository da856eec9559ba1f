"""Class hours: a guardian's points become a child's minutes in one course."""

from datetime import date
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.classes.courses import course
from timebank.classes.schemas import QUARTER_MINUTES, Bought, ClassHoursIn, CourseOut
from timebank.classes.tables import ClassPurchase
from timebank.database import retried, transaction
from timebank.errors import Forbidden, NotFound, TimebankError
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting
from timebank.people.guardians import require_guardian
from timebank.people.locks import lock_people
from timebank.scope import Scope


class CourseOver(TimebankError):
    code = "course_over"
    sentence = "《{title}》已经结课或停开了。请选一门正在开的课。"


class ChildAge(TimebankError):
    code = "child_age"
    sentence = "《{title}》收 {age_min} 到 {age_max} 岁的孩子，孩子的年龄不合。请选别的课，或到社区核对出生日期。"


class NotInQuarters(TimebankError):
    code = "not_in_quarters"
    sentence = "课时按 15 分钟买：请选 15、30、45、60 分钟这样的数。"


class _Child(msgspec.Struct, frozen=True):
    born_on: date | None


def price(minutes: int, points_per_hour: int) -> int:
    """Points for so many minutes, a started point counted whole."""
    return -(-minutes * points_per_hour // 60)


def age_on(born_on: date, day: date) -> int:
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


@retried
async def buy_class_hours(scope: Scope, wanted: ClassHoursIn) -> Bought:
    """Spend a guardian's points on a child's class minutes in a course.

    Raises NotGuardian, CourseOver, ChildAge, NotInQuarters, Insufficient.
    """
    if not scope.is_own(wanted.person_id):
        raise Forbidden if scope.reads_all or scope.kept_stations else NotFound
    if wanted.minutes <= 0 or wanted.minutes % QUARTER_MINUTES:
        raise NotInQuarters
    async with transaction(scope):
        await require_guardian(scope, wanted.person_id, wanted.child_id)
        await lock_people(scope, [wanted.person_id, wanted.child_id])
        taken = await course(scope, wanted.course_id)
        if not taken.active or taken.ends_on < clock.local_day():
            raise CourseOver(title=taken.title)
        await require_age(scope, wanted.child_id, taken)
        return await _post(scope, wanted, taken)


async def _post(scope: Scope, wanted: ClassHoursIn, taken: CourseOut) -> Bought:
    purchase_id, points = clock.new_id(), price(wanted.minutes, taken.points_per_hour)
    key, source = f"class_purchase:{purchase_id}", "class_purchase"
    memo = f"《{taken.title}》课时 {wanted.minutes} 分钟，每 60 分钟 {taken.points_per_hour} 分"
    paid = await posting.spend(
        scope, wanted.person_id, points, Posting("purchase", f"{key}:points", source, purchase_id, memo)
    )
    await posting.issue(
        scope, wanted.child_id, Currency.class_minute, wanted.minutes,
        Posting("purchase", f"{key}:minutes", source, purchase_id, f"{memo}，共 {points} 分"), subject_id=taken.id,
    )  # fmt: skip
    await ClassPurchase.insert(
        ClassPurchase(
            community_id=scope.community_id, id=purchase_id, guardian_id=wanted.person_id, child_id=wanted.child_id,
            course_id=taken.id, minutes=wanted.minutes, points=points, entry_id=paid.entry_id, created_at=clock.now(),
        )
    )  # fmt: skip
    await audit.record(
        scope, "buy_class_hours", "class_purchase", purchase_id, child_id=wanted.child_id, course_id=taken.id,
        minutes=wanted.minutes, points=points,
    )  # fmt: skip
    available = await class_minutes(scope, wanted.child_id, taken.id)
    return Bought(purchase_id, points, wanted.minutes, available)


async def require_age(scope: Scope, child_id: UUID, taken: CourseOut) -> None:
    """Refuse a child who is too young or too old, today or, for a course yet to begin, on its first day."""
    async with transaction(scope):
        child = await database.row(
            _Child, "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, child_id
        )
    day = max(clock.local_day(), taken.starts_on)
    if child is None or child.born_on is None or not taken.age_min <= age_on(child.born_on, day) <= taken.age_max:
        raise ChildAge(title=taken.title, age_min=taken.age_min, age_max=taken.age_max)


async def class_minutes(scope: Scope, child_id: UUID, course_id: UUID) -> int:
    """What a child has left to book with in a course."""
    async with transaction(scope):
        available: int = await database.fetch_value(
            "SELECT coalesce(sum(balance), 0)::bigint FROM account WHERE community_id = $1 AND owner_kind = 'person' "
            "AND owner_id = $2 AND currency = 'class_minute' AND bucket = 'available' AND subject_id = $3",
            scope.community_id, child_id, course_id,
        )  # fmt: skip
    return available
