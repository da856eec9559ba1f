"""A report without network is kept on the phone, for its reporter alone, and is received once."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from PIL import Image
from playwright.async_api import BrowserContext, FilePayload, Page, Route, ViewportSize

from tests.browser_path import browser_path, why_not
from tests.support.hands import PATIENCE, chromium, paint, press, reads
from tests.support.hands import picture as save_picture
from tests.support.matters import BUILDING, Ground, matters_ground
from tests.support.pictures import picture
from tests.support.service import Service
from tests.support.shop import browser
from tests.support.town import Town
from timebank.http.callers import SESSION_COOKIE
from timebank.matters.opening.limits import MATTERS_A_DAY

NARROW = ViewportSize(width=360, height=740)
KEPT = """async () => {
  const base = await new Promise((done) => {
    const opening = indexedDB.open("timebank.reports", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("waiting", { keyPath: "nonce" });
    opening.onsuccess = () => done(opening.result);
  });
  const rows = await new Promise((done) => {
    const asked = base.transaction("waiting").objectStore("waiting").getAll();
    asked.onsuccess = () => done(asked.result);
  });
  base.close();
  return rows.map((row) => JSON.stringify(Object.keys(row).sort()) + new TextDecoder().decode(row.sealed));
}"""
with_browser = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]


async def test_a_nonce_makes_one_matter_however_often_the_form_is_sent(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    who = await browser(client, ground.town, "张桂兰")
    told = {
        "category": "street_light",
        "area_id": ground.town.areas[BUILDING],
        "said": "灯不亮",
        "nonce": "phone-4071-5520",
    }
    first = await who.send("/matters/new", **told)
    again = await who.send("/matters/new", **told, written_at="2026-11-18T00:01:00Z")
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]
    assert await owner.fetchval("SELECT count(*) FROM matter") == 1
    assert (await who.send("/matters/new", **(told | {"nonce": "短"}))).status_code == 422


async def test_each_form_has_its_own_nonce_and_each_login_its_own_shelf(
    ground: Ground, client: httpx.AsyncClient
) -> None:
    path = f"/matters/new?category=street_light&area_id={ground.town.areas[BUILDING]}"
    nonces, keys = set(), set()
    for name in ("张桂兰", "张桂兰", "张国庆"):
        page = await (await browser(client, ground.town, name)).see(path)
        keys.add(page.partition('data-key="')[2].partition('"')[0])
        nonces.add(page.partition('name="nonce" value="')[2].partition('"')[0])
    assert (len(keys), len(nonces)) == (2, 3)
    assert "" not in keys | nonces


@asynccontextmanager
async def phone(town: Town, service: Service, name: str) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A narrow phone on which this person is signed in."""
    async with chromium() as browser_:
        context = await browser_.new_context(
            viewport=NARROW, locale="zh-CN", timezone_id="Asia/Shanghai", base_url=service.base_url, has_touch=True
        )
        await signed_in(context, town, service, name)
        context.set_default_timeout(PATIENCE)
        yield context, await context.new_page()


async def signed_in(context: BrowserContext, town: Town, service: Service, name: str) -> None:
    token = await town.token(name)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": service.base_url}])


async def write(page: Page, town: Town, said: str) -> None:
    """Open the last step, choose a picture and write a sentence."""
    await page.goto(f"/matters/new?category=street_light&area_id={town.areas[BUILDING]}")
    photo = FilePayload(name="灯.jpg", mimeType="image/jpeg", buffer=picture((800, 600), colour="#FF0000"))
    await page.locator("input[type=file]").set_input_files(photo)
    await page.get_by_label("说一句").fill(said)


def red_of(content: bytes) -> bytes:
    """The red in the part of the stored photo that a finger may have painted."""
    with Image.open(io.BytesIO(content)) as photo:
        return photo.convert("RGB").getchannel("R").crop((210, 160, 390, 290)).tobytes()


class TestOnAPhone:
    pytestmark = with_browser

    async def test_without_network_it_waits_and_is_sent_once(
        self, town: Town, owner: asyncpg.Connection, service: Service
    ) -> None:
        await matters_ground(town, owner)
        async with phone(town, service, "张桂兰") as (context, page):
            await write(page, town, "单元门口的灯不亮")
            await paint(page, 0.25, 0.25, 0.5, 0.5)
            await context.set_offline(True)
            await press(page, "送出")
            await reads(page, "1 件还没有发出", "还没有发出，有网时自动发出")
            assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            await save_picture(page, "report_kept")
            await page.close()
            await context.set_offline(False)
            assert await owner.fetchval("SELECT count(*) FROM matter") == 0
            await self.nobody_else_opens_it(context, town, service)
            later = await context.new_page()
            await later.goto("/matters")
            await reads(later, "单元门口的灯不亮", "已收到")
            assert await later.evaluate(KEPT) == []
            await self.lost_reply(later, town)
            await reads(later, "对面的灯也不亮")
        rows = await owner.fetch(
            "SELECT said, a.painted_at IS NOT NULL, content FROM matter m JOIN attachment a ON a.noun_id = m.id "
            "JOIN photo p ON p.id = a.photo_id ORDER BY m.id"
        )
        assert [tuple(row)[:2] for row in rows] == [("单元门口的灯不亮", True), ("对面的灯也不亮", False)]
        painted, plain = [red_of(row["content"]) for row in rows]
        assert max(painted) < 40
        assert min(plain) > 200

    async def nobody_else_opens_it(self, context: BrowserContext, town: Town, service: Service) -> None:
        """Another person who signs in on the same phone sees nothing, sends nothing, and holds no key to it."""
        await signed_in(context, town, service, "张国庆")
        page = await context.new_page()
        await page.goto("/matters")
        await reads(page, "还没有您的事项")
        assert await page.locator("[data-reports]").is_hidden()
        [kept] = await page.evaluate(KEPT)
        assert kept.startswith('["at","iv","nonce","owner","sealed"]')
        assert "灯" not in kept
        await page.close()
        await signed_in(context, town, service, "张桂兰")

    async def lost_reply(self, page: Page, town: Town) -> None:
        """The server has it, but the phone does not hear so; it sends it again from the next page."""

        async def lost(route: Route) -> None:
            if route.request.method != "POST":
                await route.continue_()
                return
            await route.fetch(max_redirects=0)
            await route.abort()

        await page.route("**/matters/new", lost)
        await write(page, town, "对面的灯也不亮")
        await press(page, "送出")
        await reads(page, "1 件还没有发出")
        await page.unroute("**/matters/new")
        await page.goto("/matters")

    async def test_what_is_refused_stays_until_it_is_discarded_and_goes_with_signing_out(
        self, town: Town, owner: asyncpg.Connection, service: Service
    ) -> None:
        ground = await matters_ground(town, owner)
        async with phone(town, service, "张桂兰") as (_context, page):
            for _each in range(MATTERS_A_DAY):
                await ground.open()
            await write(page, town, "第十一件")
            await press(page, "送出")
            await reads(page, "1 件还没有发出", f"您今天已经反映了 {MATTERS_A_DAY} 件")
            await page.goto("/matters")
            await reads(page, "第十一件", f"您今天已经反映了 {MATTERS_A_DAY} 件")
            await page.get_by_role("button", name="不发了").click()
            await page.locator("[data-reports]").wait_for(state="hidden")
            await write(page, town, "第十二件")
            await press(page, "送出")
            await reads(page, "1 件还没有发出")
            await page.goto("/matters")
            await reads(page, "第十二件")
            await page.locator(".top-button .name").click()
            await press(page, "退出登录")
            assert await page.evaluate(KEPT) == []
        assert await owner.fetchval("SELECT count(*) FROM matter") == MATTERS_A_DAY
