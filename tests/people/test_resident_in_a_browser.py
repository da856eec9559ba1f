"""A resident asks why they got nothing on a day; an administrator answers from the panel, starting at the sign-in."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, Hand, chromium, picture, reads, screen
from tests.support.presence import later, nine_o_clock, scanned, served, station_code
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.activities import shifts
from timebank.activities.schemas import ShiftIn
from timebank.core import clock
from timebank.core.wording import day

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

TAPS_MAX = 6
"""The sign-in, the panel, the residents, the search, the person, and their service."""


async def _served_too_little_of_a_shift(town: Town) -> str:
    """张桂兰 stays for 50 of the 120 minutes of a shift; returns the day in words."""
    begin = nine_o_clock(2)
    with clock.at(begin - timedelta(days=1)):
        wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(minutes=120), 5)
        shift = await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
        await shifts.sign_up(await town.scope("张桂兰"), shift.id)
    with clock.at(begin):
        await scanned(await town.scope("张桂兰"), station_code(town))
    with later(begin, 50):
        await scanned(await town.scope("张桂兰"), station_code(town))
    return day(begin)


async def test_why_did_i_get_nothing_is_answered_from_the_panel(town: Town, service: Service, tmp_path: Path) -> None:
    on = await _served_too_little_of_a_shift(town)
    await served(town, "张桂兰", 90)
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        wrong: list[str] = []
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        hand = Hand(page)
        await hand.opens_the_panel(town.phones["赵丽"])
        await hand.tap(page.get_by_role("link", name="居民", exact=True))
        await page.get_by_role("searchbox").first.fill("张桂兰")
        await hand.tap(page.get_by_role("button", name="查找"))
        await hand.tap(page.get_by_role("link", name="张桂兰"))
        await reads(page, "可用积分", "15 分")
        await hand.tap(page.get_by_role("navigation", name="账户").get_by_role("link", name="服务"))
        asked = page.get_by_role("row").filter(has_text=on)
        await reads(asked, "计划 2 小时，到岗 50 分钟，只有 41%，不足 60%，不计入。", "未计入")
        assert hand.taps <= TAPS_MAX, hand.taps
        await picture(page, "resident-1280")
        await page.set_viewport_size(ViewportSize(width=320, height=700))
        await reads(page, "只有 41%")
        sideways = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not sideways
        await page.goto(page.url.partition("?")[0] + "?paper=1")
        await page.emulate_media(media="print")
        await reads(page, "只有 41%", "可用积分")
        assert not await page.get_by_role("navigation").first.is_visible()
        assert wrong == []


async def test_the_account_of_a_resident_is_one_sheet_of_paper(town: Town, service: Service) -> None:
    """With more rows in each part than the sheet has."""
    for days_ago in range(12, 0, -1):
        await served(town, "张桂兰", 60, begin=nine_o_clock(days_ago))
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(town.phones["赵丽"])
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_role("button", name="登录", exact=True).click()
        await page.wait_for_url(lambda address: "/sign-in" not in address)
        await page.goto(f"/admin/people/{town.people['张桂兰']}?paper=1")
        sheet = await page.pdf(format="A4", prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") + sheet.count(b"/Type /Page ") == 1
