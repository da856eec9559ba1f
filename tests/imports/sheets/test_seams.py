"""Workbooks that combine several supported features: no value is lost or guessed where two of them meet."""

import datetime as dt
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import asyncpg
import pytest
from openpyxl import Workbook as NewWorkbook

from tests.imports.files.unread_books import ods_cell, ods_file, ods_row, ods_table
from tests.imports.kinds.test_imports import codes, take_in
from tests.imports.kinds.test_offices import take_in_sheets, workbook_of
from tests.support.town import Town
from timebank.imports.cells import addresses
from timebank.imports.files import workbook
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.sheets.parsed import Parsed

TODAY = dt.date(2026, 11, 20)
HOME = ["姓名", "电话", "楼栋", "单元", "房号"]


def content_of(*rows: Sequence[Any], change: Callable[[Any], object] | None = None, name: str = "表") -> bytes:
    made = NewWorkbook()
    page: Any = made.active
    page.title = name
    for row in rows:
        page.append(list(row))
    if change:
        change(page)
    buffer = BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def book(*rows: Sequence[Any], change: Callable[[Any], object] | None = None) -> workbook.Workbook:
    return workbook.read_workbook("a.xlsx", content_of(*rows, change=change))


def said(parsed: Parsed[Any]) -> list[tuple[int, str]]:
    return [(found.row, found.problem.code) for found in [*parsed.problems, *parsed.warnings]]


async def buildings(owner: asyncpg.Connection) -> list[tuple[str, str]]:
    found = await owner.fetch(
        "SELECT p.name, b.name AS building FROM person p JOIN household h ON h.id = p.household_id "
        "JOIN area u ON u.id = h.area_id JOIN area b ON b.id = u.parent_id WHERE p.name LIKE '林_山' ORDER BY p.name"
    )
    return [(row["name"], row["building"]) for row in found]


FLATS = [["林一山", "19900008001", "58栋", "2单元", "701"], ["林二山", "19900008002", "58栋", "2单元", "701"]]
TWO_ESTATES = [("林一山", "阳光花园58栋"), ("林二山", "月亮湾58栋")]


async def test_estates_in_a_column_of_their_own_tell_flats_of_one_number_apart(
    town: Town, owner: asyncpg.Connection
) -> None:
    first, second = ([name, phone, *home] for name, phone, *home in FLATS)
    rows = [["小区", *HOME], ["阳光花园", *first], ["月亮湾", *second]]
    report = await take_in(town, "residents", *rows)
    assert (report.created, codes(report), report.unused_columns) == (2, [], [])
    assert await buildings(owner) == TWO_ESTATES
    assert (await take_in(town, "residents", *rows)).created == 0


async def test_a_blank_below_an_estate_is_that_estate_and_another_estate_carries_no_building_on(
    town: Town, owner: asyncpg.Connection
) -> None:
    report = await take_in(
        town, "residents", ["小区", *HOME],
        ["阳光花园", "林一山", "19900008001", "58栋", "2单元", "701"],
        ["", "林三山", "19900008003", "58栋", "2单元", "702"],
        ["月亮湾", "林二山", "19900008002", "58栋", "2单元", "701"],
        ["阳光花园", "林四山", "19900008004", "", "", "703"],
    )  # fmt: skip
    assert codes(report) == []
    assert await buildings(owner) == [("林一山", "阳光花园58栋"), ("林三山", "阳光花园58栋"), ("林二山", "月亮湾58栋")]


async def test_a_sheet_or_a_table_of_each_estate_is_of_that_estate(town: Town, owner: asyncpg.Connection) -> None:
    first, second = FLATS
    report = await take_in_sheets(town, 阳光花园住户表=[HOME, first], 月亮湾=[HOME, second])
    assert (report.created, codes(report)) == (2, [])
    assert await buildings(owner) == TWO_ESTATES
    short = [[name, phone, unit, room] for name, phone, _, unit, room in FLATS]
    head = ["姓名", "电话", "单元", "房号"]
    known = await take_in_sheets(town, 阳光花园58栋=[head, short[0]], 月亮湾58栋住户表=[head, short[1]])
    assert (known.created, codes(known)) == (0, [])
    tables = [["阳光花园居民花名册"], HOME, first, ["月亮湾"], HOME, second]
    again = await take_in_sheets(town, 表=tables)
    assert (again.rows, again.created, codes(again)) == (2, 0, [])
    assert any("月亮湾" in note for note in again.notes)


@pytest.mark.parametrize("code", ['yyyy"年"m"月"', "yyyy-mm", "mmm-yy", '[$-804]yyyy"年"m"月";@'])
def test_a_day_that_a_spreadsheet_made_of_a_month_is_no_day(code: str) -> None:
    def shown(page: Any) -> None:
        for row in (2, 3):
            page.cell(row, 3).number_format = code

    born = dt.date(1968, 9, 1)
    people = read_roster.parse(
        book(
            ["姓名", "身份证号", "出生年月"],
            ["薛翠", "522699196809283822", born],
            ["夏贵福", None, born],
            ["汤琴", None, born],
            change=shown,
        ),
        today=TODAY,
    )
    assert said(people) == [(3, "birth_day_missing")]
    assert [row.born_on for row in people.rows] == [dt.date(1968, 9, 28), born]
    served = read_hours.parse(
        book(
            ["姓名", "时长(小时)", "日期"],
            ["薛翠", 2, dt.date(2026, 9, 1)],
            ["薛翠", 2, dt.date(2026, 9, 2)],
            change=shown,
        ),
        None,
        today=TODAY,
    )
    assert [(row.row, row.started_at.date()) for row in served.rows] == [(3, dt.date(2026, 9, 2))]
    assert (2, "date_unclear") in said(served)


def test_a_month_is_no_day_in_an_ods_book_either() -> None:
    cells = '<table:table-cell office:value-type="date" office:date-value="{}"><text:p>{}</text:p></table:table-cell>'
    rows = [ods_row(*map(ods_cell, ("姓名", "时长(小时)", "日期")))]
    for day, words in (("2026-09-01", "2026年9月"), ("2026-09-01", "2026年9月1日")):
        rows.append(ods_row(ods_cell("薛翠"), ods_cell("2"), cells.format(day, words)))
    served = read_hours.parse(
        workbook.read_workbook("a.ods", ods_file(ods_table("表", "".join(rows)))), None, today=TODAY
    )
    assert [row.row for row in served.rows] == [3]
    assert (2, "date_unclear") in said(served)


def test_a_column_of_a_stations_stock_is_read_with_its_unit_and_an_odd_cell_refuses_its_own_row() -> None:
    parsed = read_goods.parse(
        book(
            ["物品", "单位", "积分", "测试驿站(袋)", "二号驿站（箱）"],
            ["豆粉", "袋", 10, "5袋", 2],
            ["面粉", "袋", 10, 4, None],
            ["红糖", "袋", 10, "〃", None],
            ["白糖", "袋", 10, "若干", None],
        )
    )
    assert [(row.name, row.station, row.stock) for row in parsed.rows] == [
        ("豆粉", "测试驿站", 5),
        ("面粉", "测试驿站", 4),
        ("红糖", "测试驿站", 4),
    ]
    assert said(parsed) == [(5, "number_unclear"), (2, "amount_unit")]
    assert parsed.unused == []


def test_goods_below_the_name_of_their_station_stand_there() -> None:
    head = ["物品", "单位", "积分", "库存"]
    rows: list[list[Any]] = [
        ["测试驿站积分兑换物品清单"],
        head,
        ["盐", "袋", 5, 10],
        ["二号驿站"],
        head,
        ["盐", "袋", 5, 7],
    ]
    parsed = read_goods.parse(book(*rows))
    assert [(row.name, row.station, row.stock) for row in parsed.rows] == [
        ("盐", "测试驿站", 10),
        ("盐", "二号驿站", 7),
    ]
    assert said(parsed) == []
    assert [note.code for note in parsed.notes] == ["note_asides"]


TIMES = ["日期", "姓名", "签到", "签退", "备注"]


def test_a_printed_page_begins_with_the_same_title_and_the_table_goes_on() -> None:
    def merged(page: Any) -> None:
        for place in ("A1:E1", "A5:E5"):
            page.merge_cells(place)

    above: list[list[Any]] = [["2026年9月签到表"], ["地点：东站", None, "负责人：薛翠"], TIMES]
    first, second = ["9月1日", "薛翠", "8:00", "9:00"], ["同上", "汤琴", "8:00", "9:00"]
    for change in (None, merged):
        served = read_hours.parse(
            book(*above, first, *above, second, [None, "付华", "8:00", "9:00"], change=change), None, today=TODAY
        )
        assert said(served) == []
        assert [(row.name, row.started_at.date()) for row in served.rows] == [
            ("薛翠", dt.date(2026, 9, 1)),
            ("汤琴", dt.date(2026, 9, 1)),
            ("付华", dt.date(2026, 9, 1)),
        ]
        assert served.notes == []
    homes = [["住户表"], HOME, ["薛翠", "19900003050", "3栋", "1单元", "101"]]
    people = read_roster.parse(
        book(*homes, ["住户表"], HOME, ["汤琴", "19900003052", "同上", "同上", "102"]), today=TODAY
    )
    assert (people.total, said(people)) == (2, [])
    assert people.rows[1].household.building == "3栋"


def test_the_same_title_after_another_begins_its_part_again() -> None:
    parts = [["9月1日"], TIMES[1:], ["薛翠", "8:00", "9:00"], ["9月2日"], ["汤琴", "8:00", "9:00"]]
    served = read_hours.parse(
        book(
            ["2026年志愿服务"],
            *[["2026年9月1日"], *parts[1:3], ["2026年9月2日"], *parts[4:], ["2026年9月1日"], ["付华", "8:00", "9:00"]],
        ),
        None,
        today=TODAY,
    )
    assert said(served) == []
    assert [row.started_at.day for row in served.rows] == [1, 2, 1]


@pytest.mark.parametrize(
    ("remark", "told"),
    [
        ("实际2小时", ["remark_corrects"]),
        ("签退应为11:30", ["remark_corrects"]),
        ("由汤琴代值班", ["remark_signed_by_another"]),
        ("实际参加3人", []),
        ("替老人买菜", []),
        ("代收快递", []),
    ],
)
def test_a_remark_that_gives_another_time_keeps_the_row_out_until_it_is_settled(remark: str, told: list[str]) -> None:
    served = read_hours.parse(book(TIMES, ["2026-09-01", "薛翠", "8:00", "9:00", remark]), None, today=TODAY)
    assert [code for _, code in said(served)] == told
    assert bool(served.rows) == ("remark_corrects" not in told)


def test_what_stands_in_a_cell_is_shown_as_the_office_sees_it() -> None:
    def wrong(page: Any) -> None:
        page["B2"].data_type = "e"

    people = read_roster.parse(
        book(["姓名", "电话", "出生日期"], ["薛翠", "#N/A", dt.date(1968, 9, 28)], change=wrong), today=TODAY
    )
    assert [found.value for found in people.warnings] == ["#N/A"]
    late = dt.timedelta(hours=25, minutes=30)
    served = read_hours.parse(book(TIMES, ["2026-09-01", "薛翠", dt.time(22), late]), None, today=TODAY)
    assert [(found.value, found.problem.code) for found in served.problems] == [("25:30", "impossible_time")]


def test_a_good_that_comes_in_several_kinds_is_several_goods() -> None:
    head = ["物品", "规格", "单位", "积分", "库存", "站点"]
    oil = [["大豆油", "5L", "桶", 100, 20, "东站"], ["大豆油", "10L", "桶", 180, 8, "东站"]]
    parsed = read_goods.parse(book(head, *oil, ["牙膏", None, "支", 15, 9, "东站"]))
    assert [(row.name, row.points, row.stock) for row in parsed.rows] == [
        ("大豆油 5L", 100, 20),
        ("大豆油 10L", 180, 8),
        ("牙膏", 15, 9),
    ]
    assert (said(parsed), parsed.unused) == ([], [])
    alone = read_goods.parse(book(head, oil[0], ["大米", "5kg", "袋", 100, 20, "东站"]))
    assert [row.name for row in alone.rows] == ["大豆油", "大米"]
    assert [column.heading for column in alone.unused] == ["规格"]


@pytest.mark.parametrize(
    ("captions", "places"),
    [
        (("92栋", "93栋"), [(None, "92栋"), (None, "93栋")]),
        (("92栋住户登记表", "93栋住户登记表"), [(None, "92栋"), (None, "93栋")]),
        (("第一网格3栋", "第二网格3栋"), [("第一网格", "3栋"), ("第二网格", "3栋")]),
        (("楼栋", "各楼栋住户"), [(None, None), (None, None)]),
    ],
)
def test_a_sheet_of_each_building_or_grid_is_of_that_place(
    captions: tuple[str, str], places: list[tuple[str | None, str | None]]
) -> None:
    head = ["单元", "房号", "姓名", "电话"]
    rows = [["1", "101", "薛翠", "19900003050"], ["1", "101", "汤琴", "19900003052"]]
    for titled in (True, False):
        sheets = {
            f"表{number}" if titled else caption: [*([[caption]] if titled else []), head, row]
            for number, (caption, row) in enumerate(zip(captions, rows, strict=True))
        }
        people = read_roster.parse(workbook.read_workbook("a.xlsx", workbook_of(**sheets)), today=TODAY)
        assert [(row.household.grid, row.household.building) for row in people.rows] == places


async def test_flats_of_one_number_in_two_grids_are_two_where_the_grid_is_the_sheets_name(
    town: Town, owner: asyncpg.Connection
) -> None:
    first, second = FLATS
    report = await take_in_sheets(town, 第八网格=[HOME, first], 第九网格居民花名册=[HOME, second])
    assert (report.created, codes(report)) == (2, [])
    found = await owner.fetch(
        "SELECT g.name FROM person p JOIN household h ON h.id = p.household_id JOIN area u ON u.id = h.area_id "
        "JOIN area b ON b.id = u.parent_id JOIN area g ON g.id = b.parent_id WHERE p.name LIKE '林_山' ORDER BY p.name"
    )
    assert [row["name"] for row in found] == ["第八网格", "第九网格"]


def test_a_day_in_a_title_takes_its_year_from_the_sheets_name() -> None:
    rows = [["5月1日清洁"], TIMES[1:4], ["薛翠", "8:00", "9:00"], ["5月2日巡逻"], TIMES[1:4], ["汤琴", "8:00", "9:00"]]
    for name, days in (("2026年", [dt.date(2026, 5, 1), dt.date(2026, 5, 2)]), ("签到", [])):
        served = read_hours.parse(workbook.read_workbook("a.xlsx", content_of(*rows, name=name)), None, today=TODAY)
        assert [row.started_at.date() for row in served.rows] == days
        assert bool(said(served)) == (not days)


def test_a_stock_that_is_called_the_rest_is_no_stock_of_none() -> None:
    parsed = read_goods.parse(
        book(["物品", "单位", "积分", "期初", "入库", "出库", "结存"], ["盐", "袋", 5, 5, 10, 3, 12])
    )
    assert [row.stock for row in parsed.rows] == [12]


def test_a_name_that_ends_like_an_estates_is_no_caption() -> None:
    head = ["姓名", "电话", "楼栋", "单元", "房号"]
    people = read_roster.parse(
        book(head, ["李家", "19900003050", "3栋", "1单元", "101"], ["王苑"], ["张小庭"]), today=TODAY
    )
    assert said(people) == [(3, "not_identifiable"), (4, "not_identifiable")]


def test_the_goods_below_a_stations_name_are_never_those_of_the_station_before() -> None:
    head = ["物品", "单位", "积分", "库存"]
    parsed = read_goods.parse(book(["测试驿站"], head, ["盐", "袋", 5, 10], ["二号驿站"], ["糖", "袋", 5, 7]))
    assert [(row.name, row.station) for row in parsed.rows] == [("盐", "测试驿站"), ("糖", "二号驿站")]


def test_the_shop_of_a_community_in_the_title_is_the_station_of_the_goods() -> None:
    parsed = read_goods.parse(
        book(["暖城社区慈善超市积分兑换物品清单（10月）"], ["物品", "单位", "积分", "库存"], ["盐", "袋", 5, 10])
    )
    assert [row.station for row in parsed.rows] == ["慈善超市"]


@pytest.mark.parametrize("cell", ["薛翠、汤琴 付华", "薛翠 汤琴，付华", "薛翠 汤琴\n付华", "薛翠,汤琴、付华"])
def test_names_parted_by_marks_and_by_spaces_in_one_cell_are_all_read(cell: str) -> None:
    served = read_hours.parse(book(TIMES, ["2026-09-01", cell, "8:00", "9:00"]), None, today=TODAY)
    assert [row.name for row in served.rows] == ["薛翠", "汤琴", "付华"]


@pytest.mark.parametrize(
    ("written", "estate"),
    [
        ("镇江花园98栋1单元101", "镇江花园"),
        ("县前小区98栋1单元101", "县前小区"),
        ("暖城市凤凰镇阳光花园98栋1单元101", "阳光花园"),
        ("江苏省镇江市镇江花园98栋1单元101", "镇江花园"),
    ],
)
def test_an_estate_keeps_its_name_and_loses_the_towns(written: str, estate: str) -> None:
    found = addresses.address(written)
    assert isinstance(found, addresses.Address)
    assert found.estate == estate
