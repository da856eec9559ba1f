"""Changed opening hours: a later closing time extends an open visit, nothing shortens one, and ended visits stay."""

from datetime import datetime, timedelta

import asyncpg
import httpx

from tests.support.presence import body, count, later, nine_o_clock, points_of, record_id_of, station_code
from tests.support.town import Town
from timebank.core import clock
from timebank.presence.forgotten import close_forgotten

CHECKINS = "/api/v1/checkins"


async def hours(town: Town, client: httpx.AsyncClient, opens: str, closes: str, **more: object) -> None:
    """Set the opening hours of 暖蜂驿站 as an administrator."""
    answer = await client.patch(
        f"/api/v1/stations/{town.stations['暖蜂驿站']}", json={"opens_at": opens, "closes_at": closes} | more,
        headers=await town.sign_in("赵丽"),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text


async def scan(town: Town, client: httpx.AsyncClient, at: datetime, name: str = "张桂兰") -> dict[str, object]:
    """Scan the code of the station's display as the person, at a given time."""
    with clock.at(at):
        answer = await client.post(CHECKINS, json=body(station_code(town)), headers=await town.sign_in(name))
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def correct(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, end: datetime, by: str = "赵丽"
) -> httpx.Response:
    record_id = await record_id_of(owner, town, "张桂兰")
    return await client.patch(
        f"/api/v1/service-records/{record_id}", json={"ended_at": end.isoformat(), "reason": "问过本人"},
        headers=await town.sign_in(by),
    )  # fmt: skip


async def test_who_widens_the_hours_and_corrects_an_end_gains_no_minute(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await hours(town, client, "08:00", "12:00")
    await scan(town, client, begin)
    assert await close_forgotten(town.system()) == 1
    await hours(town, client, "06:00", "23:00")
    corrected = (await correct(town, client, owner, begin + timedelta(hours=12))).json()
    await hours(town, client, "08:00", "12:00")
    assert (corrected["minutes"], corrected["status"]) == (180, "pending")
    approved = await client.post(
        f"/api/v1/service-records/{corrected['id']}/review", json={"decision": "approve"},
        headers=await town.sign_in("钱进"),
    )  # fmt: skip
    assert approved.json()["credited_minutes"] == 180
    assert await points_of(town, "张桂兰") == 30


async def test_hours_that_shrink_while_somebody_is_in_take_no_minute(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await hours(town, client, "08:00", "20:00")
    await scan(town, client, begin)
    with later(begin, 60):
        await hours(town, client, "14:00", "15:00")
    left = await scan(town, client, begin + timedelta(minutes=120))
    assert left["credited"] == {"minutes": 120, "points": 20, "minutes_left": 0}


async def test_an_evening_that_grows_longer_counts_for_who_is_in(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock() + timedelta(hours=7)
    await hours(town, client, "08:00", "18:00")
    await scan(town, client, begin)
    with later(begin, 60):
        await hours(town, client, "08:00", "20:00")
    with later(begin, 180):
        assert await close_forgotten(town.system()) == 0
    left = await scan(town, client, begin + timedelta(minutes=235))
    assert left["credited"] == {"minutes": 235, "points": 39, "minutes_left": 1}


async def test_hours_that_grow_after_a_visit_was_forgotten_do_not_reach_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await hours(town, client, "08:00", "12:00")
    await scan(town, client, begin)
    assert await close_forgotten(town.system()) == 1
    await hours(town, client, "08:00", "02:00")
    kept = await owner.fetchrow("SELECT opens_at::text, closes_at::text, out_at FROM visit")
    assert kept is not None
    assert tuple(kept) == ("08:00:00", "12:00:00", begin + timedelta(hours=3))


async def test_who_is_in_when_a_station_is_given_up_still_leaves_with_the_minutes(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE course SET active = false")
    await owner.execute("DELETE FROM lesson")
    begin = nine_o_clock()
    await scan(town, client, begin)
    with later(begin, 30):
        await hours(town, client, "08:00", "09:10", active=False)
    left = await scan(town, client, begin + timedelta(minutes=60))
    assert (left["status"], left["direction"], left["credited"]) == (
        "ok", "out", {"minutes": 60, "points": 10, "minutes_left": 0},
    )  # fmt: skip


async def test_a_corrected_end_lies_before_now_and_after_the_beginning(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await scan(town, client, begin)
    await owner.execute("UPDATE visit SET opens_at = '08:00', closes_at = '12:00'")
    assert await close_forgotten(town.system()) == 1
    for end in (clock.now() + timedelta(minutes=5), begin, begin - timedelta(hours=1), begin + timedelta(hours=25)):
        answer = await correct(town, client, owner, end)
        assert (answer.status_code, answer.json()["code"]) == (422, "end_not_correctable")


async def test_the_closing_second_takes_nobody_in_and_the_second_before_does(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await hours(town, client, "08:00", "12:00")
    noon = nine_o_clock() + timedelta(hours=3)
    assert (await scan(town, client, noon))["reason"] == "closed_station"
    assert (await scan(town, client, noon - timedelta(seconds=1)))["direction"] == "in"
    left = await scan(town, client, noon + timedelta(minutes=29))
    assert (left["reason"], left["credited"]) == ("too_short", {"minutes": 0, "points": 0, "minutes_left": None})


async def test_a_second_scan_is_the_same_for_less_than_a_minute(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await scan(town, client, begin)
    assert (await scan(town, client, begin + timedelta(seconds=59.999)))["direction"] == "in"
    left = await scan(town, client, begin + timedelta(minutes=60))
    assert left["direction"] == "out"
    again = await scan(town, client, begin + timedelta(minutes=60, seconds=59.999))
    assert (again["direction"], again["record_id"]) == ("out", left["record_id"])
    assert (await scan(town, client, begin + timedelta(minutes=61)))["direction"] == "in"
    assert await count(owner, "visit") == 2
    assert await points_of(town, "张桂兰") == 10


async def test_a_keeper_who_lays_the_office_down_before_leaving_is_still_looked_at(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await scan(town, client, begin, "周敏")
    grant = await owner.fetchval("SELECT id FROM role_grant WHERE person_id = $1", town.people["周敏"])
    with later(begin, 110):
        ended = await client.delete(f"/api/v1/roles/{grant}", headers=await town.sign_in("赵丽"))
    assert ended.status_code == 204, ended.text
    left = await scan(town, client, begin + timedelta(minutes=120), "周敏")
    assert left["attention"] == ["keeper_is_volunteer", "pending_review"]
    assert await points_of(town, "周敏") == 0
    await scan(town, client, begin + timedelta(minutes=180), "周敏")
    free = await scan(town, client, begin + timedelta(minutes=240), "周敏")
    assert free["credited"] == {"minutes": 60, "points": 10, "minutes_left": 0}, (
        "who is no keeper any more is as others"
    )
