"""One display and one tablet per station: a second one needs a second person, a replacement revokes the old one."""

import re
from typing import Any

import asyncpg
import httpx
import pytest

from tests.agreements.test_two_people import call
from tests.support.presence import count
from tests.support.shop import API, Browser, browser
from tests.support.town import Town, operating
from timebank.access.devices import devices
from timebank.core import clock
from timebank.core.scope import Scope

STATION = "暖蜂驿站"


def device(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def register(
    client: httpx.AsyncClient, town: Town, status: int = 201, by: str = "周敏", kind: str = "display", **more: object
) -> dict[str, Any]:
    path = f"/stations/{town.stations[STATION]}/devices"
    return await call(client, "POST", path, await town.sign_in(by), {"name": "大屏", "kind": kind} | more, status)


async def shows_code(client: httpx.AsyncClient, town: Town, token: str) -> bool:
    """Return whether the API gives the station's code to this device."""
    answer = await client.get(f"{API}/stations/{town.stations[STATION]}/code", headers=device(token))
    return answer.status_code == 200


@pytest.mark.parametrize("kind", ["display", "counter"])
async def test_a_keeper_gets_no_second_device_to_take_home(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, kind: str
) -> None:
    """A second device waits until an independent person agrees; the first one stays in use."""
    wall = await register(client, town, kind=kind)
    refused = await register(client, town, 409, kind=kind)
    assert refused["code"] == "device_stands"
    assert "大屏" in refused["detail"]
    waits = await register(client, town, 202, kind=kind, further=True)
    assert waits["who"]
    again = await register(client, town, 202, kind=kind, further=True)
    assert again["waiting"] == waits["waiting"], "asked once, it waits once"
    for hand in ("周敏", "王建国"):
        answer = await client.post(
            f"{API}/agreements/{waits['waiting']}/decision",
            json={"decision": "agree"},
            headers=await town.sign_in(hand),
        )
        assert answer.status_code == 403, hand
    assert await count(owner, "device") == 1
    assert await devices.find_device(wall["token"]) is not None


async def test_a_second_screen_stands_once_another_has_agreed_and_its_link_is_taken_afterwards(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    wall = await register(client, town)
    waits = await register(client, town, 202, further=True)
    path = f"/agreements/{waits['waiting']}/decision"
    await call(client, "POST", path, await town.sign_in("赵丽"), {"decision": "agree"})
    [second] = await owner.fetch("SELECT id, created_by FROM device WHERE id <> $1", wall["id"])
    assert second["created_by"] == town.people["周敏"]
    link = f"/stations/devices/{second['id']}/pairing"
    await call(client, "POST", link, await town.sign_in("张桂兰"), status=403)
    first, made = [await call(client, "POST", link, await town.sign_in("周敏"), status=201) for _ in range(2)]
    assert await devices.find_device(str(first["token"])) is None, "a new link ends what was told before"
    token = await devices.pair(str(made["url"]).rsplit("/", 1)[1], "display")
    assert token is not None
    assert await shows_code(client, town, token)
    assert await shows_code(client, town, wall["token"])
    assert (await call(client, "POST", link, await town.sign_in("周敏"), status=409))["code"] == "device_paired"


async def test_a_screen_that_a_keeper_pairs_at_home_in_place_of_the_walls_darkens_the_wall_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A keeper replaces a broken device alone; the old one is revoked at once, so that no second one is in use."""
    wall = await register(client, town)
    assert await shows_code(client, town, wall["token"])
    home = await register(client, town, replaces=wall["id"])
    assert not await shows_code(client, town, wall["token"])
    assert await shows_code(client, town, home["token"])
    rows = await owner.fetch(
        "SELECT verb, noun_id, person_id, change->>'replaced_by_id' AS by FROM audit WHERE noun = 'device' ORDER BY id"
    )
    assert [row["verb"] for row in rows] == ["register_device", "revoke_device", "register_device"]
    assert (str(rows[1]["noun_id"]), rows[1]["by"]) == (wall["id"], home["id"])
    assert {row["person_id"] for row in rows} == {town.people["周敏"]}
    assert (await register(client, town, 404, replaces=wall["id"]))["code"] == "not_found"
    tablet = await register(client, town, kind="counter")
    await register(client, town, 404, replaces=tablet["id"])
    assert await shows_code(client, town, home["token"])


async def test_the_keeper_replaces_a_broken_tablet_on_the_own_phone_and_not_on_the_tablet(
    town: Town, client: httpx.AsyncClient
) -> None:
    broken = await register(client, town, kind="counter")
    phone, path = await browser(client, town, "周敏"), f"/desk/devices?station={town.stations[STATION]}"
    assert path in await phone.see("/desk")
    assert "换一台，这台停用" in await phone.see(path)
    answer = await phone.send(path, name="新平板", kind="counter", replaces=broken["id"])
    link = re.search(r"/desk/pair/(tbp_[A-Za-z0-9_-]+)", answer.text)
    assert link
    assert await devices.find_device(broken["token"]) is None
    assert await devices.pair(link[1], "counter") is not None
    assert "另加一台在等" not in await phone.see(path)
    assert "等" in (await phone.send(path, name="又一台", kind="counter", further="true")).text
    assert "另加一台在等另一个人确认" in await phone.see(path), "also when the keeper comes back"
    stranger = await browser(client, town, "张桂兰")
    await stranger.see(path, 403)
    tablet = await register(client, town, 403, kind="counter", by="张桂兰")
    assert tablet["code"] == "forbidden"


async def test_of_two_tablets_of_before_each_is_replaced_by_one_and_not_by_two(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    async with operating():
        old = [
            await devices.register_device(town.system(), town.stations[STATION], name=name, kind="counter")
            for name in ("一号", "二号")
        ]
    await register(client, town, kind="counter", replaces=str(old[0].id))
    await register(client, town, 404, kind="counter", replaces=str(old[0].id))
    assert await owner.fetchval("SELECT count(*) FROM device WHERE revoked_at IS NULL") == 2


async def test_the_panel_shows_every_screen_with_its_last_use(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    wall = await register(client, town)
    panel: Browser = await browser(client, town, "赵丽")
    page = await panel.see("/admin/presence")
    assert "在用的屏幕和平板" in page
    assert "等配对" in page
    used_at = clock.now()
    with clock.at(used_at):
        assert await shows_code(client, town, wall["token"])
    assert await owner.fetchval("SELECT seen_at FROM device") == used_at
    assert "周敏" in await panel.see("/admin/presence")
    await devices.revoke(await town.scope("周敏"), (await owner.fetchval("SELECT id FROM device")))
    assert "没有在用的设备" in await panel.see("/admin/presence")


async def test_an_administrator_asks_for_a_further_screen_in_the_panel(town: Town, client: httpx.AsyncClient) -> None:
    await register(client, town)
    panel, path = await browser(client, town, "赵丽"), f"/admin/stations/{town.stations[STATION]}"
    assert "另加一台，等另一个人确认" in await panel.see(path)
    refused = await panel.send(f"{path}/devices", name="后门屏", kind="display")
    assert refused.status_code == 409
    assert "钱进" in (await panel.send(f"{path}/devices", name="后门屏", kind="display", replaces="further")).text


async def test_the_operator_registers_what_a_demo_needs(town: Town) -> None:
    scope: Scope = town.system()
    async with operating():
        made = [
            await devices.register_device(scope, town.stations[STATION], name="屏", kind="display") for _ in range(2)
        ]  # fmt: skip
    assert all([await devices.find_device(each.token) is not None for each in made])
