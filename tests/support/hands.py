"""Devices for browser tests: pages signed in through the form, and a fake camera that can be shown another page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Browser, Error, Locator, Page, ViewportSize, async_playwright, expect

from tests.browser_path import browser_path
from tests.support.service import Service

PHONE = ViewportSize(width=390, height=844)
TABLET = ViewportSize(width=1024, height=768)
PANEL = ViewportSize(width=1280, height=800)
PASSWORD = "清江的驿站-2026"
OUTPUT = Path(__file__).parents[1] / "output"
PATIENCE = 120_000
"""Milliseconds that a browser test waits for what must come; long, because no timing may decide a test."""
expect.set_options(timeout=PATIENCE)
LANDINGS = ("/", "/admin", "/desk", "/admin/deeds", "/communities")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Camera:
    """A browser's fake camera. It films the picture that was set when the browser last opened it."""

    def __init__(self, folder: Path) -> None:
        self.film = folder / "camera.mjpeg"
        self._films = Image.new("RGB", (640, 480), "white")
        self.sees(self._films)

    def sees(self, picture: Image.Image) -> None:
        """Film this picture from now on. The file is replaced, not overwritten, because a browser may have it open."""
        frame = BytesIO()
        picture.save(frame, "JPEG", quality=95)
        anew = self.film.with_suffix(".anew")
        anew.write_bytes(frame.getvalue() * 10)
        anew.replace(self.film)

    async def is_shown(self, code: Locator) -> None:
        """Hold a code before the camera: a screenshot of the element fills the picture."""
        self.holds(Image.open(BytesIO(await shot_of(code))))

    async def stands_before(self, page: Page) -> None:
        """Point the camera at a whole screen: film a screenshot of the page."""
        self.sees(Image.open(BytesIO(await shot_of(page))).convert("RGB").resize((640, 480)))

    def holds(self, code: Image.Image) -> None:
        seen = Image.new("RGB", (640, 480), "white")
        seen.paste(code.convert("RGB").resize((440, 440)), (100, 20))
        self.sees(seen)


@asynccontextmanager
async def chromium(camera: Camera | None = None) -> AsyncIterator[Browser]:
    """A Chromium browser, with this camera if one is given."""
    seeing = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera.film if camera else ''}",
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path(), args=[*QUIET, *(seeing if camera else ())]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Hand:
    """Taps on a page, and counts the taps."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    async def tap(self, what: Locator) -> None:
        self.taps += 1
        await what.first.click()

    async def opens_the_panel(self, phone: str) -> None:
        """Sign in with the password, and go to the panel if that is not the first page already."""
        await self.page.goto("/sign-in")
        await self.page.get_by_label("手机号").fill(phone)
        await self.page.get_by_label("密码").fill(PASSWORD)
        await self.tap(self.page.get_by_role("button", name="登录", exact=True))
        await self.page.wait_for_url(lambda address: "/sign-in" not in address)
        if "/admin" not in self.page.url:
            await self.tap(self.page.locator('a[href="/admin"]'))


async def screen(browser: Browser, service: Service, size: ViewportSize) -> Page:
    """A page in a new browser context, which shares no cookies or storage with another device."""
    context = await browser.new_context(
        viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=service.base_url
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    return page


async def signed_in(
    browser: Browser, service: Service, size: ViewportSize, phone: str, password: str = PASSWORD
) -> Page:
    """A page in a new browser context, signed in with the password; it shows where the person works."""
    page = await screen(browser, service, size)
    await page.goto("/sign-in")
    await page.get_by_label("手机号").fill(phone)
    await page.get_by_label("密码").fill(password)
    await press(page, "登录")
    await page.wait_for_url(lambda url: urlsplit(url).path in LANDINGS)
    return page


async def paint(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw a rectangle over the picture with a finger, from corner to corner, in parts of its width and height."""
    canvas = page.locator("canvas")
    await canvas.scroll_into_view_if_needed()
    frame = await canvas.bounding_box()
    assert frame is not None
    x, y, width, height = frame["x"], frame["y"], frame["width"], frame["height"]
    await page.mouse.move(x + left * width, y + top * height)
    await page.mouse.down()
    await page.mouse.move(x + right * width, y + bottom * height)
    await page.mouse.up()


async def press(page: Page | Locator, button: str) -> None:
    await page.get_by_role("button", name=button, exact=True).first.click()


async def follow(page: Page | Locator, link: str) -> None:
    await page.get_by_role("link", name=link).first.click()


async def reads(page: Page | Locator, *sentences: str) -> None:
    """Assert that the page shows each of these sentences."""
    for sentence in sentences:
        await expect(page.get_by_text(sentence).first).to_be_visible()


async def picture(page: Page, name: str) -> None:
    """Save a screenshot of the page to tests/output, for people to look at."""
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / f"{name}.png").write_bytes(await shot_of(page))


async def shot_of(what: Page | Locator, *, whole: bool = False) -> bytes:
    """A PNG of what the page shows (`whole`: below the fold too) or of one element, with animations at their end.

    Chromium sometimes answers "Unable to capture screenshot" while it draws a page that has just been opened, and takes
    the same picture a moment later. That answer, and no other, is asked again, at most ten times.
    """
    tries = 0
    while True:
        tries += 1
        try:
            if isinstance(what, Page):
                return await what.screenshot(full_page=whole, animations="disabled")
            return await what.screenshot(animations="disabled")
        except Error as error:
            if "Unable to capture screenshot" not in error.message or tries == 10:
                raise
            await asyncio.sleep(0.5)
