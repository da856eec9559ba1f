"""A resident reports with a picture on a narrow phone, paints over a plate, and follows the timeline to the end."""

import io

import asyncpg
import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, ViewportSize

from tests.browser_path import browser_path, why_not
from tests.support.hands import PATIENCE, chromium, follow, press, reads
from tests.support.hands import picture as save_picture
from tests.support.matters import FIRM, matters_ground
from tests.support.pictures import picture
from tests.support.service import Service
from tests.support.town import Town
from timebank.http.callers import SESSION_COOKIE
from timebank.matters.reading.listing import list_matters
from timebank.matters.reading.one import find_matter
from timebank.matters.schemas import MattersAsked
from timebank.photos.seeing import read_photo

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

NARROW = ViewportSize(width=360, height=740)


async def fits(page: Page) -> None:
    """Assert that nothing is wider than the screen."""
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_a_report_with_a_painted_picture_is_followed_until_it_is_solved(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    ground = await matters_ground(town, owner)
    async with chromium() as browser:
        context = await browser.new_context(
            viewport=NARROW, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=service.base_url, has_touch=True
        )
        token = await town.token("张桂兰")
        await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": service.base_url}])
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        await page.goto("/")
        await follow(page, "反映")
        await fits(page)
        await follow(page, "路灯")
        await follow(page, "我家这里")
        await fits(page)
        photo = FilePayload(name="灯.jpg", mimeType="image/jpeg", buffer=picture((800, 600), colour="#FF0000"))
        await page.locator("input[type=file]").set_input_files(photo)
        await page.get_by_label("说一句").fill("单元门口的灯不亮")
        await press(page, "送出")
        await reads(page, "收到了", "编号")
        await save_picture(page, "matter_receipt")
        await follow(page, "涂掉照片里的人脸、车牌")
        frame = await page.locator("canvas").bounding_box()
        assert frame is not None
        await page.mouse.move(frame["x"] + frame["width"] * 0.25, frame["y"] + frame["height"] * 0.25)
        await page.mouse.down()
        await page.mouse.move(frame["x"] + frame["width"] * 0.6, frame["y"] + frame["height"] * 0.6)
        await page.mouse.up()
        await press(page, "涂好了")
        await reads(page, "已涂掉，原来的照片没有留下。")
        await follow(page, "返回")
        caller = await town.scope("张桂兰")
        [matter] = (await list_matters(caller, MattersAsked(mine=True))).items
        await ground.dispatch(matter.id)
        await page.reload()
        await reads(page, f"已派给{FIRM}", f"接下来：等{FIRM}接单")
        await ground.take(matter.id)
        await ground.finish(matter.id)
        await page.reload()
        await reads(page, "换好了", "满意吗？")
        await fits(page)
        await save_picture(page, "matter_timeline")
        await page.get_by_text("4 星 · 满意").click()
        await press(page, "好了")
        await reads(page, "已办结", "确认解决了")
    [shown] = [one for one in (await find_matter(caller, matter.id)).photos if one.stage == "before"]
    with Image.open(io.BytesIO(await read_photo(caller, shown.photo_id))) as stored:
        black = stored.convert("RGB").crop((230, 180, 450, 330))
    assert max(black.tobytes()) < 40
