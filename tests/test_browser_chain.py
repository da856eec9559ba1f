"""The chain as people meet it, in a real browser: a phone's camera looks at the code that the station displays."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import asyncpg
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.browser_path import browser_path, why_not
from tests.conftest import SECRET
from tests.ledger_sums import problems_of
from tests.service import Service, served
from tests.town import Town, set_password
from timebank.access import devices
from timebank.ledger.statement import balances

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

PHONE = ViewportSize(width=390, height=844)
TABLET = ViewportSize(width=1024, height=768)
WALL = ViewportSize(width=1280, height=800)
PASSWORD = "清江的驿站-2026"
OUTPUT = Path(__file__).parent / "output"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
def service(pool: str, tmp_path: Path) -> Iterator[Service]:
    with served(pool, tmp_path, secret_key=SECRET.decode()) as running:
        yield running


@asynccontextmanager
async def chromium(sees: Path | None = None) -> AsyncIterator[Browser]:
    """A browser whose camera sees the given moving picture."""
    camera = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={sees}",
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path(), args=[*QUIET, *(camera if sees else ())]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def in_hand(browser: Browser, service: Service, screen: ViewportSize, phone: str | None = None) -> Page:
    """A screen of this size, signed in with this phone's password where one is given."""
    context = await browser.new_context(
        viewport=screen, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=service.base_url
    )
    page = await context.new_page()
    page.set_default_timeout(15_000)
    if phone:
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(phone)
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_role("button", name="登录", exact=True).click()
        await page.wait_for_url(service.base_url + "/")
    return page


async def film_of(page: Page, folder: Path, name: str) -> Path:
    """What a camera in front of this screen sees: its picture now, again and again."""
    shot = Image.open(BytesIO(await page.screenshot())).convert("RGB").resize((640, 480))
    frame = BytesIO()
    shot.save(frame, "JPEG", quality=95)
    film = folder / f"{name}.mjpeg"
    film.write_bytes(frame.getvalue() * 10)
    return film


async def picture(page: Page, name: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    await page.screenshot(path=OUTPUT / f"chain_{name}.png")


async def scans_the_wall(service: Service, wall: Page, phone: str, folder: Path, verb: str) -> str:
    """A volunteer scans what the wall shows now and taps the one button; answers the verdict's words."""
    async with chromium(await film_of(wall, folder, verb)) as browser:
        page = await in_hand(browser, service, PHONE, phone)
        await page.get_by_role("link", name=re.compile("扫一扫")).first.click()
        await page.wait_for_url("**/c/**")
        await picture(page, f"{verb}_confirm")
        choice = page.get_by_label("站点值守")
        if await choice.count():
            await choice.check()
        await page.get_by_role("button", name=verb, exact=True).click()
        verdict = page.locator(".verdict")
        await expect(verdict).to_be_visible()
        await picture(page, f"{verb}_verdict")
        return await verdict.inner_text()


async def test_a_volunteer_a_keeper_and_an_administrator_at_their_screens(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    for name in ("张桂兰", "周敏", "赵丽", "欧阳凯伟"):
        await set_password(town.logins[name], town.phones[name], PASSWORD)
    await town.credit_deed("张桂兰", 40)
    display = await devices.register(
        await town.scope("赵丽"), town.stations["暖蜂驿站"], name="门口的屏幕", kind="display"
    )
    async with chromium() as browser:
        wall = await in_hand(browser, service, WALL)
        await wall.goto(f"/display/{display.pairing_code}")
        await wall.get_by_role("button", name="配对这台设备").click()
        await expect(wall.get_by_text("暖蜂驿站").first).to_be_visible()
        await expect(wall.locator("[data-turning-image]")).to_be_visible()
        assert display.pairing_code not in wall.url
        await picture(wall, "wall")

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

        volunteer = await in_hand(browser, service, PHONE, town.phones["张桂兰"])
        await a_volunteer_reserves(volunteer)
        await volunteer.goto("/me/code")
        await expect(volunteer.locator("[data-turning-image]")).to_be_visible()
        async with chromium(await film_of_code(volunteer, tmp_path)) as counter_browser:
            counter = await in_hand(counter_browser, service, TABLET, town.phones["周敏"])
            await a_keeper_hands_over(counter)

        administrator = await in_hand(browser, service, WALL, town.phones["赵丽"])
        await administrator.goto("/admin/ledger")
        await expect(administrator.get_by_text("账是平的")).to_be_visible()
        await picture(administrator, "ledger")
    assert (await balances(town.system(), town.people["张桂兰"], [])).points.available == 62 - 16
    assert await owner.fetchval("SELECT status FROM redemption") == "collected"
    assert await problems_of(owner) == []


async def film_of_code(page: Page, folder: Path) -> Path:
    """The phone held before the counter's camera: its code fills the picture."""
    frame = page.locator(".code-frame")
    shot = Image.open(BytesIO(await frame.screenshot())).convert("RGB").resize((440, 440))
    seen = Image.new("RGB", (640, 480), "white")
    seen.paste(shot, (100, 20))
    out = BytesIO()
    seen.save(out, "JPEG", quality=95)
    film = folder / "code.mjpeg"
    film.write_bytes(out.getvalue() * 10)
    return film


async def a_volunteer_reserves(page: Page) -> None:
    await page.goto("/goods")
    await page.get_by_role("link", name="香皂").first.click()
    await page.get_by_label("数量").fill("2")
    await picture(page, "good")
    await page.get_by_role("button", name="预留").click()
    await page.wait_for_url("**/redemptions**")
    await picture(page, "reserved")


async def a_keeper_hands_over(page: Page) -> None:
    await page.goto("/desk")
    await page.get_by_label("领物、上课").check()
    await page.get_by_role("button", name="打开相机").click()
    await expect(page.get_by_text("张桂兰")).to_be_visible()
    await picture(page, "counter")
    await page.get_by_role("button", name="交付", exact=True).click()
    await expect(page.get_by_text("已交付").first).to_be_visible()
    await picture(page, "handed_over")
