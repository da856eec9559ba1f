"""When a matter is due: pure, from the moment when the resident had spoken."""

from datetime import date, datetime, time, timedelta

from timebank.areas.workdays import Workdays
from timebank.core import clock

DUE_AT = time(18)
OPENS, CLOSES = time(8, 30), time(17, 30)
"""The hours of a working day, in which a matter that nobody has dispatched waits."""


def due_moment(received_at: datetime, days: int, counts: str, known: Workdays) -> datetime:
    """At 18:00 of the last day, in days or working days. It never fails for a year without an announced calendar."""
    day = clock.local_day(received_at)
    last = known.add_workdays(day, days) if counts == "workday" else day + timedelta(days=days)
    return clock.at_local(last, DUE_AT)


def done_days(received_at: datetime, done_at: datetime) -> int:
    """The local days from receipt to the finish: 0 is the same day. Nothing in between stops this clock."""
    return max((clock.local_day(done_at) - clock.local_day(received_at)).days, 0)


def working_time(since: datetime, until: datetime, known: Workdays) -> timedelta:
    """How much working time lies between two moments, counted no further than two weeks."""
    total, day = timedelta(), clock.local_day(since)
    last = min(clock.local_day(until), day + timedelta(days=14))
    while day <= last:
        if known.is_workday(day):
            total += _overlap(day, since, until)
        day += timedelta(days=1)
    return total


def _overlap(day: date, since: datetime, until: datetime) -> timedelta:
    begins, ends = max(since, clock.at_local(day, OPENS)), min(until, clock.at_local(day, CLOSES))
    return max(ends - begins, timedelta())
