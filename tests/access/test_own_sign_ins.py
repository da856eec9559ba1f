"""Somebody sees on the phone where they are signed in, by kind of device and last use, and ends it elsewhere."""

import asyncio
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_sign_ins import ANDROID, opens
from tests.access.test_taking_over import World
from tests.support.messages import texts
from tests.support.shop import Browser, browser
from tests.support.town import Town
from timebank.access.sign_in.sign_ins import OwnSignInsEnd, SignInStays, end_own_sign_ins, own_sign_ins
from timebank.core.errors import Forbidden, NotFound, TimebankError

NAME = "张桂兰"
ALL = OwnSignInsEnd()


async def test_the_page_is_reached_from_the_settings_and_ends_one_device_or_all_others(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    here, others = await browser(client, town, NAME), [await town.token(NAME) for _ in range(3)]
    await owner.execute("UPDATE session SET device = 'android'")
    assert 'href="/sign-ins"' in await here.see("/preferences")
    shown = await here.see("/sign-ins")
    assert (shown.count("安卓手机"), shown.count(">这台设备<")) == (4, 1)
    assert shown.count('name="sign_in_id"') == 3
    assert not [each for each in (ANDROID[:11], "127.0.0.1") if each in shown]
    ended = await owner.fetchval("SELECT id FROM session WHERE login_id = $1 ORDER BY id DESC", town.logins[NAME])
    for said in ("已在 1 台设备上退出", "安卓手机"):
        answer = await here.send("/sign-ins/end", sign_in_id=str(ended))
        assert answer.status_code == 303
        assert said in await here.see(answer.headers["location"])
    assert [await opens(client, token) for token in others].count(True) == 2
    assert "已在 2 台设备上退出" in await here.see((await here.send("/sign-ins/end")).headers["location"])
    assert [await opens(client, token) for token in others] == [False] * 3
    assert "只有这台设备。" in await here.see("/sign-ins")
    told = await texts(owner, f"kind = 'sign_ins_ended' AND person_id = '{town.people[NAME]}'")
    assert ["1 台" in told[0], "2 台" in told[1], len(told)] == [True, True, 2]
    rows = await owner.fetch("SELECT change->>'sign_ins' AS n FROM audit WHERE verb = 'sign_out' ORDER BY id")
    assert [row["n"] for row in rows] == ["1", "2"]


async def test_nobody_ends_the_sign_in_of_somebody_else_or_the_one_that_asks(
    town: Town, client: httpx.AsyncClient
) -> None:
    scope, other = await town.scope(NAME), await town.scope("李秀英")
    assert other.session_id is not None
    assert await end_own_sign_ins(scope, OwnSignInsEnd(sign_in_id=other.session_id)) == 0
    assert [one.id for one in await own_sign_ins(other)] == [other.session_id]
    with pytest.raises(NotFound):
        await end_own_sign_ins(scope, OwnSignInsEnd(sign_in_id=scope.session_id))
    assert scope.session_id in {one.id for one in await own_sign_ins(scope)}
    with pytest.raises(Forbidden):
        await own_sign_ins(town.system())


async def test_a_code_in_other_hands_ends_no_sign_in_of_the_holder_who_ends_that_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The administrator signs in as her by a code: spending is paused, and she is not kept out."""
    await town.give_points(NAME, 100)
    world = World(town, client, owner)
    holder = await browser(client, town, NAME)
    stolen = await world.opened(town.phones[NAME], otp=await world.code("赵丽", NAME))
    thief = Browser(client, stolen["Authorization"][7:])
    shown = await thief.see("/sign-ins")
    assert "不能退出用密码登录的设备" in shown
    assert 'name="sign_in_id"' not in shown
    for data in ({}, {"sign_in_id": str(await _session_of(owner, town, by_code=False))}):
        refused = await thief.send("/sign-ins/end", **data)
        assert refused.status_code == 403
        assert "不能退出用密码登录的设备" in refused.text
    assert (await holder.send("/sign-ins/end")).status_code == 303
    await world.ask("GET", "/me", stolen, 401)
    assert "只有这台设备。" in await holder.see("/sign-ins")


async def _session_of(owner: asyncpg.Connection, town: Town, *, by_code: bool) -> UUID:
    found = await owner.fetchval(
        "SELECT id FROM session WHERE login_id = $1 AND by_code = $2", town.logins[NAME], by_code
    )
    return UUID(bytes=found.bytes)


async def test_once_confirmed_a_code_ends_them_too(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points(NAME, 100)
    world = World(town, client, owner)
    old = await town.token(NAME)
    headers = await world.opened(town.phones[NAME], otp=await world.code("赵丽", NAME))
    await world.ask("POST", f"/agreements/logins/{town.people[NAME]}", "周敏", 204)
    here = Browser(client, headers["Authorization"][7:])
    assert (await here.send("/sign-ins/end")).status_code == 303
    assert await opens(client, old) is False


async def test_ends_at_once_are_counted_once(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope(NAME)
    for _ in range(4):
        await town.token(NAME)
    ended = await asyncio.gather(*(end_own_sign_ins(scope, ALL) for _ in range(5)))
    assert sum(ended) == 4
    assert [one.is_this for one in await own_sign_ins(scope)] == [True]
    noted = await owner.fetch("SELECT (change->>'sign_ins')::int AS n FROM audit WHERE verb = 'sign_out'")
    assert sum(row["n"] for row in noted) == 4


async def test_two_that_end_each_other_leave_at_most_one(town: Town) -> None:
    one, other = await town.scope(NAME), await town.scope(NAME)
    answers = await asyncio.gather(
        *(end_own_sign_ins(scope, ALL) for scope in (one, other)), return_exceptions=True
    )  # fmt: skip
    assert [a for a in answers if not isinstance(a, int | TimebankError)] == []
    assert not any(isinstance(a, SignInStays) for a in answers)
