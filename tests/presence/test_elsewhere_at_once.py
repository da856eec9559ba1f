"""Overlapping times of one login, in one or two communities, are flagged; limits on hours entered by hand."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.presence import body, count, nine_o_clock, nonce, points_of, station_code
from tests.support.town import SPRING, Town
from timebank.core import clock, database
from timebank.core.database import transaction

CHECKINS, RECORDS = "/api/v1/checkins", "/api/v1/service-records"


@pytest.fixture
async def both(town: Town, owner: asyncpg.Connection) -> Town:
    """Make 张桂兰's login stand for 马涛's record in 龙泉社区 too."""
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.communities[SPRING], town.logins["张桂兰"], town.people["马涛"], clock.now(),
    )  # fmt: skip
    return town


async def scan(town: Town, client: httpx.AsyncClient, at: datetime, station: str) -> dict[str, object]:
    with clock.at(at):
        answer = await client.post(
            CHECKINS, json=body(station_code(town, station)), headers=await town.sign_in("张桂兰")
        )
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def held_back(owner: asyncpg.Connection) -> int:
    return await count(owner, "service_record", "status = 'pending' AND 'two_communities' = ANY (flags)")


async def test_one_login_in_two_communities_at_once_is_credited_in_neither(
    both: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    for minutes, station in ((0, "暖蜂驿站"), (5, "龙泉驿站"), (60, "暖蜂驿站"), (65, "龙泉驿站")):
        verdict = await scan(both, client, begin + timedelta(minutes=minutes), station)
        assert verdict["status"] == "ok"
        assert minutes < 60 or verdict["attention"] == ["two_communities", "pending_review"]
        assert minutes < 60 or "别的社区" in str(verdict["texts"])
        assert "驿站" not in str(verdict["texts"]) or minutes < 60, "no other community's station is named"
    assert await held_back(owner) == 2
    assert (await points_of(both, "张桂兰"), await points_of(both, "马涛")) == (0, 0)


async def test_one_after_the_other_is_credited_in_both(
    both: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    for minutes, station in ((0, "暖蜂驿站"), (60, "暖蜂驿站"), (80, "龙泉驿站"), (140, "龙泉驿站")):
        await scan(both, client, begin + timedelta(minutes=minutes), station)
    assert (await points_of(both, "张桂兰"), await points_of(both, "马涛")) == (10, 10)


async def test_two_check_outs_in_the_same_moment_are_both_held_back(
    both: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    for station in ("暖蜂驿站", "龙泉驿站"):
        await scan(both, client, begin, station)
    end = begin + timedelta(minutes=60)
    await asyncio.gather(*(scan(both, client, end, station) for station in ("暖蜂驿站", "龙泉驿站")))
    assert await held_back(owner) == 2
    assert (await points_of(both, "张桂兰"), await points_of(both, "马涛")) == (0, 0)


async def test_entered_hours_beside_a_visit_in_another_community_say_so(
    both: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    for minutes in (0, 60):
        await scan(both, client, begin + timedelta(minutes=minutes), "龙泉驿站")
    assert await points_of(both, "马涛") == 10
    for minutes, flags in ((30, ["two_communities"]), (60, [])):
        wanted = {
            "person_id": str(both.people["张桂兰"]), "started_at": (begin + timedelta(minutes=minutes)).isoformat(),
            "ended_at": (begin + timedelta(minutes=minutes + 20)).isoformat(), "reason": "停电",
        }  # fmt: skip
        made = await client.post(RECORDS, json=wanted, headers=await both.sign_in("赵丽"))
        assert (made.status_code, made.json()["flags"]) == (201, flags)


async def test_a_visit_beside_hours_entered_in_another_community_is_held_back(
    both: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    wanted = {
        "person_id": str(both.people["马涛"]), "started_at": begin.isoformat(),
        "ended_at": (begin + timedelta(minutes=60)).isoformat(), "reason": "停电",
    }  # fmt: skip
    assert (await client.post(RECORDS, json=wanted, headers=await both.sign_in("何静"))).status_code == 201
    for minutes in (30, 90):
        await scan(both, client, begin + timedelta(minutes=minutes), "暖蜂驿站")
    assert await held_back(owner) == 1
    assert await points_of(both, "张桂兰") == 0


async def test_what_is_asked_of_another_community_is_answered_for_the_callers_own_alone(
    both: Town, owner: asyncpg.Connection
) -> None:
    asked = "SELECT present_elsewhere($1, $2, $3, $4)"
    begin, end = nine_o_clock(), clock.now()
    async with transaction(both.system()):
        assert await database.fetch_value(asked, both.community, both.people["张桂兰"], begin, end) is False
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(both.system()):
            await database.fetch_value(asked, both.communities[SPRING], both.people["马涛"], begin, end)


# ------------------------------------------------------------------------------------------------ hours entered by hand


async def enter(town: Town, client: httpx.AsyncClient, begin: datetime, minutes: int = 60) -> httpx.Response:
    wanted = {
        "person_id": str(town.people["张桂兰"]), "started_at": begin.isoformat(),
        "ended_at": (begin + timedelta(minutes=minutes)).isoformat(), "reason": "旧账补录",
    }  # fmt: skip
    headers = await town.sign_in("赵丽") | {"Idempotency-Key": nonce()}
    return await client.post(RECORDS, json=wanted, headers=headers)


async def test_hours_older_than_the_policy_are_not_entered_by_hand(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    refused = await enter(town, client, datetime.fromisoformat("2001-05-01T09:00:00+08:00"))
    assert (refused.status_code, refused.json()["code"]) == (422, "hours_too_old")
    assert "366 天" in refused.json()["detail"]
    assert (await enter(town, client, nine_o_clock(366))).status_code == 201
    assert (await enter(town, client, nine_o_clock(367))).status_code == 422
    changed = await client.put(
        "/api/v1/policies/honour_days_max", json={"value": 30}, headers=await town.sign_in("赵丽")
    )
    assert changed.status_code < 300, changed.text
    assert (await enter(town, client, nine_o_clock(31))).status_code == 422
    assert await count(owner, "service_record") == 1


async def test_two_corrections_at_once_that_overlap_are_seen_by_the_later(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Two administrators move the ends of two forgotten visits later at the same moment, so that the visits overlap."""
    begin, ids = nine_o_clock(), []
    for number in range(2):
        visit, came = clock.new_id(), begin + timedelta(hours=2 * number)
        await owner.execute(
            "INSERT INTO visit (community_id, id, person_id, station_id, in_at, out_at, status, in_by, out_by, flags, "
            "opens_at, closes_at) VALUES ($1, $2, $3, $4, $5, $6, 'needs_confirmation', 'card', 'closing_time', "
            "'{forgotten_check_out}', '08:00', '20:00')",
            town.community, visit, town.people["张桂兰"], town.stations["暖蜂驿站"], came, came + timedelta(hours=1),
        )  # fmt: skip
        ids.append(clock.new_id())
        await owner.execute(
            "INSERT INTO service_record (community_id, id, kind, person_id, visit_id, started_at, ended_at, minutes, "
            "status, flags, rule_code, created_at) VALUES ($1, $2, 'credit', $3, $4, $5, $6, 60, 'pending', "
            "'{forgotten_check_out}', 'service', $5)",
            town.community, ids[-1], town.people["张桂兰"], visit, came, came + timedelta(hours=1),
        )  # fmt: skip
    asked = {"ended_at": (begin + timedelta(hours=6)).isoformat(), "reason": "问过本人"}

    async def correct(record_id: UUID, by: str) -> int:
        address = f"{RECORDS}/{record_id}"
        return (await client.patch(address, json=asked, headers=await town.sign_in(by))).status_code

    assert set(await asyncio.gather(correct(ids[0], "赵丽"), correct(ids[1], "钱进"))) == {200}
    flags = [row["flags"] for row in await owner.fetch("SELECT flags FROM service_record")]
    assert sum("overlap" in found for found in flags) == 1 or all("overlap" in found for found in flags)
    assert await points_of(town, "张桂兰") == 0


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T22:30:00-14:00", "1000-06-01T00:00:00Z"])
async def test_hours_at_the_ends_of_the_calendar_are_refused_in_words(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, moment: str
) -> None:
    begin = datetime.fromisoformat(moment)
    wanted = {
        "person_id": str(town.people["张桂兰"]), "started_at": moment, "reason": "旧账补录",
        "ended_at": moment.replace("00:00:00", "01:00:00").replace("22:30", "23:30"),
    }  # fmt: skip
    answer = await client.post(RECORDS, json=wanted, headers=await town.sign_in("赵丽"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == ("hours_times" if begin.year > 9000 else "hours_too_old")


async def test_hours_entered_while_somebody_is_in_overlap_the_visit_both_ways(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin = nine_o_clock()
    await scan(town, client, begin, "暖蜂驿站")
    with clock.at(begin + timedelta(minutes=50)):
        made = await enter(town, client, begin + timedelta(minutes=10), 30)
    assert made.json()["flags"] == ["overlap"]
    left = await scan(town, client, begin + timedelta(minutes=60), "暖蜂驿站")
    assert left["attention"] == ["overlap", "pending_review"]
    later = await enter(town, client, begin + timedelta(minutes=59), 30)
    assert later.json()["flags"] == ["overlap"]
    after = await enter(town, client, begin + timedelta(minutes=90), 30)
    assert after.json()["flags"] == [], "who left before is free again"
    assert await points_of(town, "张桂兰") == 0
