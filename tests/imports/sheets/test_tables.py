"""Several tables on a sheet, rows without data, and outdated sheets are read or reported."""

import io
from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from openpyxl import Workbook as NewWorkbook
from openpyxl import load_workbook

from timebank.imports.files import workbook
from timebank.imports.files.refusals import ColumnTwice
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.reports.refused_rows import refused_rows
from timebank.imports.reports.report import findings
from timebank.imports.sheets.parsed import Parsed

TODAY = date(2026, 11, 20)
TIMES = ["日期", "姓名", "签到", "签退"]
DEEDS = ["日期", "姓名", "事项", "分值", "备注"]
GOODS = ["物品", "单位", "所需积分", "库存", "兑换站点"]


def content_of(tables: Mapping[str, Sequence[Sequence[object]]], merged: Sequence[str] = ()) -> bytes:
    made = NewWorkbook()
    made.remove(made.worksheets[0])
    for name, rows in tables.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for block in merged:
            sheet.merge_cells(block)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def book(*rows: Sequence[object], merged: Sequence[str] = ()) -> workbook.Workbook:
    return workbook.read_workbook("a.xlsx", content_of({"表": rows}, merged))


def services(opened: workbook.Workbook) -> Parsed[HoursRow]:
    return read_hours.parse(opened, None, today=TODAY)


def residents(opened: workbook.Workbook) -> Parsed[RosterRow]:
    return read_roster.parse(opened, today=TODAY)


def days(parsed: Parsed[HoursRow]) -> list[tuple[int, date]]:
    return [(row.row, row.started_at.date()) for row in parsed.rows]


def notes(parsed: Parsed[HoursRow] | Parsed[RosterRow]) -> list[str]:
    return [note.code for note in parsed.notes]


def test_the_months_below_one_another_are_each_read_with_their_own_title() -> None:
    placed = ["日期", "志愿者", "签到", "签退", "地点"]
    parsed = services(
        book(
            ["2026年9月值守"], TIMES, ["5日", "薛翠", "9:00", "10:00"], [],
            ["2026年10月值守"], placed, ["5日", "薛翠", "14:00", "15:00", "东站"], [],
            ["2026年11月值守"], placed, ["5日", "薛翠", "14:00", "15:00", "东站"],
        )
    )  # fmt: skip
    assert days(parsed) == [(3, date(2026, 9, 5)), (7, date(2026, 10, 5)), (11, date(2026, 11, 5))]


def test_a_first_table_with_fewer_columns_is_read_as_well() -> None:
    parsed = residents(
        book(
            ["1-3单元"], ["姓名", "手机"], ["薛翠", "19900003050"], [],
            ["4-6单元"], ["姓名", "手机", "楼栋", "房号"], ["夏贵福", "19900003051", "3栋", "101"],
        )
    )  # fmt: skip
    assert [row.name for row in parsed.rows] == ["薛翠", "夏贵福"]


def test_the_afternoon_below_the_morning_keeps_its_hours() -> None:
    parsed = services(
        book(
            ["上午 2026-10-05"], ["姓名", "签到", "签退"], ["薛翠", "9:00", "10:00"], [],
            ["下午 2026-10-05"], ["姓名", "签到", "签退", "电话"], ["薛翠", "2:00", "3:00", "19900003050"],
        )
    )  # fmt: skip
    assert [row.started_at.hour for row in parsed.rows] == [9, 14]


def test_a_table_of_another_kind_on_the_same_sheet_is_named() -> None:
    told = findings(
        services(
            book(TIMES, ["2026-10-05", "薛翠", "9:00", "10:00"], [], ["姓名", "楼栋", "房号"], ["汤琴", "3栋", "101"])
        )
    ).told()
    assert (told.accepted, told.errors) == (1, [])
    assert any("第 4 行起的另一张表没有读（1 行）" in note for note in told.notes)


def test_the_header_on_every_printed_page_ends_neither_the_day_nor_a_merged_home() -> None:
    parsed = services(book(TIMES, ["2026-10-05", "薛翠", "9:00", "10:00"], TIMES, [None, "汤琴", "9:00", "10:00"]))
    assert days(parsed) == [(2, date(2026, 10, 5)), (4, date(2026, 10, 5))]
    header = ["楼栋", "房号", "姓名", "手机"]
    rows: list[list[object]] = [
        ["3栋", "101", "薛翠", "19900003050"],
        [None, None, "姓名", "手机"],
        [None, None, "汤琴", "19900003052"],
    ]
    homes = residents(book(header, *rows, merged=["A2:A4", "B2:B4"]))
    assert [(row.name, row.household.room) for row in homes.rows] == [("薛翠", "101"), ("汤琴", "101")]
    assert homes.problems == []


def test_a_day_between_the_rows_is_the_day_of_those_below_it() -> None:
    parsed = services(
        book(
            ["2026-10-05"], ["姓名", "签到", "签退"], ["薛翠", "9:00", "10:00"],
            ["2026-10-06"], ["薛翠", "9:00", "10:00"], ["合计", None, "2小时"], ["汤琴", "9:00", "10:00"],
        )
    )  # fmt: skip
    assert days(parsed) == [(3, date(2026, 10, 5)), (5, date(2026, 10, 6)), (7, date(2026, 10, 6))]
    assert notes(parsed) == ["note_asides"]


@pytest.mark.parametrize("merged", [[], ["A2:C2", "A4:C4"]])
def test_a_building_between_the_rows_is_the_home_of_those_below_it(merged: list[str]) -> None:
    rows = [["1栋1单元"], ["薛翠", "101", "19900003050"], ["2栋"], ["夏贵福", "101", "19900003051"]]
    parsed = residents(book(["姓名", "房号", "手机"], *rows, merged=merged))
    homes = [(row.household.building, row.household.unit, row.household.room) for row in parsed.rows]
    assert homes == [("1栋", "1单元", "101"), ("2栋", None, "101")]


async def test_refused_rows_come_back_below_the_titles_that_say_their_home_and_day() -> None:
    content = content_of(
        {"表": [["姓名", "房号", "手机"], ["1栋"], ["薛翠", "101", "0"], ["2栋"], ["夏贵福", "101", "1"]]}
    )
    errors = findings(residents(workbook.read_workbook("a.xlsx", content))).errors
    mended = load_workbook(io.BytesIO(await refused_rows("residents", "a.xlsx", content, errors, str)))
    for row in mended.worksheets[0].iter_rows():
        for cell in row:
            if cell.value in ("0", "1"):
                cell.value = f"1990000305{cell.value}"
    buffer = io.BytesIO()
    mended.save(buffer)
    again = residents(workbook.read_workbook("b.xlsx", buffer.getvalue()))
    assert [(row.name, row.household.building) for row in again.rows] == [("薛翠", "1栋"), ("夏贵福", "2栋")]


@pytest.mark.parametrize(
    "row",
    [
        ["合计金额", None, 50, None, None],
        ["合计（件）", None, None, 10, None],
        ["总库存", None, None, 10, None],
        ["本页小计", None, 5, 10, None],
        ["以上共2件", None, None, None, None],
        ["盘点人：李四", None, None, None, None],
        ["社区盖章", None, None, None, None],
    ],
)
def test_what_ends_a_list_of_goods_is_no_good(row: list[object]) -> None:
    parsed = read_goods.parse(book(GOODS, ["香皂", "块", 5, 10, "东站"], row))
    assert [good.name for good in parsed.rows] == ["香皂"]
    assert parsed.problems == []


@pytest.mark.parametrize(
    "row",
    [
        ["1", "示例：张三", "3栋", "13800000000", None],
        ["1", "（例）张三", "3栋", "13800000000", None],
        ["例", "张三", "3栋", "13800000000", None],
        ["示例", "张三", "3栋", "13800000000", None],
        ["1", "张三", "3栋", "13800000000", "示例，请删除"],
    ],
)
def test_the_example_that_a_template_came_with_is_nobody_and_is_named(row: list[object]) -> None:
    parsed = residents(
        book(["序号", "姓名", "楼栋", "手机", "备注"], row, ["2", "薛翠", "3栋", "19900003050", "例会代表"])
    )
    assert [one.name for one in parsed.rows] == ["薛翠"]
    assert "note_asides" in notes(parsed)


def test_somebodys_row_is_no_total_and_no_example_whatever_the_activity_or_remark_is_called() -> None:
    head = ["活动", "日期", "姓名", "签到", "签退"]
    rows: list[list[object]] = [["共计", "2026-10-01", "薛翠", "9:00", "10:00"], ["合计", None, "2人", None, "2小时"]]
    assert [row.activity for row in services(book(head, *rows)).rows] == ["共计"]
    parsed = residents(
        book(["姓名", "手机", "备注"], ["薛翠", "19900003050", "例：低保"], ["汤琴", "19900003052", "示例户"])
    )
    assert [row.name for row in parsed.rows] == ["薛翠", "汤琴"]


def test_the_sections_of_a_list_of_goods_are_no_goods() -> None:
    rows: list[list[object]] = [
        ["一、生活用品"],
        ["香皂", "块", 5, 10, "东站"],
        ["二、食品"],
        ["盐", "袋", 3, 5, "东站"],
        ["2件"],
    ]
    parsed = read_goods.parse(book(GOODS, *rows))
    assert ([row.name for row in parsed.rows], parsed.problems) == (["香皂", "盐"], [])


def test_a_stock_that_cannot_be_read_leaves_its_station_a_station() -> None:
    parsed = read_goods.parse(
        book(["物品", "所需积分", "东站库存", "西站库存"], ["香皂", 5, "#N/A", 20], ["盐", 5, "约3", 2])
    )
    assert [(row.name, row.station, row.stock) for row in parsed.rows] == [("香皂", "西站", 20), ("盐", "西站", 2)]
    assert [found.problem.code for found in parsed.problems] == ["cell_error", "number_unclear"]


def test_what_a_form_asks_for_below_its_headings_is_nobody() -> None:
    parsed = residents(book(["姓名", "楼栋", "手机"], ["（必填）", "选填", "11位数字"], ["薛翠", "3栋", "19900003050"]))
    assert ([row.name for row in parsed.rows], parsed.problems) == (["薛翠"], [])


@pytest.mark.parametrize("name", ["作废", "10月（作废）", "模板", "填写示例", "备份"])
def test_a_void_or_exemplary_sheet_beside_a_meant_one_is_named_and_not_read(name: str) -> None:
    head = ["姓名", "手机"]
    tables = {"花名册": [head, ["薛翠", "19900003050"]], name: [head, ["张三", "19900003051"]]}
    parsed = residents(workbook.read_workbook("a.xlsx", content_of(tables)))
    assert [row.name for row in parsed.rows] == ["薛翠"]
    assert notes(parsed) == ["note_sheet_void"]
    alone = residents(workbook.read_workbook("a.xlsx", content_of({name: tables[name], "说明": [["先看这里"]]})))
    assert [row.name for row in alone.rows] == ["张三"]


def test_the_right_half_of_a_printed_page_is_read_after_the_left() -> None:
    head = ["序号", "姓名", "房号", "手机"]
    left, right = [1, "薛翠", "101", "19900003050"], [3, "夏贵福", "102", "19900003051"]
    parsed = residents(book(["3栋花名册"], head + head, left + right, [2, "汤琴", "103", "19900003052"]))
    assert [(row.row, row.name, row.phone) for row in parsed.rows] == [
        (3, "薛翠", "19900003050"), (4, "汤琴", "19900003052"), (3, "夏贵福", "19900003051"),
    ]  # fmt: skip
    assert len({(row.sheet, row.row) for row in parsed.rows}) == 3


def test_a_second_sign_in_and_out_is_the_second_service_of_the_day() -> None:
    head = ["日期", "姓名", "签到", "签退", "签到", "签退"]
    rows: list[list[object]] = [
        ["2026-10-01", "薛翠", "9:00", "10:00", "14:00", "15:00"],
        ["2026-10-01", "汤琴", "9:00", "10:00", None, None],
    ]
    assert [(row.name, row.started_at.hour) for row in services(book(head, *rows)).rows] == [
        ("薛翠", 9), ("薛翠", 14), ("汤琴", 9),
    ]  # fmt: skip


@pytest.mark.parametrize("headings", [["东站库存", "西站库存"], ["库存（东站）", "库存（西站）"]])
def test_the_stock_of_each_station_goes_to_that_station(headings: list[str]) -> None:
    parsed = read_goods.parse(
        book(["物品", "所需积分", *headings], ["香皂", 5, 10, 20], ["牙刷", 3, None, 5], ["茶", 2, None, None])
    )
    assert [(row.name, row.station, row.stock) for row in parsed.rows] == [
        ("香皂", "东站", 10), ("茶", "东站", 0), ("香皂", "西站", 20), ("牙刷", "西站", 5),
    ]  # fmt: skip
    assert parsed.unused == []


def test_stations_below_one_heading_of_stock_are_read_too() -> None:
    rows: list[list[object]] = [["物品", "所需积分", "库存", None], [None, None, "东站", "西站"], ["香皂", 5, 10, 20]]
    parsed = read_goods.parse(book(*rows, merged=["A1:A2", "B1:B2", "C1:D1"]))
    assert [(row.station, row.stock) for row in parsed.rows] == [("东站", 10), ("西站", 20)]


@pytest.mark.parametrize("headings", [["期初库存", "期末库存"], ["库存", "库存数量"], ["库存1", "库存2"]])
def test_two_stocks_that_are_of_no_station_refuse_the_sheet(headings: list[str]) -> None:
    with pytest.raises(ColumnTwice):
        read_goods.parse(book(["物品", "所需积分", *headings], ["香皂", 5, 10, 20]))


def test_many_second_services_of_a_day_are_one_line() -> None:
    rows = [
        ["2026-10-01", who, *times] for who in ("薛翠", "汤琴") for times in (("9:00", "10:00"), ("14:00", "15:00"))
    ]
    told = findings(services(book(TIMES, *rows))).told()
    assert [(one.code, one.rows) for one in told.warnings] == [("same_day", [3, 5])]
    assert "第 2 行" not in told.warnings[0].problem


def test_a_title_of_the_month_dates_the_deeds_of_its_own_table_alone() -> None:
    parsed = read_deeds.parse(
        book(["9月"], DEEDS, ["2026-9-5", "薛翠", "扫雪", 2], ["2026年10月"], DEEDS, ["6日", "薛翠", "扫雪", 2]),
        None, None, today=TODAY,
    )  # fmt: skip
    assert [row.happened_on for row in parsed.rows] == [date(2026, 9, 5), date(2026, 10, 6)]


async def test_the_refused_goods_of_a_station_come_back_whatever_its_column_is_called() -> None:
    head = ["物品", "所需积分", "东站（A/B）库存", "西站库存"]
    content = content_of({"货架": [head, ["香皂", 5, "约3", 20]]})
    errors = findings(read_goods.parse(workbook.read_workbook("a.xlsx", content))).errors
    again = load_workbook(io.BytesIO(await refused_rows("goods", "a.xlsx", content, errors, str)))
    assert [cell.value for cell in again.worksheets[0][2]][:4] == ["香皂", 5, "约3", 20]
