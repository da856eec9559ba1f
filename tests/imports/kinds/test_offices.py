"""Importing a list of heads: their roles are granted for the community's own buildings and units."""

import io
from collections.abc import Sequence

import asyncpg
from openpyxl import Workbook

from tests.imports.kinds.test_imports import codes, resident, take_in, warned
from tests.support.town import Town
from timebank.access.roles.grants import end_grant
from timebank.imports.reports.report import Report
from timebank.imports.runs.runs import import_file
from timebank.imports.runs.undo import undo

ROSTER = ["网格", "楼栋", "单元", "房号", "户主", "姓名", "与户主关系", "性别", "身份证号", "出生日期", "电话", "备注"]
HEADS = ["楼栋", "单元", "姓名", "职务", "电话"]
FIRST, SECOND = "522699196809283822", "522699199608079415"


def workbook_of(**sheets: Sequence[Sequence[object]]) -> bytes:
    """An xlsx file of several sheets."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


async def take_in_sheets(town: Town, **sheets: Sequence[Sequence[object]]) -> Report:
    """Import a workbook of several sheets into 凤凰社区."""
    return await import_file(await town.scope("赵丽"), "residents", "heads.xlsx", workbook_of(**sheets), skip_bad=True)


def roster(building: str) -> list[list[str]]:
    first = resident("林小满", identity=FIRST, phone="19900008001", building=building)
    second = resident("林大山", identity=SECOND, phone="19900008002", building=building, room="103")
    return [ROSTER, first, second]


def heads(building: str) -> list[list[str]]:
    return [
        HEADS,
        [building, "", "林小满", "楼栋长", "19900008001"],
        [building, "1单元", "林大山", "单元长", "19900008002"],
    ]


async def held(owner: asyncpg.Connection) -> list[tuple[str, str, str]]:
    found = await owner.fetch(
        "SELECT p.name, g.role, a.name AS place FROM role_grant g JOIN person p ON p.id = g.person_id "
        "JOIN area a ON a.id = g.area_id WHERE p.name IN ('林小满', '林大山') AND g.ended_at IS NULL ORDER BY g.role"
    )
    return [(row["name"], row["role"], row["place"]) for row in found]


async def assert_one_of_each(owner: asyncpg.Connection, building: str) -> None:
    """Assert one building with one unit, two residents with identity numbers and homes, and two role grants."""
    areas = await owner.fetch(
        "SELECT b.name, u.name AS unit, g.name AS grid FROM area b JOIN area u ON u.parent_id = b.id "
        "LEFT JOIN area g ON g.id = b.parent_id WHERE b.name = $1",
        building,
    )
    assert [tuple(row) for row in areas] == [(building, "1单元", "第一网格")]
    people = await owner.fetch(
        "SELECT p.identity_index IS NOT NULL AS numbered, h.room FROM person p "
        "JOIN household h ON h.id = p.household_id WHERE p.name IN ('林小满', '林大山') ORDER BY h.room"
    )
    assert [tuple(row) for row in people] == [(True, "102"), (True, "103")]
    assert await held(owner) == [("林小满", "building_head", building), ("林大山", "unit_head", "1单元")]


async def test_heads_on_a_sheet_before_the_roster_get_their_offices(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in_sheets(town, 楼栋长名册=heads("31"), 花名册=roster("31栋"))
    assert (report.accepted, report.created, report.errors) == (4, 2, [])
    await assert_one_of_each(owner, "31栋")


async def test_heads_on_a_sheet_after_the_roster_get_their_offices(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in_sheets(town, 花名册=roster("31栋"), 楼栋长名册=heads("31号楼"))
    assert (report.accepted, report.created, report.errors) == (4, 2, [])
    await assert_one_of_each(owner, "31栋")


async def test_heads_of_a_later_file_get_their_offices_and_a_second_time_changes_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    await take_in(town, "residents", *roster("31栋"))
    report = await take_in(town, "residents", *heads("31#"))
    assert (report.outcome, report.created, report.errors) == ("imported", 2, [])
    await assert_one_of_each(owner, "31栋")
    again = await take_in(town, "residents", *heads("31#"))
    assert (again.outcome, again.created) == ("unchanged", 0)


async def test_a_list_of_heads_that_is_undone_takes_only_the_offices_back(
    town: Town, owner: asyncpg.Connection
) -> None:
    await take_in(town, "residents", *roster("31栋"))
    report = await take_in(town, "residents", *heads("31#"))
    assert report.run_id is not None
    await undo(await town.scope("赵丽"), report.run_id)
    assert await held(owner) == []
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name IN ('林小满', '林大山')") == 2
    again = await take_in(town, "residents", *heads("31#"))
    assert (again.outcome, again.created) == ("imported", 2)


async def test_an_office_that_was_ended_is_not_given_back_by_an_old_list(town: Town, owner: asyncpg.Connection) -> None:
    await take_in_sheets(town, 花名册=roster("31栋"), 名册=heads("31"))
    for grant_id in await owner.fetch(
        "SELECT g.id FROM role_grant g JOIN person p ON p.id = g.person_id WHERE p.name = '林小满'"
    ):
        await end_grant(await town.scope("赵丽"), grant_id["id"])
    report = await take_in(town, "residents", *heads("31"))
    assert "role_ended_before" in [code for _, code in warned(report)]
    assert await held(owner) == [("林大山", "unit_head", "1单元")]


async def test_a_list_without_a_column_of_offices_says_by_its_heading_whose_office_it_is(
    town: Town, owner: asyncpg.Connection
) -> None:
    await take_in(town, "residents", *roster("31栋"))
    await take_in(town, "residents", ["楼栋", "楼栋长", "电话"], ["31#", "林小满", "19900008001"])
    assert await held(owner) == [("林小满", "building_head", "31栋")]


async def test_the_title_of_a_list_of_heads_says_their_office_and_that_of_a_roster_says_none(
    town: Town, owner: asyncpg.Connection
) -> None:
    head = ["楼栋", "单元", "姓名", "电话"]
    await take_in_sheets(
        town,
        一组=[["凤凰社区2026年楼栋长名册"], head, ["31", "", "林小满", "19900008001"]],
        二组=[["楼栋长张三包保居民花名册"], head, ["32", "1", "林大山", "19900008002"]],
        三组=[["楼栋长名册"], [*head, "与户主关系"], ["32", "1", "林三妹", "19900008003", "女"]],
    )
    assert await held(owner) == [("林小满", "building_head", "31栋")]
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM role_grant g JOIN person p ON p.id = g.person_id WHERE p.name = '林三妹'"
        )
        == 0
    )


async def test_a_building_that_the_panel_calls_otherwise_is_the_same_building(
    town: Town, owner: asyncpg.Connection
) -> None:
    await take_in(town, "residents", *roster("31栋"))
    await owner.execute("UPDATE area SET name = '31号楼' WHERE name = '31栋'")
    before = await owner.fetchval("SELECT count(*) FROM area")
    await take_in(town, "residents", ROSTER, resident("林四", phone="19900008004", building="31#", room="202"))
    assert await owner.fetchval("SELECT count(*) FROM area") == before


async def test_a_building_of_two_grids_needs_its_grid_also_when_both_come_with_the_file(town: Town) -> None:
    rows = [
        resident("林小满", phone="19900008001", grid="1", building="41栋"),
        resident("林大山", phone="19900008002", grid="2", building="41栋"),
    ]
    report = await take_in_sheets(town, 名册=heads("41"), 花名册=[ROSTER, *rows])
    assert codes(report) == [(2, "building_ambiguous"), (3, "building_ambiguous")]
