"""A photo is painted over by finger in a browser; without scripts it stays as it is."""

import io

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page

from tests.browser_path import browser_path, why_not
from tests.deeds.test_deeds import filed
from tests.support.hands import PATIENCE, PHONE, chromium, picture, press, reads
from tests.support.pictures import picture as a_picture
from tests.support.service import Service
from tests.support.town import Town
from timebank.http.callers import SESSION_COOKIE
from timebank.photos.seeing import photos_attached, read_photo

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]


async def phone_of(browser: Browser, service: Service, town: Town, name: str, *, scripts: bool = True) -> Page:
    context = await browser.new_context(
        viewport=PHONE, locale="zh-CN", base_url=service.base_url, java_script_enabled=scripts, has_touch=True
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": await town.token(name), "url": service.base_url}])
    context.set_default_timeout(PATIENCE)
    return await context.new_page()


async def added(page: Page, deed: object) -> None:
    """Add a red photo of 800 by 600 pixels on the deed's page."""
    await page.goto(f"/deeds/{deed}")
    photo = FilePayload(name="楼道.jpg", mimeType="image/jpeg", buffer=a_picture((800, 600), colour="#FF0000"))
    await page.locator("input[type=file]").set_input_files(photo)
    await press(page, "上传")
    await reads(page, "照片里有不该让人看到的吗？")


async def test_a_head_blacks_out_a_face_with_a_finger(town: Town, service: Service) -> None:
    deed = (await filed(town)).id
    async with chromium() as browser:
        page = await phone_of(browser, service, town, "李秀英")
        await added(page, deed)
        canvas = page.locator("canvas")
        frame = await canvas.bounding_box()
        assert frame is not None
        assert frame["width"] < PHONE["width"]

        async def draw(left: float, top: float, right: float, bottom: float) -> None:
            x, y, width, height = frame["x"], frame["y"], frame["width"], frame["height"]
            await page.mouse.move(x + left * width, y + top * height)
            await page.mouse.down()
            await page.mouse.move(x + right * width, y + bottom * height)
            await page.mouse.up()

        await draw(0.25, 0.25, 0.5, 0.5)
        await draw(0.9, 0.9, 0.7, 0.7)
        await press(page, "擦掉最后一块")
        await picture(page, "photo_painting")
        await press(page, "涂好了")
        await reads(page, "已涂掉，原来的照片没有留下。")
    head = await town.scope("李秀英")
    (photo,) = await photos_attached(head, "deed", deed)
    with Image.open(io.BytesIO(await read_photo(head, photo.photo_id))) as stored:
        shown = stored.convert("RGB")
    assert shown.size == (800, 600)
    assert max(shown.crop((215, 165, 385, 285)).tobytes()) < 40, "the first rectangle is black"
    assert min(shown.getchannel("R").crop((560, 420, 720, 540)).tobytes()) > 200, "the second was undone"


async def test_without_scripts_the_photo_stays_as_it_is(town: Town, service: Service) -> None:
    deed = (await filed(town)).id
    async with chromium() as browser:
        page = await phone_of(browser, service, town, "李秀英", scripts=False)
        await added(page, deed)
        await page.locator("main img").wait_for()
        await press(page, "涂好了")
        await page.wait_for_url(f"{service.base_url}/deeds/{deed}")
    (photo,) = await photos_attached(await town.scope("李秀英"), "deed", deed)
    assert photo.painted_at is None
