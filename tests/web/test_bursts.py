"""A barcode scanner types: what it types is a scan wherever the focus is, in the order in which it came."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser_path import browser_path, why_not
from tests.support.hands import PASSWORD, TABLET, chromium, signed_in
from tests.support.presence import card
from tests.support.scanner import ends_late, types
from tests.support.service import Service
from tests.support.town import Town, set_password

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]


async def test_a_scanner_that_pauses_within_a_code_has_sent_one_code(
    counter: Page, town: Town, owner: asyncpg.Connection
) -> None:
    keys = await counter.context.new_cdp_session(counter)
    for name, pause_at in (("张桂兰", 30), ("李秀英", 12)):
        code = await card(town, owner, name)
        await types(keys, code[:pause_at], enter=False)
        await asyncio.sleep(0.2)
        await types(keys, code[pause_at:])
        await sees(counter, name)
        await expect(counter.locator("[data-scanner-input]")).to_have_value("")


@pytest.fixture
async def counter(town: Town, service: Service) -> AsyncIterator[Page]:
    """A counter in a browser, with a keeper signed in."""
    await set_password(town.logins["周敏"], town.phones["周敏"], PASSWORD)
    async with chromium() as browser:
        page = await signed_in(browser, service, TABLET, town.phones["周敏"])
        await ends_late(page)
        await page.goto("/desk")
        yield page


async def sees(page: Page, name: str) -> None:
    await expect(page.locator("[data-desk-slot=person]").get_by_text(name).first).to_be_visible()


async def test_the_field_has_the_focus_on_load_and_after_every_tap_elsewhere(counter: Page) -> None:
    field = counter.locator("[data-scanner-input]")
    await expect(field).to_be_focused()
    await counter.locator("[data-desk-slot=today]").click()
    await expect(field).to_be_focused()
    await counter.get_by_text("没带手机和卡").click()
    await counter.get_by_label("姓名").click()
    await expect(counter.get_by_label("姓名")).to_be_focused()
    await counter.keyboard.type("zhangguilan", delay=80)
    await expect(counter.get_by_label("姓名")).to_have_value("zhangguilan")  # nobody types as fast as a scanner


async def test_a_burst_is_a_scan_wherever_the_focus_is(town: Town, owner: asyncpg.Connection, counter: Page) -> None:
    keys = await counter.context.new_cdp_session(counter)
    field, other = counter.locator("[data-scanner-input]"), counter.get_by_label("姓名")
    await types(keys, await card(town, owner, "张桂兰"))
    await sees(counter, "张桂兰")
    await counter.get_by_role("button", name="确定").focus()
    await types(keys, await card(town, owner, "李秀英"))
    await sees(counter, "李秀英")
    await counter.get_by_text("没带手机和卡").click()
    await other.fill("陈")
    for name, input_method, enter in (("刘洋", False, True), ("王建国", True, True), ("欧阳凯伟", False, False)):
        await other.focus()
        await types(keys, await card(town, owner, name), input_method=input_method, enter=enter)
        await sees(counter, name)
        await expect(other).to_have_value("陈")
        await expect(field).to_have_value("")
        await expect(field).to_be_focused()
    assert await owner.fetchval("SELECT count(*) FROM scan WHERE status = 'ok'") == 5


async def test_a_scan_while_the_last_one_is_running_waits_its_turn_and_one_on_another_page_leads_back(
    town: Town, owner: asyncpg.Connection, counter: Page
) -> None:
    codes = [await card(town, owner, name) for name in ("张桂兰", "李秀英")]
    running, go_on = asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def slowly(route: Route) -> None:
        asked.append(route.request.post_data or "")
        running.set()
        await go_on.wait()
        await route.continue_()

    await counter.route("**/desk/scan", slowly)
    keys = await counter.context.new_cdp_session(counter)
    await types(keys, codes[0])
    await running.wait()
    await types(keys, codes[1])
    await expect(counter.locator("[data-scanner-input]")).to_have_value("")
    assert len(asked) == 1, "the second waits for the first"
    go_on.set()
    await sees(counter, "李秀英")
    names = await owner.fetch("SELECT p.name FROM scan s JOIN person p ON p.id = s.person_id ORDER BY s.received_at")
    assert [row["name"] for row in names] == ["张桂兰", "李秀英"]
    assert await counter.evaluate("Object.keys(localStorage).length") == 0
    await counter.unroute("**/desk/scan")

    await counter.get_by_role("link", name="库存、入库").click()
    await counter.wait_for_url("**/desk/shelf**")
    await types(keys, codes[0])
    await counter.wait_for_url("**/desk?station=**")
    await sees(counter, "张桂兰")
