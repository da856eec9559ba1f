"""The data of a resident's first page: balances, open visit, coming bookings and news. Small reads only."""

from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from timebank.access.membership_state import Question, questions
from timebank.classes.class_time.refunds import list_unused_minutes
from timebank.core import clock, database
from timebank.core.database import many, one, reading_directly, transaction, value
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import StatementItem
from timebank.ledger.statement import Balances, balances
from timebank.ledger.statement_words import worded_statement
from timebank.people.guardianship.care import family_ids
from timebank.people.guardianship.guardians import children_of
from timebank.people.messages import MessageOut, count_unread, own_messages
from timebank.people.statement_access import StatementAccess, children_shown

LATEST = 3


class OpenVisit(msgspec.Struct, frozen=True):
    """A visit that the person has checked in to and not out of."""

    id: UUID
    station: str
    activity: str | None
    in_at: datetime


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """A good that waits for the person at a station until `expires_at`."""

    id: UUID
    good: str
    unit: str
    quantity: int
    code: str | None
    station: str
    expires_at: datetime


class NextLesson(msgspec.Struct, frozen=True):
    """A coming lesson that the person, or a child in their care, has a seat in."""

    id: UUID
    course: str
    child: str
    station: str
    starts_at: datetime


class NextShift(msgspec.Struct, frozen=True):
    """A coming shift that the person has signed up for."""

    id: UUID
    activity: str
    station: str
    starts_at: datetime


class _OfPerson(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the page that small questions about the person answer, asked by one `read`."""

    points_this_month: int
    minutes_this_year: int
    visit: OpenVisit | None
    reserved: list[Reserved]
    lessons: list[NextLesson]
    shifts: list[NextShift]


class Glance(_OfPerson, frozen=True, kw_only=True):
    """The data of one resident's first page."""

    balances: Balances
    newest: MessageOut | None
    unread: int
    latest: list[StatementItem]
    has_children: bool
    questions: list[Question]


async def read_first_page(scope: Scope, person_id: UUID, language: str) -> Glance:
    """Read everything that the first page shows, by one statement."""
    async with reading_directly(scope), database.gathering() as reads:
        latest = reads.start(worded_statement(scope, person_id, Currency.point, language, limit=LATEST))
        told = reads.start(own_messages(scope, unread=True, limit=1, language=language))
        has = reads.start(balances(scope, person_id, []))
        own = reads.start(_of_person(scope, person_id))
        unread = reads.start(count_unread(scope))
        children = reads.start(children_of(scope))
        asked = reads.start(questions(scope))
    return Glance(
        **msgspec.structs.asdict(own.result()), balances=has.result(), newest=next(iter(told.result().items), None),
        unread=unread.result(), latest=list(latest.result().items), has_children=bool(children.result()),
        questions=asked.result(),
    )  # fmt: skip


async def shown_balances(book: StatementAccess) -> Balances:
    """The balances that a statement shows: the person's, and the class minutes of the children in their care."""
    async with reading_directly(book.scope):
        async with database.gathering() as reads:
            shown = reads.start(children_shown(book))
            own = reads.start(balances(book.scope, book.person_id, []))
        if all(child == book.person_id for child in shown.result()):
            return await _with_last_days(book.scope, own.result())
        return await whole_balances(book.scope, book.person_id, shown.result())


async def whole_balances(scope: Scope, person_id: UUID, children: list[UUID]) -> Balances:
    """The balances of a person and these children, with the last day of each child's class minutes."""
    async with transaction(scope):
        return await _with_last_days(scope, await balances(scope, person_id, children))


async def _with_last_days(scope: Scope, has: Balances) -> Balances:
    last = {
        (u.child_id, u.course_id): u.lasts_until
        for child_id in {m.child_id for m in has.class_minutes}
        for u in await list_unused_minutes(scope, child_id=child_id)
    }
    return msgspec.structs.replace(
        has,
        class_minutes=[
            msgspec.structs.replace(m, lasts_until=last.get((m.child_id, m.course_id))) for m in has.class_minutes
        ],
    )


# $3: the first of the month. Without refunds and without what was reversed.
_POINTS_THIS_MONTH = """
SELECT coalesce(sum(t.amount), 0)::bigint FROM account a
JOIN transfer t ON t.community_id = a.community_id AND t.credit_account = a.id
WHERE a.community_id = $1 AND a.owner_kind = 'person' AND a.owner_id = $2 AND a.currency = 'point'
  AND a.bucket = 'available' AND t.posted_at >= $3 AND t.kind NOT IN ('void', 'reversal', 'settle', 'refund')
  AND NOT EXISTS (SELECT FROM transfer r WHERE r.community_id = t.community_id AND r.reverses = t.id)
"""

# $3: the first moment of the year; $4: its first day.
_MINUTES_THIS_YEAR = """
SELECT coalesce(sum(credited_minutes), 0)::bigint FROM service_record
WHERE community_id = $1 AND person_id = $2 AND started_at >= $3 AND status = 'approved'
  AND (counts_on IS NULL OR counts_on >= $4)
"""

_OPEN_VISIT = """
SELECT v.id, s.name AS station, a.name AS activity, v.in_at FROM visit v
JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id
LEFT JOIN activity a ON a.community_id = v.community_id AND a.id = v.activity_id
WHERE v.community_id = $1 AND v.person_id = $2 AND v.status = 'open'
"""

_RESERVED = """
SELECT r.id, g.name AS good, g.unit, r.quantity, k.code, t.name AS station, r.expires_at
FROM (SELECT * FROM redemption WHERE community_id = $1 AND person_id = $2 AND status = 'reserved'
      ORDER BY reserved_at DESC, id DESC LIMIT $3) AS r
JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id
JOIN station t ON t.community_id = r.community_id AND t.id = r.station_id
LEFT JOIN pickup k ON k.community_id = r.community_id AND k.noun = 'redemption' AND k.noun_id = r.id
ORDER BY r.reserved_at DESC, r.id DESC
"""

# $2: the caller's own records; $3: today; $4: now. The children are those whom the caller may book for.
_NEXT_LESSONS = f"""
SELECT b.id, o.title AS course, p.name AS child, t.name AS station, l.starts_at
FROM ({family_ids("$1", "$2::text[]::uuid[]", "$3")}) AS family
JOIN booking b ON b.community_id = $1 AND b.child_id = family.id AND b.status = 'held'
JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id AND l.ends_at > $4
JOIN course o ON o.community_id = l.community_id AND o.id = l.course_id
JOIN station t ON t.community_id = o.community_id AND t.id = o.station_id
JOIN person p ON p.community_id = b.community_id AND p.id = b.child_id
ORDER BY l.starts_at, b.created_at DESC, b.id DESC LIMIT $5
"""  # noqa: S608  # a condition of the code, no input

# For each coming shift the person's sign-up is looked up: those of past shifts, of which there are more, are not read.
_NEXT_SHIFTS = """
SELECT s.id, a.name AS activity, t.name AS station, s.starts_at
FROM (SELECT * FROM shift WHERE community_id = $1 AND ends_at > $3 AND cancelled_at IS NULL OFFSET 0) AS s
CROSS JOIN LATERAL (SELECT FROM sign_up u WHERE u.community_id = s.community_id AND u.shift_id = s.id
                    AND u.person_id = $2 AND u.cancelled_at IS NULL LIMIT 1) AS signed_up
JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id
JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id
ORDER BY s.starts_at LIMIT $4
"""


async def _of_person(scope: Scope, person_id: UUID) -> _OfPerson:
    now, today, here = clock.now(), clock.local_day(), scope.community_id
    month, year = today.replace(day=1), date(today.year, 1, 1)
    return await database.read(
        _OfPerson,
        points_this_month=value(_POINTS_THIS_MONTH, here, person_id, clock.day_bounds(month)[0]),
        minutes_this_year=value(_MINUTES_THIS_YEAR, here, person_id, clock.day_bounds(year)[0].astimezone(UTC), year),
        visit=one(_OPEN_VISIT, here, person_id),
        reserved=many(_RESERVED, here, person_id, LATEST),
        lessons=many(_NEXT_LESSONS, here, database.as_texts(scope.stood_for), today, now, LATEST),
        shifts=many(_NEXT_SHIFTS, here, person_id, now, LATEST),
    )
