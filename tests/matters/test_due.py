"""The clock of a matter: due dates over holidays and years, local days from receipt to finish, working time."""

from datetime import date, datetime, time, timedelta

import pytest

from tests.support.town import Town
from timebank.areas.workdays import Workdays, workdays_of
from timebank.core import clock
from timebank.matters.jobs.urging import Waiting, stage_of
from timebank.matters.opening.due import done_days, due_moment, working_time
from timebank.matters.schemas import MatterStatus

FESTIVAL = {date(2026, 2, day): False for day in (16, 17, 18, 19, 20, 23)} | {date(2026, 2, 14): True}
KNOWN = Workdays(FESTIVAL, frozenset({2026}))
NINE = time(9)


def at(day: date, clock_time: time = NINE) -> datetime:
    return clock.at_local(day, clock_time)


def six(day: date) -> datetime:
    return clock.at_local(day, time(18))


@pytest.mark.parametrize(
    ("received", "finished", "days"),
    [
        (at(date(2026, 11, 18), time(17, 59)), at(date(2026, 11, 18), time(23, 59)), 0),
        (at(date(2026, 11, 18), time(17, 59)), at(date(2026, 11, 19), time(0, 1)), 1),
        (at(date(2026, 11, 18), time(0, 0)), at(date(2026, 11, 20), time(0, 0)), 2),
        (at(date(2026, 12, 31), time(23, 59)), at(date(2027, 1, 1), time(0, 0)), 1),
    ],
)
def test_the_day_of_receipt_is_day_nought(received: datetime, finished: datetime, days: int) -> None:
    assert done_days(received, finished) == days


@pytest.mark.parametrize(
    ("received", "days", "counts", "due"),
    [
        (date(2026, 11, 16), 2, "day", date(2026, 11, 18)),
        (date(2026, 2, 13), 3, "day", date(2026, 2, 16)),
        (date(2026, 2, 13), 1, "workday", date(2026, 2, 14)),  # the Saturday that is worked
        (date(2026, 2, 13), 2, "workday", date(2026, 2, 24)),  # after the Spring Festival
        (date(2026, 12, 31), 1, "day", date(2027, 1, 1)),
        (date(2026, 12, 31), 5, "workday", date(2027, 1, 7)),
        (date(2035, 6, 1), 5, "workday", date(2035, 6, 8)),
    ],
)
def test_due_at_six_in_the_evening(received: date, days: int, counts: str, due: date) -> None:
    assert due_moment(at(received), days, counts, KNOWN) == six(due)


async def test_the_table_of_days_answers_for_years_without_a_notice(town: Town) -> None:
    scope = await town.scope("赵丽")
    for year in (2026, 2027, 2040):
        received = at(date(year, 12, 31))
        due = due_moment(received, 5, "workday", await workdays_of(scope, date(year, 12, 31)))
        assert date(year + 1, 1, 5) <= clock.local_day(due) <= date(year + 1, 1, 12)


def test_working_time_is_counted_in_the_hours_of_working_days() -> None:
    friday, saturday, tuesday = date(2026, 2, 13), date(2026, 2, 14), date(2026, 2, 24)
    assert working_time(at(friday, time(16, 30)), at(saturday, time(9, 30)), KNOWN) == timedelta(hours=2)
    assert working_time(at(saturday, time(17)), at(tuesday, time(9)), KNOWN) == timedelta(hours=1)
    assert working_time(at(friday, time(20)), at(friday, time(22)), KNOWN) == timedelta()


MONDAY = date(2026, 11, 16)


def of(status: MatterStatus, *told: str, urged: int = 0, untaken: bool = False) -> Waiting:
    """A matter of Monday at nine, due on Wednesday."""
    return Waiting(
        status=status, received_at=at(MONDAY), due_at=six(date(2026, 11, 18)), urged=urged, told=list(told),
        untaken_wish=untaken,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("matter", "now", "stage"),
    [
        (of("received"), at(MONDAY, time(10, 59)), None),
        (of("received"), at(MONDAY, time(11)), "waits"),
        (of("received", "waits"), at(MONDAY, time(17)), None),
        (of("accepted"), at(date(2026, 11, 18), time(6)), None),
        (of("accepted"), at(date(2026, 11, 18), time(7)), "soon"),
        (of("dispatched", "soon"), at(date(2026, 11, 18), time(17)), None),
        (of("accepted"), at(date(2026, 11, 18), time(18)), "urged"),
        (of("accepted", urged=1), at(date(2026, 11, 18), time(23)), None),
        (of("accepted", urged=1), at(date(2026, 11, 19), time(0)), "again"),
        (of("accepted", urged=2), at(date(2026, 11, 20)), None),
        (of("accepted", urged=2), at(date(2026, 11, 22)), None),  # a Sunday
        (of("accepted", urged=2), at(date(2026, 11, 23)), "third"),
        (of("accepted", urged=3), at(date(2026, 12, 23)), None),
        (of("dispatched", untaken=True), at(date(2026, 11, 18), time(18)), "untaken"),
    ],
)
def test_what_the_clock_says(matter: Waiting, now: datetime, stage: str | None) -> None:
    assert stage_of(matter, now, KNOWN) == stage
