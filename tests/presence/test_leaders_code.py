"""The code on a leader's phone: when it is shown, for whom it counts, and that the leader's own hours are reviewed."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.presence.test_what_a_code_proves import flags_of, scan
from tests.support.presence import count, later, nine_o_clock, points_of
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.activities import shifts
from timebank.activities.leaders import name_shift_leader
from timebank.activities.schemas import ShiftIn
from timebank.core import clock

API = "/api/v1"
LEADER, MEMBER, PASSER = "王建国", "张桂兰", "李秀英"
HOUR = 60


async def escort(town: Town, begin: datetime, *leaders: str, members: tuple[str, ...] = (MEMBER,)) -> UUID:
    """A shift of an hour at 暖蜂驿站, led by these people, with these members."""
    keeper = await town.scope("周敏")
    with clock.at(begin - timedelta(hours=3)):
        wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(minutes=HOUR), 9)
        shift = (await shifts.add_shift(keeper, town.activities["四点半辅导"], wanted)).id
        for name in (*leaders, *members):
            await shifts.sign_up(await town.scope(name), shift)
        for name in leaders:
            await name_shift_leader(keeper, shift, town.people[name])
    return shift


async def asked(client: httpx.AsyncClient, town: Town, headers: dict[str, str]) -> httpx.Response:
    return await client.get(f"{API}/stations/{town.stations['暖蜂驿站']}/code", headers=headers)


async def shown(client: httpx.AsyncClient, town: Town, headers: dict[str, str]) -> str:
    answer = await asked(client, town, headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def test_the_leader_sees_the_code_from_a_quarter_of_an_hour_before_to_one_after(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    await escort(town, begin, LEADER)
    leader, member = await town.sign_in(LEADER), await town.sign_in(MEMBER)
    expected = {-16: 403, -15: 200, 30: 200, HOUR + 15: 200, HOUR + 16: 403}
    for minutes, status in expected.items():
        with later(begin, minutes):
            assert (await asked(client, town, leader)).status_code == status, minutes
            assert (await asked(client, town, member)).status_code == 403
    other = f"{API}/stations/{town.stations['慈善超市']}/code"
    with later(begin, 30):
        assert (await client.get(other, headers=leader)).status_code == 403
    await owner.execute("UPDATE sign_up SET cancelled_at = now() WHERE person_id = $1", town.people[LEADER])
    with later(begin, 30):
        assert (await asked(client, town, leader)).status_code == 403


async def test_where_a_screen_hangs_the_leader_shows_no_code_except_at_a_gate(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    await escort(town, begin, LEADER)
    screen = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="屏", kind="display"
    )
    leader = await town.sign_in(LEADER)
    with later(begin, 10):
        assert (await asked(client, town, leader)).status_code == 403
        await owner.execute("UPDATE station SET kind = 'gate' WHERE id = $1", town.stations["暖蜂驿站"])
        assert (await asked(client, town, leader)).status_code == 200
        await owner.execute("UPDATE station SET kind = 'hall' WHERE id = $1", town.stations["暖蜂驿站"])
        await devices.revoke(await town.scope("赵丽"), screen.id)
        assert (await asked(client, town, leader)).status_code == 200


async def stays(client: httpx.AsyncClient, town: Town, begin: datetime, who: str, *readers: str) -> dict[str, Any]:
    """Check in and out by the code that these leaders have read; returns the verdict of the check-out."""
    phone, answer = await town.sign_in(who), {}
    shows = [await town.sign_in(name) for name in readers]
    for minutes in (0, HOUR):
        with later(begin, minutes):
            url = [await shown(client, town, each) for each in shows][-1]
            answer = await scan(client, phone, url)
            assert answer["status"] == "ok", answer
    return answer


async def test_it_counts_at_once_for_who_signed_up_and_is_reviewed_for_everybody_else(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    await escort(town, begin, LEADER)
    out = await stays(client, town, begin, MEMBER, LEADER)
    assert (out["credited"]["points"], out["attention"]) == (10, [])
    out = await stays(client, town, begin, PASSER, LEADER)
    assert (out["credited"]["points"], await flags_of(owner, town, PASSER)) == (0, ["other_shift"])
    assert await count(owner, "audit", "verb = 'read_code' AND login_id = $1", town.logins[LEADER]) == 2
    assert await count(owner, "visit", "$1 = ANY (read_by)", town.logins[LEADER]) == 2


async def test_the_leaders_own_minutes_are_reviewed_unless_another_leader_shows_the_code(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    await escort(town, begin, LEADER, "陈明", members=())
    out = await stays(client, town, begin, LEADER, LEADER)
    assert (out["attention"], await points_of(town, LEADER)) == (["leader", "pending_review"], 0)
    assert "带队人自己" in out["texts"][0]
    begin = nine_o_clock(2)
    await escort(town, begin, LEADER, "陈明", members=())
    assert (await stays(client, town, begin, LEADER, "陈明"))["credited"]["points"] == 10
    begin = nine_o_clock(3)
    await escort(town, begin, LEADER, "陈明", members=())
    out = await stays(client, town, begin, LEADER, LEADER, "陈明")
    assert out["attention"] == ["leader", "pending_review"], "a code that both have read is the leader's own too"


async def test_the_leaders_family_is_reviewed_like_the_leader(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    begin = nine_o_clock()
    await escort(town, begin, "张桂兰", members=("张国庆",))
    out = await stays(client, town, begin, "张国庆", "张桂兰")
    assert (out["attention"], await points_of(town, "张国庆")) == (["leader", "pending_review"], 0)
