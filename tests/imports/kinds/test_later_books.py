"""The book of the next month: what was open is ended as it says, nobody earns, and what was done here stays."""

import asyncio
import html
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.access.test_access_pages import browser
from tests.imports.kinds.test_matter_books import codes, local, matters, row, take_in, tally, warned
from tests.imports.kinds.test_members import book
from tests.support.matters import FIRM, MORNING, Ground, let_reports_earn, matters_ground
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.imports.kinds.matters.states import dropped
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.matters.figures.counting import count_matters
from timebank.matters.loop.refusals import MatterMovedOn
from timebank.matters.opening.later_books import BookEnd, BookMatterHandled, end_booked
from timebank.matters.pages.timeline import timeline
from timebank.matters.reading.one import find_matter

LATER = [
    "是否办结",
    "办理结果",
    "内容",
    "完成时间",
    "编号",
    "受理日期",
    "承办单位",
    "类别",
    "网格",
    "满意度",
    "上报人",
    "联系电话",
]


@pytest.fixture
async def ground(town: Town, owner: asyncpg.Connection) -> AsyncIterator[Ground]:
    with clock.at(MORNING):
        yield await matters_ground(town, owner)


def later(number: object, came: object, said: str, done: object = None, **more: object) -> list[object]:
    """A row of the later book, whose columns stand in another order."""
    known: dict[str, object] = {
        "state": None, "result": None, "handler": None, "category": "路灯", "grid": "第一网格", "answer": None,
        "name": None, "phone": None,
    } | more  # fmt: skip
    return [
        known["state"], known["result"], said, done, number, came, known["handler"], known["category"], known["grid"],
        known["answer"], known["name"], known["phone"],
    ]  # fmt: skip


async def hand_over(town: Town, *rows: list[object], language: str = "zh", dry_run: bool = False) -> Report:
    return await import_file(
        await town.scope("赵丽", town.community), "matters", "下月.xlsx", book(("12月", [LATER, *rows])), skip_bad=True,
        language=language, dry_run=dry_run,
    )  # fmt: skip


async def one(owner: asyncpg.Connection, said: str) -> asyncpg.Record:
    return next(each for each in await matters(owner) if each["said"] == said)


async def everything(owner: asyncpg.Connection) -> list[Any]:
    """What stands of matters, their timelines, answers and figures."""
    return [
        await owner.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4")  # from below
        for table in ("matter", "matter_step", "rating", "matter_tally")
    ]


async def test_what_was_open_is_ended_as_the_later_book_says_and_earns_nobody_anything(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town, day = ground.town, date(2026, 11, 2)
    await let_reports_earn(town)
    friend = {"name": "张桂兰", "phone": town.phones["张桂兰"]}
    await take_in(
        town, row("A-1", "2026-11-02 16:00", "甲", **friend), row("A-2", "2026-11-02", "乙"),
        row("A-3", "2026-11-02", "丙"), row("A-4", "2026-11-02", "丁"),
    )  # fmt: skip
    rows = [
        later(
            "A-1",
            "2026年11月2日",
            "甲",
            "2026.11.3",
            state="已办结",
            result="换了灯",
            handler=FIRM,
            answer="满意",
            **friend,
        ),
        later("A-2", "2026-11-02", "乙", state="不属实", result="灯是好的"),
        later("A-3", "2026-11-02", "丙", "2026-11-04", state="已撤回"),
        later("A-4", "2026-11-02", "丁", state="处理中"),
        later("A-5", "2026-11-05", "戊", "2026-11-06", state="完成"),
    ]  # fmt: skip
    tried = await hand_over(town, *rows, dry_run=True)
    assert (tried.created, (await one(owner, "甲"))["status"]) == (4, "received")
    done = await hand_over(town, *rows, language="en")
    assert (done.created, done.errors, done.warnings) == (4, [], [])
    assert {
        "Left open by an earlier import and closed as this book says: 1",
        "Left open by an earlier import and recorded as not taken on or withdrawn, as this book says: 2",
        "Imported or entered before and not changed: 1",
    } <= set(done.notes)
    closed, refused, withdrawn = [await one(owner, said) for said in "甲乙丙"]
    assert (closed["status"], local(closed["done_at"]), closed["done_days"], closed["result"], closed["unit_id"]) == (
        "closed", "11-03 17:30", 1, "换了灯", ground.units[FIRM],
    )  # fmt: skip
    assert (refused["status"], refused["refused_because"], refused["done_at"], refused["result"]) == (
        "refused", "untrue", None, "灯是好的",
    )  # fmt: skip
    assert (withdrawn["status"], local(withdrawn["closed_at"])) == ("withdrawn", "11-04 17:30")
    assert ((await one(owner, "丁"))["status"], (await one(owner, "戊"))["status"]) == ("received", "closed")
    figures = await tally(owner, day)
    assert (figures["received"], figures["counted"], figures["done0"], figures["done1"], figures["finished"]) == (
        4, 2, 0, 1, 1,
    )  # fmt: skip
    assert (figures["asked"], figures["answered"], figures["solved"]) == (1, 1, 1)
    before = await everything(owner)
    await count_matters(town.system())
    assert (await everything(owner)) == before, "the worker counts the same"
    shown = await find_matter(await town.scope("赵丽"), closed["id"])
    assert [line.text for line in timeline(shown, "zh")] == ["从旧台账录入", "台账写着已经办结"]
    assert [line.text for line in timeline(shown, "en")][1] == "The book says that it is done"
    assert await owner.fetchval("SELECT count(*) FROM message WHERE sentence LIKE 'matter%'") == 0
    assert (await ground.confirm(closed["id"])).why == "imported"
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE source_kind = 'matter'") == 0
    again = await hand_over(town, *rows)
    assert (again.outcome, again.created, again.warnings) == ("unchanged", 0, [])


async def test_taking_the_later_book_back_lets_its_matters_wait_exactly_as_before(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town, scope = ground.town, await ground.town.scope("赵丽")
    friend = {"name": "张桂兰", "phone": town.phones["张桂兰"]}
    first = await take_in(town, row("B-1", "2026-11-02", "甲", **friend), row("B-2", "2026-11-03", "乙"))
    before = await everything(owner)
    rows = [
        later("B-1", "2026-11-02", "甲", "2026-11-03", answer="不满意", handler=FIRM, **friend),
        later("B-2", "2026-11-03", "乙", state="不予受理"), later("B-3", "2026-11-04", "丙", "2026-11-05"),
    ]  # fmt: skip
    second = await hand_over(town, *rows)
    assert first.run_id is not None
    assert second.run_id is not None
    numbers = [(await one(owner, said))["number"] for said in "甲乙"]
    with pytest.raises(ImportUsed) as used:
        await undo(scope, first.run_id)
    assert used.value.reasons() == [f"事项 {'、'.join(numbers)} 后来的台账写着已经了结"]
    assert "请先撤销后来的" in used.value.text()
    await undo(scope, second.run_id)
    assert await everything(owner) == before
    third = await hand_over(town, *rows)
    assert third.created == 3, "the same book can be handed over again"
    assert third.run_id is not None
    await ground.reopen((await one(owner, "甲"))["id"], by="张桂兰")
    with pytest.raises(ImportUsed) as handled:
        await undo(scope, third.run_id)
    assert handled.value.reasons() == [f"事项 {numbers[0]} 后来有人办过"]


async def test_what_somebody_has_acted_on_here_is_left_alone_and_the_report_says_why(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town = ground.town
    await take_in(
        town, row("C-1", "2026-11-02", "甲"), row("C-2", "2026-11-02", "乙", "2026-11-03"),
        row("C-3", "2026-11-02", "丙", spot="5栋门口"), row("C-4", "2026-11-02", "丁"), row("C-5", "2026-11-05", "庚"),
    )  # fmt: skip
    await ground.dispatch((await one(owner, "甲"))["id"])
    await ground.open("陈明", external_number="HOT-9", said="热线")
    before = await everything(owner)
    report = await hand_over(
        town,
        later("C-1", "2026-11-02", "甲", "2026-11-04", state="办结"),
        later("C-2", "2026-11-02", "乙", state="处理中"),
        later("HOT-9", "2026-11-17", "热线来的", "2026-11-18"),
        later("C-3", "2026-11-02", "丙：换了说法", category="停车"),
        later("C-4", "2026-11-02", "丁", state="重复上报"),
        later("C-5", "2026-11-03", "庚", "2026-11-04"),
    )
    assert (report.outcome, report.created, report.errors) == ("unchanged", 0, [])
    assert {odd.row: odd.code for odd in report.warnings} == {
        2: "book_matter_handled", 3: "matter_open_again", 4: "matter_entered_here", 5: "known_matter_differs",
        6: "matter_drop_unclear", 7: "done_before_received",
    }  # fmt: skip
    sentences = {odd.row: odd.problem for odd in report.warnings}
    assert sentences[5] == "这件以前已经导入，这里的内容、类别与那时不同，没有改动；要改请到事项页"
    assert (await one(owner, "甲"))["number"] in sentences[2]
    assert "6 件与以前登记的不同，没有改动，原因写在各行里" in report.notes
    assert await everything(owner) == before


async def test_the_pages_say_how_many_ended_and_how_many_were_left_alone_and_why(
    ground: Ground, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    town = ground.town
    await take_in(town, row("P-1", "2026-11-02", "甲"), row("P-2", "2026-11-02", "乙"))
    handled = await one(owner, "乙")
    await ground.dispatch(handled["id"])
    headers, csrf = await browser(town, "赵丽")
    rows = [later("P-1", "2026-11-02", "甲", "2026-11-03"), later("P-2", "2026-11-02", "乙", "2026-11-03")]
    draft = await client.post(
        "/admin/imports", headers=headers, data={"_csrf": csrf, "kind": "matters"},
        files={"file": ("下月.xlsx", book(("12月", [LATER, *rows])))},
    )  # fmt: skip
    tried = (await client.get(draft.headers["location"], headers=headers)).text
    ended, alone = "1 件以前导入时还没有办结，按这份台账办结", "1 件与以前登记的不同，没有改动，原因写在各行里"
    assert (ended in tried, alone in tried, f"事项 {handled['number']} 导入以后有人在这里办过" in tried) == (True,) * 3
    taken = await client.post(draft.headers["location"], headers=headers, data={"_csrf": csrf, "skip_bad": "1"})
    done = (await client.get(taken.headers["location"], headers=headers)).text
    assert ("新录入或了结 1 行。" in done, ended in done, alone in done) == (True,) * 3
    english = headers | {"Accept-Language": "en"}
    said = html.unescape((await client.get(taken.headers["location"], headers=english)).text)
    assert "Left open by an earlier import and closed as this book says: 1" in said
    assert f"Somebody has worked on matter {handled['number']} here since it was imported" in said


async def test_an_untidy_later_book_finds_its_matters(ground: Ground, owner: asyncpg.Connection) -> None:
    """Merged grids, days as text, words for done, numbers that came or went, one number twice, a rare name."""
    town = ground.town
    await take_in(
        town, row("D-1", "2026-11-02", "甲"), row(None, "2026-11-02", "乙"), row("D-3", "2026-11-02", "丙"),
        row("D-4", "2026-11-02", "丁"), row("D-5", "2026-11-02", "丁"), row(7, "2026-11-02", "龢家灯不亮"),
    )  # fmt: skip
    rows: list[list[object]] = [
        ["凤凰社区2026年11月事项办结情况", *[None] * 7],
        ["处理情况", None, "网格", "反映人", "问题描述", "反映时间", "编号", "办理状态"],
        ["结果", "办结日期", None, None, None, None, None, None],
        ["修好", "11月3日", "第一网格", "䶮龢", "甲", "2026年11月2日", None, "已办结"],
        ["修好", "2026-11-04", None, None, "乙", "20261102", "D-2", "办结"],
        ["修好", datetime(2026, 11, 5), None, None, "丙", "2026.11.2", "Ｄ－３", "完成"],  # noqa: DTZ001 - as a spreadsheet has it
        ["又一次", "2026-11-06", None, None, "丙", "2026.11.2", "D-3", "完成"],
        ["修好", "2026-11-04", None, None, "丁", "2026.11.2", None, "已解决"],
        ["修好", "当日", None, "㛃䶮", "龢家灯不亮", "2026.11.2", 31, "已办结"],
    ]
    merged = ("A1:H1", "A2:B2", *(f"{column}2:{column}3" for column in "CDEFGH"), "C4:C9")
    content = book(("11月", rows), merged=merged)
    report = await import_file(await town.scope("赵丽"), "matters", "11月.xlsx", content, skip_bad=True)
    assert codes(report) == {7: "duplicate", 8: "matter_ambiguous"}
    assert {odd.row: odd.code for odd in report.warnings if odd.code == "matter_by_words"} | {
        row_: odd.code for odd in report.warnings for row_ in odd.rows if odd.code == "matter_by_words"
    } == {4: "matter_by_words", 5: "matter_by_words"}
    assert report.created == 4
    found = {each["said"]: each["done_days"] for each in await matters(owner) if each["status"] == "closed"}
    assert found == {"甲": 1, "乙": 2, "丙": 3, "龢家灯不亮": 0}
    assert len(await matters(owner)) == 6, "no matter is entered twice"
    again = await import_file(await town.scope("赵丽"), "matters", "11月.xlsx", content, skip_bad=True)
    assert (again.outcome, again.created, "known_matter_differs" in warned(again)) == ("unchanged", 0, False)


async def test_whoever_dispatches_while_the_book_is_taken_in_is_not_overwritten(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town = ground.town
    await take_in(town, row("E-1", "2026-11-02", "甲"), row("E-2", "2026-11-02", "乙"))
    first, second = [(await one(owner, said))["id"] for said in "甲乙"]

    async def try_dispatch() -> str:
        try:
            return (await ground.dispatch(first)).status
        except MatterMovedOn:
            return "too late"

    report, became = await asyncio.gather(
        hand_over(town, later("E-1", "2026-11-02", "甲", "2026-11-03")), try_dispatch()
    )
    state = (await one(owner, "甲"))["status"]
    assert (state, became, report.created) in (("closed", "too late", 1), ("dispatched", "dispatched", 0))
    await ground.dispatch(second)
    end = BookEnd(
        id=clock.new_id(), matter_id=UUID(bytes=second.bytes), status="closed", ended_at=MORNING, unit_id=None,
        result=None, solved=None, stars=None, note=None,
    )  # fmt: skip
    [refused] = await end_booked(await town.scope("赵丽"), [end])
    assert isinstance(refused, BookMatterHandled)
    assert (await one(owner, "乙"))["status"] == "dispatched"
    with pytest.raises(TimebankError):
        await end_booked(await town.scope("张桂兰"), [end])


@pytest.mark.parametrize(
    ("words", "how"),
    [
        (("撤回", "已撤销", "取消"), "withdrawn"), (("不予受理", "不受理"), "not_ours"),
        (("不属实", "经核实不属实", "误报。"), "untrue"), (("作废", "重复上报", "退回"), "unclear"),
        (("", "已办结", "处理中", "不满意"), None),
    ],
)  # fmt: skip
def test_a_word_says_how_a_matter_was_dropped(words: tuple[str, ...], how: str | None) -> None:
    assert {dropped(word) for word in words} == {how}
