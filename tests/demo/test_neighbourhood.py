"""The plan of the demo's matters: the same on every machine, with the figures that are meant, whatever day it is."""

from datetime import date, timedelta

import pytest

from timebank.areas.workdays import Workdays
from timebank.demo.county import COMMUNITIES
from timebank.demo.neighbourhood.plan import LATELY, RECENT_DONE, SHARES, Planned, late_since, planned, wanted_days
from timebank.demo.neighbourhood.teams import HOME

WEEK = [date(2026, 11, 23) + timedelta(days=number) for number in range(7)]
MONDAY_TO_FRIDAY = Workdays({}, frozenset())
HOLIDAY = Workdays({date(2026, 10, 1) + timedelta(days=number): False for number in range(8)}, frozenset({2026}))


def of_county(today: date) -> list[tuple[str, Planned]]:
    return [
        (plan.name, one)
        for plan in COMMUNITIES
        for one in planned(plan.name, today, sum(plan.buildings), MONDAY_TO_FRIDAY)
    ]


def test_a_hundred_and_twenty_matters_are_the_same_on_every_machine() -> None:
    found = of_county(WEEK[0])
    assert len(found) == 120 - 24 == sum(share.month + share.year for share in SHARES.values())
    assert found == of_county(WEEK[0])
    assert all(one.days_ago >= LATELY for _, one in found)
    assert all(one.done_days <= one.topic.due for _, one in found), "in time, so that nobody had to be urged"
    assert sum(one.is_order for _, one in found) >= 4


@pytest.mark.parametrize("today", WEEK)
def test_the_third_figure_is_below_its_target_and_the_others_are_reached(today: date) -> None:
    for name in (plan.name for plan in COMMUNITIES):
        found = [one for community, one in of_county(today) if community == name and one.days_ago < 30]
        days: list[int | None] = [*(one.done_days for one in found), *RECENT_DONE.get(name, ())]
        if name == HOME and late_since(today, MONDAY_TO_FRIDAY) >= 2:
            days.append(None)
        reached = [sum(1 for day in days if day is not None and day <= most) * 100 // len(days) for most in range(3)]
        if name == HOME:
            assert 50 <= reached[0] <= 56
            assert 80 <= reached[1] <= 86
            assert 88 <= reached[2] <= 94


@pytest.mark.parametrize(
    ("today", "known", "days"),
    [
        (date(2026, 11, 25), MONDAY_TO_FRIDAY, 1), (date(2026, 11, 23), MONDAY_TO_FRIDAY, 1),
        (date(2026, 11, 29), MONDAY_TO_FRIDAY, 3), (date(2026, 10, 8), HOLIDAY, 9),
    ],
)  # fmt: skip
def test_the_late_matter_has_been_late_for_one_working_day(today: date, known: Workdays, days: int) -> None:
    assert late_since(today, known) == days
    due = today - timedelta(days=days)
    assert known.count_workdays(due + timedelta(days=1), today) == 1


def test_the_days_reach_the_figures_together_with_the_others() -> None:
    assert wanted_days(10) == [0] * 5 + [1] * 3 + [2] + [4]
    assert wanted_days(8, (0, None)) == [0] * 4 + [1] * 3 + [2]
