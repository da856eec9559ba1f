"""An auditor finds in the panel who took somebody's hours back, when and why, starting at the sign-in."""

from pathlib import Path

import pytest
from playwright.async_api import ViewportSize

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, Hand, chromium, picture, reads, screen
from tests.support.presence import served
from tests.support.service import Service
from tests.support.town import Town, set_password
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.reading import list_records

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

TAPS_MAX = 5
"""The sign-in, the panel, the trail, the search; and the thing that was done."""
WHY = "值班表上没有这位居民，是扫错了码"


async def test_an_auditor_finds_who_took_hours_back_and_why(town: Town, service: Service, tmp_path: Path) -> None:
    await served(town, "李秀英", 60)
    await served(town, "张桂兰", 90)
    [record] = (await list_records(await town.scope("张桂兰"))).items
    await reverse_record(await town.scope("赵丽"), record.id, WHY)
    await set_password(town.logins["孙伟"], town.phones["孙伟"], PASSWORD)
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        wrong: list[str] = []
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        hand = Hand(page)
        await hand.opens_the_panel(town.phones["孙伟"])
        await hand.tap(page.get_by_role("link", name="操作记录", exact=True))
        filters = page.locator("#list-filter")
        await filters.get_by_role("searchbox", name="搜索").fill("zgl")
        await hand.tap(filters.get_by_role("button", name="查找"))
        undone = page.get_by_role("row").filter(has_text="冲正了服务时长")
        await reads(undone, "赵丽", "张桂兰", WHY)
        assert "zgl" not in page.url
        assert str(town.people["张桂兰"]) in page.url
        await picture(page, "trail-1280")
        await hand.tap(undone.get_by_role("link", name="服务记录"))
        await reads(page, WHY)
        assert hand.taps <= TAPS_MAX, hand.taps
        await page.go_back()
        sent = await page.locator("main form").evaluate_all("forms => forms.map(form => form.getAttribute('action'))")
        assert set(sent) == {"/admin/audit/search"}, "an auditor changes nothing"
        await page.set_viewport_size(ViewportSize(width=390, height=800))
        await reads(page, WHY)
        sideways = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not sideways
        await picture(page, "trail-390")
        assert wrong == []
