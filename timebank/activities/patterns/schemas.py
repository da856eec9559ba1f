"""Request and response shapes of shift patterns and standing sign-ups."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.activities.schemas import Seats

Weekday = Annotated[int, Meta(ge=1, le=7)]
"""1 is Monday."""
DayTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
Days = Literal["all", "workdays"]


class BreakIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Days without shifts, such as the holidays of a school; both included."""

    starts_on: date
    ends_on: date


class PatternIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A pattern to add. Times are local; an end that is not later than the start belongs to the next day.

    `days` workdays: no shift on a holiday, and one on a working Saturday or Sunday if it comes on all of Monday to
    Friday. Below `seats_min` people 24 hours before, the shift's leader is notified.
    """

    activity_id: UUID
    station_id: UUID
    weekdays: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    days: Days = "workdays"
    starts_at: DayTime
    ends_at: DayTime
    seats: Seats
    seats_min: Annotated[int, Meta(ge=0, le=10_000)] = 0
    starts_on: date | None = None
    ends_on: date | None = None
    breaks: Annotated[list[BreakIn], Meta(max_length=20)] = []


class PatternOut(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern. `stands`: the days of the week for which the caller stands; `runs`: those on which it may come."""

    id: UUID
    activity_id: UUID
    station_id: UUID
    weekdays: list[int]
    days: Days
    starts_at: str
    ends_at: str
    seats: int
    seats_min: int
    starts_on: date
    ends_on: date | None
    ended: bool
    breaks: list[BreakIn] = []
    stands: list[int] = []

    @property
    def runs(self) -> list[int]:
        return days_of_week(self.weekdays, self.days)


class StandingIn(msgspec.Struct, forbid_unknown_fields=True):
    """For which day of the week to stand; `person_id`: another of the caller's own resident records."""

    weekday: Weekday
    person_id: UUID | None = None


class StandingOut(msgspec.Struct, frozen=True, kw_only=True):
    """A standing sign-up. `signed_up`: how many shifts that are written already it has taken a seat of now."""

    pattern_id: UUID
    person_id: UUID
    weekday: int
    signed_up: int


def days_of_week(weekdays: list[int], days: str) -> list[int]:
    """The days of the week on which a pattern may come: a whole working week comes on working weekends too."""
    return list(range(1, 8)) if days == "workdays" and set(weekdays) >= {1, 2, 3, 4, 5} else sorted(weekdays)
