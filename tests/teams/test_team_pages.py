"""The pages of teams and skills: the panel's, a resident's and a leader's."""

import re

import httpx

from tests.support.town import Town
from tests.support.units import Units
from tests.units.test_unit_pages import as_


async def test_a_team_is_founded_joined_confirmed_and_written_to_on_pages(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    form = await as_(town, client, "赵丽")
    made = await client.post("/admin/teams", data=form | {"name": "维修班", "kind": "repair", "about": "小修小补"})
    address = made.headers["location"].partition("?")[0]
    team = address.rpartition("/")[2]
    king = {"person_id": str(town.people["王建国"]), "leads": "true"}
    assert (await client.post(f"{address}/members", data=form | king)).status_code == 303
    assert "组长" in (await client.get(address)).text
    changed = await client.post(address, data=form | {"name": "维修一班", "about": "", "active": "true"})
    assert changed.status_code == 303
    assert "维修一班" in (await client.get(address)).text
    form = await as_(town, client, "张桂兰")
    assert (await client.post(f"{address}/members", data=form | {"person_id": king["person_id"]})).status_code == 403
    assert "小修小补" not in (await client.get("/teams")).text
    assert (await client.post(f"/teams/{team}/joining", data=form)).status_code == 303
    assert "等确认" in (await client.get("/teams?done=asked")).text
    assert (await client.get(f"/teams/{team}")).status_code == 403
    form = await as_(town, client, "王建国")
    shown = (await client.get(f"/teams/{team}")).text
    [confirm] = re.findall(rf'action="(/teams/{team}/members/[^"/]+)"', shown)
    assert (await client.post(confirm, data=form)).status_code == 303
    assert (await client.post(f"/teams/{team}/messages", data=form | {"text": "周六集合"})).status_code == 303
    empty = await client.post(f"/teams/{team}/messages", data=form | {"text": ""})
    assert empty.status_code == 422
    form = await as_(town, client, "张桂兰")
    assert "张桂兰" in (await client.get(f"/teams/{team}")).text
    assert (await client.post(f"/teams/{team}/leaving", data=form)).status_code == 303
    assert "申请参加" in (await client.get("/teams")).text


async def test_a_skill_is_added_offered_with_free_times_and_its_paper_seen_on_pages(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    form = await as_(town, client, "赵丽")
    made = await client.post("/admin/skills", data=form | {"name": "量血压", "kind": "health", "needs_proof": "true"})
    address = made.headers["location"]
    skill = address.rpartition("/")[2]
    listed = (await client.get("/admin/skills")).text
    assert "要看证件" in listed
    assert '<a href="/admin/teams" aria-current="page">' in listed, "the menu says where one is"
    form = await as_(town, client, "张桂兰")
    offered = await client.post(f"/teams/skills/{skill}", data=form | {"note": "护士退休", "findable": "true"})
    assert offered.status_code == 303
    assert (await client.post("/teams/free-times", data=form | {"6-morning": "1"})).status_code == 303
    shown = (await client.get("/teams?done=saved")).text
    assert "护士退休" in shown
    assert re.search(r'name="6-morning" value="1" checked', shown)
    assert not re.search(r'name="5-morning" value="1" checked', shown)
    form = await as_(town, client, "赵丽")
    assert "还没有看" in (await client.get(address)).text
    assert (await client.post(f"{address}/proofs/{town.people['张桂兰']}", data=form)).status_code == 303
    assert "看过" in (await client.get(address)).text
    form = await as_(town, client, "张桂兰")
    assert (await client.post(f"/teams/skills/{skill}/withdrawal", data=form)).status_code == 303
    assert "我会这个" in (await client.get("/teams")).text
