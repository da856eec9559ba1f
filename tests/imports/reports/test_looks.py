"""The report that an administrator sees: marked cells, each reason once, and pages small enough for a tablet."""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.imports.files.test_workbooks import xlsx
from tests.imports.kinds.test_imports import DEEDS, HOURS, ROSTER, resident, table
from tests.imports.runs.test_runs import begun, left_alone, services
from tests.imports.test_api import Desk
from tests.imports.test_pages import tried
from tests.support.messages import texts
from tests.support.town import Town
from timebank.core import clock, vault
from timebank.core.locale import catalogue
from timebank.imports.reports import history
from timebank.imports.reports.report import REMARKS_KEPT_MAX
from timebank.imports.runs import drafts, runs
from timebank.imports.runs import worker_job as leftover
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.undo import undo
from timebank.imports.sheets.known_headings import DEEDS as DEED_COLUMNS
from timebank.imports.sheets.known_headings import GOODS as GOOD_COLUMNS
from timebank.imports.sheets.known_headings import HOURS as HOUR_COLUMNS
from timebank.imports.sheets.known_headings import ROSTER as ROSTER_COLUMNS
from timebank.imports.words.words import WordIn

PAGE_BYTES_MAX = 150_000
DAY = clock.local_day() - timedelta(days=2)


def deed(item: str = "楼道卫生巡查", who: str = "王建国", note: str = "", points: object = 2) -> list[Any]:
    return [DAY, who, "3栋", item, points, "李秀英", note]


async def ended(owner: asyncpg.Connection) -> list[str]:
    return await texts(owner, "kind IN ('import_ended', 'undo_ended')")


# ------------------------------------------------------------------------------------------------------ marked cells


async def test_a_report_names_the_cell_and_shows_its_row(town: Town, client: httpx.AsyncClient) -> None:
    desk = Desk(client, await town.sign_in("赵丽"))
    bad = resident("林大山", phone="199000", building="9栋", room="101", head="林小满", relation="配偶")
    content = table(ROSTER, resident("林小满", phone="19900008001", building="9栋", room="101"), bad)
    report = (await desk.send("residents", content, dry_run="true")).json()
    [error] = report["errors"]
    assert (error["cell"], error["column"], error["value"]) == ("K3", "电话", "1*****")
    [shown] = report["shown"]
    assert (shown["sheet"], shown["row"]) == ("", 3)
    cells = {letter: (heading, value) for letter, heading, value in shown["cells"]}
    assert cells["F"] == ("姓名", "林大山")
    assert cells["K"] == ("电话", "1*****")
    [refusal] = report["refusals"]
    assert (refusal["count"], refusal["rows"], refusal["places"]) == (1, [3], ["K3"])


async def test_numbers_of_people_are_masked_in_a_shown_row(town: Town, client: httpx.AsyncClient) -> None:
    desk = Desk(client, await town.sign_in("赵丽"))
    row = resident("林=", phone="19900008001", identity="522699196809283822", note="电话19900008002")
    text = (await desk.send("residents", table(ROSTER, row), dry_run="true")).text
    assert "199****8001" in text
    assert not any(number in text for number in ("19900008001", "19900008002", "522699196809283822"))


async def test_the_page_marks_the_wrong_cell_of_each_row_and_leads_to_all_of_them(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "赵丽")
    rows = [deed(who="没有此人", note=f"第{n}次") for n in range(120)]
    draft = await tried(client, headers, csrf, "deeds", xlsx(DEEDS, deed(), *rows))
    shown = (await client.get(draft, headers=headers)).text
    assert shown.count('<div class="is-marked"><dt>') == 3, "three rows of the reason are samples"
    assert "120 行" in shown
    more = f"{draft}/rows?of=errors&amp;code=unknown_person&amp;column=%E5%A7%93%E5%90%8D"
    assert more in shown
    address, seen = more.replace("&amp;", "&"), 0
    while True:
        page = await client.get(address, headers=headers)
        assert page.status_code == 200
        seen += page.text.count('class="sheet-row"')
        following = page.text.partition('" rel="next"')[0].rpartition('href="')[2]
        if 'rel="next"' not in page.text:
            break
        address = following.replace("&amp;", "&")
    assert seen == 120
    assert "第 101 至 120 条，共 120 行" in page.text
    stale = await client.get(f"{draft}/rows?of=errors&code=nothing", headers=headers)
    assert stale.headers["location"] == draft, "what was mended meanwhile leads back to the book"
    assert (await client.get(f"{draft}/rows?of=all&code=unknown_person", headers=headers)).status_code == 400
    other, _ = await browser(town, "钱进")
    gone = await client.get(more.replace("&amp;", "&"), headers=other)
    assert gone.status_code == 404, "a tried book is its own session's"


async def test_five_thousand_rows_with_two_thousand_problems_are_light_pages_and_all_are_counted(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "赵丽")
    rows: list[list[Any]] = []
    for number in range(5_000):
        day, hour = DAY - timedelta(days=number // 10), 8 + number % 10
        bad = number % 5
        end = f"{hour - 1}:00" if bad == 0 else f"{hour}:45"
        who = f"查无此人{number}" if bad == 1 else "张桂兰"
        rows.append([day, "站点值守", "", who, town.phones["张桂兰"] if bad != 1 else "", f"{hour}:00", end])
    draft = await tried(client, headers, csrf, "hours", xlsx(HOURS, *rows))
    shown = await client.get(draft, headers=headers)
    assert len(shown.content) < PAGE_BYTES_MAX
    assert shown.text.count("1,000 行") >= 2, "each reason says all of its rows"
    page = await client.get(f"{draft}/rows?of=errors&code=out_before_in&column=签退时间&start=950", headers=headers)
    assert len(page.content) < PAGE_BYTES_MAX
    assert "第 951 至 1000 条，共 1,000 行" in page.text
    draft_id = draft.rpartition("/")[2]
    session = await town.scope("赵丽")
    assert session.session_id is not None
    refused = await client.get(f"{draft}/refused.xlsx", headers=headers)
    back = await runs.try_or_import(
        session, "hours", "back.xlsx", refused.content, dry_run=True, skip_bad=True, seconds=None
    )
    assert back.rows == 2_000, "none is lost because there are so many"

    taken = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    run = await client.get(taken.headers["location"], headers=headers)
    assert len(run.content) < PAGE_BYTES_MAX
    assert run.text.count("1,000 行") >= 2
    assert f"/admin/imports/drafts/{draft_id}/refused.xlsx" in run.text
    refused = await client.get(f"{draft}/refused.xlsx", headers=headers)
    back = await runs.try_or_import(
        session, "hours", "back.xlsx", refused.content, dry_run=True, skip_bad=True, seconds=None
    )
    assert back.rows == 2_000, "nor after the import"
    run_id = unquote(taken.headers["location"]).partition("?")[0].rpartition("/")[2]
    api = (await client.get(f"/api/v1/imports/{run_id}", headers=await town.sign_in("赵丽"))).json()
    assert len(api["errors"]) == REMARKS_KEPT_MAX
    assert sorted(refusal["count"] for refusal in api["refusals"]) == [1_000, 1_000]


async def test_what_was_found_in_a_tried_book_is_kept_sealed(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers, csrf = await browser(town, "赵丽")
    await tried(client, headers, csrf, "residents", table(ROSTER, resident("林大山", phone="199000")))
    kept = await owner.fetchval("SELECT findings FROM import_draft")
    assert "林大山".encode() not in kept
    vault.unseal_bytes(kept, drafts.FINDINGS_SEAL)


@pytest.mark.parametrize("columns", [ROSTER_COLUMNS, HOUR_COLUMNS, DEED_COLUMNS, GOOD_COLUMNS])
def test_every_column_has_an_english_word(columns: Any) -> None:
    assert [one.headings[0] for one in columns if one.headings[0] not in catalogue("en")] == []


# ------------------------------------------------------------------------------------------ decisions after a run


async def test_a_run_says_why_rows_stayed_out_and_its_words_can_still_be_decided(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    headers, csrf = await browser(town, "赵丽")
    draft = await tried(client, headers, csrf, "deeds", xlsx(DEEDS, deed(), deed("夜里巡楼", note="晚")))
    taken = await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    run = taken.headers["location"].partition("?")[0]
    shown = (await client.get(run, headers=headers)).text
    for said in ("没有导入的原因", "每一列读成了什么", "“夜里巡楼”（1 行）", f"{draft}/refused.xlsx", "记下并再试一次"):
        assert said in shown
    api = (await client.get(f"/api/v1{run.removeprefix('/admin')}", headers=await town.sign_in("赵丽"))).json()
    assert [word["value"] for word in api["unknown"]] == ["夜里巡楼"]
    assert api["refusals"][0]["places"] == ["Sheet D3"]

    decided = {"_csrf": csrf, "value-1": "夜里巡楼", "kind-1": "item", "means-1": "楼道卫生巡查"}
    answer = await client.post(f"{run}/words", headers=headers, data=decided)
    assert answer.headers["location"] == draft, "as long as the book is kept, it is tried anew at once"
    assert "可以导入 2 行，其中新的 1 行" in (await client.get(draft, headers=headers)).text
    assert "夜里巡楼”（" not in (await client.get(run, headers=headers)).text, "it is decided"
    await client.post(draft, headers=headers, data={"_csrf": csrf, "skip_bad": "0"})
    assert await owner.fetchval("SELECT count(*) FROM deed") == 2


async def test_where_the_book_is_gone_its_words_are_decided_and_the_page_asks_for_it_again(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE rule SET cap_period = NULL, cap_per_person = NULL, cap_per_area = NULL")
    content = xlsx(DEEDS, deed(), deed("夜里巡楼", note="晚"), deed("陪老人看病", note="早", points=3))
    report = await import_file(await town.scope("赵丽"), "deeds", "a.xlsx", content, skip_bad=True)
    run = f"/admin/imports/{report.run_id}"
    headers, csrf = await browser(town, "钱进")
    shown = (await client.get(run, headers=headers)).text
    assert "表格只保留一小时，试导入了别的表格也会换掉，现在已经没有了" in shown
    assert "refused.xlsx" not in shown
    reader, _ = await browser(town, "孙伟")
    seen = (await client.get(run, headers=reader)).text
    assert "没有导入的原因" in seen
    assert "表里的词，是哪一项？" not in seen, "who only reads decides nothing"
    decided = {"_csrf": csrf, "value-1": "夜里巡楼", "kind-1": "item", "means-1": "楼道卫生巡查"}
    assert (await client.post(f"{run}/words", headers=reader, data=decided)).status_code == 403
    answer = await client.post(f"{run}/words", headers=headers, data=decided)
    assert answer.headers["location"] == f"{run}?done=words"
    after = (await client.get(answer.headers["location"], headers=headers)).text
    assert "请再选同一份表格试导入" in after
    assert "“夜里巡楼”（" not in after
    assert "“陪老人看病”（1 行）" in after, "what is still open stays"
    again = await import_file(await town.scope("赵丽"), "deeds", "a.xlsx", content, skip_bad=True)
    assert again.created == 1
    unclear = decided | {"value-1": "陪老人看病", "means-1": "没有这一项"}
    refused = await client.post(f"{run}/words", headers=headers, data=unclear)
    assert refused.status_code == 422
    assert await owner.fetchval("SELECT count(*) FROM deed") == 2


async def test_a_word_that_became_an_item_meanwhile_is_asked_no_more(town: Town) -> None:
    scope = await town.scope("赵丽")
    report = await import_file(scope, "deeds", "a.xlsx", xlsx(DEEDS, deed(), deed("夜里巡楼")), skip_bad=True)
    assert report.run_id is not None
    assert [word.value for word in (await history.show_run(scope, report.run_id)).unknown] == ["夜里巡楼"]
    word = WordIn(value="夜里巡楼", new=True, points=2)
    await import_file(scope, "deeds", "b.xlsx", xlsx(DEEDS, deed("夜里巡楼", note="晚")), skip_bad=True, words=[word])
    assert (await history.show_run(scope, report.run_id)).unknown == []


# ------------------------------------------------------------------------------------------ the message at the end


async def test_whoever_sees_the_end_at_once_is_told_nothing(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    report = await import_file(scope, "hours", "a.csv", services(town, 10, "张桂兰"), skip_bad=True)
    assert report.run_id is not None
    await undo(scope, report.run_id)
    assert await ended(owner) == []


async def test_whoever_has_waited_long_is_told_once_whoever_ends_it(town: Town, owner: asyncpg.Connection) -> None:
    """A request that finishes the run after a while sends the message too: its user may have left the page."""
    scope, content = await town.scope("赵丽"), services(town, 600, "张桂兰", "李秀英")
    run_id = await begun(scope, "hours", content, batches=1)
    await left_alone(owner)
    await owner.execute("UPDATE import_work SET began_at = now() - interval '6 seconds'")
    report = await import_file(scope, "hours", "hours.csv", content, skip_bad=True)
    assert report.run_id == run_id
    assert await ended(owner) == ["您导入的“hours.csv”已经完成，结果在“导入”页。"]
    await import_file(scope, "hours", "hours.csv", content, skip_bad=True)
    await leftover.continue_stopped_imports()
    assert len(await ended(owner)) == 1

    await undo(scope, run_id, seconds=-1)
    await left_alone(owner)
    await owner.execute("UPDATE import_work SET began_at = now() - interval '6 seconds'")
    await undo(scope, run_id)
    await undo(scope, run_id)
    assert (await ended(owner))[1:] == ["“hours.csv”的导入已经撤销，结果在“导入”页。"]


async def test_a_run_that_another_administrator_ends_is_told_to_who_began_it(
    town: Town, owner: asyncpg.Connection
) -> None:
    await begun(await town.scope("赵丽"), "hours", services(town, 600, "张桂兰"), batches=1)
    await left_alone(owner)
    other = await town.scope("钱进")
    await import_file(other, "hours", "b.csv", services(town, 20, "李秀英"), skip_bad=True)
    told = await owner.fetch("SELECT person_id FROM message WHERE kind = 'import_ended'")
    assert [row["person_id"] for row in told] == [town.people["赵丽"]]
