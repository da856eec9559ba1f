"""Visits over New Year, ends of months and leap days, in whatever time zone the server and the database run."""

import os
import time as system_time
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta

import asyncpg
import httpx
import pytest

from tests.support.presence import body, later, points_of, station_code
from tests.support.town import Town
from timebank.core import clock, database, settings
from timebank.people.guardianship.care import UNDER_AGE
from timebank.people.identity.ages import ADULT_FROM, age_on
from timebank.presence.forgotten import close_forgotten

CHECKINS = "/api/v1/checkins"
ZONES = ("Pacific/Kiritimati", "America/New_York", "Pacific/Pago_Pago")


@pytest.fixture(params=ZONES)
async def far_away(request: pytest.FixtureRequest, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """Run the process and the database in another time zone than the community's; return its name."""
    name, before = await owner.fetchval("SELECT quote_ident(current_database())"), os.environ.get("TZ")
    await owner.execute(f"ALTER DATABASE {name} SET timezone TO '{request.param}'")
    await database.close_pool()
    await database.create_pool(database.engine.config["dsn"], 5)
    os.environ["TZ"] = request.param
    system_time.tzset()
    yield request.param
    await owner.execute(f"ALTER DATABASE {name} RESET timezone")
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    system_time.tzset()


async def night(town: Town, client: httpx.AsyncClient, day: date) -> dict[str, object]:
    """Check 张桂兰 in at 22:00 of a day and out at 00:45; return the verdict of the check-out."""
    found: dict[str, object] = {}
    for at, end in ((time(22), 0), (time(0, 45), 1)):
        with clock.at(clock.at_local(day + timedelta(days=end), at)):
            headers = await town.sign_in("张桂兰")
            found = (await client.post(CHECKINS, json=body(station_code(town)), headers=headers)).json()
    return found


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 4, 30), date(2026, 3, 7), date(2026, 10, 31)])
async def test_a_night_counts_whole_and_on_its_evening_whatever_zone_the_server_keeps(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, far_away: str, day: date
) -> None:
    """7 March and 31 October are the evenings before the clocks of New York change."""
    assert (await database.ask("SHOW timezone"))[0][0] == far_away
    await owner.execute("UPDATE station SET opens_at = '20:00', closes_at = '02:00'")
    left = await night(town, client, day)
    assert (left["direction"], left["credited"]) == ("out", {"minutes": 165, "points": 27, "minutes_left": 3})
    assert await owner.fetchval("SELECT counts_on FROM service_record") is None, "it began on the day it counts on"
    assert await points_of(town, "张桂兰") == 27


@pytest.mark.parametrize("day", [date(2028, 2, 28), date(2028, 2, 29), date(2027, 2, 28)])
async def test_a_night_before_after_or_without_a_leap_day_counts_whole(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, day: date
) -> None:
    await owner.execute("UPDATE station SET opens_at = '20:00', closes_at = '02:00'")
    assert (await night(town, client, day))["credited"] == {"minutes": 165, "points": 27, "minutes_left": 3}


async def test_a_forgotten_night_over_new_year_ends_with_its_doors_whatever_zone_the_server_keeps(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, far_away: str
) -> None:
    await owner.execute("UPDATE station SET opens_at = '20:00', closes_at = '02:00'")
    came = clock.at_local(date(2025, 12, 31), time(23))
    with clock.at(came):
        headers = await town.sign_in("张桂兰")
        assert (await client.post(CHECKINS, json=body(station_code(town)), headers=headers)).json()["direction"] == "in"
    with later(came, 209):
        assert await close_forgotten(town.system()) == 0
    with later(came, 211):
        assert await close_forgotten(town.system()) == 1
    assert await owner.fetchval("SELECT out_at FROM visit") == came + timedelta(hours=3)


@pytest.mark.parametrize("hours", [25, 49, 24 * 40])
async def test_a_visit_longer_than_a_day_is_never_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, hours: int
) -> None:
    """The station never closes: a scan days later begins a new visit, and the old visit waits for review."""
    came = datetime(2026, 3, 2, 10, tzinfo=settings.current().time_zone)
    for moment, left in ((came, "in"), (came + timedelta(hours=hours), "in")):
        with clock.at(moment):
            headers = await town.sign_in("张桂兰")
            answer = await client.post(CHECKINS, json=body(station_code(town)), headers=headers)
        assert answer.json()["direction"] == left
    found = await owner.fetchrow("SELECT minutes, status, flags FROM service_record")
    assert found is not None
    assert tuple(found) == (720, "pending", ["forgotten_check_out"])
    assert await points_of(town, "张桂兰") == 0


async def test_the_days_cap_is_not_won_twice_over_midnight(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Three visits in a row, the last after midnight, at a station that is open all night, share one daily cap."""
    await owner.execute("UPDATE station SET opens_at = '12:00', closes_at = '08:00'")
    day, credited = date(2026, 3, 2), []
    moments = [(0, 12, 0), (0, 20, 0), (0, 20, 2), (0, 23, 58), (1, 0, 0), (1, 4, 0)]
    for days, hour, minute in moments:
        with clock.at(clock.at_local(day + timedelta(days=days), time(hour, minute))):
            headers = await town.sign_in("张桂兰")
            verdict = (await client.post(CHECKINS, json=body(station_code(town)), headers=headers)).json()
        credited.append(verdict["credited"]["minutes"])
    assert credited[:4] == [0, 480, 0, 0], "the evening belongs to the day whose cap is full"
    assert credited[4:] == [0, 0], "and so does the night until the doors close"
    assert await points_of(town, "张桂兰") == 80


async def test_who_was_born_on_a_leap_day_grows_up_on_the_same_day_for_every_page(owner: asyncpg.Connection) -> None:
    """`age_on` and the SQL condition `UNDER_AGE` agree about the age of 18 on every day of four years."""
    births = (date(2008, 2, 29), date(2012, 2, 29), date(2010, 2, 28), date(2010, 3, 1), date(2011, 12, 31))
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(1461)]
    asked = [(day, born) for day in days for born in births]
    statement = "SELECT " + UNDER_AGE.format(today="d") + " FROM unnest($1::date[], $2::date[]) AS c (d, born_on)"
    found = await owner.fetch(statement, [day for day, _ in asked], [born for _, born in asked])
    differs = [
        pair for pair, row in zip(asked, found, strict=True) if row[0] != (age_on(pair[1], pair[0]) < ADULT_FROM)
    ]
    assert differs == []
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18
