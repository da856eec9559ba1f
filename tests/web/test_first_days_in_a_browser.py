"""First use in a browser: a newly founded community, and residents who have never signed in."""

import asyncio
import json
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page

from tests.browser_path import browser_path, why_not
from tests.support.hands import (
    PANEL,
    PASSWORD,
    PHONE,
    Camera,
    chromium,
    follow,
    picture,
    press,
    reads,
    screen,
    signed_in,
)
from tests.support.ledger_sums import problems_of
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.cards.cards import issue_card
from timebank.core import clock, vault
from timebank.core.scope import Scope
from timebank.http.callers import SESSION_COOKIE
from timebank.ledger.statement import balances
from timebank.overview.reminding import remind_deciders

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

ADMIN_PHONE, RESIDENT_PHONE, NEW_PHONE = "19900017001", "19900017002", "19900017003"


async def command(service: Service, *words: str, typed: str = "") -> str:
    """Run a command of the operator, which must succeed. Returns its standard output."""
    environment = os.environ | {
        "TIMEBANK_DATABASE_URL": service.database_url, "TIMEBANK_SECRET_KEY": service.secret_key,
        "TIMEBANK_BASE_URL": service.base_url,
    }  # fmt: skip
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timebank", *words, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    )
    told, wrong = await process.communicate(typed.encode())
    assert process.returncode == 0, wrong.decode()
    return told.decode()


# ------------------------------------------------------------------------------------------ a new town on its first day


async def test_a_new_town_goes_from_its_first_command_to_its_first_credit_in_a_day(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    made = await command(
        service, "create-admin", "--county", "望江县", "--street", "滨江街道", "--community", "望江社区",
        "--name", "秦岚", "--phone", ADMIN_PHONE, "--password-stdin", "--json", typed=PASSWORD,
    )  # fmt: skip
    assert json.loads(made)
    community = Scope.of_system(
        UUID(bytes=(await owner.fetchval("SELECT id FROM region WHERE name = '望江社区'")).bytes)
    )
    camera = Camera(tmp_path)
    async with chromium(camera) as browser:
        panel = await signed_in(browser, service, PANEL, ADMIN_PHONE)
        await panel.goto("/admin")
        await reads(panel, "第一天，从这里开始", "第一次入账以前，规则由您一个人定")
        await picture(panel, "story_e_first_home")
        await she_sets_the_rules_alone(panel)
        wall = await a_station_with_its_wall(browser, service, panel)
        phone = await a_resident_with_a_code(browser, service, panel)
        await scans_the_wall(phone, wall, camera, "签到")
        await owner.execute(
            "UPDATE visit SET in_at = in_at - $1::interval WHERE community_id = $2 AND status = 'open'",
            timedelta(hours=2), community.community_id,
        )  # fmt: skip
        await scans_the_wall(phone, wall, camera, "签退")
        await reads(phone, "20")
        await picture(phone, "story_e_first_credit")
        resident = await owner.fetchval("SELECT id FROM person WHERE name = '林秀兰'")
        assert (await balances(community, UUID(bytes=resident.bytes), [])).points.available == 20

        await what_she_set_alone_is_listed(panel, service)
        await what_loosens_waits_from_now_on(panel, service)
    assert await problems_of(owner) == []


async def she_sets_the_rules_alone(panel: Page) -> None:
    await panel.goto("/admin/policies")
    await follow(panel, "善行和荣誉时数的公示天数")
    await panel.get_by_label("改成（天）").fill("3")
    await press(panel, "保存")
    await reads(panel, "已保存。", "3 天")
    await panel.goto("/admin/rules")
    await follow(panel, "添加善行规则")
    await panel.get_by_label("名称").fill("调解邻里纠纷")
    await panel.get_by_label("积多少分").fill("10")
    await press(panel, "添加")
    await panel.goto("/admin/rules")
    await reads(panel, "调解邻里纠纷")
    await picture(panel, "story_e_rules")


async def a_station_with_its_wall(browser: Browser, service: Service, panel: Page) -> Page:
    await panel.goto("/admin/stations/new")
    await panel.get_by_label("名称").fill("望江驿站")
    await panel.get_by_label("开门时间").fill("00:00")
    await panel.get_by_label("关门时间").fill("00:00")
    await press(panel, "添加")
    await reads(panel, "已添加。现在给它配一块显示签到码的屏幕。")
    await panel.get_by_label("设备名称").fill("门口大屏")
    await press(panel, "登记并取配对链接")
    link = await panel.get_by_label("链接", exact=True).input_value()
    await picture(panel, "story_e_pairing")
    wall = await screen(browser, service, PANEL)
    await wall.goto(link)
    await press(wall, "配对这台设备")
    await wall.locator("[data-turning-image]").wait_for()
    return wall


async def a_resident_with_a_code(browser: Browser, service: Service, panel: Page) -> Page:
    """An administrator registers a resident and gives a sign-in code, with which the resident signs in on a phone and
    sets a password. Returns the page on that phone."""
    await panel.goto("/admin/people/new")
    await panel.get_by_label("姓名", exact=True).fill("林秀兰")
    await panel.get_by_label("手机号").fill(RESIDENT_PHONE)
    await panel.get_by_label("出生日期").fill("1962-04-09")
    await press(panel, "保存")
    await reads(panel, "已登记。")
    return await signs_in_for_the_first_time(browser, service, RESIDENT_PHONE, await code_from_the_panel(panel))


async def code_from_the_panel(panel: Page) -> str:
    """Press the button on the person's page, which must be open. Returns the sign-in code that it shows."""
    await follow(panel, "身份与登录")
    await press(panel, "给登录码")
    return (await panel.locator(".code-number").inner_text()).replace(" ", "")


async def code_from_the_counter(keeper: Page, number: str) -> str:
    """Ask at the counter for a sign-in code for the person who is open there. Returns the code that it shows."""
    await keeper.locator("summary", has_text="给登录码").click()
    await keeper.get_by_label("手机号或身份证号后四位").fill(number[-4:])
    await press(keeper, "给登录码")
    return (await keeper.locator(".code-number").inner_text()).replace(" ", "")


async def signs_in_for_the_first_time(
    browser: Browser, service: Service, number: str, code: str, password: str = PASSWORD
) -> Page:
    phone = await screen(browser, service, PHONE)
    await phone.goto("/sign-in")
    await follow(phone, "第一次登录，或忘了密码：用登录码")
    await phone.get_by_label("手机号").fill(number)
    await phone.get_by_label("登录码").fill(code)
    await press(phone, "登录")
    await reads(phone, "设一个密码")
    await phone.get_by_label("新密码").fill(password)
    await phone.get_by_label("再输一遍").fill(password)
    await press(phone, "保存密码")
    await phone.wait_for_url(service.base_url + "/")
    return phone


async def scans_the_wall(phone: Page, wall: Page, camera: Camera, verb: str) -> None:
    await camera.stands_before(wall)
    await phone.goto("/")
    await phone.get_by_role("link", name=re.compile("扫一扫")).first.click()
    await phone.wait_for_url("**/c/**")
    await press(phone, verb)
    await reads(phone, f"已{verb}")


async def what_she_set_alone_is_listed(panel: Page, service: Service) -> None:
    await panel.goto("/admin/agreements")
    await reads(panel, "一个人定下、请另一人看过的", "调解邻里纠纷", "系统管理员（在服务器上运行 timebank confirm）")
    await picture(panel, "story_e_set_alone")
    assert "调解邻里纠纷" in await command(service, "confirm", "--community", "望江社区")
    await command(service, "confirm", "--community", "望江社区", "--seen")
    await panel.goto("/admin/agreements")
    await reads(panel, "没有等另一人确认的事")


async def what_loosens_waits_from_now_on(panel: Page, service: Service) -> None:
    await panel.goto("/admin/policies/notice_days")
    await panel.get_by_label("改成（天）").fill("1")
    await press(panel, "保存")
    await reads(panel, "已提交。另一个人同意后才生效，现在还没有改。", "系统管理员（在服务器上运行 timebank confirm）")
    [waits] = json.loads(await command(service, "confirm", "--community", "望江社区", "--json"))
    await command(service, "confirm", waits["id"])
    await panel.goto("/admin/policies/notice_days")
    await reads(panel, "现在 1 天")


# ------------------------------------------------------------------------- a mother whose phone was stolen


async def test_a_mother_whose_phone_was_stolen_is_back_the_same_day(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    await town.credit_deed("张桂兰", 40)
    async with chromium() as browser:
        stolen = await signed_in(browser, service, PHONE, town.phones["张桂兰"])
        panel = await signed_in(browser, service, PANEL, town.phones["赵丽"])
        await panel.goto("/admin/people")
        await follow(panel, "张桂兰")
        await follow(panel, "更正登记")
        await panel.get_by_label("手机号").fill(NEW_PHONE)
        await panel.get_by_label("更正的依据").fill("手机被偷，带身份证来换号")
        await press(panel, "保存")
        await reads(panel, "已更正。")

        await stolen.goto("/")
        await reads(stolen, "这个手机号不再能登录")
        assert await stolen.get_by_text("40", exact=True).count() == 0, "the thief sees nothing of hers any more"
        await stolen.goto("/me/code")
        assert await stolen.locator("[data-turning-image]").count() == 0
        await picture(stolen, "story_d_stolen")

        code = await code_from_the_panel(panel)
        await picture(panel, "story_d_code")
        hers = await signs_in_for_the_first_time(browser, service, NEW_PHONE, code, "新手机新密码-2026")
        await reads(hers, "40")
        await picture(hers, "story_d_home")
        await reads(hers, "花费要等到", "或请另一位工作人员确认是您本人")
        await panel.goto("/admin/agreements")
        await reads(panel, "请确认是本人，才能花费", "由别人确认")
        await hers.goto("/goods")
        await follow(hers, "香皂")
        await press(hers, "预留")
        await reads(hers, "这个账号刚开通或刚换了手机号")
        await picture(hers, "story_d_rests")
        await the_keeper_confirms(browser, service, town, "张桂兰", NEW_PHONE)
        await hers.goto("/goods")
        await follow(hers, "香皂")
        await press(hers, "预留")
        await hers.wait_for_url("**/redemptions/**")
        points = (await balances(town.system(), town.people["张桂兰"], [])).points
        assert (points.available, points.held) == (32, 8)

        thief = await screen(browser, service, PHONE)
        await thief.goto("/sign-in")
        await thief.get_by_label("手机号").fill(town.phones["张桂兰"])
        await thief.get_by_label("密码").fill(PASSWORD)
        await press(thief, "登录")
        await thief.goto("/me/code")
        assert await thief.locator("[data-turning-image]").count() == 0
    assert await problems_of(owner) == []


async def the_keeper_confirms(browser: Browser, service: Service, town: Town, name: str, number: str) -> None:
    """The keeper, as the second person, confirms this resident's login on the counter's page with the own phone."""
    keeper = await signed_in(browser, service, PHONE, town.phones["周敏"])
    await found_by_the_keeper(keeper, town, name, number)
    await reads(keeper, "手机上的花费要等到")
    await picture(keeper, "story_d_keeper")
    await press(keeper, "是本人，可以花费")
    await found_by_the_keeper(keeper, town, name, number)
    assert await keeper.get_by_text("手机上的花费要等到").count() == 0
    await keeper.context.close()


async def found_by_the_keeper(keeper: Page, town: Town, name: str, number: str) -> None:
    await keeper.goto(f"/desk?station={town.stations['暖蜂驿站']}")
    await keeper.get_by_text("没带手机和卡").first.click()
    await keeper.get_by_label("姓名", exact=True).fill(name)
    await keeper.get_by_label("手机后四位").fill(number[-4:])
    await press(keeper, "查找")
    await reads(keeper, name)


# ------------------------------------------------------------------- two thousand residents who have never signed in


async def two_thousand_residents(owner: asyncpg.Connection, town: Town) -> list[UUID]:
    """Add 2,000 residents who have a phone, a card issued by 周敏 and no login. Returns their ids."""
    phones = [f"1992{number:07}" for number in range(2000)]
    ids = [clock.new_id() for _ in phones]
    await owner.execute(
        "WITH born AS (INSERT INTO person (community_id, id, name, name_key, pinyin, sex, born_on, phone_sealed, "
        "phone_index, phone_last4, publishes_name, status, code_epoch, created_at) "
        "SELECT $1, n.id, n.name, n.name, 'aa', '女', '1960-01-01', n.sealed, n.at, n.last4, false, 'active', 1, now() "
        "FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::text[]) AS n (id, name, sealed, at, last4) "
        "RETURNING id) INSERT INTO card (community_id, id, person_id, epoch, issued_at, issued_by, issued_by_login) "
        "SELECT $1, gen_random_uuid(), id, 1, now(), $7, $8 FROM born",
        town.community, ids, [f"居民{number:04}" for number in range(2000)],
        [vault.seal(phone, "phone") for phone in phones], [vault.blind_index(phone, "phone") for phone in phones],
        [phone[-4:] for phone in phones], town.people["周敏"], town.logins["周敏"],
    )  # fmt: skip
    await owner.execute("ANALYZE person, card")
    return ids


async def test_two_thousand_residents_sign_in_for_the_first_time_by_a_code_from_the_counter(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    for name in ("赵丽", "周敏"):
        await set_password(town.logins[name], town.phones[name], PASSWORD)
    await two_thousand_residents(owner, town)
    async with chromium() as browser:
        keeper = await signed_in(browser, service, PHONE, town.phones["周敏"])
        for number in (7, 1234, 1999):
            phone = f"1992{number:07}"
            await found_by_the_keeper(keeper, town, f"居民{number:04}", phone)
            code = await code_from_the_counter(keeper, phone)
            home = await signs_in_for_the_first_time(browser, service, phone, code)
            await reads(home, f"居民{number:04}", "花费要等到")
            await home.context.close()
        panel = await signed_in(browser, service, PANEL, town.phones["赵丽"])
        await panel.goto("/admin")
        await reads(panel, "等确认是本人的账号")
        await panel.goto("/admin/agreements")
        for number in (7, 1234, 1999):
            await panel.get_by_label(f"选中居民{number:04}").check()
        await picture(panel, "story_f_rests")
        await press(panel, "选中的是本人")
        await reads(panel, "已确认。", "没有等另一人确认的事")
        await panel.goto("/admin/people")
        assert await panel.locator("tbody tr").count() == 50, "the list is read page by page"
        await panel.goto("/admin/presence")
        await reads(panel, "共 2,000 张")
        await picture(panel, "story_f_cards")
        await press(panel, "核对选中的卡")
        await reads(panel, "已核对 200 张卡。", "共 1,800 张")
        await panel.goto("/admin/agreements")
        await reads(panel, "没有等另一人确认的事")
    assert await owner.fetchval("SELECT count(*) FROM card WHERE confirmed_at IS NOT NULL") == 200


async def they_rest(owner: asyncpg.Connection, town: Town, ids: list[UUID]) -> None:
    """Start a spending rest for these people, caused by a sign-in code of the keeper, which another person must end."""
    await owner.execute(
        "INSERT INTO spending_rest (community_id, id, person_id, login_id, cause, since, until, by_login) "
        "SELECT $1, gen_random_uuid(), n.id, $2, 'code', now(), now() + interval '72 hours', $3 "
        "FROM unnest($4::uuid[]) AS n (id)",
        town.community, town.logins["王建国"], town.logins["周敏"], ids,
    )  # fmt: skip


async def test_pages_of_two_thousand_residents_take_no_more_statements_than_those_of_a_dozen(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}
    taken: list[str] = []
    execute = asyncpg.connection.Connection._execute  # type: ignore[attr-defined]  # not in its stubs

    async def counted(self: asyncpg.Connection, query: str, *values: Any, **named: Any) -> Any:
        taken.append(query)
        return await execute(self, query, *values, **named)

    monkeypatch.setattr(asyncpg.connection.Connection, "_execute", counted)

    async def statements_of(path: str) -> int:
        assert (await client.get(path, headers=cookie)).status_code == 200
        taken.clear()
        assert (await client.get(path, headers=cookie)).status_code == 200
        assert taken, path
        return len(taken)

    await issue_card(await town.scope("周敏"), town.people["王建国"])
    await they_rest(owner, town, [town.people["王建国"]])
    paths = ("/admin", "/admin/people", "/admin/presence", "/admin/agreements", "/admin/confirmations")
    few = [await statements_of(path) for path in paths]
    await they_rest(owner, town, await two_thousand_residents(owner, town))
    many = [await statements_of(path) for path in paths]
    assert all(later <= before for later, before in zip(many, few, strict=True)), (few, many)
    taken.clear()
    await remind_deciders(town.system())
    assert len(taken) < 60, "a reminder does not look at residents one by one"
