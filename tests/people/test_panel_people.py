"""The panel's pages about people, places, roles and policies, as an administrator uses them."""

import re
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.plans.test_lists import MANY, fill
from tests.support.town import PHOENIX, SPRING, Town
from timebank.core import clock
from timebank.core.paging import cursor_of, read_cursor
from timebank.policies.values import policies

PAGES = ("/admin", "/admin/people", "/admin/areas", "/admin/roles", "/admin/policies")


@pytest.mark.parametrize("path", PAGES)
async def test_who_opens_the_panel(town: Town, client: httpx.AsyncClient, path: str) -> None:
    asked = await client.get(path)
    assert (asked.status_code, asked.headers["location"]) == (303, f"/sign-in?next={path}")
    for name, status in (("赵丽", 200), ("孙伟", 200), ("钱进", 200), ("吴昊", 200), ("张桂兰", 403), ("周敏", 403)):
        headers, _ = await browser(town, name)
        answer = await client.get(path, headers=headers)
        assert answer.status_code == status, (name, answer.text[-600:])
        assert not re.search(r"\{[a-z]+\}|None|UUID", answer.text), (name, path)


async def test_the_first_page_says_what_waits(town: Town, client: httpx.AsyncClient) -> None:
    headers, _ = await browser(town, "赵丽")
    await town.give_points("张桂兰", 1286)
    home = (await client.get("/admin", headers=headers)).text
    assert "没有等着办的事" in home
    assert "1,286" in home
    assert "库存快没了的物品" in home
    street, csrf = await browser(town, "钱进")
    assert "您管的社区" in (await client.get("/admin", headers=street)).text
    form = {"_csrf": csrf, "community": str(town.communities[SPRING]), "next": "/admin"}
    chosen = await client.post("/preferences", headers=street, data=form)
    [cookie] = chosen.headers.get_list("set-cookie")
    both = {"Cookie": f"{street['Cookie']}; {cookie.partition(';')[0]}"}
    for path in PAGES:
        assert f"<span>{SPRING}</span></a>" in (await client.get(path, headers=both)).text


async def test_an_administrator_enters_corrects_and_blocks_a_person(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    unit = str(town.areas[f"{PHOENIX}/第一网格/5栋/1单元"])
    form = {
        "_csrf": csrf, "name": "覃慧敏", "phone": "19900009001", "identity": "522699198207133130", "sex": "",
        "born_on": "", "area_id": unit, "room": "701", "head_name": "", "relation": "",
    }  # fmt: skip
    wrong = await client.post("/admin/people", headers=headers, data=form)
    assert wrong.status_code == 422
    assert "校验位不对" in wrong.text
    assert 'value="覃慧敏"' in wrong.text
    made = await client.post("/admin/people", headers=headers, data=form | {"identity": "52269919820713313X"})
    assert made.status_code == 303
    here = made.headers["location"].partition("?")[0]
    shown = (await client.get(f"{here}?part=record", headers=headers)).text
    assert "19900009001" in shown
    assert "5226**********313X" in shown
    assert "52269919820713313X" not in shown
    corrected = {
        "_csrf": csrf,
        "name": "覃惠敏",
        "phone": "19900009001",
        "identity": "",
        "area_id": unit,
        "room": "702",
    }
    assert (await client.post(f"{here}/correction", headers=headers, data=corrected)).status_code == 303
    shown = (await client.get(f"{here}?part=record", headers=headers)).text
    assert "覃惠敏" in shown
    assert "702" in shown
    assert "5226**********313X" in shown
    blocked = await client.post(
        f"{here}/status", headers=headers, data={"_csrf": csrf, "status": "blocked", "reason": "试"}
    )
    assert blocked.status_code == 303
    assert "恢复在册" in (await client.get(f"{here}?part=record", headers=headers)).text
    assert (await client.post(f"{here}/status", headers=headers, data={"status": "active"})).status_code == 403


async def test_the_page_of_a_person_gives_a_code_a_card_and_a_guardian(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    here, form = f"/admin/people/{town.people['张桂兰']}", {"_csrf": csrf}
    code = re.search(
        r"code-number\">(\d{3}) (\d{3})<", (await client.post(f"{here}/sign-in-code", headers=headers, data=form)).text
    )
    assert code
    opened = await client.post("/api/v1/sessions", json={"phone": town.phones["张桂兰"], "otp": code[1] + code[2]})
    assert opened.status_code == 201
    assert (await client.post(f"{here}/card", headers=headers, data=form)).status_code == 303
    assert (await client.get(f"{here}/card.png", headers=headers)).headers["content-type"] == "image/png"
    shown = (await client.get(f"{here}?part=access", headers=headers)).text
    assert "第 1 张" in shown
    assert f'href="{here}/card.png"' in shown
    assert (await client.post(f"{here}/card/end", headers=headers, data=form)).status_code == 303
    child = f"/admin/people/{town.people['刘小雨']}"
    named = form | {"phone": town.phones["欧阳凯伟"], "relation": "父亲", "consented": "1"}
    assert (await client.post(f"{child}/guardians", headers=headers, data=named)).status_code == 303
    assert "欧阳凯伟（父亲）" in (await client.get(f"{child}?part=family", headers=headers)).text
    unknown = await client.post(f"{child}/guardians", headers=headers, data=named | {"phone": "19911112222"})
    assert unknown.status_code == 422
    assert "不止一人" in unknown.text


async def test_a_role_is_given_in_two_steps_and_ended_again(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    person = str(town.people["张桂兰"])
    first = await client.get("/admin/roles/new", headers=headers, params={"person_id": person})
    assert "单元长" in first.text
    assert "县管理员" not in first.text
    second = await client.get("/admin/roles/new", headers=headers, params={"person_id": person, "role": "unit_head"})
    assert "3栋2单元" in second.text
    unit = str(town.areas[f"{PHOENIX}/第一网格/3栋/2单元"])
    form = {"_csrf": csrf, "person_id": person, "role": "unit_head", "area_id": unit, "starts_on": "", "ends_on": ""}
    assert (await client.post("/admin/roles", headers=headers, data=form)).status_code == 303
    again = await client.post("/admin/roles", headers=headers, data=form)
    assert "已经有这个身份了" in again.text
    page = (await client.get(f"/admin/people/{person}?part=access", headers=headers)).text
    assert "单元长 · 3栋2单元" in page
    [end] = re.findall(r'action="(/admin/roles/[^"]+/end)"', page)
    assert (await client.post(end, headers=headers, data={"_csrf": csrf, "person_id": person})).status_code == 303
    assert "单元长 · 3栋2单元" not in (await client.get(f"/admin/people/{person}?part=access", headers=headers)).text
    above = form | {"role": "street_admin", "area_id": "", "region_id": str(town.street)}
    assert (await client.post("/admin/roles", headers=headers, data=above)).status_code == 403


async def test_places_are_added_and_renamed_on_their_pages(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    building = str(town.areas[f"{PHOENIX}/第一网格/3栋"])
    form = {"_csrf": csrf, "kind": "unit", "name": "3单元", "parent_id": building}
    assert (await client.post("/admin/areas", headers=headers, data=form)).status_code == 303
    shown = (await client.get(f"/admin/areas/{building}", headers=headers)).text
    assert "3单元" in shown
    assert "<h1>3栋</h1><p>楼栋 · 5 人</p>" in shown
    again = await client.post("/admin/areas", headers=headers, data=form)
    assert (again.status_code, "同名" in again.text) == (409, True)
    renamed = await client.post(f"/admin/areas/{building}/name", headers=headers, data={"_csrf": csrf, "name": "三栋"})
    assert renamed.status_code == 303
    street, theirs = await browser(town, "钱进")
    found = {"_csrf": theirs, "kind": "community", "name": "锦绣社区", "parent_id": str(town.street)}
    assert (await client.post("/admin/areas/regions", headers=street, data=found)).status_code == 303
    refused = await client.post("/admin/areas/regions", headers=headers, data=found | {"_csrf": csrf, "name": "越级"})
    assert refused.status_code == 403


async def test_a_policy_says_who_changed_it(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    form = {"_csrf": csrf, "value": "3"}
    assert (await client.post("/admin/policies/hold_days", headers=headers, data=form)).status_code == 303
    assert (await policies(await town.scope("赵丽"))).hold_days == 3
    assert "赵丽，今天" in (await client.get("/admin/policies", headers=headers)).text
    for bad in ("99999", "x", ""):
        refused = await client.post("/admin/policies/hold_days", headers=headers, data=form | {"value": bad})
        assert refused.status_code == 422
    assert (await client.get("/admin/policies/no_such", headers=headers)).status_code == 404
    auditor, theirs = await browser(town, "孙伟")
    assert "/admin/policies/hold_days" not in (await client.get("/admin/policies", headers=auditor)).text
    assert (await client.get("/admin/policies/hold_days", headers=auditor)).status_code == 403
    form["_csrf"] = theirs
    assert (await client.post("/admin/policies/hold_days", headers=auditor, data=form)).status_code == 403


async def test_who_is_searched_for_stands_in_no_address(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await fill(owner, town, "person")
    headers, csrf = await browser(town, "赵丽")
    asked = {"_csrf": csrf, "q": "居民", "status": "active"}
    seen: set[str] = set()
    while True:
        page = await client.post("/admin/people/search", headers=headers, data=asked)
        assert page.status_code == 200, page.text
        assert 'method="post" action="/admin/people/search"' in page.text
        assert 'value="居民"' in page.text
        assert not re.search(r'(href|action)="[^"]*(居民|%E5%B1%85|ju%20min|ju\+min)', page.text)
        seen |= set(re.findall(r'href="/admin/people/([0-9a-f-]{36})"', page.text))
        further = re.search(r'name="cursor" value="([^"]+)"', page.text)
        if further is None:
            break
        assert read_cursor(further[1], tuple[UUID])
        asked["cursor"] = further[1]
    assert len(seen) == MANY
    nothing = await client.post("/admin/people/search", headers=headers, data=asked | {"q": " ", "cursor": ""})
    assert (nothing.status_code, nothing.headers["location"]) == (303, "/admin/people?status=active")
    left = await client.get("/admin/people/search", headers=headers)
    assert (left.status_code, left.headers["location"]) == (303, "/admin/people")


async def test_a_page_of_people_goes_on_after_somebody_whom_nobody_knows_is_refused(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "赵丽")
    asked = {"_csrf": csrf, "q": "张", "cursor": cursor_of(clock.new_id())}
    refused = await client.post("/admin/people/search", headers=headers, data=asked)
    assert refused.status_code == 400
    assert "翻页的位置不对" in refused.text


async def test_who_reads_a_residents_messages_is_in_the_audit(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    read = "SELECT noun_id FROM audit WHERE verb = 'read_messages' AND person_id = $1"
    headers, _ = await browser(town, "赵丽")
    for name in ("张桂兰", "赵丽"):
        page = await client.get(f"/admin/people/{town.people[name]}?part=messages", headers=headers)
        assert page.status_code == 200
    found = await owner.fetch(read, town.people["赵丽"])
    assert [row["noun_id"] for row in found] == [town.people["张桂兰"]], "one's own messages are nobody's business"
