"""In a browser: the rules that need a second person must not lock out people who are alone or have no phone."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import asyncpg
import pytest
from PIL import Image
from playwright.async_api import Browser, Page

from tests.browser_path import browser_path, why_not
from tests.support.hands import (
    PANEL,
    PASSWORD,
    PHONE,
    TABLET,
    Camera,
    chromium,
    follow,
    picture,
    press,
    reads,
    screen,
    shot_of,
    signed_in,
)
from tests.support.ledger_sums import problems_of
from tests.support.messages import end_quiet_hours
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.access.devices import devices
from timebank.core import clock
from timebank.deeds.filing.filing import file_deed
from timebank.deeds.schemas import DeedIn
from timebank.ledger.statement import balances
from timebank.overview.reminding import remind_deciders
from timebank.policies.values import policies

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]


async def have_passwords(town: Town, *names: str) -> None:
    for name in names:
        await set_password(town.logins[name], town.phones[name], PASSWORD)


async def points_of(town: Town, name: str) -> tuple[int, int]:
    """The person's available and held points."""
    points = (await balances(town.system(), town.people[name], [])).points
    return points.available, points.held


# ----------------------------------------------------------------------------------------- a keeper alone on a Saturday


async def test_a_keeper_alone_on_a_saturday_serves_everybody_within_the_day(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    await have_passwords(town, "张桂兰", "周敏", "赵丽", "李秀英")
    for name in ("张桂兰", "李秀英", "周敏", "王建国"):
        await town.credit_deed(name, 40)
    camera = Camera(tmp_path)
    async with chromium(camera) as browser:
        tablet = await a_keeper_signs_on(browser, service, town)

        guest = await signed_in(browser, service, PHONE, town.phones["张桂兰"])
        await holds_the_own_code(guest, camera)
        await scans(tablet, "签到")
        await reads(tablet, "已签到", "张桂兰")
        await picture(tablet, "story_a_checked_in")

        buyer = await signed_in(browser, service, PHONE, town.phones["李秀英"])
        await holds_the_own_code(buyer, camera)
        await scans(tablet)
        await reads(tablet, "李秀英")
        await picture(tablet, "story_a_person")
        await tablet.get_by_role("radio", name=re.compile("抽纸")).check()
        await press(tablet, "交付并扣积分")
        await reads(tablet, "已交付", "李*")
        await follow(tablet, "下一位")
        assert await points_of(town, "李秀英") == (10, 0)

        code = await reserves(guest, town, "香皂")
        await types_the_code(tablet, code)
        await reads(tablet, "请核对是本人，再交付。")
        await press(tablet, "交付")
        await reads(tablet, "已交付", "张*")
        await follow(tablet, "下一位")
        assert await points_of(town, "张桂兰") == (32, 0)

        await somebody_without_phone_or_card_takes_soap(browser, service, town, tablet)
        await the_keeper_collects_what_is_reserved_at_home(browser, service, town, tablet)
    assert await problems_of(owner) == []


async def a_keeper_signs_on(browser: Browser, service: Service, town: Town) -> Page:
    made = await devices.register_device(
        await town.scope("赵丽"), town.stations["暖蜂驿站"], name="柜台平板", kind="counter"
    )
    tablet = await screen(browser, service, TABLET)
    await tablet.goto(f"/desk/pair/{made.pairing_code}")
    await press(tablet, "配对这台设备")
    await reads(tablet, "谁来上岗？")
    await picture(tablet, "story_a_sign_on")
    await tablet.get_by_label("手机号").fill(town.phones["周敏"])
    await tablet.get_by_label("密码").fill(PASSWORD)
    await press(tablet, "上岗")
    await reads(tablet, "等下一位居民")
    return tablet


async def holds_the_own_code(phone: Page, camera: Camera) -> None:
    await phone.goto("/me/code")
    await phone.locator("[data-turning-image]").wait_for()
    await camera.is_shown(phone.locator(".code-frame"))


async def scans(tablet: Page, verb: str = "") -> None:
    """The keeper opens the camera at the counter, which reads the code that is shown to it, and presses this button."""
    await tablet.goto("/desk")
    await press(tablet, "打开相机")
    if verb:
        await tablet.get_by_role("button", name=re.compile(f"^{verb}")).first.click()


async def reserves(phone: Page, town: Town, good: str) -> str:
    """Reserve a good on the phone. Returns its collection code."""
    await phone.goto("/goods")
    await follow(phone, good)
    await press(phone, "预留")
    await phone.wait_for_url("**/redemptions/**")
    return (await phone.locator(".code-number").inner_text()).replace(" ", "")


async def types_the_code(tablet: Page, code: str) -> None:
    await tablet.goto("/desk")
    await tablet.get_by_label("扫码枪，或输入取货码").fill(code)
    await press(tablet, "确定")
    await follow(tablet, "打开")


async def somebody_without_phone_or_card_takes_soap(
    browser: Browser, service: Service, town: Town, tablet: Page
) -> None:
    await tablet.get_by_text("没带手机和卡").click()
    await tablet.get_by_label("姓名").fill("王建国")
    await tablet.get_by_label("手机后四位").fill(town.phones["王建国"][-4:])
    await press(tablet, "查找")
    await reads(tablet, "用积分要本人的码、卡或取货码", "请另一位工作人员同意")
    await picture(tablet, "story_a_by_name")
    await tablet.get_by_role("radio", name=re.compile("香皂")).check()
    await press(tablet, "请另一位同意")
    await reads(tablet, "等另一位工作人员")
    await picture(tablet, "story_a_waits")
    assert await points_of(town, "王建国") == (40, 0)
    panel = await signed_in(browser, service, PANEL, town.phones["赵丽"])
    await panel.goto("/admin")
    await picture(panel, "story_a_panel_home")
    await follow(panel, "柜台请您同意")
    await reads(panel, "王建国", "没有带手机和卡，当场领取")
    await picture(panel, "story_a_panel_confirms")
    await press(panel, "同意，交付")
    await reads(panel, "已同意，可以交付")
    await tablet.reload()
    await reads(tablet, "赵丽已同意，可以交付")
    assert await points_of(town, "王建国") == (32, 0)


async def the_keeper_collects_what_is_reserved_at_home(
    browser: Browser, service: Service, town: Town, tablet: Page
) -> None:
    own_phone = await signed_in(browser, service, PHONE, town.phones["周敏"])
    code = await reserves(own_phone, town, "香皂")
    await types_the_code(tablet, code)
    await press(tablet, "交付")
    await reads(tablet, "不能给自己或同一户的家人交付")
    await picture(tablet, "story_a_own_refused")
    await press(tablet, "请管理员同意")
    await reads(tablet, "站长同户的预留", "等另一位工作人员")
    assert await points_of(town, "周敏") == (32, 8)
    panel = await signed_in(browser, service, PANEL, town.phones["赵丽"])
    await panel.goto("/admin/confirmations")
    await press(panel, "同意，交付")
    await reads(panel, "已同意，可以交付")
    assert await points_of(town, "周敏") == (32, 0)


# ----------------------------------------------------------------------------------- a community with one administrator


async def test_a_community_with_one_administrator_is_helped_by_the_street_on_the_same_day(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await have_passwords(town, "何静", "钱进")
    await town.credit_deed("马涛", 10)  # after a first credit, loosening a rule needs two
    async with chromium() as browser:
        alone = await signed_in(browser, service, PANEL, town.phones["何静"])
        await she_lets_deeds_hang_out_for_three_days_only(alone)
        await she_names_a_second_administrator(alone, town)
        await her_own_deed_tells_who_decides(alone, town)
        assert await notice_days_of(town, "龙泉社区") == 7
        assert await roles_of(owner, town, "马涛") == []

        await remind_deciders(town.system("龙泉社区"))  # a job of the worker that runs every minute
        await end_quiet_hours(owner)
        street = await signed_in(browser, service, PANEL, town.phones["钱进"])
        await street.goto("/messages")
        await reads(street, "龙泉社区有 2 项改动等您决定")
        await street.goto("/admin")
        await press(street, "龙泉社区")
        await picture(street, "story_b_street_home")
        await follow(street, "待另一人确认")
        await reads(street, "放宽规则", "何静")
        await picture(street, "story_b_street_decides")
        for _ in range(2):
            await press(street, "同意")
            await reads(street, "已同意，已经生效。")
            await street.goto("/admin/agreements")
        await reads(street, "没有等另一人确认的事")
        await the_street_approves_her_deed(street)
        await end_quiet_hours(owner)
        await alone.goto("/messages")
        await reads(alone, "另一个人同意了，已经办好")
    assert await notice_days_of(town, "龙泉社区") == 3
    assert await roles_of(owner, town, "马涛") == ["community_admin"]
    assert await owner.fetchval("SELECT status FROM deed WHERE person_id = $1", town.people["何静"]) == "noticed"


async def she_lets_deeds_hang_out_for_three_days_only(panel: Page) -> None:
    await panel.goto("/admin/policies")
    await follow(panel, "善行和荣誉时数的公示天数")
    await panel.get_by_label("改成（天）").fill("3")
    await press(panel, "保存")
    await reads(panel, "已提交。另一个人同意后才生效，现在还没有改。", "街道管理员钱进")
    await picture(panel, "story_b_policy_waits")


async def she_names_a_second_administrator(panel: Page, town: Town) -> None:
    await panel.goto("/admin/people")
    await follow(panel, "马涛")
    await follow(panel, "身份与登录")
    await follow(panel, "加一个身份")
    await follow(panel, "社区管理员")
    await panel.get_by_label("管哪里").select_option(label="龙泉社区")
    await press(panel, "确定")
    await reads(panel, "已提交。另一个人同意后才生效，现在还没有改。", "可以决定的人：街道管理员钱进（城关街道）")
    await picture(panel, "story_b_grant_waits")


async def her_own_deed_tells_who_decides(panel: Page, town: Town) -> None:
    area = town.areas["龙泉社区/第一网格/1栋"]
    wanted = DeedIn(
        person_id=town.people["何静"],
        rule_code="mediation",
        area_id=area,
        occurred_on=clock.local_day(),
        note="调解两家的漏水纠纷",
    )
    deed = await file_deed(await town.scope("何静"), wanted)
    await panel.goto("/admin/deeds")
    await reads(panel, "与您有关")
    await follow(panel, "调解邻里纠纷")
    await reads(panel, "请由另一位来审核", "可以决定的人：街道管理员钱进（城关街道）")
    await picture(panel, "story_b_own_deed")
    assert deed.status == "filed"


async def the_street_approves_her_deed(panel: Page) -> None:
    await panel.goto("/admin/deeds")
    await press(panel, "同意")
    await reads(panel, "已同意，开始公示。")


async def notice_days_of(town: Town, community: str) -> int:
    return (await policies(town.system(community))).notice_days


async def roles_of(owner: asyncpg.Connection, town: Town, name: str) -> list[str]:
    found = await owner.fetch(
        "SELECT role FROM role_grant WHERE person_id = $1 AND ended_at IS NULL", town.people[name]
    )
    return [row["role"] for row in found]


# -------------------------------------------------------------------------------------- an old person without a phone


async def test_an_old_person_without_a_phone_uses_a_card_from_the_counter(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    await have_passwords(town, "周敏", "赵丽")
    await owner.execute(
        "UPDATE person SET phone_index = NULL, phone_sealed = NULL, phone_last4 = NULL WHERE id = $1",
        town.people["王建国"],
    )
    await town.credit_deed("王建国", 40)
    camera = Camera(tmp_path)
    async with chromium(camera) as browser:
        tablet = await a_keeper_signs_on(browser, service, town)
        await tablet.get_by_text("没带手机和卡").click()
        await tablet.get_by_label("姓名").fill("王建国")
        await tablet.get_by_label("没有手机的，填房号").fill("201")
        await press(tablet, "查找")
        await picture(tablet, "story_c_found")
        await press(tablet, "办服务卡")
        await reads(tablet, "王建国的服务卡", "等另一位工作人员核对")
        await picture(tablet, "story_c_card")
        card = await printed(tablet)

        await remind_deciders(town.system())
        panel = await signed_in(browser, service, PANEL, town.phones["赵丽"])
        await end_quiet_hours(owner)
        await panel.goto("/messages")
        await reads(panel, "张新卡等您核对")
        await picture(panel, "story_c_told")
        await panel.goto("/admin")
        await follow(panel, "等另一位核对的卡")
        await reads(panel, "王建国", "周敏")
        await picture(panel, "story_c_confirm")
        await press(panel, "核对选中的卡")
        await reads(panel, "已核对 1 张卡。")

        camera.holds(card)
        await scans(tablet, "签到")
        await reads(tablet, "已签到", "王建国")
        await scans(tablet)
        await tablet.get_by_role("radio", name=re.compile("抽纸")).check()
        await press(tablet, "交付并扣积分")
        await reads(tablet, "已交付")
        await ago(owner, town, "王建国", hours=2)
        await scans(tablet, "签退")
        await reads(tablet, "已签退", "王建国")
        await picture(tablet, "story_c_checked_out")
    assert await points_of(town, "王建国") == (40 - 30 + 20, 0), "two hours by a confirmed card are credited at once"
    assert await problems_of(owner) == []


async def printed(tablet: Page) -> Image.Image:
    """A picture of the card as it is printed."""
    return Image.open(BytesIO(await shot_of(tablet.locator(".code-frame"))))


async def ago(owner: asyncpg.Connection, town: Town, name: str, *, hours: int) -> None:
    """Move the start of the person's open visit `hours` back."""
    moved = await owner.execute(
        "UPDATE visit SET in_at = in_at - $1::interval WHERE person_id = $2 AND status = 'open'",
        timedelta(hours=hours), town.people[name],
    )  # fmt: skip
    assert moved == "UPDATE 1"
