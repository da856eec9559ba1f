"""The counter as its keeper works at it: from signing in to a hand-over and its undo, in few taps, or by keys alone."""

import re

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PASSWORD, TABLET, chromium, picture, reads, signed_in
from tests.support.ledger_sums import problems_of
from tests.support.presence import card
from tests.support.scanner import ends_late, types
from tests.support.service import Service
from tests.support.shop import points_of, stock_of
from tests.support.town import Town, set_password
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

TAPS_MAX = 4
TAPS = "addEventListener('pointerdown', () => { sessionStorage.taps = 1 + Number(sessionStorage.taps || 0); }, true);"


async def taps(page: Page) -> int:
    return int(await page.evaluate("Number(sessionStorage.taps || 0)"))


async def test_a_reservation_is_handed_over_and_undone_in_four_taps(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    await town.give_points("张桂兰", 50)
    wanted = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"], quantity=1
    )
    await redeem(await town.scope("张桂兰"), wanted)
    code = await card(town, owner, "张桂兰")
    async with chromium() as browser:
        page = await signed_in(browser, service, TABLET, town.phones["周敏"])
        await ends_late(page)
        await page.goto("/desk")
        await page.add_init_script(TAPS)
        await page.reload()
        await types(await page.context.new_cdp_session(page), code)
        hand_over = page.get_by_role("button", name=re.compile("^交付 香皂"))
        await expect(hand_over).to_be_visible()
        await picture(page, "counter_person")
        for button in await page.locator("[data-desk-slot=person] .desk-actions:not(.is-quiet) button").all():
            box = await button.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= TABLET["height"], "every large button stands above the fold"
        await hand_over.click()
        await reads(page, "已交付")
        await page.get_by_role("link", name=re.compile("撤销")).click()
        await picture(page, "counter_undo")
        await page.get_by_role("button", name="已放回，撤销").click()
        await reads(page, "已撤销，积分已退回")
        await page.get_by_role("link", name="下一位").click()
        await reads(page, "等下一位居民", "张* 领取 香皂")
        await picture(page, "counter_next")
        assert await taps(page) <= TAPS_MAX
        await expect(page.locator("[data-scanner-input]")).to_be_focused()
    assert (await points_of(town, "张桂兰"), await stock_of(owner, town, "香皂")) == ((50, 0), 50)
    assert await problems_of(owner) == []


async def test_goods_are_sold_by_tile_and_plus_and_by_keys_alone(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    await town.give_points("张桂兰", 50)
    code = await card(town, owner, "张桂兰")
    async with chromium() as browser:
        page = await signed_in(browser, service, TABLET, town.phones["周敏"])
        await ends_late(page)
        await page.goto("/desk")
        keys = await page.context.new_cdp_session(page)
        await types(keys, code)
        await page.get_by_role("radio", name=re.compile("香皂")).check()
        await page.get_by_role("button", name="增加").click()
        await expect(page.locator("[data-goods-total]")).to_have_text("合计 16 分")
        await picture(page, "counter_tiles")
        await page.get_by_role("radio", name=re.compile("香皂")).focus()
        await page.keyboard.press("Tab")
        for _ in range(8):
            if await page.evaluate("document.activeElement.textContent.includes('交付并扣积分')"):
                break
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await reads(page, "已交付")
    assert await points_of(town, "张桂兰") == (34, 0)
