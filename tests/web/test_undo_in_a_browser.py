"""An undo button counts its seconds down in silence, and then goes away without moving anything."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser_path import browser_path, why_not
from tests.shop.test_undone_hand_overs import handed
from tests.support.hands import PASSWORD, PHONE, TABLET, chromium, picture, signed_in
from tests.support.service import Service
from tests.support.town import Town, set_password
from tests.web.test_counter_sizes import faults

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

NAME = re.compile("^撤销 ?（一分钟内）$")


async def seconds_on(button: Locator) -> int:
    shown = button.locator("[data-undo-left]")
    await expect(shown).to_have_text(re.compile(r"^\d+ 秒$"))
    return int((await shown.inner_text()).split()[0])


async def places(page: Page) -> list[object]:
    """Where each line of what was done stands."""
    return [await row.bounding_box() for row in await page.locator(".row").all()]


async def test_it_counts_down_and_goes_away_where_it_stands(town: Town, service: Service) -> None:
    await handed(town)
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    async with chromium() as browser:
        page = await signed_in(browser, service, TABLET, town.phones["周敏"])
        await page.clock.install()
        await page.goto("/desk")
        button = page.get_by_role("link", name=NAME)
        left, stood = await seconds_on(button), await places(page)
        assert 0 < left <= 60
        assert await faults(page) == []
        await picture(page, "counter_seconds")
        await page.clock.run_for(5_000)
        assert left - 7 <= await seconds_on(button) <= left - 4
        assert await places(page) == stood
        await page.clock.run_for(60_000)
        await expect(button).to_have_count(0)
        await expect(page.locator("[data-undo-left]")).to_be_hidden()
        assert await places(page) == stood, "what goes away leaves its place"
        assert await faults(page) == []


async def test_where_the_focus_was_on_it_the_focus_is_not_lost(town: Town, service: Service) -> None:
    _, made = await handed(town)
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    async with chromium() as browser:
        page = await signed_in(browser, service, PHONE, town.phones["周敏"])
        await page.emulate_media(reduced_motion="reduce")
        await page.clock.install()
        await page.goto(f"/desk/redemptions/{made}")
        button = page.get_by_role("link", name=NAME)
        assert await seconds_on(button) > 0
        await picture(page, "handed_seconds")
        await button.click()
        await expect(page.get_by_role("button", name="已放回，撤销")).to_be_visible()
        await page.clock.run_for(61_000)
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator("[data-undo-left]")).to_be_hidden()
        await expect(page.locator("main")).to_be_focused()


async def test_without_script_it_says_no_number_that_would_grow_old(town: Town, service: Service) -> None:
    _, made = await handed(town)
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    async with chromium() as browser:
        known = await signed_in(browser, service, PHONE, town.phones["周敏"])
        context = await browser.new_context(
            java_script_enabled=False,
            locale="zh-CN",
            base_url=service.base_url,
            storage_state=await known.context.storage_state(),
        )
        page = await context.new_page()
        for address in ("/desk", f"/desk/redemptions/{made}"):
            await page.goto(address)
            await expect(page.get_by_role("link", name=NAME)).to_be_visible()
            assert "秒" not in await page.inner_text("main"), address
