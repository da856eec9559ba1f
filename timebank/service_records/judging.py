"""The judgement of a visit by its start and end: pure functions for scanned, forgotten and corrected ends alike."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec

from timebank.core import clock
from timebank.core.opening import Opening

AT_WORK = (time(8), time(18))
"""The hours of a workday in which somebody with a paid role is at work."""


class Span(msgspec.Struct, frozen=True):
    """The time from `begin` up to, but not including, `end`."""

    begin: datetime
    end: datetime

    def meets(self, other: "Span") -> bool:
        return self.begin < other.end and other.begin < self.end


class Other(msgspec.Struct, frozen=True):
    """Another record of the person that counts, and the local day on which it counts."""

    span: Span
    minutes: int
    day: date


class TimeFacts(msgspec.Struct, frozen=True):
    """The facts for the flags of hours: the person's other records, and the daily minutes above which there is one."""

    day: date
    others: list[Other]
    over_minutes: int


class VisitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All facts that decide about a visit, except its start and end."""

    opening: Opening
    shift: Span | None
    least_minutes: int
    attendance_percent: int
    time: TimeFacts
    beside: list[Span]  # visits of other people by the same browser or session
    doubts: list[str]  # flags that do not depend on its length
    paid: bool = False  # paid duty: attendance only
    duty: list[Span] = []  # the hours on workdays of a person with a paid role


class Judgement(msgspec.Struct, frozen=True):
    """The minutes of a visit and the decision about them; `clean` is credited at once."""

    status: Literal["clean", "doubtful", "too_short", "attendance_too_low", "paid"]
    span: Span
    minutes: int
    planned: int = 0
    flags: list[str] = []


def whole_minutes(length: timedelta) -> int:
    """The full minutes of a length; 0 where it is negative."""
    return max(0, int(length.total_seconds() // 60))


def judge_visit(came_at: datetime, left_at: datetime, facts: VisitFacts) -> Judgement:
    """Judge a visit: its minutes within opening hours and shift, whether they count, and the flags for a review."""
    span = _counted(came_at, left_at, facts)
    minutes = whole_minutes(span.end - span.begin)
    planned = whole_minutes(facts.shift.end - facts.shift.begin) if facts.shift else 0
    if facts.paid:
        return Judgement("paid", span, minutes, planned)
    if minutes < max(1, facts.least_minutes):
        return Judgement("too_short", span, minutes, planned)
    if minutes * 100 < planned * facts.attendance_percent:
        return Judgement("attendance_too_low", span, minutes, planned)
    stay = Span(came_at, left_at)
    shared = any(stay.meets(other) for other in facts.beside)
    flags = [*time_flags(span, minutes, facts.time), *["same_device"] * shared, *paid_flags(span, facts.duty)]
    every = list(dict.fromkeys([*facts.doubts, *flags]))
    return Judgement("doubtful" if every else "clean", span, minutes, planned, every)


def _counted(came_at: datetime, left_at: datetime, facts: VisitFacts) -> Span:
    """The part of a visit within the opening hours and the shift; empty where there is none."""
    begin, end = max(came_at, facts.opening.begin), left_at
    if facts.opening.end is not None:
        end = min(end, facts.opening.end)
    if facts.shift is not None:
        begin, end = max(begin, facts.shift.begin), min(end, facts.shift.end)
    return Span(begin, max(begin, end))


def time_flags(span: Span, minutes: int, facts: TimeFacts) -> list[str]:
    """The flags of the hours themselves: an overlap with other records, or too many minutes on the day."""
    that_day = sum(other.minutes for other in facts.others if other.day == facts.day)
    overlap = any(span.meets(other.span) for other in facts.others)
    return ["overlap"] * overlap + ["long_day"] * (that_day + minutes > facts.over_minutes)


def paid_hours(days: Iterable[date], is_workday: Callable[[date], bool]) -> list[Span]:
    """The paid hours, 8 to 18 o'clock, of those of these days that are workdays."""
    return [Span(clock.at_local(day, AT_WORK[0]), clock.at_local(day, AT_WORK[1])) for day in days if is_workday(day)]


def paid_flags(span: Span, duty: Sequence[Span]) -> list[str]:
    """The flag of hours that fall into the person's paid hours."""
    return ["paid_hours"] * any(span.meets(each) for each in duty)
