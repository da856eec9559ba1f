"""The counter on a tablet and on a small screen: verdict, person and buttons without scrolling; axe finds no fault."""

import re

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, TABLET, chromium, picture, signed_in
from tests.support.presence import card
from tests.support.scanner import ends_late, types
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.http.preferences import LANGUAGE_COOKIE
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

STATION = "暖蜂驿站"
LARGE = "[data-desk-slot=person] .desk-actions:not(.is-quiet) button"
WORDS = {
    "zh": ("^交付 香皂", "^签到", "已签到", "^今天到站 1 人，在站 1 人", "^低库存 2 种"),
    "en": ("^Hand over 香皂", "^Check in", "Checked in", "^1 came today, 1 are in", "^2 low in stock"),
}


async def on_the_screen(page: Page, what: Locator, size: ViewportSize, name: str) -> None:
    """Assert that all of it is seen without scrolling."""
    assert await page.evaluate("scrollY") == 0, name
    box = await what.bounding_box()
    assert box is not None, name
    assert min(box["x"], box["y"]) >= 0, (name, box)
    assert box["x"] + box["width"] <= size["width"], (name, box)
    assert box["y"] + box["height"] <= size["height"], (name, box)


async def faults(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [f"{one['id']} {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found.response["violations"]]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [TABLET, PANEL], ids=["tablet", "screen"])
async def test_who_is_served_is_seen_without_scrolling(
    town: Town, owner: asyncpg.Connection, service: Service, size: ViewportSize, language: str
) -> None:
    hand_over, check_in, is_in, present, low = WORDS[language]
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    await town.give_points("张桂兰", 50)
    station = town.stations[STATION]
    await owner.execute(
        "UPDATE stock SET quantity = 3 WHERE station_id = $1 AND good_id = $2", station, town.goods["香皂"]
    )
    wanted = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=station, quantity=1
    )  # fmt: skip
    await redeem(await town.scope("张桂兰"), wanted)
    code = await card(town, owner, "张桂兰")
    async with chromium() as browser:
        page = await signed_in(browser, service, size, town.phones["周敏"])
        await page.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": service.base_url}])
        await ends_late(page)
        await page.goto("/desk")
        await picture(page, f"counter_empty_{size['width']}_{language}")
        await on_the_screen(page, page.get_by_text(re.compile(low)), size, "low stock")
        assert await faults(page) == []
        await types(await page.context.new_cdp_session(page), code)
        await expect(page.get_by_role("button", name=re.compile(hand_over))).to_be_visible()
        await _all_on_screen(page, size)
        await page.get_by_role("button", name=re.compile(check_in)).first.click()
        await expect(page.get_by_text(is_in).first).to_be_visible()
        await on_the_screen(page, page.locator("[data-desk-slot=verdict] .verdict"), size, "verdict")
        await _all_on_screen(page, size)
        seen = page.locator("summary", has_text=re.compile(present.removeprefix("^")))
        await on_the_screen(page, seen, size, "people in")
        await picture(page, f"counter_{size['width']}_{language}")
        assert await faults(page) == []
        await seen.click()
        await expect(page.locator(".desk-sight li", has_text="张*")).to_be_visible()
        assert await faults(page) == []


async def _all_on_screen(page: Page, size: ViewportSize) -> None:
    await on_the_screen(page, page.locator(".desk-person"), size, "person")
    buttons = await page.locator(LARGE).all()
    assert len(buttons) >= 2
    for button in buttons:
        await on_the_screen(page, button, size, await button.inner_text())
