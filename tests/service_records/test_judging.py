"""Cases of `judge_visit`: the status, minutes and flags of a visit."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest

from timebank.core import clock
from timebank.core.opening import Opening
from timebank.service_records.judging import Other, Span, TimeFacts, VisitFacts, judge_visit, paid_hours

DAY = date(2026, 5, 20)


def at(clock: str, days: int = 0) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 5, 20, int(hour), int(minute), tzinfo=UTC) + timedelta(days=days)


def span(begin: str, end: str) -> Span:
    return Span(at(begin), at(end))


MORNING = VisitFacts(
    opening=Opening(DAY, at("08:00"), at("12:00")), shift=None, least_minutes=5, attendance_percent=60,
    time=TimeFacts(DAY, [], 720), beside=[], doubts=[]
)  # fmt: skip


def on(day: date, *records: tuple[str, str, int]) -> TimeFacts:
    return TimeFacts(DAY, [Other(span(begin, end), minutes, day) for begin, end, minutes in records], 720)


@pytest.mark.parametrize(
    ("why", "came", "left", "change", "status", "minutes", "flags"),
    [
        ("a morning", "09:00", "11:00", {}, "clean", 120, []),
        ("past closing time", "09:00", "17:00", {}, "clean", 180, []),
        ("before the doors open", "07:30", "09:00", {}, "clean", 60, []),
        ("all of it after closing", "12:30", "17:00", {}, "too_short", 0, []),
        ("four minutes", "09:00", "09:04", {}, "too_short", 4, []),
        ("a length below nothing", "09:00", "08:30", {}, "too_short", 0, []),
        ("a shift's own hours", "08:30", "11:40", {"shift": span("09:00", "11:30")}, "clean", 150, []),
        ("under 60 % of a shift", "09:00", "10:11", {"shift": span("09:00", "11:00")}, "attendance_too_low", 71, []),
        ("just 60 % of a shift", "09:00", "10:12", {"shift": span("09:00", "11:00")}, "clean", 72, []),
        ("another record", "09:00", "11:00", {"time": on(DAY, ("10:30", "11:30", 60))}, "doubtful", 120, ["overlap"]),
        ("one right after", "09:00", "11:00", {"time": on(DAY, ("11:00", "12:00", 60))}, "clean", 120, []),
        ("a long day", "09:00", "11:00", {"time": on(DAY, ("12:00", "23:00", 660))}, "doubtful", 120, ["long_day"]),
        ("yesterday's long day", "09:00", "11:00",
         {"time": on(DAY - timedelta(days=1), ("12:00", "23:00", 660))}, "clean", 120, []),
        ("one phone for two", "09:00", "11:00", {"beside": [span("10:00", "10:30")]}, "doubtful", 120, ["same_device"]),
        ("one phone, one after the other", "09:00", "10:00", {"beside": [span("10:00", "10:30")]}, "clean", 60, []),
        ("paid duty", "09:00", "11:00", {"paid": True}, "paid", 120, []),
        ("paid duty within the hours of its shift", "08:30", "11:40",
         {"paid": True, "shift": span("09:00", "11:30")}, "paid", 150, []),
        ("four minutes of paid duty", "09:00", "09:04", {"paid": True, "doubts": ["offline"]}, "paid", 4, []),
        ("in paid hours", "09:00", "11:00", {"duty": [span("10:59", "18:00")]}, "doubtful", 120, ["paid_hours"]),
        ("before paid hours", "09:00", "11:00", {"duty": [span("11:00", "18:00")]}, "clean", 120, []),
        ("stayed on into them after closing", "09:00", "17:00", {"duty": [span("12:00", "18:00")]}, "clean", 180, []),
        ("its scans' own doubts", "09:00", "11:00", {"doubts": ["offline", "skew"]}, "doubtful", 120,
         ["offline", "skew"]),
    ],
)  # fmt: skip
def test_a_visit_counts_inside_the_hours_of_station_and_shift_and_says_what_is_doubtful(
    why: str, came: str, left: str, change: dict[str, object], status: str, minutes: int, flags: list[str]
) -> None:
    found = judge_visit(at(came), at(left), msgspec.structs.replace(MORNING, **change))
    assert (found.status, found.minutes, found.flags) == (status, minutes, flags), why
    assert found.span.begin <= found.span.end


def test_where_the_doors_never_close_a_visit_counts_whole_over_midnight() -> None:
    facts = msgspec.structs.replace(MORNING, opening=Opening(DAY, at("00:00"), None))
    found = judge_visit(at("22:30"), at("00:15", days=1), facts)
    assert (found.status, found.minutes) == ("clean", 105)


def test_paid_hours_are_eight_to_six_of_workdays() -> None:
    friday, saturday = date(2026, 2, 13), date(2026, 2, 14)
    found = paid_hours([friday, saturday], lambda day: day == saturday)
    assert found == [Span(clock.at_local(saturday, time(8)), clock.at_local(saturday, time(18)))]
