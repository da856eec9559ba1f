"""A photo is painted over by finger in a browser; without scripts it stays as it is."""

import io
import re

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.browser_path import browser_path, why_not
from tests.deeds.test_deeds import filed
from tests.support.hands import PATIENCE, PHONE, chromium, paint, picture, press, reads
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

        await paint(page, 0.25, 0.25, 0.5, 0.5)
        await paint(page, 0.9, 0.9, 0.7, 0.7)
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


async def test_what_is_painted_is_of_the_chosen_picture_alone(town: Town, service: Service) -> None:
    """Another picture begins anew; what this browser cannot show is not offered for painting and sent as it is."""
    deed = (await filed(town)).id
    async with chromium() as browser:
        page = await phone_of(browser, service, town, "李秀英")
        await page.goto(f"/deeds/{deed}")
        file, boxes, canvas = (
            page.locator("input[type=file]"),
            page.locator("input[name=boxes]"),
            page.locator("canvas"),
        )

        async def choose(name: str, content: bytes) -> None:
            await file.set_input_files(FilePayload(name=name, mimeType="image/jpeg", buffer=content))

        await choose("横.jpg", a_picture((4000, 3000)))
        await expect(canvas).to_have_attribute("width", "1600")
        await paint(page, 0.1, 0.1, 0.4, 0.4)
        await expect(boxes).to_have_value(re.compile(r'^{"size":\[1600,1200\],"boxes":\[\[\d+(,\d+){3}\]\]}$'))
        await choose("竖.jpg", a_picture((300, 400)))
        await expect(canvas).to_have_attribute("width", "300")
        await expect(boxes).to_have_value("")
        await expect(page.get_by_text("擦掉最后一块")).to_be_hidden()
        await paint(page, 0.1, 0.1, 0.4, 0.4)
        await choose("坏.jpg", b"no picture")
        await expect(canvas).to_have_count(0)
        await expect(boxes).to_have_value("")
        await press(page, "上传")
        await reads(page, "这个文件不是能用的照片。")
        await choose("楼道.jpg", a_picture((800, 600)))
        await paint(page, 0.25, 0.25, 0.5, 0.5)
        await press(page, "上传")
        await reads(page, "已涂掉，原来的照片没有留下。")
    (photo,) = await photos_attached(await town.scope("李秀英"), "deed", deed)
    assert photo.painted_at is not None


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
