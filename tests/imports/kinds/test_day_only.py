"""Logs with a day and a duration but no times are entered for review, at a free time of that day."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from tests.imports.kinds.test_imports import codes, take_in, warned
from tests.support.town import Town
from timebank.core.wording import note_in_words
from timebank.imports.kinds.hours import day_only
from timebank.imports.kinds.hours.read import HoursRow

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 7, 1, tzinfo=SHANGHAI)
LOG = ["日期", "姓名", "活动", "服务时长（小时）"]


def log(minutes: int) -> HoursRow:
    return HoursRow(
        sheet="", row=2, part=0, person=None, name="张桂兰", phone=None, activity=None, place=None, started_at=MIDNIGHT,
        ended_at=MIDNIGHT + timedelta(minutes=minutes), minutes=minutes, day_only=True, note=None
    )  # fmt: skip


def at(hour: float, until: float) -> day_only.Busy:
    return MIDNIGHT + timedelta(hours=hour), MIDNIGHT + timedelta(hours=until)


def test_a_service_without_an_hour_stands_where_the_day_is_free() -> None:
    assert day_only.place_in_day(log(120), []) == log(120)
    placed = day_only.place_in_day(log(120), [at(-1, 1), at(2, 3), at(9, 12)])
    assert placed is not None
    assert (placed.started_at, placed.minutes) == (MIDNIGHT + timedelta(hours=3), 120)
    assert day_only.place_in_day(log(120), [at(1, 12), at(13, 23)]) is None
    assert day_only.of_that_day(log(120), [at(-3, -1), at(-1, 1), at(9, 12)]) == 2


async def test_a_log_of_hours_is_entered_for_review_and_says_that_the_times_are_unknown(
    town: Town, owner: asyncpg.Connection
) -> None:
    day = (date.today() - timedelta(days=3)).isoformat()  # noqa: DTZ011 - any past day
    rows = [LOG, [day, "张桂兰", "巡逻", "2"], [day, "张桂兰", "值守", "1.5"]]
    report = await take_in(town, "hours", *rows)
    assert (report.outcome, report.accepted, report.created, codes(report)) == ("imported", 2, 2, [])
    assert {code for _, code in warned(report)} >= {"day_only", "same_day"}
    found = await owner.fetch(
        "SELECT minutes, status, reason_said, started_at, ended_at FROM service_record WHERE reason_said IS NOT NULL "
        "ORDER BY started_at"
    )
    assert [(row["minutes"], row["status"]) for row in found] == [(120, "pending"), (90, "pending")]
    assert found[0]["ended_at"] <= found[1]["started_at"]
    assert all("起止时刻不详" in (note_in_words(row["reason_said"], None) or "") for row in found)
    again = await take_in(town, "hours", *rows)
    assert (again.outcome, again.created) == ("unchanged", 0)


async def test_a_log_beside_times_on_record_is_shown_to_the_reviewer(town: Town, owner: asyncpg.Connection) -> None:
    day = (date.today() - timedelta(days=3)).isoformat()  # noqa: DTZ011 - any past day
    await take_in(town, "hours", ["日期", "姓名", "签到", "签退"], [day, "张桂兰", "0:00", "2:00"])
    report = await take_in(town, "hours", LOG, [day, "张桂兰", "巡逻", "2"])
    assert warned(report) == [(2, "day_only"), (2, "day_only_same_day")]
    starts = await owner.fetch(
        "SELECT started_at FROM service_record WHERE reason_said IS NOT NULL ORDER BY started_at"
    )
    assert len({row["started_at"] for row in starts}) == 2
    full = await take_in(town, "hours", LOG, [day, "张桂兰", "值班", "21"])
    assert codes(full) == [(2, "day_full")]


async def test_a_group_in_one_cell_is_entered_for_each_and_known_again(town: Town, owner: asyncpg.Connection) -> None:
    day = (date.today() - timedelta(days=3)).isoformat()  # noqa: DTZ011 - any past day
    rows = [["日期", "姓名", "签到", "签退"], [day, "张桂兰、欧阳凯伟", "9:00", "11:00"]]
    report = await take_in(town, "hours", *rows)
    assert (report.rows, report.accepted, report.created) == (2, 2, 2)
    entered = await owner.fetch(
        "SELECT p.name, r.minutes FROM service_record r JOIN person p ON p.id = r.person_id "
        "WHERE r.reason_said IS NOT NULL ORDER BY p.name"
    )
    assert {tuple(row) for row in entered} == {("张桂兰", 120), ("欧阳凯伟", 120)}
    again = await take_in(town, "hours", *rows)
    assert (again.outcome, again.accepted, again.created) == ("unchanged", 2, 0)
