"""The panel's import pages as an administrator uses them: upload, trial run, import, undo."""

import re
from datetime import time, timedelta
from io import BytesIO
from typing import Any

import asyncpg
import httpx
import pytest
from openpyxl import Workbook, load_workbook

from tests.access.test_access_pages import browser
from tests.imports.kinds.test_imports import GOODS, HOURS, ROSTER, resident, table
from tests.imports.kinds.test_matter_books import MATTERS
from tests.imports.kinds.test_matter_books import row as matter
from tests.imports.kinds.test_members import MEMBERS
from tests.imports.kinds.test_members import row as member
from tests.imports.runs.test_runs import get_ready
from tests.support.town import Town
from timebank.core import clock, vault
from timebank.core.locale import translator
from timebank.imports.intake import Kind
from timebank.imports.reports.refused_rows import SHAPES
from timebank.imports.runs import drafts
from timebank.overview.community import LOOKED_AT

GOOD = resident("林小满", phone="19900008001", head="林小满", relation="户主", building="9栋", room="101")
BAD = resident("=林大山", phone="199000", head="林小满", relation="配偶", building="9栋", room="101")


async def upload(
    client: httpx.AsyncClient, headers: dict[str, str], csrf: str, kind: Kind, content: bytes, name: str = "名单.csv"
) -> httpx.Response:
    form = {"_csrf": csrf, "kind": kind}
    return await client.post("/admin/imports", headers=headers, data=form, files={"file": (name, content)})


async def tried(client: httpx.AsyncClient, headers: dict[str, str], csrf: str, kind: Kind, content: bytes) -> str:
    """Upload a file for a trial; return the path of the page with its report."""
    answer = await upload(client, headers, csrf, kind, content)
    assert answer.status_code == 303, answer.text
    assert re.fullmatch(r"/admin/imports/drafts/[0-9a-f-]{36}", answer.headers["location"])
    return answer.headers["location"]


async def test_a_roster_is_tried_taken_in_and_taken_back(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    first = await client.get("/admin/imports", headers=headers)
    assert "还没有导入过" in first.text
    draft = await tried(client, headers, csrf, "residents", table(ROSTER, GOOD, BAD))
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name = '林小满'") == 0
    shown = (await client.get(draft, headers=headers)).text
    assert "到这里还没有写入任何登记" in shown
    assert "跳过有问题的 1 行，导入其余 1 行" in shown
    assert "手机号有 6 位，应为 11 位，请核对" in shown
    assert "新建 0 个网格、1 栋楼、1 个单元、1 户" in shown

    strict = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "0"})
    assert strict.headers["location"] == draft
    assert "什么都没有导入" in (await client.get(draft, headers=headers)).text
    assert await owner.fetchval("SELECT count(*) FROM import_run") == 0

    taken = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    assert taken.status_code == 303
    done = (await client.get(taken.headers["location"], headers=headers)).text
    assert "导入完成" in done
    assert f"{draft}/refused.xlsx" in done
    back = (await client.get(draft, headers=headers)).text
    assert "这份表格已经导入" in back
    assert 'name="skip_bad"' not in back
    again = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    assert "没有新的内容" in (await client.get(again.headers["location"], headers=headers)).text

    run = taken.headers["location"].partition("?")[0]
    listed = (await client.get("/admin/imports", headers=headers)).text
    assert f'href="{run}"' in listed
    assert "可撤销" in listed
    undone = await client.post(f"{run}/undo", headers=headers, data={"_csrf": csrf})
    assert undone.headers["location"] == f"{run}?done=undone"
    after = (await client.get(undone.headers["location"], headers=headers)).text
    assert "都已撤回" in after
    assert "撤销前导入了" in after
    assert "已导入，请留意" not in after
    assert "已撤销" in (await client.get("/admin/imports", headers=headers)).text
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name = '林小满'") == 0


async def test_the_refused_rows_come_back_whole_and_harmless(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    below = ["", "", "", "", "", "林小树", "子", "", "52269919820713313X1", "", "", "+1"]
    draft = await tried(client, headers, csrf, "residents", table(ROSTER, GOOD, BAD, below))
    answer = await client.get(f"{draft}/refused.xlsx", headers=headers)
    assert answer.status_code == 200
    assert (
        "%E5%90%8D%E5%8D%95-%E6%9C%AA%E5%AF%BC%E5%85%A5%E7%9A%84%E8%A1%8C.xlsx" in answer.headers["content-disposition"]
    )
    sheet = load_workbook(BytesIO(answer.content)).worksheets[0]
    head, first, second = ([cell.value for cell in row] for row in sheet.iter_rows())
    assert head == [*ROSTER, "没有导入的原因"]
    assert (first[5], first[10]) == ("'=林大山", "199000")
    assert first[-1] == "这不像姓名：里面有数字或符号，请只写姓名；手机号有 6 位，应为 11 位，请核对"
    # Values that the row took from rows above are written into it, so that it can be imported alone.
    assert second[:6] == ["第一网格", "9栋", "1单元", "101", "林小满", "林小树"]
    assert second[11] == "'+1"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}


async def test_mended_rows_are_added_and_the_others_not_again(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    draft = await tried(client, headers, csrf, "residents", table(ROSTER, GOOD, resident("林大山", phone="199000")))
    await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    book = load_workbook(BytesIO((await client.get(f"{draft}/refused.xlsx", headers=headers)).content))
    book.worksheets[0]["K2"] = "19900008002"
    mended = BytesIO()
    book.save(mended)
    draft = await tried(client, headers, csrf, "residents", mended.getvalue())
    assert "下载有问题的行" not in (await client.get(draft, headers=headers)).text
    await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "0"})
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name IN ('林小满', '林大山')") == 2


async def test_a_tried_workbook_is_sealed_and_its_own_sessions_alone_for_an_hour(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    draft = await tried(client, headers, csrf, "residents", table(ROSTER, GOOD))
    kept = await owner.fetchval("SELECT content FROM import_draft")
    assert b"19900008001" not in kept
    assert "林小满".encode() not in kept
    assert "19900008001" in vault.unseal(kept, drafts.SEAL)
    elsewhere, other_csrf = await browser(town, "赵丽")
    for asked in (
        await client.get(draft, headers=elsewhere),
        await client.post(draft, headers=elsewhere, data={"_csrf": other_csrf, "skip_bad": "1"}),
        await client.get(f"{draft}/refused.xlsx", headers=elsewhere),
    ):
        assert asked.status_code == 404
    with clock.at(clock.now() + timedelta(minutes=61)):
        gone = await client.get(draft, headers=headers)
        assert gone.status_code == 404
        assert "请重新选择表格" in gone.text
        await drafts.purge_drafts(town.system())
    assert await owner.fetchval("SELECT count(*) FROM import_draft") == 0


async def test_a_new_trial_replaces_the_sessions_earlier_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    first = await tried(client, headers, csrf, "residents", table(ROSTER, GOOD))
    await tried(client, headers, csrf, "goods", table(GOODS, ["雨伞", "把", 45, 1, "慈善超市", ""]))
    assert (await client.get(first, headers=headers)).status_code == 404
    assert await owner.fetchval("SELECT count(*) FROM import_draft") == 1


async def test_a_file_that_is_no_table_is_refused_on_the_same_page(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    for content, status, sentence in (
        (b"", 422, "文件里没有数据"),
        (b"%PDF-1.7", 415, "只能导入 xlsx、xls、et、ods 或 csv 文件"),
        (table(["一", "二"], ["三", "四"]), 422, "没有找到认识的表头"),
        (b"a" * (10 * 1024 * 1024 + 1), 413, "最多 10 MB"),
    ):
        answer = await upload(client, headers, csrf, "hours", content)
        assert answer.status_code == status, content[:10]
        assert sentence in answer.text
        assert re.search(r'value="hours"\s+checked', answer.text)


async def test_what_stands_in_the_way_of_an_undoing_is_listed(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    day = clock.local_day() - timedelta(days=2)
    rows = table(HOURS, [day, "站点值守", "", "张桂兰", town.phones["张桂兰"], "09:00", "10:00"])
    draft = await tried(client, headers, csrf, "hours", rows)
    taken = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "0"})
    await owner.execute("UPDATE service_record SET status = 'rejected'")
    run = taken.headers["location"].partition("?")[0]
    refused = await client.post(f"{run}/undo", headers=headers, data={"_csrf": csrf})
    assert refused.status_code == 409
    assert "没有撤销" in refused.text
    assert f"<li>张桂兰 {day} 的服务时长已经审核</li>" in refused.text


async def test_cells_are_shown_as_their_spreadsheet_shows_them(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "赵丽")
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(HOURS)
    day = clock.local_day() - timedelta(days=2)
    sheet.append([day, "站点值守", "", "张桂兰", "#N/A", time(22, 5), timedelta(hours=25, minutes=30)])
    content = BytesIO()
    made.save(content)
    answer = await upload(client, headers, csrf, "hours", content.getvalue(), "签到.xlsx")
    shown = (await client.get(answer.headers["location"], headers=headers)).text
    for seen in ("#N/A", "22:05", "25:30"):
        assert f"<dd>{seen}</dd>" in shown, seen


async def test_a_book_of_words_that_nobody_has_decided_says_so_and_not_to_mend_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "赵丽")
    draft = await tried(client, headers, csrf, "goods", table(GOODS, ["香皂", "块", 5, 10, "城北小卖部", ""]))
    shown = (await client.get(draft, headers=headers)).text
    assert "先定这些词" in shown
    assert "改好表格再来" not in shown


def test_what_a_column_is_read_as_is_said_in_english_too() -> None:
    english = translator("en")
    meant = {meaning.headings[0] for shape in SHAPES.values() for meaning in shape.wanted}
    assert [word for word in sorted(meant) if english(word) == word] == [], "mark it in admin/import_shown.py::MEANINGS"


async def test_hours_of_a_long_book_wait_for_others_and_not_for_who_brought_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "赵丽")
    days = [clock.local_day() - timedelta(days=before) for before in range(2, 28)]
    rows = [
        [day, "站点值守", "", "张桂兰", town.phones["张桂兰"], f"{hour:02}:00", f"{hour + 1:02}:00"]
        for day in days for hour in range(8, 16)
    ]  # fmt: skip
    assert len(rows) > LOOKED_AT
    draft = await tried(client, headers, csrf, "hours", table(HOURS, *rows))
    taken = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "0"})
    done = (await client.get(taken.headers["location"], headers=headers)).text
    assert "它们在“待办”里等另一位来审核。" in done
    assert (
        f'href="/admin/inbox?kind=service_record&amp;batch={taken.headers["location"].split("/")[3].split("?")[0]}"'
        in done
    )
    assert "由街道管理员钱进" in done, "the page says who has to approve"
    home = (await client.get("/admin", headers=headers)).text
    assert "件事等着办" not in home
    assert f"另有 {len(rows)} 件由别人决定" in home
    other, _csrf = await browser(town, "钱进")
    assert f"有 {len(rows)} 件事等着办" in (await client.get("/admin", headers=other)).text


@pytest.mark.parametrize(("name", "sees"), [("孙伟", 200), ("陈明", 403), ("周敏", 403), ("张桂兰", 403)])
async def test_readers_see_the_runs_and_only_administrators_the_form(
    town: Town, client: httpx.AsyncClient, name: str, sees: int
) -> None:
    headers, csrf = await browser(town, name)
    answer = await client.get("/admin/imports", headers=headers)
    assert answer.status_code == sees
    assert 'type="file"' not in answer.text
    refused = await upload(client, headers, csrf, "residents", table(ROSTER, GOOD))
    assert refused.status_code == 403


async def test_a_visitor_is_sent_to_sign_in_and_a_form_without_token_is_refused(
    town: Town, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/admin/imports")).headers["location"] == "/sign-in?next=/admin/imports"
    headers, _ = await browser(town, "赵丽")
    assert (await upload(client, headers, "", "residents", table(ROSTER, GOOD))).status_code == 403


async def test_a_workbook_of_which_nothing_was_refused_gives_an_empty_sheet(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "赵丽")
    draft = await tried(client, headers, csrf, "residents", table(ROSTER, GOOD))
    answer = await client.get(f"{draft}/refused.xlsx", headers=headers)
    assert answer.status_code == 200
    [sheet] = load_workbook(BytesIO(answer.content)).worksheets
    assert sheet.max_row == 1


@pytest.mark.parametrize(
    ("kind", "word", "after"), [("members", "报到名册", "去看单位"), ("matters", "事项台账", "去看办结情况")]
)
async def test_a_list_is_offered_where_it_is_used_and_leads_to_what_it_made(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, kind: Kind, word: str, after: str
) -> None:
    headers, csrf = await browser(town, "赵丽")
    assert f'value="{kind}"' not in (await client.get("/admin/imports", headers=headers)).text
    refused = await upload(client, headers, csrf, kind, table(GOODS))
    assert refused.status_code == 404, "nobody imports it by hand where it is not used either"
    await get_ready(kind, town, owner)
    headers, csrf = await browser(town, "赵丽")
    assert word in (await client.get("/admin/imports", headers=headers)).text
    rows: dict[str, list[Any]] = {
        "members": [MEMBERS, member("县税务局", "林中", "13800008001"), member("县水利局", "林大", "13800008002")],
        "matters": [
            MATTERS, matter("W-1", "2026-03-02", "灯不亮", "2026-03-03"),
            matter("W-2", "2026-03-02", "积水", grid="九"),
        ],
    }  # fmt: skip
    draft = await tried(client, headers, csrf, kind, table(*rows[kind]))
    shown = (await client.get(draft, headers=headers)).text
    assert "跳过有问题的 1 行，导入其余 1 行" in shown
    back = await client.get(f"{draft}/refused.xlsx", headers=headers)
    assert back.status_code == 200
    taken = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    done = (await client.get(taken.headers["location"], headers=headers)).text
    assert "导入完成" in done
    assert after in done
    run = taken.headers["location"].partition("?")[0]
    undone = await client.post(f"{run}/undo", headers=headers, data={"_csrf": csrf})
    assert undone.headers["location"] == f"{run}?done=undone"
