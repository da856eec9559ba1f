"""Imports in a browser: an untidy workbook from trial to approval of its rows, a long import, and an undo."""

import asyncio
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from openpyxl import Workbook as NewWorkbook
from openpyxl import load_workbook
from playwright.async_api import FilePayload, Page, expect

from tests.browser_path import browser_path, why_not
from tests.conftest import SECRET
from tests.imports.files.test_workbooks import saved
from tests.imports.kinds.test_imports import DEEDS, HOURS
from tests.support.hands import PANEL, PASSWORD, TABLET, chromium, follow, picture, press, reads, signed_in
from tests.support.service import Service, free_port, served, working
from tests.support.town import Town, set_password
from timebank.core import clock
from timebank.imports.sheets.header import REASONS

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser_path() is None, reason=why_not())]

LONG, WRONG = 14_000, 14
MOVED = "() => document.querySelector('[data-progress] progress')?.value"


def untidy_deeds() -> bytes:
    """A workbook of deeds with unknown words for items, unreadable cells, a hidden row and an unused column."""
    day = clock.local_day() - timedelta(days=3)
    rows: list[list[Any]] = [
        ["凤凰社区道德银行台账", *[None] * 7],
        [*DEEDS, "车牌"],
        [day, "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", "", "川A1"],
        ["同上", "王建国", "3栋", "夜里巡楼", 2, "李秀英", "晚上", ""],
        [day - timedelta(days=1), "王建国", "3栋", "夜里巡楼", 2, "李秀英", "早上", "川A1"],
        [day - timedelta(days=1), "李秀英", "3栋", "陪老人看病", 3, "王建国", "", ""],
        [day - timedelta(days=2), "李秀英", "3栋", "陪老人看病", 3, "#REF!", "", ""],
        ["#N/A", "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", "", ""],
        [day, "王建国", "3栋", "楼道卫生巡查", "=E3*1", "李秀英", "补", ""],
        [day - timedelta(days=2), "王建国", "3栋", "楼道卫生巡查", 2, "王建国", "", ""],
        [day - timedelta(days=2), "没有此人", "3栋", "楼道卫生巡查", 2, "李秀英", "", ""],
        [day - timedelta(days=3), "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", "隐藏", ""],
        ["合计", None, None, None, 22, None, None, None],
    ]
    book = NewWorkbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("台账")
    for row in rows:
        sheet.append(row)
    sheet.row_dimensions[12].hidden = True
    book.create_sheet("说明").append(["每月底交社区"])
    return saved(book)


def deeds(*rows: tuple[int, str, str]) -> bytes:
    """A tidy workbook of deeds, from rows of (days ago, name, note)."""
    book = NewWorkbook()
    sheet = book.worksheets[0]
    sheet.append(DEEDS)
    for ago, who, note in rows:
        sheet.append([clock.local_day() - timedelta(days=ago), who, "3栋", "楼道卫生巡查", 2, "张桂兰", note])
    return saved(book)


def long_hours(town: Town) -> bytes:
    """A workbook of LONG hours without overlaps; WRONG of them end before they start."""
    names = ["张桂兰", "李秀英", "王建国", "张国庆"]
    book = NewWorkbook(write_only=True)
    sheet = book.create_sheet("签到表")
    sheet.append(HOURS)
    for number in range(LONG):
        name, turn = names[number % len(names)], number // len(names)
        day, hour = clock.local_day() - timedelta(days=2 + turn // 12), 8 + turn % 12
        end = f"{hour}:45" if number % 1000 else "7:00"
        sheet.append([day, "站点值守", "", name, town.phones[name], f"{hour}:00", end])
    return saved(book)


async def brings(page: Page, kind: str, name: str, content: bytes) -> None:
    await page.goto("/admin/imports")
    await page.locator(f"input[name=kind][value={kind}]").check()
    form: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    await page.set_input_files("#file", form)
    await press(page, "试导入")
    await page.wait_for_url("**/admin/imports/drafts/*")


async def fits(page: Page) -> None:
    """Assert that the page does not scroll sideways."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def with_passwords(town: Town, *names: str) -> None:
    for name in names:
        await set_password(town.logins[name], town.phones[name], PASSWORD)


# ------------------------------------------------------------------------------------------ from trial to approval


async def test_an_untidy_book_goes_from_its_trial_to_the_approval_of_its_rows(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    await with_passwords(town, "赵丽", "钱进")
    async with chromium() as browser:
        page = await signed_in(browser, service, TABLET, town.phones["赵丽"])
        await brings(page, "deeds", "台账.xlsx", untidy_deeds())
        await the_trial_shows_all_of_it(page)
        assert await owner.fetchval("SELECT count(*) FROM import_run") == 0

        await page.get_by_label("“夜里巡楼”（2 行）").select_option(label="就是“楼道卫生巡查”（2 分）")
        await page.get_by_label("“陪老人看病”（2 行）").select_option(label="新添“陪老人看病”")
        await press(page, "记下并再试一次")
        await expect(page.get_by_text("表里的词，是哪一项？")).to_have_count(0)
        await reads(page, "可以导入 6 行，其中新的 6 行", "台账 F7")
        await picture(page, "books_decided")
        refused = await downloads(page, "下载有问题的行")
        await press(page, "导入")
        await reads(page, "导入完成", "新录入 6 行。它们在“道德积分”里等另一位来审核。")
        await fits(page)
        await picture(page, "books_imported")

        await brings(page, "deeds", "改好.xlsx", mended(refused))
        await reads(page, "可以导入 3 行，其中新的 3 行")
        await press(page, "导入")
        await reads(page, "新录入 3 行。")

        other = await signed_in(browser, service, PANEL, town.phones["钱进"])
        assert await approves_all(other) == 9
        await picture(other, "books_approved")
    noticed = "SELECT count(*) FROM deed WHERE status = 'noticed'"
    assert await owner.fetchval(noticed) == 9


async def the_trial_shows_all_of_it(page: Page) -> None:
    await reads(
        page, "到这里还没有写入任何登记", "工作表“台账”有 1 行被隐藏或筛选掉，也一起读了", "工作表“说明”没有读（1 行）",
        "工作表“台账”有几列没有用到：车牌", "“夜里巡楼”（2 行）", "“陪老人看病”（2 行）", "还有 2 个词没有定",
        "单元格 A8 显示的是错误 #N/A", "单元格 E9 是公式，文件里没有它的结果", "证明人是本人，请换一位证明人",
        "花名册里没有这个人", "没有用到（2 行有内容）",
    )  # fmt: skip
    wrong = page.locator(".sheet-row", has_text="台账 A8")
    await expect(wrong.locator(".is-marked")).to_contain_text("#N/A")
    await expect(wrong).to_contain_text("王建国")
    await expect(page.locator(".sheet-row", has_text="台账 F10").locator(".is-marked")).to_contain_text("王建国")
    await expect(page.get_by_role("button", name="导入", exact=True)).to_be_in_viewport()
    await fits(page)
    await picture(page, "books_trial")


async def downloads(page: Page, link: str) -> bytes:
    async with page.expect_download() as coming:
        await follow(page, link)
    return await asyncio.to_thread((await (await coming.value).path()).read_bytes)


def mended(refused: bytes) -> bytes:
    """Correct the refused rows: write date, points and witness; delete the row of the unknown person."""
    book = load_workbook(BytesIO(refused))
    [sheet] = book.worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][-1] == REASONS
    assert [str(row[-1])[:5] for row in rows[2:]] == ["单元格 A", "单元格 E", "证明人是本", "花名册里没"]
    sheet["A3"] = clock.local_day() - timedelta(days=9)
    sheet["E4"] = 2
    sheet["F5"] = "李秀英"
    sheet.delete_rows(6)
    return saved(book)


async def approves_all(page: Page) -> int:
    """Approve every waiting deed on the page; return how many there were."""
    done = 0
    await page.goto("/admin/deeds")
    while await page.get_by_role("button", name="同意", exact=True).count():
        await press(page, "同意")
        await reads(page, "已同意，开始公示。")
        done += 1
        await page.goto("/admin/deeds")
    return done


# -------------------------------------------------------------------------------------- another administrator's undo


async def test_another_administrator_takes_a_book_back_and_is_told_what_stands_in_the_way(
    town: Town, owner: asyncpg.Connection, service: Service
) -> None:
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    await with_passwords(town, "赵丽", "钱进")
    async with chromium() as browser:
        hers = await signed_in(browser, service, PANEL, town.phones["赵丽"])
        used, wrong = deeds((4, "王建国", "一"), (4, "李秀英", "二")), deeds((6, "王建国", "三"))
        for name, content in (("用过.xlsx", used), ("错了.xlsx", wrong)):
            await brings(hers, "deeds", name, content)
            await press(hers, "导入")
            await reads(hers, "导入完成")
        his = await signed_in(browser, service, TABLET, town.phones["钱进"])
        await his.goto("/admin/deeds")
        await his.locator("tr", has_text="李秀英").get_by_role("button", name="同意").click()
        await reads(his, "已同意，开始公示。")

        await undoes(his, "用过.xlsx")
        day = clock.local_day() - timedelta(days=4)
        await reads(
            his, "没有撤销", "这次导入的内容已有 1 处用过或改过，所以一处也没有撤销：", f"李秀英 {day} 的善行已经审核"
        )
        await fits(his)
        await picture(his, "books_in_the_way")
        await undoes(his, "错了.xlsx")
        await reads(his, "已撤销", "这次导入的内容都已撤回。同一份表格可以重新导入。")
        await hers.goto("/admin/imports")
        await expect(hers.locator("tr", has_text="错了.xlsx")).to_contain_text("已撤销")
        await expect(hers.locator("tr", has_text="用过.xlsx")).to_contain_text("可撤销")
    left = await owner.fetch("SELECT status, count(*) FROM deed GROUP BY status ORDER BY status")
    assert [tuple(row) for row in left] == [("filed", 1), ("noticed", 1), ("withdrawn", 1)]


async def undoes(page: Page, name: str) -> None:
    await page.goto("/admin/imports")
    await follow(page, name)
    await page.get_by_role("link", name="撤销这次导入").click()
    await press(page.get_by_role("dialog"), "撤销导入")


# --------------------------------------------------------------------------------------- a long import


async def test_everybody_follows_a_long_import_over_a_restart_and_its_end_is_a_message(
    town: Town, owner: asyncpg.Connection, pool: str, tmp_path: Path
) -> None:
    """The import takes long because it is large; service and worker are stopped in its middle and started again."""
    await with_passwords(town, "赵丽", "孙伟")
    port, key = free_port(), SECRET.decode()
    async with chromium() as browser:
        with served(pool, tmp_path, secret_key=key, port=port) as service, working(service, tmp_path) as worker:
            page = await signed_in(browser, service, TABLET, town.phones["赵丽"])
            reader = await signed_in(browser, service, PANEL, town.phones["孙伟"])
            await a_worker_is_there(owner)
            await brings(page, "hours", "全年.xlsx", long_hours(town))
            await reads(page, "签退时间不晚于签到时间", f"可以导入 {LONG - WRONG:,} 行")
            await press(page, "导入")
            await page.wait_for_selector("[data-progress]")
            await reads(page, "正在导入", "可以离开这一页，完成后会给导入的人发消息。签到、兑换不受影响。")
            await picture(page, "books_running")
            for each in (page, reader):
                if each is reader:
                    await reader.goto("/admin/imports")
                    await follow(reader, "全年.xlsx")
                await each.evaluate("window.isTheSamePage = true")
            await moves_on(page)
            worker.kill()
        before = await owner.fetchval("SELECT done FROM import_work")
        assert 0 < before < LONG - WRONG, "it was stopped in its middle"
        with served(pool, tmp_path, secret_key=key, port=port) as service, working(service, tmp_path):
            await moves_on(reader)
            for each in (page, reader):
                await expect(each.locator("[data-progress]")).to_have_count(0)
                assert not await each.evaluate("window.isTheSamePage ?? false"), "it has come anew with its report"
                await reads(each, "已导入", f"{LONG - WRONG:,}", "没有导入的原因", "每一列读成了什么")
            await picture(page, "books_ended")
            await reader.goto("/messages")
            await expect(reader.get_by_text("全年.xlsx")).to_have_count(0)
            await page.goto("/messages")
            await expect(page.get_by_text("您导入的“全年.xlsx”已经完成，结果在“导入”页。")).to_have_count(1)
    assert await owner.fetchval("SELECT count(*) FROM service_record") == LONG - WRONG
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'import_ended'") == 1


async def a_worker_is_there(owner: asyncpg.Connection) -> None:
    for _ in range(300):
        if await owner.fetchval("SELECT worker_seen_at FROM installation"):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the worker gives no sign")


async def moves_on(page: Page) -> None:
    """Wait until the progress on the page increases; assert that the page was not reloaded."""
    before = await page.evaluate(MOVED)
    assert before is not None
    await page.wait_for_function(f"before => ({MOVED})() > before", arg=before)
    assert await page.evaluate("window.isTheSamePage")
