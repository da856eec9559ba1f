"""Attempts to take over an account leave its balance unchanged; rightful owners can spend once staff confirm them."""

import asyncio
import re
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.imports.files.test_workbooks import xlsx
from tests.support.messages import texts
from tests.support.presence import body, card, personal_code
from tests.support.shop import API, Browser, key, points_of, wish
from tests.support.town import PHOENIX, SPRING, Town, operating
from timebank.access.sign_in.logins import set_password
from timebank.core import clock
from timebank.http.callers import SESSION_COOKIE

PASSWORD = "一句好记的话-2026"
NEW_PHONE = "19900009999"
Headers = dict[str, str]


class World:
    """Sends requests as any person, and reads a person's messages."""

    def __init__(self, town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
        self.town, self.client, self.owner = town, client, owner

    async def ask(
        self, method: str, path: str, headers: Headers | str | None, status: int, json: Any = None, **more: Any
    ) -> Any:
        """Send a request and check its status; a name instead of headers opens a new session of that person."""
        sent = await self.town.sign_in(headers) if isinstance(headers, str) else headers
        answer = await self.client.request(method, API + path, headers=sent, json=json, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def opened(self, phone: str, status: int = 201, **proof: str) -> Headers:
        """Sign in by `otp` or `password`; return the session's header, which is empty after a refusal."""
        told = await self.ask("POST", "/sessions", None, status, {"phone": phone} | proof)
        return {"Authorization": f"Bearer {told['token']}"} if status == 201 else {}

    async def code(
        self, giver: Headers | str, name: str, status: int = 201, told: dict[str, str] | None = None
    ) -> str:  # fmt: skip
        """Request a sign-in code; return it, or the error code of the refusal."""
        address = f"/people/{self.town.people[name]}/sign-in-code"
        answer = await self.ask("POST", address, giver, status, told)
        return str(answer["code"])

    async def spend(self, headers: Headers, name: str, status: int, good: str = "香皂") -> Any:
        return await self.ask("POST", "/redemptions", headers | key(), status, wish(self.town, name, good))

    async def me(self, headers: Headers) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("GET", "/me", headers, 200)
        return found

    async def enter(self, admin: str, name: str, phone: str) -> UUID:
        """Enter a person in the administrator's community; the town's name for the record is `name@admin`."""
        made = await self.ask("POST", "/people", admin, 201, {"name": name, "phone": phone})
        self.town.people[f"{name}@{admin}"], self.town.home[f"{name}@{admin}"] = UUID(made["id"]), self.town.home[admin]
        return UUID(made["id"])

    async def told(self, name: str, kind: str) -> list[str]:
        return await texts(self.owner, "person_id = $1 AND kind = $2", self.town.people[name], kind)


@pytest.fixture
async def world(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> World:
    """Give 张桂兰 100 points and a password."""
    await town.give_points("张桂兰", 100)
    async with operating():
        await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    return World(town, client, owner)


# ------------------------------------------------------------------------------------------- another community's staff


async def test_another_communitys_administrator_opens_nothing_of_a_resident_by_her_phone(world: World) -> None:
    """何静 of 龙泉 enters the phone of 张桂兰 of 凤凰, gives a code for it, signs in, and tries to spend."""
    town, phone = world.town, world.town.phones["张桂兰"]
    await world.enter("何静", "张桂兰", phone)
    headers = await world.opened(phone, otp=await world.code("何静", "张桂兰@何静"))
    persons = (await world.me(headers))["persons"]
    assert [p["community_id"] for p in persons] == [str(town.communities[SPRING])]
    there = headers | {"X-Community-Id": str(town.community)}
    await world.ask("GET", f"/me/balances?person_id={town.people['张桂兰']}", there, 404)
    await world.ask("POST", "/redemptions", there | key(), 404, wish(town, "张桂兰", "香皂"))
    refused = await world.ask("POST", "/me/password", headers, 403, {"password": "何静设的密码-2026"})
    assert refused["code"] == "password_elsewhere"
    assert await points_of(town, "张桂兰") == (100, 0)
    assert any("龙泉社区" in text for text in await world.told("张桂兰", "sign_in_code"))
    await world.opened(phone, password=PASSWORD)


async def test_a_code_of_another_community_agrees_to_nothing(world: World) -> None:
    town, phone = world.town, world.town.phones["张桂兰"]
    there = await world.enter("何静", "张桂兰", phone)
    headers = await world.opened(phone, otp=await world.code("何静", "张桂兰@何静"))
    address = f"/me/memberships/{town.communities[SPRING]}/{there}"
    for decision in ("agree", "decline"):
        refused = await world.ask("POST", address, headers, 403, {"decision": decision})
        assert refused["code"] == "membership_unproved"
    joined = await world.owner.fetchval("SELECT count(*) FROM membership WHERE person_id = $1", there)
    assert joined == 0


async def test_a_roster_with_somebody_elses_phone_waits_for_its_holder(world: World) -> None:
    """何静 imports a roster of 龙泉 that holds the phone of 张桂兰 of 凤凰."""
    town, phone = world.town, world.town.phones["张桂兰"]
    headings: list[object] = ["姓名", "手机号", "楼栋", "单元", "房号"]
    await imported(world, "何静", headings, ["张桂兰", phone, "1栋", "1单元", "301"])
    found = await world.owner.fetchrow(
        "SELECT p.id, q.login_id FROM person p JOIN membership_question q ON q.person_id = p.id "
        "WHERE p.community_id = $1", town.communities[SPRING],
    )  # fmt: skip
    assert found is not None
    assert found["login_id"] == town.logins["张桂兰"]
    assert await world.owner.fetchval("SELECT count(*) FROM membership WHERE person_id = $1", found["id"]) == 0


async def test_a_workbook_gives_a_known_resident_no_second_phone(world: World) -> None:
    """赵丽 imports the name and the date of birth of 张桂兰 with a second phone of her own."""
    town = world.town
    headings: list[object] = ["姓名", "手机号", "出生日期", "楼栋", "单元", "房号"]
    await imported(world, "赵丽", headings, ["张桂兰", NEW_PHONE, "1958-03-12", "3栋", "1单元", "101"])
    held = await world.owner.fetchval("SELECT count(*) FROM person WHERE name = '张桂兰'")
    logins = await world.owner.fetch("SELECT login_id FROM membership WHERE person_id = $1", town.people["张桂兰"])
    assert held == 1, "known by name and birth"
    assert [row["login_id"] for row in logins] == [town.logins["张桂兰"]]
    assert await points_of(town, "张桂兰") == (100, 0)


async def imported(world: World, name: str, *rows: list[object]) -> None:
    report = await send_as(world.client, await world.town.sign_in(name), xlsx(*rows))
    assert report["accepted"] == 1, report


async def send_as(client: httpx.AsyncClient, headers: Headers, content: bytes) -> dict[str, Any]:
    """Import a roster as the caller; return the report."""
    answer = await client.post(
        f"{API}/imports/residents", headers=headers, data={"dry_run": "false"}, files={"file": ("册.xlsx", content)}
    )
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


# -------------------------------------------------------------------------------------------------------------- keepers


async def test_a_keeper_without_a_scan_gives_nobody_who_has_signed_in_a_code(world: World) -> None:
    assert await world.code("周敏", "张桂兰", 422) == "code_needs_presence"
    known = {"name": "张桂兰", "last4": world.town.phones["张桂兰"][-4:]}
    assert await world.code("周敏", "张桂兰", 422, known) == "not_first_sign_in"
    assert await world.code("陈明", "张桂兰", 422, known) == "not_first_sign_in"
    assert await world.owner.fetchval("SELECT count(*) FROM one_time_code") == 0


async def test_a_keepers_own_print_of_a_card_is_no_proof(world: World) -> None:
    """周敏 prints a card of an absent resident and scans it herself."""
    town = world.town
    made = await world.ask("POST", f"/people/{town.people['张桂兰']}/card", "周敏", 201)
    sent = body(made["url"], station_id=str(town.stations["暖蜂驿站"]))
    await world.ask("POST", "/checkins", "周敏", 200, sent)
    assert await world.code("周敏", "张桂兰", 422) == "code_needs_presence"


async def test_a_scan_is_old_after_five_minutes_and_counts_at_its_own_station(world: World) -> None:
    town, owner = world.town, world.owner
    sent = body(await card(town, owner, "张桂兰"), station_id=str(town.stations["暖蜂驿站"]))
    await world.ask("POST", "/checkins", "周敏", 200, sent)
    await owner.execute("UPDATE scan SET station_id = $1", town.stations["慈善超市"])
    assert await world.code("周敏", "张桂兰", 422) == "code_needs_presence"
    await owner.execute("UPDATE scan SET station_id = $1, received_at = received_at - interval '301 seconds'",
                        town.stations["暖蜂驿站"])  # fmt: skip
    assert await world.code("周敏", "张桂兰", 422) == "code_needs_presence"
    await owner.execute("UPDATE scan SET received_at = received_at + interval '60 seconds'")
    headers = await world.opened(town.phones["张桂兰"], otp=await world.code("周敏", "张桂兰"))
    await world.spend(headers, "张桂兰", 201)


async def test_a_keeper_who_knows_name_and_digits_spends_nothing_as_somebody_who_never_signed_in(world: World) -> None:
    """欧阳凯伟 has points and has never signed in; the keeper signs in as him."""
    town = world.town
    await town.give_points("欧阳凯伟", 100)
    guessed = {"name": "欧阳凯伟", "last4": "0000"}
    assert await world.code("周敏", "欧阳凯伟", 422, guessed) == "not_called_so"
    known = {"name": "欧阳凯伟", "last4": town.phones["欧阳凯伟"][-4:]}
    headers = await world.opened(town.phones["欧阳凯伟"], otp=await world.code("周敏", "欧阳凯伟", told=known))
    assert (await world.spend(headers, "欧阳凯伟", 403))["code"] == "spending_rests"
    given = {"person_id": str(town.people["欧阳凯伟"]), "points": 5, "note": ""}
    await world.ask("POST", "/donations", headers | key(), 403, given)
    # Spending stays blocked after a new password, the keeper's own confirmation, and a scan of the personal code.
    await world.ask("POST", "/me/password", headers, 204, {"password": PASSWORD})
    later = await world.opened(town.phones["欧阳凯伟"], password=PASSWORD)
    await world.spend(later, "欧阳凯伟", 403)
    address = f"/agreements/logins/{town.people['欧阳凯伟']}"
    assert (await world.ask("POST", address, "周敏", 403))["code"] == "not_independent"
    sent = body(personal_code(town, "欧阳凯伟"), station_id=str(town.stations["暖蜂驿站"]))
    await world.ask("POST", "/checkins", "赵丽", 200, sent)
    taken = wish(town, "欧阳凯伟", "香皂", collect_now=True, presence=sent["nonce"])
    assert (await world.ask("POST", "/redemptions", await town.sign_in("赵丽") | key(), 403, taken))["code"] == (
        "spending_rests"
    )
    assert await points_of(town, "欧阳凯伟") == (100, 0)


async def test_whoever_took_a_login_over_collects_nothing_that_was_reserved_before(world: World) -> None:
    town = world.town
    await town.give_points("欧阳凯伟", 100)
    held = await world.spend(await town.sign_in("欧阳凯伟"), "欧阳凯伟", 201)
    headers = await world.opened(town.phones["欧阳凯伟"], otp=await world.code("赵丽", "欧阳凯伟"))
    shown = await world.ask("GET", f"/redemptions/{held['id']}", headers, 200)
    handed = await world.ask(
        "POST", f"/redemptions/{held['id']}/collection", await town.sign_in("周敏") | key(), 403,
        {"code": shown["code"]},
    )  # fmt: skip
    assert handed["code"] == "spending_rests"
    assert await points_of(town, "欧阳凯伟") == (92, 8)


# ------------------------------------------------------------------------------------------------------- administrators


async def test_an_administrator_who_moves_a_phone_spends_nothing_by_it(world: World) -> None:
    """赵丽 changes the phone of 张桂兰 to one of her own, gives a code for it, and tries to spend."""
    town = world.town
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    headers = await world.opened(NEW_PHONE, otp=await world.code("赵丽", "张桂兰"))
    assert (await world.spend(headers, "张桂兰", 403))["code"] == "spending_rests"
    await world.ask("POST", f"/agreements/logins/{town.people['张桂兰']}", "赵丽", 403)
    assert await points_of(town, "张桂兰") == (100, 0)
    assert await world.told("张桂兰", "phone_changed") != []


async def test_an_administrators_own_second_login_does_not_confirm_what_the_administrator_did(world: World) -> None:
    """赵丽 signs in as the keeper by a code and, as the keeper, tries to confirm the phone that she changed."""
    town = world.town
    keeper = await world.opened(town.phones["周敏"], otp=await world.code("赵丽", "周敏"))
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    address = f"/agreements/logins/{town.people['张桂兰']}"
    assert (await world.ask("POST", address, keeper, 403))["code"] == "not_independent"
    headers = await world.opened(NEW_PHONE, otp=await world.code("赵丽", "张桂兰"))
    await world.spend(headers, "张桂兰", 403)


async def test_a_keeper_whose_phone_an_administrator_moved_is_no_second_person(world: World) -> None:
    town, second = world.town, "19900008888"
    await world.ask("PATCH", f"/people/{town.people['周敏']}", "赵丽", 200, {"phone": second})
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    keeper = await world.opened(second, otp=await world.code("赵丽", "周敏"))
    address = f"/agreements/logins/{town.people['张桂兰']}"
    assert (await world.ask("POST", address, keeper, 403))["code"] == "not_independent"


async def test_an_administrators_word_opens_a_login_that_spends_nothing(world: World) -> None:
    town = world.town
    headers = await world.opened(town.phones["张桂兰"], otp=await world.code("赵丽", "张桂兰"))
    await world.spend(headers, "张桂兰", 403)
    assert await points_of(town, "张桂兰") == (100, 0)
    await world.ask("POST", f"/agreements/logins/{town.people['张桂兰']}", "周敏", 204)
    await world.spend(headers, "张桂兰", 201)


async def test_the_phone_of_somebody_before_opens_nothing_of_its_next_holder(world: World) -> None:
    """The old number of 张桂兰 now belongs to another resident: her password and her session are refused."""
    town, phone = world.town, world.town.phones["张桂兰"]
    old = await world.opened(phone, password=PASSWORD)
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    await world.enter("赵丽", "郑强", phone)
    await world.opened(phone, 401, password=PASSWORD)
    await world.ask("GET", "/me", old, 401)


# ----------------------------------------------------------------------------------------------------- rightful owners


async def test_a_first_sign_in_at_the_counter_checks_in_and_spends_after_one_tap(world: World) -> None:
    town = world.town
    await town.give_points("欧阳凯伟", 100)
    known = {"name": "欧阳凯伟", "last4": town.phones["欧阳凯伟"][-4:]}
    headers = await world.opened(town.phones["欧阳凯伟"], otp=await world.code("周敏", "欧阳凯伟", told=known))
    [person] = (await world.me(headers))["persons"]
    assert person["rests_until"] is not None
    assert "花费要等到" in await Browser(world.client, headers["Authorization"][7:]).see("/")
    await world.ask("GET", f"/me/balances?person_id={town.people['欧阳凯伟']}", headers, 200)
    sent = body(personal_code(town, "欧阳凯伟"), station_id=str(town.stations["暖蜂驿站"]))
    assert (await world.ask("POST", "/checkins", "周敏", 200, sent))["status"] == "ok"
    [waits] = (await world.ask("GET", "/agreements/resting", "赵丽", 200))["items"]
    assert (waits["name"], waits["cause"]) == ("欧阳凯伟", "code")
    panel = Browser(world.client, await town.token("赵丽"))
    assert "欧阳凯伟" in await panel.see("/admin/agreements")
    assert (await panel.send(f"/admin/agreements/logins/{town.people['欧阳凯伟']}")).status_code == 303
    assert (await world.ask("GET", "/agreements/resting", "赵丽", 200))["items"] == []
    await world.spend(headers, "欧阳凯伟", 201)
    assert len(await world.told("欧阳凯伟", "login_confirmed")) == 1


async def test_a_keeper_gives_the_code_on_the_counters_page(world: World) -> None:
    """For a first sign-in the page needs the phone's last four digits; after a scan of the card it does not."""
    town, owner = world.town, world.owner
    desk, here = Browser(world.client, await town.token("周敏")), str(town.stations["暖蜂驿站"])
    found = await desk.send("/desk/people", station_id=here, name="欧阳凯伟", phone_last4=town.phones["欧阳凯伟"][-4:])
    assert "/desk/sign-in-code" in found.text
    asked = {"station_id": here, "person_id": town.people["欧阳凯伟"], "name": "欧阳凯伟"}
    assert (await desk.send("/desk/sign-in-code", **asked)).status_code == 422
    given = await desk.send("/desk/sign-in-code", **asked, last4=town.phones["欧阳凯伟"][-4:])
    assert "72 小时内不能花费" in given.text
    await world.ask("POST", "/checkins", "周敏", 200, body(await card(town, owner, "张桂兰"), station_id=here))
    given = await desk.send("/desk/sign-in-code", station_id=here, person_id=town.people["张桂兰"], name="张桂兰")
    [digits] = re.findall(r"code-number\">(\d{3} \d{3})<", given.text)
    assert "72 小时" not in given.text
    headers = await world.opened(town.phones["张桂兰"], otp=digits.replace(" ", ""))
    await world.spend(headers, "张桂兰", 201)


async def test_two_communities_that_enter_one_new_phone_at_once_ask_for_one_of_them(world: World) -> None:
    for number in range(8):
        phone = f"1990000{5000 + number}"
        await asyncio.gather(world.enter("赵丽", "郑强", phone), world.enter("何静", "郑强", phone))
        entered = [world.town.people["郑强@赵丽"], world.town.people["郑强@何静"]]
        joined = await world.owner.fetchval("SELECT count(*) FROM membership WHERE person_id = ANY ($1)", entered)
        waits = await world.owner.fetchval(
            "SELECT count(*) FROM membership_question WHERE person_id = ANY ($1)", entered
        )
        assert (joined, waits) == (1, 1)


async def test_after_three_days_nobody_needs_to_confirm(world: World) -> None:
    town = world.town
    headers = await world.opened(town.phones["张桂兰"], otp=await world.code("赵丽", "张桂兰"))
    await world.owner.execute("UPDATE spending_rest SET until = $1", clock.now())
    await world.spend(headers, "张桂兰", 201)


async def test_who_has_nothing_to_spend_is_signed_in_by_an_administrator_without_a_rest(world: World) -> None:
    """李秀英 has no points, so a code from the administrator blocks no spending."""
    town = world.town
    headers = await world.opened(town.phones["李秀英"], otp=await world.code("赵丽", "李秀英"))
    [person] = (await world.me(headers))["persons"]
    assert person["rests_until"] is None


async def test_a_mother_whose_phone_was_stolen_spends_within_the_day(world: World) -> None:
    """The administrator changes the number and the keeper gives a code; when both have confirmed it, she can spend."""
    town, phone = world.town, world.town.phones["张桂兰"]
    thief = await world.opened(phone, password=PASSWORD)
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    await world.ask("GET", "/me", thief, 401)
    await world.ask("POST", "/redemptions", thief | key(), 401, wish(town, "张桂兰", "香皂"))
    seen = await world.client.get("/", headers={"Cookie": f"{SESSION_COOKIE}={thief['Authorization'][7:]}"})
    assert "这个手机号不再能登录" in seen.text
    known = {"name": "张桂兰", "last4": NEW_PHONE[-4:]}
    headers = await world.opened(NEW_PHONE, otp=await world.code("周敏", "张桂兰", told=known))
    await world.spend(headers, "张桂兰", 403)
    confirmation = f"/agreements/logins/{town.people['张桂兰']}"
    await world.ask("POST", confirmation, thief, 401)
    await world.ask("POST", confirmation, "周敏", 204)
    await world.spend(headers, "张桂兰", 403)
    await world.ask("POST", confirmation, "赵丽", 204)
    await world.spend(headers, "张桂兰", 201)


async def test_a_resident_of_two_communities_agrees_on_her_home_page(world: World) -> None:
    town, phone = world.town, world.town.phones["张桂兰"]
    there = await world.enter("何静", "张桂兰", phone)
    assert (await world.ask("GET", f"/people/{there}/login", "何静", 200))["login"] == "waiting"
    assert "等手机号的主人同意" in await Browser(world.client, await town.token("何静")).see(f"/admin/people/{there}")
    headers = await world.opened(phone, password=PASSWORD)
    [asked] = (await world.me(headers))["questions"]
    assert (asked["community_name"], asked["name"]) == (SPRING, "张*")
    browser = Browser(world.client, headers["Authorization"][7:])
    assert "这条登记是您的吗" in await browser.see("/")
    data = {"community_id": str(town.communities[SPRING]), "person_id": str(there), "decision": "agree"}
    assert (await browser.send("/memberships", **data)).status_code == 303
    told = await world.me(headers)
    assert (len(told["persons"]), told["questions"]) == (2, [])
    address = f"/me/memberships/{town.communities[SPRING]}/{there}"
    await world.ask("POST", address, headers, 204, {"decision": "agree"})
    assert (await world.ask("GET", f"/people/{there}/login", "何静", 200))["login"] == "joined"
    await world.spend(headers, "张桂兰", 201)


async def test_who_declines_is_not_asked_again_and_gets_no_code_there(world: World) -> None:
    town, phone = world.town, world.town.phones["张桂兰"]
    there = await world.enter("何静", "张桂兰", phone)
    headers = await world.opened(phone, password=PASSWORD)
    address = f"/me/memberships/{town.communities[SPRING]}/{there}"
    await world.ask("POST", address, headers, 204, {"decision": "decline"})
    await world.ask("POST", address, headers, 404, {"decision": "agree"})
    await world.ask("PATCH", f"/people/{there}", "何静", 200, {"relation": "本人"})
    assert (await world.me(headers))["questions"] == []
    assert await world.code("何静", "张桂兰@何静", 409) == "holder_declined"


async def test_who_has_a_code_of_each_community_sets_one_password_for_both(world: World) -> None:
    town, phone = world.town, world.town.phones["马涛"]
    there = await world.enter("赵丽", "马涛", phone)
    await world.owner.execute("DELETE FROM membership_question WHERE person_id = $1", there)
    await world.owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.community, town.logins["马涛"], there, clock.now(),
    )  # fmt: skip
    headers = await world.opened(phone, otp=await world.code("赵丽", "马涛@赵丽"))
    assert [p["community_name"] for p in (await world.me(headers))["persons"]] == [PHOENIX]
    wanted = {"password": PASSWORD}
    assert (await world.ask("POST", "/me/password", headers, 403, wanted))["code"] == "password_elsewhere"
    page = await Browser(world.client, headers["Authorization"][7:]).see("/password")
    assert "另一个社区的登录码" in page
    wrong = await world.ask("POST", "/me/password", headers, 422, wanted | {"otp": "000000"})
    assert wrong["code"] == "wrong_second_code"
    second = await world.code("何静", "马涛")
    await world.ask("POST", "/me/password", headers, 204, wanted | {"otp": second})
    assert len((await world.me(headers))["persons"]) == 2
    await world.opened(phone, password=PASSWORD)


async def test_two_of_one_door_share_a_new_phone_without_asking(world: World) -> None:
    town = world.town
    for name in ("郑强", "郑芳"):
        await world.enter("赵丽", name, NEW_PHONE)
    pair = [town.people["郑强@赵丽"], town.people["郑芳@赵丽"]]
    found = await world.owner.fetchval("SELECT count(*) FROM membership WHERE person_id = ANY ($1)", pair)
    assert found == 2


async def test_the_list_of_those_who_rest_is_read_in_pages(world: World) -> None:
    town = world.town
    for name in ("李秀英", "欧阳凯伟", "刘洋"):
        known = {"name": name, "last4": town.phones[name][-4:]}
        held = "" if name != "李秀英" else "office_holder"
        given = await world.code("周敏", name, 403 if held else 201, known)
        if not held:
            await world.opened(town.phones[name], otp=given)
    first = await world.ask("GET", "/agreements/resting?limit=1", "赵丽", 200)
    second = await world.ask("GET", f"/agreements/resting?limit=1&cursor={first['next']}", "赵丽", 200)
    assert {first["items"][0]["name"], second["items"][0]["name"]} == {"欧阳凯伟", "刘洋"}
    assert second["next"] is None
    await world.ask("GET", "/agreements/resting", "周敏", 403)


async def test_a_code_is_told_on_every_record_of_the_login_with_its_giver(world: World) -> None:
    """One message names the code's giver, a second one says that the code was used."""
    town = world.town
    await world.opened(town.phones["张桂兰"], otp=await world.code("赵丽", "张桂兰"))
    given, used = await world.told("张桂兰", "sign_in_code")
    assert "凤凰社区" in given
    assert "赵丽" in given
    assert "凤凰社区" in used
