"""Old books of matters: what is closed, open or refused, the figures, nothing earned, and taking a book back."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.imports.kinds.test_members import book
from tests.support.matters import CONTACT, FIRM, GRID_HEAD, MORNING, Ground, let_reports_earn, matters_ground
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import NotUsedHere
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.matters.checks.drawing import draw_spot_checks
from timebank.matters.figures.counting import count_matters
from timebank.matters.jobs.urging import urge_matters
from timebank.matters.reading.one import find_matter
from timebank.policies.values import change_policy

MATTERS = [
    "编号", "上报时间", "网格", "楼栋", "具体位置", "类别", "内容", "上报人", "联系电话", "承办单位", "办结时间",
    "办理结果", "是否办结", "满意度", "备注",
]  # fmt: skip


@pytest.fixture
async def ground(town: Town, owner: asyncpg.Connection) -> AsyncIterator[Ground]:
    with clock.at(MORNING):
        yield await matters_ground(town, owner)


def row(number: object, came: object, said: str, done: object = None, **more: object) -> list[object]:
    known: dict[str, object] = {
        "grid": "第一网格", "building": None, "spot": None, "category": "路灯", "name": None, "phone": None,
        "handler": None, "result": "已修好" if done else None, "state": None, "answer": None, "note": None,
    } | more  # fmt: skip
    return [
        number, came, known["grid"], known["building"], known["spot"], known["category"], said, known["name"],
        known["phone"], known["handler"], done, known["result"], known["state"], known["answer"], known["note"],
    ]  # fmt: skip


async def take_in(town: Town, *rows: Sequence[object], dry_run: bool = False, heads: Sequence[str] = MATTERS) -> Report:
    content = book(("台账", [list(heads), *rows]))
    return await import_file(
        await town.scope("赵丽", town.community), "matters", "台账.xlsx", content, skip_bad=True, dry_run=dry_run
    )


async def matters(owner: asyncpg.Connection) -> list[asyncpg.Record]:
    return await owner.fetch(
        "SELECT m.*, a.name AS area FROM matter m JOIN area a ON a.id = m.area_id AND a.community_id = m.community_id "
        "WHERE m.channel = 'import' ORDER BY m.said"
    )


async def tally(owner: asyncpg.Connection, day: date, kind: str = "all") -> dict[str, int]:
    found = await owner.fetchrow("SELECT * FROM matter_tally WHERE day = $1 AND subject_kind = $2", day, kind)
    return {
        name: found[name]
        for name in ("received", "counted", "done0", "done1", "done2", "finished", "asked", "answered", "solved")
    } if found else {}  # fmt: skip


def codes(report: Report) -> dict[int, str]:
    return {error.row: error.code for error in report.errors}


def warned(report: Report) -> set[str]:
    return {odd.code for odd in report.warnings}


def local(moment: datetime) -> str:
    return f"{clock.local(moment):%m-%d %H:%M}"


async def test_closed_and_open_matters_of_a_book_are_written_with_their_due_dates_and_counted(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town, day = ground.town, date(2026, 11, 2)
    rows = [
        row(
            "SJ-2026-001", "2026-11-02", "甲：3栋楼道灯不亮", "2026-11-02", building="3栋", name="张桂兰",
            phone=town.phones["张桂兰"], handler="清江物业", answer="非常满意", note="电话回访",
        ),
        row("SJ-2026-002", "2026-11-02 15:20", "乙：路灯坏了", "2026-11-04 09:00", spot="5栋门口", answer="满意"),
        row("SJ-2026-003", "2026-11-02", "丙：井盖松动", category="窨井盖", state="处理中", handler="市政公司"),
    ]  # fmt: skip
    tried = await take_in(town, *rows, dry_run=True)
    assert (tried.accepted, tried.created, tried.errors) == (3, 3, [])
    assert await matters(owner) == []
    done = await take_in(town, *rows)
    assert (done.created, done.errors) == (3, [])
    third, second, first = await matters(owner)
    assert [one["said"][0] for one in (first, second, third)] == ["甲", "乙", "丙"]
    assert (first["status"], first["area"], first["done_days"], first["unit_id"]) == (
        "closed", "3栋", 0, ground.units[FIRM],
    )  # fmt: skip
    assert (local(first["received_at"]), local(first["done_at"])) == ("11-02 08:30", "11-02 17:30")
    assert first["reporter_id"] == town.people["张桂兰"]
    assert (second["area"], second["done_days"], local(second["received_at"])) == ("5栋", 2, "11-02 15:20")
    assert (third["status"], third["level"], third["unit_id"], third["category_code"]) == (
        "received", "grid", None, "manhole",
    )  # fmt: skip
    assert local(third["due_at"]) == "11-03 18:00"
    assert await tally(owner, day) == {
        "received": 3, "counted": 3, "done0": 1, "done1": 1, "done2": 2, "finished": 2, "asked": 1, "answered": 1,
        "solved": 1,
    }  # fmt: skip
    assert (await tally(owner, day, "unit"))["done0"] == 1
    steps = await owner.fetch("SELECT verb, by_kind, public, note FROM matter_step ORDER BY note NULLS FIRST")
    assert {(step["verb"], step["by_kind"], step["public"]) for step in steps} == {("import", "worker", False)}
    assert any("承办单位：市政公司" in (step["note"] or "") for step in steps)
    assert not any("张桂兰" in (step["note"] or "") for step in steps)
    assert await owner.fetchval("SELECT count(*) FROM message WHERE sentence LIKE 'matter%'") == 0
    assert "handler_in_words" in warned(done)
    assert any("1 件还没有办结" in note for note in done.notes)
    before = await owner.fetch("SELECT * FROM matter_tally ORDER BY day, subject_kind, subject")
    await count_matters(Town.system(town))
    assert await owner.fetch("SELECT * FROM matter_tally ORDER BY day, subject_kind, subject") == before

    again = await take_in(town, *rows)
    assert (again.outcome, again.created) == ("unchanged", 0)
    rows[1] = row("SJ-2026-002", "2026-11-02 15:20", "乙：路灯换了", "2026-11-04 09:00", spot="5栋门口", answer="满意")
    assert (await take_in(town, *rows)).created == 0, "what is entered already is not overwritten"


async def test_an_untidy_book_is_read_as_its_writer_meant(ground: Ground, owner: asyncpg.Connection) -> None:
    """A title, two heading rows, running numbers, merged grids, full-width digits, many ways to write a day, totals."""
    serial = (date(2026, 10, 9) - date(1899, 12, 30)).days
    rows: list[list[Any]] = [
        ["2026年10月凤凰社区网格事件台账", *[None] * 7],
        ["序号", "所属网格", "受理日期", "问题", None, "处理情况", None, "是否满意"],
        [None, None, None, "问题类型", "问题描述", "处理结果", "办结日期", None],
        [1, "第一网格", "2026.10.4", "路灯", "甲灯不亮", "已更换", "2026年10月5日", "满意"],
        ["２", None, "２０２６－１０－０５", "路灯", "乙灯不亮", "已更换", datetime(2026, 10, 5), "不满意"],  # noqa: DTZ001 - as a spreadsheet has it
        [3, None, "20261006", "停车", "丙占道", "已劝离", "当日", "未回访"],
        [None] * 8,
        [4, None, "10月7日", "停车", "丁占道", "已劝离", "2026/10/9", None],
        [5, None, serial, "乱七八糟", "戊不知道", "已答复", serial, None],
        ["合计", None, None, None, "5件", None, None, None],
    ]
    merged = ("A1:H1", "D2:E2", "F2:G2", "A2:A3", "B2:B3", "C2:C3", "H2:H3", "B4:B9")
    content = book(("10月", rows), merged=merged)
    report = await import_file(await ground.town.scope("赵丽"), "matters", "台账.xlsx", content, skip_bad=True)
    assert report.errors == []
    found = {one["said"][0]: one for one in await matters(owner)}
    assert {key: (clock.local_day(one["received_at"]).day, one["done_days"]) for key, one in found.items()} == {
        "甲": (4, 1), "乙": (5, 0), "丙": (6, 0), "丁": (7, 2), "戊": (9, 0),
    }  # fmt: skip
    assert found["戊"]["category_code"] == "other"
    assert warned(report) >= {"category_as_other"}
    assert {one["external_number"] for one in found.values()} == {None}, "a running number says nothing elsewhere"
    again = await import_file(await ground.town.scope("赵丽"), "matters", "副本.xlsx", content, skip_bad=True)
    assert again.outcome == "unchanged"


async def test_each_row_that_is_refused_says_why(ground: Ground, owner: asyncpg.Connection) -> None:
    town = ground.town
    await owner.execute(
        "INSERT INTO area (community_id, id, kind, name, pinyin, path, created_at) "
        "SELECT $1, g, 'grid', '第二网格', 'di er wang ge', ARRAY[g], now() FROM gen_random_uuid() AS g",
        town.community,
    )
    tomorrow = clock.local_day() + timedelta(days=1)
    report = await take_in(
        town,
        row("A-2", "2026-11-05", "办结早于受理", "2026-11-04"),
        row("A-3", tomorrow, "明天的事"),
        row("A-4", "2026-11-05", "明天办结", tomorrow),
        row("A-5", "2026-11-05", "写着办结没有时间", state="已办结"),
        row("A-6", "2026-11-05", "写着没办却有时间", "2026-11-06", state="未办结"),
        row("A-7", "2026-11-05", "有结果没有时间", result="已修好"),
        row("A-8", "2026-11-05", "作废的", state="作废"),
        row("A-9", "2026-11-05", "网格写错", grid="第九网格"),
        row("A-10", "2026-11-05", "没有网格", grid=None),
        row("A-11", "2026-11-05", "类别含糊", category="停车噪音"),
        row("A-12", "", "没有时间"),
        row("A-13", "2026-11-05", ""),
        row("A-14", "2026-11-05", "好的", "2026-11-06"),
        row("A-14", "2026-11-07", "同一个编号", "2026-11-08"),
        row("A-16", "昨天", "看不懂的日子"),
        row("A-17", "2026-11-05", "长" * 501),
        row("A-18", "2026-11-05", "楼栋没有登记", grid=None, building="99栋"),
    )
    assert codes(report) == {
        2: "done_before_received", 3: "date_future", 4: "date_future", 5: "matter_done_missing",
        6: "matter_done_differs", 7: "matter_state_missing", 8: "matter_void", 9: "grid_unknown",
        11: "category_ambiguous", 12: "blank", 13: "blank", 15: "duplicate", 16: "date_unclear",
        10: "matter_place_missing", 17: "text_too_long", 18: "place_unknown",
    }  # fmt: skip
    assert [one["said"] for one in await matters(owner) if one["said"] == "好的"] == ["好的"]


async def test_nothing_of_a_book_earns_and_nothing_of_it_is_drawn(ground: Ground, owner: asyncpg.Connection) -> None:
    """The administrator types in an open report of a friend; it is handled and confirmed like any other."""
    town = ground.town
    await let_reports_earn(town)
    friend = {"name": "张桂兰", "phone": town.phones["张桂兰"]}
    await take_in(
        town,
        row("B-1", "2026-11-16", "还没有办的", **friend),
        row("B-2", "2026-11-16", "早就办好的", "2026-11-17", **friend),
    )
    old, open_ = await matters(owner)
    assert (old["said"], open_["said"]) == ("早就办好的", "还没有办的")
    assert (await ground.confirm(old["id"])).why == "imported"
    await ground.dispatch(open_["id"])
    await ground.take(open_["id"])
    await ground.finish(open_["id"])
    confirmed = await ground.confirm(open_["id"])
    assert (confirmed.award, confirmed.why) == (None, "imported")
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE source_kind = 'matter'") == 0
    await change_policy(await town.scope("赵丽"), "spot_check_percent", 100)
    with clock.at(MORNING + timedelta(days=1)):
        assert await draw_spot_checks(town.system()) == 0
    honest = await ground.open(name="张国庆")
    assert honest.number, "what is typed in does not count as what somebody reported today"


async def test_a_book_is_taken_back_with_its_figures_until_somebody_acted_on_it(
    ground: Ground, owner: asyncpg.Connection
) -> None:
    town, scope = ground.town, await ground.town.scope("赵丽")
    rows = [
        row("C-1", "2026-11-02", "甲", "2026-11-02", answer="满意", name="张桂兰", phone=town.phones["张桂兰"]),
        row("C-2", "2026-11-02", "乙"),
    ]
    first = await take_in(town, *rows)
    assert first.run_id is not None
    await urge_matters(town.system())  # the clock has told the dispatchers that one is late; nobody has acted
    await undo(scope, first.run_id)
    assert await matters(owner) == []
    for name in ("matter_step", "rating", "matter_tally"):
        assert await owner.fetchval(f"SELECT count(*) FROM {name}") == 0, name  # from above
    second = await take_in(town, *rows)
    assert (second.created, second.errors) == (2, [])
    assert second.run_id is not None
    waiting, _closed = await matters(owner)
    await ground.dispatch(waiting["id"], GRID_HEAD)
    with pytest.raises(ImportUsed) as used:
        await undo(scope, second.run_id)
    assert used.value.reasons() == [f"事项 {waiting['number']} 后来有人办过"]
    assert len(await matters(owner)) == 2
    shown = await find_matter(await ground.scope(CONTACT), waiting["id"])
    assert shown.said == "乙"


async def test_where_matters_are_not_used_no_book_is_taken(town: Town, client: httpx.AsyncClient) -> None:
    content = book(("台账", [MATTERS, row("D-1", "2026-03-05", "灯不亮")]))
    with pytest.raises(NotUsedHere):
        await take_in(town, row("D-1", "2026-03-05", "灯不亮"))
    answer = await client.post(
        "/api/v1/imports/matters", headers=await town.sign_in("赵丽"), files={"file": ("台账.xlsx", content)}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_used_here")
