"""Opening hours: past midnight, around the clock, in words, and the same in the database."""

from datetime import date, datetime, time, timedelta

import asyncpg
import pytest

from tests.support.presence import nine_o_clock
from tests.support.town import Town
from timebank.core import clock
from timebank.core.opening import CLOSING_SQL, day_began, opening_at, opening_hours_in_words
from timebank.core.settings import current

EVENING, LATE = time(20, 0), time(2, 0)
HOURS = [
    (time(8), time(18)), (EVENING, LATE), (time(8), time(0)), (time(8), time(23, 59)), (time(0), time(23, 59)),
    (time(0), time(0)), (time(6), time(6)), (time(22), time(21, 59)),
]  # fmt: skip


def local(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return clock.at_local(moment.date(), moment.time())


@pytest.mark.parametrize(
    ("opens", "closes", "moment", "begin", "end"),
    [
        ("08:00", "18:00", "2026-05-20 09:00", "2026-05-20 08:00", "2026-05-20 18:00"),
        ("08:00", "18:00", "2026-05-20 23:00", "2026-05-20 08:00", "2026-05-20 18:00"),
        ("20:00", "02:00", "2026-05-20 22:30", "2026-05-20 20:00", "2026-05-21 02:00"),
        ("20:00", "02:00", "2026-05-21 00:40", "2026-05-20 20:00", "2026-05-21 02:00"),
        ("20:00", "02:00", "2026-05-21 02:00", "2026-05-21 20:00", "2026-05-22 02:00"),
        ("20:00", "02:00", "2027-01-01 00:40", "2026-12-31 20:00", "2027-01-01 02:00"),
        ("08:00", "00:00", "2026-05-20 23:59", "2026-05-20 08:00", "2026-05-21 00:00"),
        ("08:00", "23:59", "2026-05-20 23:59", "2026-05-20 08:00", "2026-05-21 00:00"),
    ],
)
def test_a_moment_belongs_to_the_opening_of_the_evening_before(
    opens: str, closes: str, moment: str, begin: str, end: str
) -> None:
    found = opening_at(time.fromisoformat(opens), time.fromisoformat(closes), local(moment))
    assert (found.begin, found.end) == (local(begin), local(end))
    assert found.day == local(begin).astimezone(current().time_zone).date()


def test_doors_that_never_close_have_no_closing_time_and_a_visit_is_over_after_twelve_hours() -> None:
    for opens, closes in ((time(0), time(0)), (time(6), time(6)), (time(0), time(23, 59))):
        found = opening_at(opens, closes, local("2026-05-20 22:30"))
        assert (found.day, found.end) == (date(2026, 5, 20), None)
        assert found.closing(local("2026-05-20 22:30")) == local("2026-05-21 10:30")


@pytest.mark.parametrize(
    ("opens", "closes", "moment", "began"),
    [
        ("08:00", "18:00", "2026-05-20 00:40", "2026-05-20 00:00"),
        ("20:00", "02:00", "2026-05-21 00:40", "2026-05-20 02:00"),
        ("20:00", "02:00", "2026-05-21 03:00", "2026-05-21 02:00"),
        ("00:00", "00:00", "2026-05-21 00:40", "2026-05-21 00:00"),
    ],
)
def test_the_day_of_a_place_that_is_open_past_midnight_ends_with_its_doors(
    opens: str, closes: str, moment: str, began: str
) -> None:
    assert day_began(time.fromisoformat(opens), time.fromisoformat(closes), local(moment)) == local(began)


def test_hours_are_said_as_people_say_them() -> None:
    said = [opening_hours_in_words(opens, closes) for opens, closes in HOURS]
    assert said == [
        "08:00–18:00",
        "20:00–次日 02:00",
        "08:00–24:00",
        "08:00–24:00",
        "全天",
        "全天",
        "全天",
        "22:00–次日 21:59",
    ]
    assert opening_hours_in_words("20:00", "02:00", "en") == "20:00–02:00 the next day"
    assert opening_hours_in_words("00:00", "00:00", "en") == "around the clock"


async def test_the_database_and_the_program_agree_when_a_visit_is_over(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock(3)
    visits = "SELECT $2::timestamptz AS in_at, opens_at, closes_at FROM station WHERE id = $1"
    asked = f"SELECT {CLOSING_SQL.format(zone='$3')} FROM ({visits}) v"
    for opens, closes in HOURS:
        await owner.execute("UPDATE station SET opens_at = $1, closes_at = $2", opens, closes)
        for quarter in range(100):
            came = begin + timedelta(minutes=15 * quarter)
            found = await owner.fetchval(asked, town.stations["暖蜂驿站"], came, current().time_zone.key)
            assert found == opening_at(opens, closes, came).closing(came), (opens, closes, came)
