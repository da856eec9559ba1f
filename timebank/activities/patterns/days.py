"""On which days a pattern comes: a pure function over the pattern, its breaks and the working days."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec

from timebank.activities.patterns.schemas import BreakIn, days_of_week
from timebank.areas.workdays import Workdays
from timebank.core import clock

AHEAD = 14
"""For how many days after today shifts are written."""
WEEKEND = 6


class PatternRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern as the worker reads it, with its breaks."""

    id: UUID
    activity_id: UUID
    station_id: UUID
    weekdays: list[int]
    days: str
    starts_at: time
    ends_at: time
    seats: int
    starts_on: date
    ends_on: date | None
    breaks: Sequence[BreakIn] = ()

    def span(self, day: date) -> tuple[datetime, datetime]:
        """When its shift of this local day begins and ends."""
        last = day + timedelta(days=self.ends_at <= self.starts_at)
        return clock.at_local(day, self.starts_at), clock.at_local(last, self.ends_at)


def comes_on(pattern: PatternRow, day: date, known: Workdays) -> bool:
    """Whether the pattern has a shift on this day.

    One of workdays leaves out holidays. On a working Saturday or Sunday it comes if it comes on all of Monday to
    Friday, or names that day.
    """
    if day < pattern.starts_on or (pattern.ends_on is not None and day > pattern.ends_on):
        return False
    if any(each.starts_on <= day <= each.ends_on for each in pattern.breaks):
        return False
    weekday = day.isoweekday()
    if pattern.days == "all":
        return weekday in pattern.weekdays
    if not known.is_workday(day):
        return False
    made_up = days_of_week(list(pattern.weekdays), pattern.days) if weekday >= WEEKEND else pattern.weekdays
    return weekday in made_up


def coming_days(pattern: PatternRow, today: date, known: Workdays) -> list[date]:
    """The days from today to 14 days ahead on which the pattern comes."""
    days = (today + timedelta(days=number) for number in range(AHEAD + 1))
    return [day for day in days if comes_on(pattern, day, known)]
