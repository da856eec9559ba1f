"""Lists of visits, what a display shows of the day, and visits without a check-out."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.support.presence import count, later, nine_o_clock, points_of, scanned, served, station_code
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.presence import visits
from timebank.presence.forgotten import close_forgotten

VISITS = "/api/v1/visits"


async def test_a_person_sees_the_own_visits_and_why_there_are_no_points(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get(VISITS)).status_code == 401
    await served(town, "张桂兰", 60, begin=nine_o_clock(2))
    await served(town, "周敏", 60)
    mine = (await client.get(VISITS, headers=await town.sign_in("张桂兰"))).json()["items"]
    assert [(v["station"], v["minutes"], v["credited_points"], v["record_status"]) for v in mine] == [
        ("暖蜂驿站", 60, 10, "approved")
    ]
    keeper = (await client.get(VISITS, headers=await town.sign_in("周敏"))).json()["items"]
    assert (keeper[0]["record_status"], keeper[0]["flag_texts"]) == ("pending", ["志愿者就是本站站长"])


async def test_others_visits_are_not_there(town: Town, client: httpx.AsyncClient) -> None:
    await served(town, "张桂兰", 60)
    address = f"{VISITS}?person_id={town.people['张桂兰']}"
    for name, status in (("李秀英", 404), ("周敏", 404), ("马涛", 404), ("孙伟", 200), ("赵丽", 200)):
        assert (await client.get(address, headers=await town.sign_in(name))).status_code == status, name


async def test_visits_come_in_pages(town: Town, client: httpx.AsyncClient) -> None:
    for days in (4, 3, 2):
        await served(town, "张桂兰", 30, begin=nine_o_clock(days))
    headers, address, days_seen = await town.sign_in("张桂兰"), f"{VISITS}?limit=2", []
    while address:
        answer = await client.get(address, headers=headers)
        days_seen += [v["in_at"] for v in answer.json()["items"]]
        address = answer.links.get("next", {}).get("url", "")
    assert len(days_seen) == 3
    assert days_seen == sorted(days_seen, reverse=True)


async def test_the_wall_tells_how_many_are_in_and_masks_their_names(town: Town) -> None:
    wall = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="大屏", kind="display"
    )
    screen = await devices.find_device(wall.token)
    assert screen is not None
    noon = nine_o_clock()
    for minutes, name in ((0, "张桂兰"), (5, "李秀英")):
        with later(noon, minutes):
            await scanned(await town.scope(name), station_code(town))
    with later(noon, 60):
        await scanned(await town.scope("张桂兰"), station_code(town))
        today = await visits.today_at(screen, town.stations["暖蜂驿站"])
    assert (today.present, today.people) == (1, 2)
    assert [(r.name, r.at, r.direction) for r in today.recent] == [("张*", "10:00", "out"), ("李*", "09:05", "in")]
    with pytest.raises(NotFound):
        await visits.today_at(screen, town.stations["慈善超市"])


async def test_a_forgotten_check_out_is_closed_at_closing_time_and_never_credited_silently(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE station SET opens_at = '08:00', closes_at = '18:00'")
    begin = nine_o_clock()
    with clock.at(begin):
        await scanned(await town.scope("张桂兰"), station_code(town))
    system = town.system()
    with later(begin, 9 * 60 + 29):
        assert await close_forgotten(system) == 0, "who leaves last has half an hour to scan out"
    with later(begin, 9 * 60 + 31):
        assert await close_forgotten(system) == 1
        assert await close_forgotten(system) == 0
    assert await count(
        owner, "visit", "status = 'needs_confirmation' AND out_by = 'closing_time' AND out_at = $1",
        begin + timedelta(hours=9),
    ) == 1  # fmt: skip
    pending = "status = 'pending' AND flags = '{forgotten_check_out}' AND minutes = 540"
    assert await count(owner, "service_record", pending) == 1
    assert await points_of(town, "张桂兰") == 0


async def test_two_workers_close_each_visit_once(town: Town, owner: asyncpg.Connection) -> None:
    begin = nine_o_clock(2)
    names = [n for n in town.logins if town.home[n] == town.community]
    with clock.at(begin):
        for name in names:
            await scanned(await town.scope(name), station_code(town))
    closed = await asyncio.gather(*(close_forgotten(town.system()) for _ in range(4)))
    assert sum(closed) == len(names)
    assert await count(owner, "service_record", "status = 'pending'") == len(names)


async def test_a_worker_and_a_late_scan_end_a_visit_once(town: Town, owner: asyncpg.Connection) -> None:
    begin, scope = nine_o_clock(2), await town.scope("张桂兰")
    with clock.at(begin):
        await scanned(scope, station_code(town))
    with later(begin, 24 * 60):
        code = station_code(town)
        await asyncio.gather(
            *(close_forgotten(town.system()) for _ in range(3)), *(scanned(scope, code) for _ in range(5))
        )
    assert await count(owner, "visit", "status = 'needs_confirmation'") == 1
    assert await count(owner, "visit", "status = 'open'") == 1
    assert await count(owner, "service_record") == 1


async def test_closing_looks_at_its_own_community_alone(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(nine_o_clock(2)):
        await scanned(await town.scope("马涛"), station_code(town, "龙泉驿站"))
    assert await close_forgotten(town.system()) == 0
    assert await count(owner, "visit", "status = 'open'") == 1
