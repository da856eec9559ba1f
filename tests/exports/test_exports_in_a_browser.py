"""A saved list is opened again by the importer, which finds nothing new in it; from signing in, in few taps."""

from pathlib import Path

import asyncpg
import pytest

from tests.browser_path import browser_path, why_not
from tests.support.hands import PANEL, PASSWORD, chromium, follow, picture, press, reads, screen
from tests.support.service import Service
from tests.support.town import Town, set_password

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]
TAPS = "addEventListener('pointerdown', () => { sessionStorage.taps = 1 + Number(sessionStorage.taps || 0); }, true);"
TAPS_MAX = 5
"""Sign in, 居民, 导出表格, 导入, 试导入: choosing the file is the browser's own window."""


async def test_the_list_of_residents_is_saved_and_tried_by_the_importer(
    town: Town, owner: asyncpg.Connection, service: Service, tmp_path: Path
) -> None:
    await set_password(town.logins["赵丽"], town.phones["赵丽"], PASSWORD)
    before = await owner.fetchval("SELECT count(*) FROM person")
    async with chromium() as browser:
        page = await screen(browser, service, PANEL)
        await page.context.add_init_script(TAPS)
        await page.goto("/sign-in")
        await page.get_by_label("手机号").fill(town.phones["赵丽"])
        await page.get_by_label("密码").fill(PASSWORD)
        await press(page, "登录")
        await page.wait_for_url("**/admin")
        await follow(page, "居民")
        async with page.expect_download() as saving:
            await press(page, "导出表格")
        book = tmp_path / (await saving.value).suggested_filename
        await (await saving.value).save_as(book)
        await page.get_by_role("link", name="导入", exact=True).click()
        await page.locator('input[type="file"]').set_input_files(book)
        await press(page, "试导入")
        await reads(page, "没有新的内容")
        await picture(page, "export_again")
        taps = int(await page.evaluate("Number(sessionStorage.taps || 0)"))
        assert taps <= TAPS_MAX, taps
    assert book.suffix == ".xlsx"
    assert await owner.fetchval("SELECT count(*) FROM person") == before
