"""Lists of who has reported in: who is known and who is new, one unit at a time, and taking a list back."""

import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from openpyxl import Workbook

from tests.support.town import SPRING, Town
from tests.support.units import Units, add_units, reported
from timebank.core import clock, vault
from timebank.core.errors import NotUsedHere
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.traces import ImportUsed
from timebank.imports.runs.undo import undo
from timebank.units.affiliations import leave_unit

MEMBERS = ["单位", "姓名", "手机", "身份证号", "出生日期", "性别", "报到日期", "特长", "备注"]
NEW, OTHER = "522699196809283822", "522699199608079415"


@pytest.fixture
async def units(town: Town, owner: asyncpg.Connection) -> Units:
    return await add_units(owner, town)


def book(*sheets: tuple[str, Sequence[Any]], merged: Sequence[str] = ()) -> bytes:
    """An xlsx file of these sheets; `merged` are ranges of the first one."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for cells in merged:
        made.worksheets[0].merge_cells(cells)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


async def take_in(town: Town, content: bytes, *, by: str = "赵丽", dry_run: bool = False) -> Report:
    return await import_file(await town.scope(by), "members", "报到.xlsx", content, skip_bad=True, dry_run=dry_run)


def row(unit: str, name: str, phone: str = "", **more: object) -> list[object]:
    said = {"identity": "", "born": "", "sex": "", "day": "2026-03-02", "skill": "", "note": ""} | more
    return [unit, name, phone, said["identity"], said["born"], said["sex"], said["day"], said["skill"], said["note"]]


async def held(owner: asyncpg.Connection) -> list[tuple[str, str, date, bool]]:
    """Who has reported in from where since when, and whether they live in a household here."""
    found = await owner.fetch(
        "SELECT p.name, u.name AS unit, a.reported_on, p.household_id IS NOT NULL AS lives FROM affiliation a "
        "JOIN person p ON p.id = a.person_id JOIN unit u ON u.id = a.unit_id WHERE a.ended_on IS NULL ORDER BY p.name"
    )
    return [tuple(one) for one in found]


def codes(report: Report) -> dict[int, str]:
    return {error.row: error.code for error in report.errors}


async def test_a_list_reports_in_who_is_known_and_registers_who_is_new(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    content = book((
        "名册",
        [
            MEMBERS,
            row("县税务局", "张桂兰", town.phones["张桂兰"]),
            row("县税务局", "郑凯", "19900008801", identity=NEW, skill="水电维修"),
            row("供电公司", "冯雪", "19900008802", day="2026年3月5日"),
        ],
    ))  # fmt: skip
    tried = await take_in(town, content, dry_run=True)
    assert (tried.accepted, tried.created, tried.errors) == (3, 3, [])
    assert await held(owner) == []
    done = await take_in(town, content)
    assert (done.accepted, done.created, done.errors, done.outcome) == (3, 3, [], "imported")
    assert await held(owner) == [
        ("冯雪", "供电公司", date(2026, 3, 5), False),
        ("张桂兰", "县税务局", date(2026, 3, 2), True),
        ("郑凯", "县税务局", date(2026, 3, 2), False),
    ]
    logins = await owner.fetchval(
        "SELECT count(*) FROM membership m JOIN login l ON l.id = m.login_id WHERE l.phone_index = ANY ($1)",
        [vault.blind_index(phone, "phone") for phone in ("19900008801", "19900008802")],
    )
    assert logins == 2
    told = await owner.fetch("SELECT said->>'unit' AS unit FROM message WHERE sentence = 'reported_in'")
    assert sorted(one["unit"] for one in told) == ["供电公司", "县税务局", "县税务局"]
    assert any("2 位不住在社区的人" in note for note in done.notes)
    assert [(odd.row, odd.code) for odd in done.warnings] == [(3, "skill_not_listed")]

    again = await take_in(town, content)
    assert (again.outcome, again.created) == ("unchanged", 0)
    assert await owner.fetchval("SELECT count(*) FROM affiliation") == 3


async def test_an_untidy_list_is_read_as_its_writer_meant(town: Town, units: Units, owner: asyncpg.Connection) -> None:
    """The unit in the title, two heading rows, full-width digits, days in six spellings, blank and total rows."""
    serial = (date(2026, 3, 9) - date(1899, 12, 30)).days
    rows: list[list[object]] = [
        ["县税务局在职党员到社区报到登记表", None, None, None, None],
        [None, None, None, None, None],
        ["序号", "个人情况", None, "报到时间", "备注"],
        [None, "姓  名", "联系电话", None, None],
        [1, "张 桂兰", town.phones["张桂兰"][:3] + " " + town.phones["张桂兰"][3:], "2026.3.4", None],
        ["２", "王建国", "".join(chr(ord(digit) + 0xFEE0) for digit in town.phones["王建国"]), "2026年3月5日", None],
        [None, None, None, None, None],
        [3, "韩冰", 19900008803, datetime(2026, 3, 6), "新调来"],  # noqa: DTZ001 - as a spreadsheet has it
        [4, "冯雪", "电话：19900008804", "20260307", None],
        [5, "高远", "199-0000-8805", "2026/3/8", None],
        [6, "何晨", "19900008806", serial, None],
        ["合计", "6人", None, None, None],
    ]
    report = await take_in(town, book(("Sheet1", rows), merged=("A1:E1", "B3:C3", "A3:A4", "D3:D4", "E3:E4")))
    assert report.errors == []
    assert [(name, day.day) for name, unit, day, _lives in await held(owner) if unit == "县税务局"] == [
        ("何晨", 9), ("冯雪", 7), ("张桂兰", 4), ("王建国", 5), ("韩冰", 6), ("高远", 8),
    ]  # fmt: skip


async def test_each_row_that_is_refused_says_why(town: Town, units: Units, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE unit SET active = false WHERE id = $1", units.power)
    since, home = date(2026, 1, 1), town.people["李秀英"]
    await reported(owner, town.community, units.tax, "李秀英", since=since, person=home)
    await owner.execute(
        "INSERT INTO unit (id, county_id, name, pinyin, kind, active, created_at) "
        "VALUES (gen_random_uuid(), $1, '县医院', 'xian yi yuan', 'institution', true, now())",
        town.county,
    )
    town_child = await owner.fetchval("SELECT born_on FROM person WHERE id = $1", town.people["刘小雨"])
    tomorrow = clock.local_day() + timedelta(days=1)
    rows = [
        MEMBERS,
        row("县水务局", "冯雪", "19900008802"),
        row("供电公司", "韩冰", "19900008803"),  # no longer in use
        row("县医院", "李秀英", town.phones["李秀英"]),  # reported in from the tax office
        row("县税务局", "刘小雨", born=town_child),
        row("县税务局", "高远", "19900008805", day=tomorrow),
        row("县税务局", "何晨"),
        row("县税务局", "张桂兰", "19900008806"),
        row("县税务局", "何晨", town.phones["张桂兰"]),
        row("县税务局", "杨帆", "1990000880"),
        row("县税务局", "吴涛", "19900008808", note="作废"),
        row("县税务局", "钱多", "19900008809"),
        row("县税务局", "钱多", "19900008809"),
        row("", "周全", "19900008810"),
    ]
    report = await take_in(town, book(("名册", rows)))
    assert codes(report) == {
        2: "unit_not_listed_alike", 3: "unit_not_listed", 4: "already_reported_in", 5: "cannot_report_in",
        6: "date_future", 7: "not_identifiable", 8: "member_namesake", 9: "member_phone_of_another",
        10: "phone_length", 11: "remark_cancelled", 13: "duplicate", 14: "unit_not_written",
    }  # fmt: skip
    sentences = {error.row: error.problem for error in report.errors}
    assert "县水务局" in sentences[2]
    assert "请县管理员先登记" in sentences[2]
    assert sentences[4] == "已经从一个单位报到了。先退出那个单位，再从新的单位报到。"
    assert [name for name, *_rest in await held(owner)] == ["李秀英", "钱多"]


async def test_a_list_is_taken_back_as_a_whole_until_somebody_acted_on_it(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    content = book((
        "名册", [MEMBERS, row("县税务局", "张桂兰", town.phones["张桂兰"]), row("县税务局", "郑凯", "19900008801")],
    ))  # fmt: skip
    people = await owner.fetchval("SELECT count(*) FROM person")
    first = await take_in(town, content)
    assert first.run_id is not None
    await undo(scope, first.run_id)
    assert await held(owner) == []
    assert await owner.fetchval("SELECT count(*) FROM affiliation") == 0
    assert await owner.fetchval("SELECT count(*) FROM person") == people
    told = await owner.fetch("SELECT sentence FROM message WHERE sentence LIKE 'reported_in%' ORDER BY sentence")
    assert [one["sentence"] for one in told] == ["reported_in", "reported_in.ended"], "only to who stays"

    second = await take_in(town, content)
    assert second.run_id is not None
    assert second.created == 2, "the same list can be imported again"
    mine = await owner.fetchval("SELECT id FROM affiliation WHERE person_id = $1", town.people["张桂兰"])
    await leave_unit(await town.scope("张桂兰"), mine)
    with pytest.raises(ImportUsed) as used:
        await undo(scope, second.run_id)
    assert used.value.reasons() == ["张桂兰的报到后来结束了"]
    again = await take_in(town, content)
    assert again.outcome == "unchanged", "an old list does not report in again who has left since"


async def test_a_unit_of_another_county_is_no_unit_here(town: Town, units: Units, owner: asyncpg.Connection) -> None:
    elsewhere = clock.new_id()
    await owner.execute(
        "INSERT INTO region (id, kind, name, pinyin, path, created_at) "
        "VALUES ($1, 'county', '邻县', 'lin xian', ARRAY[$1]::uuid[], now())",
        elsewhere,
    )
    await owner.execute(
        "INSERT INTO unit (id, county_id, name, pinyin, kind, active, created_at) "
        "VALUES ($1, $2, '邻县林业局', 'lin ye ju', 'department', true, now())",
        clock.new_id(), elsewhere,
    )  # fmt: skip
    report = await take_in(town, book(("名册", [MEMBERS, row("邻县林业局", "冯雪", "19900008802")])))
    assert set(codes(report).values()) <= {"unit_not_listed", "unit_not_listed_alike"}
    assert report.accepted == 0


async def test_who_lives_elsewhere_has_one_login_and_a_record_in_each_community(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    """双报到: 何静 of 春晖社区 reports in where she works. The phone has a holder, who is asked."""
    report = await take_in(town, book(("名册", [MEMBERS, row("县税务局", "何静", town.phones["何静"])])))
    assert (report.accepted, report.errors) == (1, [])
    found = await owner.fetch(
        "SELECT p.community_id FROM person p WHERE p.name = '何静' AND p.phone_index = $1",
        vault.blind_index(town.phones["何静"], "phone"),
    )
    assert {one["community_id"] for one in found} == {town.community, town.communities[SPRING]}
    assert await owner.fetchval("SELECT count(*) FROM login WHERE phone_index = $1",
                                vault.blind_index(town.phones["何静"], "phone")) == 1  # fmt: skip


async def test_where_units_are_not_used_no_list_is_taken(town: Town, client: httpx.AsyncClient) -> None:
    content = book(("名册", [MEMBERS, row("县税务局", "冯雪", "19900008802")]))
    with pytest.raises(NotUsedHere):
        await take_in(town, content)
    answer = await client.post(
        "/api/v1/imports/members", headers=await town.sign_in("赵丽"), files={"file": ("报到.xlsx", content)}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_used_here")
