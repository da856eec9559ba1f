"""From check-in to collection in a real browser; the phone's camera reads the code that the station displays."""

import re
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, PHONE, TABLET, Camera, chromium, picture, screen, signed_in
from tests.support.ledger_sums import problems_of
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.access.devices import devices
from timebank.ledger.statement import balances

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]


async def scans_the_wall(service: Service, wall: Page, phone: str, folder: Path, verb: str) -> str:
    """A volunteer scans the code on the station's display and taps the button; return the text of the verdict."""
    camera = Camera(folder)
    await camera.stands_before(wall)
    async with chromium(camera) as browser:
        page = await signed_in(browser, service, PHONE, phone)
        await page.get_by_role("link", name=re.compile("扫一扫")).first.click()
        await page.wait_for_url("**/c/**")
        await picture(page, f"chain_{verb}_confirm")
        choice = page.get_by_label("站点值守")
        if await choice.count():
            await choice.check()
        await page.get_by_role("button", name=verb, exact=True).click()
        verdict = page.locator(".verdict")
        await expect(verdict).to_be_visible()
        await picture(page, f"chain_{verb}_verdict")
        return await verdict.inner_text()


async def test_a_volunteer_a_keeper_and_an_administrator_at_their_screens(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    for name in ("张桂兰", "周敏", "赵丽", "欧阳凯伟"):
        await set_password(town.logins[name], town.phones[name], PASSWORD)
    await town.credit_deed("张桂兰", 40)
    display = await devices.register_device(
        await town.scope("赵丽"), town.stations["暖蜂驿站"], name="门口的屏幕", kind="display"
    )
    async with chromium() as browser:
        wall = await screen(browser, service, PANEL)
        await wall.goto(f"/display/{display.pairing_code}")
        await wall.get_by_role("button", name="配对这台设备").click()
        await expect(wall.get_by_text("暖蜂驿站").first).to_be_visible()
        await expect(wall.locator("[data-turning-image]")).to_be_visible()
        assert display.pairing_code not in wall.url
        await picture(wall, "chain_wall")

        assert "已签到" in await scans_the_wall(service, wall, town.phones["张桂兰"], tmp_path, "签到")
        moved = await owner.execute(
            "UPDATE visit SET in_at = in_at - $1::interval WHERE person_id = $2 AND status = 'open'",
            timedelta(hours=2, minutes=15), town.people["张桂兰"],
        )  # fmt: skip
        assert moved == "UPDATE 1"
        told = await scans_the_wall(service, wall, town.phones["张桂兰"], tmp_path, "签退")
        assert "已签退" in told
        assert "22" in told
        assert (await balances(town.system(), town.people["张桂兰"], [])).points.available == 62

        volunteer = await signed_in(browser, service, PHONE, town.phones["张桂兰"])
        await a_volunteer_reserves(volunteer)
        await volunteer.goto("/me/code")
        await expect(volunteer.locator("[data-turning-image]")).to_be_visible()
        camera = Camera(tmp_path)
        await camera.is_shown(volunteer.locator(".code-frame"))
        async with chromium(camera) as counter_browser:
            counter = await signed_in(counter_browser, service, TABLET, town.phones["周敏"])
            await a_keeper_hands_over(counter)

        administrator = await signed_in(browser, service, PANEL, town.phones["赵丽"])
        await administrator.goto("/admin/ledger")
        await expect(administrator.get_by_text("账是平的")).to_be_visible()
        await picture(administrator, "chain_ledger")
    assert (await balances(town.system(), town.people["张桂兰"], [])).points.available == 62 - 16
    assert await owner.fetchval("SELECT status FROM redemption") == "collected"
    assert await problems_of(owner) == []


async def a_volunteer_reserves(page: Page) -> None:
    await page.goto("/goods")
    await page.get_by_role("link", name="香皂").first.click()
    await page.get_by_label("数量").fill("2")
    await picture(page, "chain_good")
    await page.get_by_role("button", name="预留").click()
    await page.wait_for_url("**/redemptions**")
    await picture(page, "chain_reserved")


async def a_keeper_hands_over(page: Page) -> None:
    await page.goto("/desk")
    await page.get_by_role("button", name="打开相机").click()
    await expect(page.get_by_text("张桂兰")).to_be_visible()
    await expect(page.get_by_role("button", name="增加")).to_be_visible()
    await picture(page, "chain_counter")
    await page.get_by_role("button", name=re.compile("^交付 香皂")).click()
    await expect(page.get_by_text("已交付").first).to_be_visible()
    await picture(page, "chain_handed_over")
