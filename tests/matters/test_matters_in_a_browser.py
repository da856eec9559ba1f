"""Two whole stories in a browser: a report through all levels and back, and an order that becomes minutes."""

import io
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page, ViewportSize, expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PATIENCE, PHONE, TABLET, chromium, follow, paint, press, reads
from tests.support.hands import picture as save_picture
from tests.support.matters import CONTACT, FIRM, GRID_HEAD, LEADER, POWER, grant, let_reports_earn, matters_ground
from tests.support.pictures import lying
from tests.support.presence import card
from tests.support.service import Service
from tests.support.town import PHOENIX, Town
from timebank.core import clock
from timebank.core.scope import Role
from timebank.deeds.credit import credit_due_deeds
from timebank.http.callers import SESSION_COOKIE
from timebank.ledger.statement import balances
from timebank.matters.reading.listing import list_matters
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import MattersAsked
from timebank.photos.seeing import read_photo
from timebank.service_records.crediting.notice_ends import credit_due_records

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

NARROW = ViewportSize(width=360, height=740)
REPORTER, STREET, COUNTY, ELECTRICIAN = "张桂兰", "钱进", "吴昊", "陈明"


async def fits(page: Page) -> None:
    """Assert that nothing is wider than the screen."""
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def page_of(browser: Browser, service: Service, town: Town, name: str, size: ViewportSize) -> Page:
    """A page of a device of this person, who is signed in on it."""
    context = await browser.new_context(
        viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=service.base_url, has_touch=size != PANEL
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": await town.token(name), "url": service.base_url}])
    context.set_default_timeout(PATIENCE)
    return await context.new_page()


async def reports_with_a_painted_picture(page: Page) -> None:
    """In three steps; a finger paints over a number plate in the picture before it is sent."""
    await page.goto("/")
    await follow(page, "反映")
    await fits(page)
    await follow(page, "路灯")
    await follow(page, "我家这里")
    await fits(page)
    photo = FilePayload(name="灯.jpg", mimeType="image/jpeg", buffer=lying((2400, 1800), "#FF0000"))
    await page.locator("input[type=file]").set_input_files(photo)
    await expect(page.locator("canvas")).to_have_js_property("width", 1200)  # upright, though its pixels lie
    await paint(page, 0.25, 0.5, 0.6, 0.75)
    await paint(page, 0.7, 0.1, 0.9, 0.3)
    await save_picture(page, "matter_painted_before_sending")
    await press(page, "擦掉最后一块")
    await fits(page)
    await page.get_by_label("说一句").fill("单元门口的灯不亮")
    await press(page, "送出")
    await reads(page, "收到了", "编号")
    await expect(page.get_by_role("link", name="涂掉照片里的人脸、车牌")).to_have_count(0)
    await save_picture(page, "matter_receipt")


def assert_plate_is_black(content: bytes) -> None:
    """The plate in the stored photo is black, and nothing else."""
    with Image.open(io.BytesIO(content)) as stored:
        red = stored.convert("RGB").getchannel("R")
    assert red.size == (1200, 1600)
    assert max(red.crop((310, 810, 710, 1190)).tobytes()) < 40
    for around in ((0, 0, 1200, 790), (0, 1210, 1200, 1600), (0, 0, 290, 1600), (730, 0, 1200, 1600)):
        assert min(red.crop(around).tobytes()) > 200


async def hands_up(page: Page, address: str, why: str) -> None:
    await page.goto(address)
    await follow(page, "上报上一级")
    await page.get_by_label("原因").fill(why)
    await press(page, "上报上一级")
    await reads(page, "已收到")


async def sends_to(page: Page, matter: UUID, unit: str) -> None:
    """The county's dispatcher sends it to a unit."""
    await page.goto(f"/admin/matters/{matter}?act=dispatch")
    await page.locator("#to").select_option(label=unit)
    await press(page, "派单")
    await reads(page, "已派出", unit)


async def gives_back(page: Page, address: str, why: str) -> None:
    await page.goto(address)
    await follow(page, "退回")
    await page.get_by_label("原因").fill(why)
    await press(page, "退回")
    await expect(page.locator("main")).to_contain_text("派给我们的事")


async def enters(page: Page) -> None:
    """Choose the community, as an administrator of its street or county."""
    await page.goto("/communities")
    await press(page, PHOENIX)


async def test_a_report_goes_up_to_the_county_comes_back_twice_is_done_and_earns(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await let_reports_earn(town)
    ground = await matters_ground(town, owner)
    await grant(owner, town, ELECTRICIAN, Role.unit_contact, region_id=town.street, unit_id=ground.units[POWER])
    caller = await town.scope(REPORTER)
    async with chromium() as browser:
        phone = await page_of(browser, service, town, REPORTER, NARROW)
        await reports_with_a_painted_picture(phone)
        [matter] = (await list_matters(caller, MattersAsked(mine=True))).items
        head = await page_of(browser, service, town, GRID_HEAD, PHONE)
        await head.goto("/worker")
        await reads(head, "路灯", "单元门口的灯不亮")
        await save_picture(head, "matter_grid_head_today")
        await hands_up(head, f"/worker/matters/{matter.id}", "电线不归网格")
        await fits(head)
        community = await page_of(browser, service, town, "赵丽", PANEL)
        await hands_up(community, f"/admin/matters/{matter.id}", "要供电来办")
        street = await page_of(browser, service, town, STREET, PANEL)
        await enters(street)
        await hands_up(street, f"/admin/matters/{matter.id}", "街道没有供电")
        centre = await page_of(browser, service, town, COUNTY, PANEL)
        await enters(centre)
        desks = {
            unit: await page_of(browser, service, town, contact, PHONE)
            for unit, contact in ((FIRM, CONTACT), (POWER, ELECTRICIAN))
        }
        address = f"/unit/{town.community}/{matter.id}"
        for unit in (FIRM, POWER):
            await sends_to(centre, matter.id, unit)
            await desks[unit].goto("/unit")
            await reads(desks[unit], "路灯")
            await gives_back(desks[unit], address, "不是我们的线路")
            await fits(desks[unit])
        await sends_to(centre, matter.id, FIRM)
        await save_picture(centre, "matter_final_dispatch")
        firm = desks[FIRM]
        await firm.goto(address)
        await reads(firm, "不能再退回")
        await expect(firm.get_by_role("link", name="退回", exact=True)).to_have_count(0)
        await press(firm, "接单")
        await reads(firm, "处理中")
        await phone.goto(f"/matters/{matter.id}")
        await reads(phone, FIRM)
        await firm.get_by_label("办得怎么样").fill("换好了灯泡和线")
        await press(firm, "办结")
        await reads(firm, "办好了，待确认")
        await save_picture(firm, "matter_unit_done")
        await phone.reload()
        await reads(phone, "换好了", "满意吗？")
        await fits(phone)
        await save_picture(phone, "matter_timeline")
        await phone.get_by_text("4 星 · 满意").click()
        await press(phone, "好了")
        await reads(phone, "已办结", "确认解决了")
        await centre.goto(f"/admin/matters/{matter.id}?act=confirm")
        await centre.get_by_text("属实", exact=True).first.click()
        await press(centre, "核实")
        await reads(centre, "5 分")
        await save_picture(centre, "matter_confirmed")
        await the_notice_is_over(owner, town)
        assert (await balances(town.system(), town.people[REPORTER], [])).points.available == 5
        await phone.goto("/statement")
        await phone.locator("a[href^='/statement/']").first.click()
        await follow(phone, "看这件善行")
        await follow(phone, "看是从哪件事来的")
        await reads(phone, "换好了灯泡和线")
        shown = phone.locator("img[src^='/photos/'], img[src*='photo']").first
        await shown.scroll_into_view_if_needed()
        await expect(shown).to_have_js_property("complete", value=True)
        assert await shown.evaluate("image => image.naturalWidth") > 0
        await save_picture(phone, "matter_why")
    kept = await owner.fetchrow("SELECT returns, final, level, reopens, done_days FROM matter")
    assert kept is not None
    assert tuple(kept.values()) == (2, True, "county", 0, 0)
    [before] = [one for one in (await find_matter(caller, matter.id)).photos if one.stage == "before"]
    assert before.painted_at is not None
    assert_plate_is_black(await read_photo(caller, before.photo_id))


async def the_notice_is_over(owner: asyncpg.Connection, town: Town) -> None:
    """The days on the board pass without an objection."""
    await owner.execute(
        "UPDATE deed SET notice_from = notice_from - $1::interval, notice_until = notice_until - $1::interval "
        "WHERE source_kind = 'matter'", timedelta(days=8),
    )  # fmt: skip
    assert await credit_due_deeds(town.system()) == 1


async def scans(desk: Page, town: Town, code: str) -> None:
    """The keeper scans a card at the counter."""
    await desk.goto(f"/desk?station={town.stations['暖蜂驿站']}")
    await desk.locator("[data-scanner-input]").fill(code)
    await desk.keyboard.press("Enter")
    await reads(desk, REPORTER, "代点单")


def fifty_minutes() -> tuple[datetime, datetime]:
    """Fifty minutes of the last two hours that lie on one local day, whatever time it is."""
    now = clock.local(clock.now())
    ends = [now - timedelta(minutes=1), now - timedelta(minutes=60)]
    ended = next(end for end in ends if (end - timedelta(minutes=50)).date() == end.date())
    return ended - timedelta(minutes=50), ended


async def two_hours_pass(owner: asyncpg.Connection) -> None:
    """Everything that has happened to the matter happened two hours earlier."""
    await owner.execute(
        "UPDATE matter SET received_at = received_at - $1::interval, dispatched_at = dispatched_at - $1::interval, "
        "accepted_at = accepted_at - $1::interval", timedelta(hours=2),
    )  # fmt: skip
    await owner.execute("UPDATE matter_helper SET took_at = took_at - $1::interval", timedelta(hours=2))


async def test_an_order_of_a_keeper_for_a_card_holder_becomes_minutes(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await matters_ground(town, owner)
    code = await card(town, owner, REPORTER)
    async with chromium() as browser:
        desk = await page_of(browser, service, town, "周敏", TABLET)
        await scans(desk, town, code)
        await follow(desk, "代点单")
        await reads(desk, f"替{REPORTER}点单")
        await desk.get_by_text("家电维修").first.click()
        await desk.get_by_label("说清楚一点").fill("厨房的灯泡要换，家里有新的")
        await press(desk, "送出")
        await reads(desk, "记下了", "编号")
        await save_picture(desk, "matter_ordered_at_desk")
        order = UUID(str(await owner.fetchval("SELECT id FROM matter")))
        head = await page_of(browser, service, town, GRID_HEAD, PHONE)
        await head.goto(f"/worker/matters/{order}?act=dispatch")
        await head.locator("#to").select_option(label="维修队")
        await press(head, "派单")
        await reads(head, "已派出")
        helper = await page_of(browser, service, town, LEADER, PHONE)
        await helper.goto("/matters?of=offered")
        await follow(helper, "家电维修")
        await expect(helper.get_by_text("厨房的灯泡要换")).to_have_count(0)
        await press(helper, "接单")
        await reads(helper, "厨房的灯泡要换")
        await two_hours_pass(owner)
        began, ended = fifty_minutes()
        await helper.reload()
        await helper.get_by_label("做了什么").fill("换了灯泡")
        await helper.get_by_label("哪天").fill(f"{began:%Y-%m-%d}")
        await helper.get_by_label("从几点").fill(f"{began:%H:%M}")
        await helper.get_by_label("到几点").fill(f"{ended:%H:%M}")
        await press(helper, "办好了")
        await reads(helper, "办好了，待确认")
        await scans(desk, town, code)
        await reads(desk, "家电维修办好了吗？")
        await save_picture(desk, "matter_asked_at_desk")
        await press(desk, "很好")
        await expect(desk.get_by_text("家电维修办好了吗？")).to_have_count(0)
        await head.goto(f"/worker/matters/{order}?act=confirm")
        await head.get_by_text("属实", exact=True).first.click()
        await press(head, "核实")
        await reads(head, "已办结")
        record = await owner.fetchrow(
            "SELECT id, minutes, status FROM service_record WHERE source_kind = 'matter_helper'"
        )
        assert record is not None
        assert (record["minutes"], record["status"]) == (50, "pending")
        panel = await page_of(browser, service, town, "赵丽", PANEL)
        await panel.goto(f"/admin/reviews/{record['id']}")
        await reads(panel, "有人确认之后记的", "看是从哪件事来的")
        await press(panel, "同意")
        await expect(panel.get_by_role("button", name="同意", exact=True)).to_have_count(0)
        await owner.execute(
            "UPDATE service_record SET notice_until = notice_until - $1::interval WHERE id = $2",
            timedelta(days=8), record["id"],
        )  # fmt: skip
        assert await credit_due_records(town.system()) == 1
        await helper.goto("/statement")
        await helper.locator("a[href^='/statement/']").first.click()
        await follow(helper, "看这次服务")
        await follow(helper, "看是从哪件事来的")
        await reads(helper, "换了灯泡")
        await save_picture(helper, "matter_order_why")
    credited = await owner.fetchval("SELECT credited_minutes FROM service_record WHERE id = $1", record["id"])
    assert credited == 50
