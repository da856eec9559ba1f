"""Each role lands on its work after sign-in, and reaches its other workplaces and communities from the header."""

import httpx
import pytest

from tests.access.test_access_pages import PASSWORD, browser, cookies
from tests.support.town import PHOENIX, SPRING, Town, set_password
from timebank.core.capability import Capability, Workplace, also
from timebank.http.callers import COMMUNITY_COOKIE, SESSION_COOKIE

LANDINGS = [
    ("张桂兰", "/"), ("王建国", "/"), ("刘洋", "/"), ("周敏", "/desk"), ("陈明", "/admin/deeds"),
    ("赵丽", "/admin"), ("孙伟", "/admin"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there"), LANDINGS)
async def test_each_role_lands_on_its_work(town: Town, client: httpx.AsyncClient, name: str, there: str) -> None:
    await set_password(town.logins[name], town.phones[name], PASSWORD)
    signed_in = await client.post("/sign-in", data={"phone": town.phones[name], "password": PASSWORD})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, there)
    cookie = {"Cookie": f"{SESSION_COOKIE}={cookies(signed_in)[SESSION_COOKIE].value}"}
    assert (await client.get(there, headers=cookie)).status_code == 200
    work = await client.get("/work", headers=cookie)
    assert (work.status_code, work.headers["location"]) == (303, there)


async def test_a_sign_in_for_a_page_leads_to_that_page(town: Town, client: httpx.AsyncClient) -> None:
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    form = {"phone": town.phones["赵丽"], "password": PASSWORD, "next": "/admin/people"}
    assert (await client.post("/sign-in", data=form)).headers["location"] == "/admin/people"


async def test_the_header_leads_to_ones_other_workplaces(town: Town, client: httpx.AsyncClient) -> None:
    """Only to those of one's own roles; a resident without a role has none to choose."""
    for name, page, shown, hidden in (
        ("赵丽", "/admin/people", ("管理", "以居民身份"), ("柜台",)),
        ("周敏", "/preferences", ("柜台", "以居民身份"), ("管理",)),
        ("张桂兰", "/preferences", ("首页",), ("以居民身份", "柜台", "管理", "换社区")),
    ):
        headers, _ = await browser(town, name)
        menu = (await client.get(page, headers=headers)).text.split('class="menu-list"')[1].split("</details>")[0]
        assert all(f"<span>{word}</span>" in menu for word in shown), name
        assert not any(f"<span>{word}</span>" in menu for word in hidden), name


async def test_a_later_capability_adds_its_workplace(town: Town, client: httpx.AsyncClient) -> None:
    headers, _ = await browser(town, "周敏")
    first = Workplace(place=1, href="/goods", icon="gift", word="借还", who="keepers")
    with also(Capability(name="lending", package="timebank.shop", workplaces=(first,))):
        assert (await client.get("/work", headers=headers)).headers["location"] == "/goods"
        assert "借还" in (await client.get("/preferences", headers=headers)).text


async def test_a_county_administrator_chooses_a_community_and_lands_in_its_panel(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "吴昊")
    listed = (await client.get("/communities", headers=headers)).text
    assert str(town.communities[SPRING]) in listed
    form = {"_csrf": csrf, "community": str(town.communities[SPRING]), "next": "/work"}
    chosen = await client.post("/preferences", headers=headers, data=form)
    assert chosen.headers["location"] == "/work"
    there = {"Cookie": f"{headers['Cookie']}; {COMMUNITY_COOKIE}={cookies(chosen)[COMMUNITY_COOKIE].value}"}
    assert (await client.get("/work", headers=there)).headers["location"] == "/admin"
    assert SPRING in (await client.get("/admin", headers=there)).text


async def test_nobody_chooses_a_community_beyond_their_reach(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    listed = (await client.get("/communities", headers=headers)).text
    assert str(town.communities[PHOENIX]) in listed
    assert str(town.communities[SPRING]) not in listed
    form = {"_csrf": csrf, "community": str(town.communities[SPRING]), "next": "/work"}
    assert COMMUNITY_COOKIE not in cookies(await client.post("/preferences", headers=headers, data=form))
