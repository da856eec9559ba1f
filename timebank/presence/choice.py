"""What a person can check in for at a station: the shift signed up for, the activity named, and those open to all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Filters, Question, transaction
from timebank.core.scope import Scope

EARLY = timedelta(minutes=60)
SHOWN_AT_ONCE = 3
"""Up to so many offers none is put behind another tap."""


class ActivityChoice(msgspec.Struct, frozen=True):
    """The activity and shift of a visit; all None where the station offers none. `paid`: attendance only."""

    activity_id: UUID | None = None
    name: str | None = None
    shift_id: UUID | None = None
    paid: bool = False


class Offer(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    needs_sign_up: bool
    paid: bool = False


_SIGNED_UP = (
    "SELECT s.activity_id, a.name, s.id AS shift_id, a.paid FROM sign_up u "
    "JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
    "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
    "WHERE u.community_id = $1 AND u.person_id = $2 AND u.cancelled_at IS NULL AND s.cancelled_at IS NULL "
    "AND s.station_id = $3 AND s.starts_at <= $4 AND s.ends_at > $5"
)


def signed_up_shift(
    scope: Scope, person_id: UUID, station_id: UUID, at: datetime, activity_id: UUID | None, shift_id: UUID | None
) -> Question:  # fmt: skip
    """The shift here that the person has signed up for, from an hour before it begins until it ends."""
    asked = Filters(scope.community_id, person_id, station_id, at + EARLY, at)
    asked.add_given("s.activity_id = {}", activity_id)
    asked.add_given("s.id = {}", shift_id)
    return database.one(f"{_SIGNED_UP}{asked.sql} ORDER BY s.starts_at, s.id LIMIT 1", *asked.values)


_NAMED = (
    "SELECT a.id, a.name, a.needs_sign_up, a.paid FROM activity a "
    "WHERE a.community_id = $1 AND a.active AND (a.station_id IS NULL OR a.station_id = $2)"
)


def named_offer(
    scope: Scope, station_id: UUID, at: datetime, activity_id: UUID | None, shift_id: UUID | None
) -> Question:
    """The activity that is named directly or by its shift; none where it is not offered here at this moment."""
    asked = Filters(scope.community_id, station_id)
    asked.add_given("a.id = {}", activity_id)
    asked.add_given(
        "EXISTS (SELECT FROM shift s WHERE s.community_id = a.community_id AND s.activity_id = a.id AND s.id = {} "
        "AND s.station_id = $2 AND s.cancelled_at IS NULL AND s.starts_at <= {} AND s.ends_at > {})",
        shift_id, at + EARLY, at,
    )  # fmt: skip
    return database.one(f"{_NAMED}{asked.sql}", *asked.values)


_OFFERS = (
    "SELECT id, name, needs_sign_up, paid FROM activity WHERE community_id = $1 AND active "
    "AND (station_id IS NULL OR station_id = $2) ORDER BY station_id IS NULL, created_at, id"
)


def offers_question(scope: Scope, station_id: UUID) -> Question:
    """The activities at a station, its own before those of the whole community."""
    return database.many(_OFFERS, scope.community_id, station_id)


class Choices(msgspec.Struct, frozen=True):
    """What a person can check in for: `first` is shown at once, `others` behind one more tap."""

    first: list[Offer]
    others: list[Offer]

    @property
    def count(self) -> int:
        return len(self.first) + len(self.others)


class _Used(msgspec.Struct, frozen=True):
    activity_id: UUID | None


_USED = (
    "SELECT activity_id FROM visit WHERE community_id = $1 AND person_id = $2 AND activity_id IS NOT NULL "
    "ORDER BY in_at DESC LIMIT 1"
)


async def choices_for(scope: Scope, person_id: UUID, station_id: UUID) -> Choices:
    """What a person can check in for here now: the shift signed up for, what they did last, then what is open to all.

    A few are all shown at once.
    """
    now = clock.now()
    seated = Filters(scope.community_id, person_id, station_id, now + EARLY, now)
    async with transaction(scope), database.gathering() as reads:
        listed = reads.start(database.rows(Offer, _OFFERS, scope.community_id, station_id))
        shifts = reads.start(database.rows(_Used, f"{_SIGNED_UP}{seated.sql} ORDER BY s.starts_at", *seated.values))
        used = reads.start(database.rows(_Used, _USED, scope.community_id, person_id))
    return sorted_choices(
        listed.result(), [shift.activity_id for shift in shifts.result()], [last.activity_id for last in used.result()]
    )


def sorted_choices(offers: Sequence[Offer], seated: Sequence[UUID | None], used: Sequence[UUID | None]) -> Choices:
    """The offers in order. What needs a sign-up is offered only to those who have one."""
    may = [offer for offer in offers if not offer.needs_sign_up or offer.id in seated]
    known = [offer for id_ in dict.fromkeys([*seated, *used]) for offer in may if offer.id == id_]
    rest = [offer for offer in may if offer not in known]
    if len(may) <= SHOWN_AT_ONCE:
        return Choices([*known, *rest], [])
    return Choices(known or rest[:1], rest if known else rest[1:])
