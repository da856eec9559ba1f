"""The pages of units: the panel's and a resident's own."""

import re

import httpx

from tests.support.town import Town
from tests.support.units import Units
from timebank.http.callers import SESSION_COOKIE, csrf_token


async def as_(town: Town, client: httpx.AsyncClient, name: str) -> dict[str, str]:
    token = await town.token(name)
    client.cookies.set(SESSION_COOKIE, token)
    return {"_csrf": csrf_token(token)}


async def test_a_resident_reports_in_from_the_phone_and_leaves(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    form = await as_(town, client, "张桂兰")
    assert 'href="/units"' in (await client.get("/preferences")).text
    assert "县税务局" in (await client.get("/units")).text
    went = await client.post("/units", data=form | {"unit_id": str(units.tax)})
    assert (went.status_code, went.headers["location"]) == (303, "/units?done=reported")
    shown = (await client.get("/units?done=reported")).text
    assert "报到好了。" in shown
    [address] = re.findall(r'action="(/units/[^"]+/end)"', shown)
    again = await client.post("/units", data=form | {"unit_id": str(units.power)})
    assert (again.status_code, "已经从一个单位报到了" in again.text) == (409, True)
    assert (await client.post(address, data=form)).status_code == 303
    assert "从今天起报到" in (await client.get("/units")).text


async def test_the_county_founds_a_unit_in_the_panel_and_the_community_links_it(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    form = await as_(town, client, "吴昊")
    listed = (await client.get("/admin/units")).text
    assert "登记一个单位" in listed
    body = {"county_id": str(town.county), "name": "县医院", "kind": "institution"}
    made = await client.post("/admin/units", data=form | body)
    address = made.headers["location"].partition("?")[0]
    taken = await client.post("/admin/units", data=form | body)
    assert (taken.status_code, "县里已经有同名的单位" in taken.text) == (409, True)
    form = await as_(town, client, "赵丽")
    assert "登记一个单位" not in (await client.get("/admin/units")).text
    linked = await client.post(f"{address}/links", data=form | {"kind": "co_builder"})
    assert linked.status_code == 303
    shown = (await client.get(address)).text
    assert "共建单位" in shown
    assert "还没有人报到" in shown
    [ending] = re.findall(rf'action="({address}/links/[^"]+/end)"', shown)
    assert (await client.post(ending, data=form)).status_code == 303
    assert "还没有登记关系" in (await client.get(address)).text
