"""The pages that are opened most send few statements, also the first of a process."""

import httpx
import pytest

from tests.support.counter import Tablet
from tests.support.counter import kept as kept_tablet
from tests.support.presence import personal_code, scanned, served, station_code
from tests.support.town import SPRING, Town
from tests.support.wire import Wire
from timebank.core.capability import capabilities
from timebank.http.callers import SESSION_COOKIE, csrf_token
from timebank.people.messages import notify


async def _cookie(town: Town, name: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION_COOKIE}={await town.token(name)}"}


async def test_home(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    """A volunteer with points, a child in care, a visit under way and a message."""
    await served(town, "刘洋", 90)
    await scanned(await town.scope("刘洋"), station_code(town))
    by = await _cookie(town, "刘洋")
    await wire.renew()
    page = await client.get("/", headers=by)
    assert page.status_code == 200
    assert "我的孩子" in page.text
    assert len(wire) <= 5, wire.listed()


async def test_a_statement(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    await served(town, "刘洋", 90)
    by = await town.sign_in("刘洋")
    await wire.renew()
    page = await client.get("/api/v1/me/statement", headers=by)
    assert page.json()["items"], page.text
    assert len(wire) <= 4, wire.listed()


async def test_balances(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    await served(town, "刘洋", 90)
    by = await town.sign_in("刘洋")
    await wire.renew()
    page = await client.get("/api/v1/me/balances", headers=by)
    assert page.json()["points"]["available"] == 15
    assert len(wire) <= 5, wire.listed()


@pytest.mark.parametrize("name", ["刘洋", "刘小雨"])
async def test_somebody_found_by_name_at_a_counter(
    client: httpx.AsyncClient, town: Town, wire: Wire, name: str
) -> None:
    await served(town, "刘洋", 90)
    tablet: Tablet = await kept_tablet(client, town)
    known = {"room": "401"} if name == "刘小雨" else {"phone_last4": town.phones[name][-4:]}
    await wire.renew()
    page = await tablet.send("/desk/people", name=name, **known)
    assert page.status_code == 200, page.text
    assert name in page.text
    assert len(wire) <= 8, wire.listed()


async def test_the_panels_first_page(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    """With hours that wait, whose party the administrator may be."""
    await served(town, "刘洋", 90)
    await scanned(await town.scope("周敏"), personal_code(town, "周敏"), station_id=town.stations["暖蜂驿站"])
    by = await _cookie(town, "赵丽")
    await wire.renew()
    page = await client.get("/admin", headers=by)
    assert page.status_code == 200
    assert len(wire) <= 6, wire.listed()


async def test_the_panels_first_page_for_a_county_administrator_who_addresses_another_community(
    client: httpx.AsyncClient, town: Town, wire: Wire
) -> None:
    """The addressed community is looked up with the session, and no other one is named to the database."""
    there = town.communities[SPRING]
    by = await town.sign_in("吴昊") | {"X-Community-Id": str(there)}
    await wire.renew()
    page = await client.get("/admin", headers=by)
    assert page.status_code == 200
    assert f"<span>{SPRING}</span></a>" in page.text
    assert len(wire) <= 6, wire.listed()
    [begun] = [sql for sql in wire.statements if sql.startswith("BEGIN")]
    assert f"timebank.communities = '{{{there}}}'" in begun


async def test_a_full_list_of_messages(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    for n in range(40):
        await notify(
            town.system(), town.people["刘洋"], "record_credited.several", f"c:{n}", urgent=True, times=2, minutes=60,
            points=1,
        )  # fmt: skip
    by = await _cookie(town, "刘洋")
    await wire.renew()
    page = await client.get("/messages", headers=by)
    assert "记了 30 次积分" in page.text
    assert len(wire) <= 4, wire.listed()


@pytest.mark.parametrize("part", [part.name for one in capabilities() for part in one.resident_parts])
async def test_each_tab_of_a_residents_page(client: httpx.AsyncClient, town: Town, wire: Wire, part: str) -> None:
    """The header's figures and the rows of a tab are asked for together, whatever the capabilities add."""
    await served(town, "刘洋", 90)
    by = await _cookie(town, "赵丽")
    await wire.renew()
    page = await client.get(f"/admin/people/{town.people['刘洋']}?part={part}", headers=by)
    assert page.status_code == 200
    assert "可用积分" in page.text
    assert len(wire) <= 9, wire.listed()


async def test_a_search_of_the_whole_panel(town: Town, client: httpx.AsyncClient, wire: Wire) -> None:
    token = await town.token("赵丽")
    headers = {"Cookie": f"{SESSION_COOKIE}={token}"}
    await wire.renew()
    answer = await client.post("/admin/find", data={"_csrf": csrf_token(token), "q": "zgl"}, headers=headers)
    assert "张桂兰" in answer.text
    assert len(wire) <= 8, wire.listed()
