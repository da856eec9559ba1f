"""Buy a child's class minutes in a course with a guardian's points: price, last day, purchase."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.agreements.own_terms import require_seen_terms
from timebank.classes.class_time import entries
from timebank.classes.courses import COURSE_TERMS, CourseOver, course
from timebank.classes.schemas import QUARTER_MINUTES, Bought, ClassHoursIn, CourseOut, Quote
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger.resting import require_spendable
from timebank.people.guardianship.guardians import require_guardian
from timebank.people.identity.ages import age_on
from timebank.people.locks import lock_people


class ChildAge(TimebankError):
    code = "child_age"
    sentence = "《{title}》收 {age_min} 到 {age_max} 岁的孩子，孩子的年龄不合。请选别的课，或到社区核对出生日期。"


class NotInQuarters(TimebankError):
    code = "not_in_quarters"
    sentence = "课时按 15 分钟买：请选 15、30、45、60 分钟这样的数。"


class _Child(msgspec.Struct, frozen=True):
    born_on: date | None


class Parcel(msgspec.Struct, frozen=True):
    """Points with one last day. `expires_on` None: no expiry."""

    expires_on: date | None
    points: int


def price(minutes: int, points_per_hour: int) -> int:
    """The price of minutes in points, rounded up."""
    return -(-minutes * points_per_hour // 60)


def last_day(parcels: list[Parcel], points: int, course_ends_on: date) -> date | None:
    """The last day of minutes that are bought with `points` of these parcels, those that expire first spent first.

    It is the later of the latest last day of the points spent and the course's last day. None: no expiry.
    """
    latest: date | None = course_ends_on
    for parcel in sorted(parcels, key=lambda p: p.expires_on or date.max):
        if points <= 0:
            break
        points -= parcel.points
        latest = max(latest, parcel.expires_on) if latest and parcel.expires_on else None
    return latest


@retried
async def buy_class_hours(scope: Scope, wanted: ClassHoursIn) -> Bought:
    """Buy a child's class minutes in a course with a guardian's points.

    Raises NotGuardian, CourseOver, ChildAge, NotInQuarters, Insufficient, OwnTerms.
    """
    require_spendable(scope, [wanted.person_id])
    async with transaction(scope):
        taken = await _may_buy(scope, wanted)
        await require_seen_terms(scope, COURSE_TERMS, taken.id, wanted.person_id, taken.title)
        await lock_people(scope, [wanted.person_id, wanted.child_id])
        return await _post(scope, wanted, taken)


async def quote(scope: Scope, wanted: ClassHoursIn) -> Quote:
    """The price of these minutes today and their last day, for the guardian who would buy them."""
    async with transaction(scope):
        taken = await _may_buy(scope, wanted)
        parcels = await parcels_of(scope, wanted.person_id)
    points = price(wanted.minutes, taken.points_per_hour)
    return Quote(
        minutes=wanted.minutes,
        points=points,
        available=sum(p.points for p in parcels),
        lasts_until=last_day(parcels, points, taken.ends_on),
    )


async def parcels_of(scope: Scope, person_id: UUID) -> list[Parcel]:
    """The points that a person can spend today, earliest expiry first."""
    async with transaction(scope):
        return await database.rows(
            Parcel,
            "SELECT expires_on, balance AS points FROM account WHERE community_id = $1 AND owner_kind = 'person' "
            "AND owner_id = $2 AND currency = 'point' AND bucket = 'available' AND balance > 0 "
            "AND (expires_on IS NULL OR expires_on >= $3) ORDER BY expires_on NULLS LAST, grace_of NULLS LAST",
            scope.community_id, person_id, clock.local_day(),
        )  # fmt: skip


async def _may_buy(scope: Scope, wanted: ClassHoursIn) -> CourseOut:
    if not scope.is_own(wanted.person_id):
        raise Forbidden if scope.reads_all or scope.kept_stations else NotFound
    if wanted.minutes <= 0 or wanted.minutes % QUARTER_MINUTES:
        raise NotInQuarters
    await require_guardian(scope, wanted.person_id, wanted.child_id)
    taken = await course(scope, wanted.course_id)
    require_running(taken)
    await require_age(scope, wanted.child_id, taken)
    return taken


def require_running(taken: CourseOut) -> None:
    """Refuse a course that was stopped or has ended. Raises CourseOver."""
    if not taken.active or taken.ends_on < clock.local_day():
        raise CourseOver(title=taken.title)


async def _post(scope: Scope, wanted: ClassHoursIn, taken: CourseOut) -> Bought:
    purchase_id, points = clock.new_id(), price(wanted.minutes, taken.points_per_hour)
    why = phrase(
        "entry.class_bought", course=taken.title, minutes=wanted.minutes, per_hour=taken.points_per_hour, points=points
    )
    await entries.buy(
        scope, purchase_id, wanted.person_id, wanted.child_id, taken.id, wanted.minutes, points, why
    )  # fmt: skip
    await audit.record(
        scope, "buy_class_hours", "class_purchase", purchase_id, child_id=wanted.child_id, course_id=taken.id,
        minutes=wanted.minutes, points=points,
    )  # fmt: skip
    available = await class_minutes(scope, wanted.child_id, taken.id)
    return Bought(
        id=purchase_id,
        points=points,
        minutes=wanted.minutes,
        available=available,
        lasts_until=await _lasts_until(scope, purchase_id, taken),
    )


async def _lasts_until(scope: Scope, purchase_id: UUID, taken: CourseOut) -> date | None:
    paid = await database.rows(
        Parcel,
        "SELECT a.expires_on, y.points FROM class_payment y JOIN account a ON a.community_id = y.community_id "
        "AND a.id = y.account_id WHERE y.community_id = $1 AND y.purchase_id = $2",
        scope.community_id, purchase_id,
    )  # fmt: skip
    return last_day(paid, sum(p.points for p in paid), taken.ends_on)


async def require_age(scope: Scope, child_id: UUID, taken: CourseOut) -> None:
    """Refuse a child outside the course's ages; see `check_age`. Raises ChildAge."""
    async with transaction(scope):
        child = await database.row(
            _Child, "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, child_id
        )
    check_age(child.born_on if child else None, taken, clock.local_day())


def check_age(born_on: date | None, taken: CourseOut, today: date) -> None:
    """Refuse a child outside the course's ages today, or on the first day of a course that has not begun.

    A child without a birth date is refused too. Raises ChildAge.
    """
    day = max(today, taken.starts_on)
    if born_on is None or not taken.age_min <= age_on(born_on, day) <= taken.age_max:
        raise ChildAge(title=taken.title, age_min=taken.age_min, age_max=taken.age_max)


async def class_minutes(scope: Scope, child_id: UUID, course_id: UUID) -> int:
    """The child's available class minutes in a course."""
    async with transaction(scope):
        available: int = await database.fetch_value(
            "SELECT coalesce(sum(balance), 0)::bigint FROM account WHERE community_id = $1 AND owner_kind = 'person' "
            "AND owner_id = $2 AND currency = 'class_minute' AND bucket = 'available' AND subject_id = $3",
            scope.community_id, child_id, course_id,
        )  # fmt: skip
    return available
