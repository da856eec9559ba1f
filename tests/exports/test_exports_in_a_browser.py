"""A saved list is opened again by the importer, which finds nothing new in it; from signing in, in few taps."""

from pathlib import Path

import asyncpg
import pytest

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, Hand, chromium, picture, reads, screen
from tests.support.service import Service
from tests.support.town import Town, set_password

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]
TAPS_MAX = 5
"""Sign in, 居民, 导出表格, 导入, 试导入: choosing the file is the browser's own window."""


async def test_the_list_of_residents_is_saved_and_tried_by_the_importer(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    before = await owner.fetchval("SELECT count(*) FROM person")
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        hand = Hand(page)
        await hand.opens_the_panel(town.phones["赵丽"])
        await hand.tap(page.get_by_role("link", name="居民", exact=True))
        async with page.expect_download() as saving:
            await hand.tap(page.get_by_role("button", name="导出表格"))
        book = tmp_path / (await saving.value).suggested_filename
        await (await saving.value).save_as(book)
        await hand.tap(page.get_by_role("link", name="导入", exact=True))
        await page.locator('input[type="file"]').set_input_files(book)
        await hand.tap(page.get_by_role("button", name="试导入", exact=True))
        await reads(page, "没有新的内容")
        await picture(page, "export_again")
        assert hand.taps <= TAPS_MAX, hand.taps
    assert book.suffix == ".xlsx"
    assert await owner.fetchval("SELECT count(*) FROM person") == before
