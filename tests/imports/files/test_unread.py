"""Content that cannot be read or is not used is reported, in every file format, and never read as a blank."""

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook as NewWorkbook
from openpyxl import load_workbook

from tests.imports.files import unread_books
from tests.imports.files.unread_books import FORMATS, ods_file, ods_row, ods_table
from timebank.imports.cells.cell_values import Unreadable
from timebank.imports.files import refusals, workbook
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.reports.refused_rows import refused_rows
from timebank.imports.reports.report import findings
from timebank.imports.sheets.known_headings import DEEDS, GOODS, HOURS, ROSTER
from timebank.imports.sheets.parsed import Parsed

TODAY = date(2026, 11, 20)
NA = "#N/A"


def saved(book: NewWorkbook) -> workbook.Workbook:
    buffer = io.BytesIO()
    book.save(buffer)
    return workbook.read_workbook("a.xlsx", buffer.getvalue())


def book(*rows: Sequence[object], title: str = "表") -> workbook.Workbook:
    return sheets({title: rows})


def sheets(tables: dict[str, Sequence[Sequence[object]]]) -> workbook.Workbook:
    made = NewWorkbook()
    made.remove(made.worksheets[0])
    for name, rows in tables.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(made)


def residents(opened: workbook.Workbook) -> Parsed[RosterRow]:
    return read_roster.parse(opened, today=TODAY)


def services(opened: workbook.Workbook) -> Parsed[HoursRow]:
    return read_hours.parse(opened, None, today=TODAY)


def codes(parsed: Parsed[RosterRow] | Parsed[HoursRow]) -> list[tuple[int, str]]:
    return [(found.row, found.problem.code) for found in parsed.problems]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cell_that_cannot_be_read_refuses_its_row_in_every_format(kind: str) -> None:
    parsed = residents(workbook.read_workbook(f"a.{kind}", FORMATS[kind]()))
    assert [row.name for row in parsed.rows] == ["薛翠", "付华"]
    assert codes(parsed) == [(3, "cell_error"), (4, "cell_formula")]
    assert [found.problem.values["place"] for found in parsed.problems] == ["D3", "D4"]
    assert "清空" in parsed.problems[0].problem.sentence()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_column_that_nobody_read_is_named_in_every_format(kind: str) -> None:
    told = findings(residents(workbook.read_workbook(f"a.{kind}", FORMATS[kind]()))).told()
    assert [(one.column, one.heading, one.rows) for one in told.unused_columns] == [("F", "车牌", 2)]
    assert any("没有用到：车牌" in note for note in told.notes)


@pytest.mark.parametrize("kind", FORMATS)
def test_hidden_rows_and_sheets_are_counted_in_every_format_that_has_them(kind: str) -> None:
    notes = findings(residents(workbook.read_workbook(f"a.{kind}", FORMATS[kind]()))).told().notes
    assert any("有 1 行被隐藏或筛选掉" in note for note in notes) == (kind != "csv")
    assert any("“旧表”是隐藏的，没有读（2 行）" in note for note in notes) == (kind != "csv")


def test_a_formula_that_says_an_empty_text_is_a_blank() -> None:
    blank = '<table:table-cell table:formula="of:=&quot;&quot;" office:value-type="string" office:string-value=""/>'
    row = ods_row(*(unread_books.ods_cell(text) for text in ("薛翠", "3栋", "19900003050")), blank)
    head = ods_row(*(unread_books.ods_cell(text) for text in ("姓名", "楼栋", "手机", "房号")))
    assert residents(workbook.read_workbook("a.ods", ods_file(ods_table("表", head + row)))).problems == []


COLUMNS = [
    ("residents", key) for key in (meaning.key for meaning in ROSTER)
] + [("hours", meaning.key) for meaning in HOURS] + [("deeds", meaning.key) for meaning in DEEDS] + [
    ("goods", meaning.key) for meaning in GOODS
]  # fmt: skip
WANTED = {"residents": ROSTER, "hours": HOURS, "deeds": DEEDS, "goods": GOODS}
GOOD_ROWS: dict[str, dict[str, object]] = {
    "residents": {"name": "薛翠", "identity": "522699196809283822", "phone": "19900003050", "building": "3栋"},
    "hours": {"name": "薛翠", "phone": "19900003050", "date": "2026-10-01", "in": "9:00", "out": "10:00"},
    "deeds": {"name": "薛翠", "date": "2026-10-01", "item": "扫雪", "points": 2},
    "goods": {"name": "香皂", "points": 5},
}


@pytest.mark.parametrize("shown", [NA, "#REF!", "=A1+1"])
@pytest.mark.parametrize(("kind", "key"), COLUMNS)
def test_an_unreadable_cell_of_any_column_is_told_and_never_a_blank(kind: str, key: str, shown: str) -> None:
    headings = {meaning.key: meaning.headings[0] for meaning in WANTED[kind]}
    row = GOOD_ROWS[kind] | {key: shown}
    opened = book([headings[each] for each in row], list(row.values()))
    parsed: Parsed[RosterRow] | Parsed[HoursRow] | Parsed[read_deeds.DeedRow] | Parsed[read_goods.GoodRow]
    if kind == "residents":
        parsed = residents(opened)
    elif kind == "hours":
        parsed = services(opened)
    elif kind == "deeds":
        parsed = read_deeds.parse(opened, None, None, today=TODAY)
    else:
        parsed = read_goods.parse(opened)
    said = [*parsed.problems, *parsed.warnings]
    assert any("单元格" in found.problem.sentence() and "2" in found.problem.sentence() for found in said), said


def test_what_stands_below_an_unreadable_cell_and_means_as_above_is_refused_too() -> None:
    parsed = residents(
        book(
            ["楼栋", "房号", "姓名", "手机"],
            ["3栋", "101", "薛翠", "19900003050"],
            [None, NA, "夏贵福", "19900003051"],
            [None, None, "汤琴", "19900003052"],
            [None, "104", "付华", "19900003058"],
        )
    )
    assert codes(parsed) == [(3, "cell_error"), (4, "cell_error")]
    assert [(row.name, row.household.room) for row in parsed.rows] == [("薛翠", "101"), ("付华", "104")]


def test_a_day_that_cannot_be_read_is_not_the_day_above() -> None:
    parsed = services(
        book(
            ["日期", "姓名", "签到时间", "签退时间"],
            ["2026-10-01", "薛翠", "9:00", "10:00"],
            ["=A2+1", "夏贵福", "9:00", "10:00"],
            [None, "汤琴", "9:00", "10:00"],
        )
    )
    assert codes(parsed) == [(3, "cell_formula"), (4, "cell_formula")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [(NA, NA), ("#DIV/0!", "#DIV/0!"), ("Err:502", "Err:502"), ("=A2+1", "=A2+1"), ("'=SUM(A1:A2)", "=SUM(A1:A2)"),
     ("####", "####")],
)  # fmt: skip
def test_an_error_or_a_formula_saved_as_text_is_unreadable(written: str, shown: str) -> None:
    row = workbook.read_workbook("a.csv", f"姓名,手机,房号\n薛翠,19900003050,{written}\n".encode()).sheets[0].rows[1]
    assert row.cells[2] == Unreadable(shown, "C2")


@pytest.mark.parametrize("written", ["#101", "=== 备注 ===", '"=""19900003050"""', "E栋", "'19900003050"])
def test_words_that_only_begin_like_an_error_stay_words(written: str) -> None:
    row = workbook.read_workbook("a.csv", f"姓名,手机,房号\n薛翠,19900003050,{written}\n".encode()).sheets[0].rows[1]
    assert isinstance(row.cells[2], str)


@pytest.mark.parametrize(
    "headings",
    [
        ["日期", "姓名", "签到时间", "签退时间", "服务开始时间", "服务结束时间"],
        ["日期", "姓名", "签到", "签退", "姓名", "备注"],
        ["日期", "姓名", "签到", "签退", "服务日期", "备注"],
    ],
)
def test_two_columns_that_say_one_thing_differently_refuse_the_sheet(headings: list[str]) -> None:
    second = {
        "服务开始时间": ["14:00", "15:00"],
        "姓名": ["汤琴", ""], "服务日期": ["2026-10-02", ""],
    }[headings[4]]  # fmt: skip
    with pytest.raises(refusals.ColumnTwice) as caught:
        services(book(headings, ["2026-10-01", "薛翠", "9:00", "10:00", *second]))
    assert "只留一列" in caught.value.text()


def test_two_columns_that_say_the_same_refuse_nothing() -> None:
    parsed = services(book(["日期", "姓名", "签到", "签退", "姓名"], ["2026-10-01", "薛翠", "9:00", "10:00", "薛翠"]))
    assert len(parsed.rows) == 1
    assert [one.heading for one in parsed.unused] == ["姓名"]


def test_a_second_phone_stands_in_for_a_missing_first_one() -> None:
    parsed = residents(
        book(
            ["姓名", "身份证号", "电话1", "电话2", "备注", "备注"],
            ["薛翠", "522699196809283822", None, "19900003050", "党员", "低保"],
            ["夏贵福", "522699199608079415", "19900003051", "19900003052", None, "志愿者"],
        )
    )
    assert [(row.phone, row.note) for row in parsed.rows] == [("19900003050", "党员、低保"), ("19900003051", "志愿者")]
    assert [found.problem.code for found in parsed.warnings] == ["phone_several"]
    assert parsed.unused == []


def test_a_sheet_that_lacks_one_column_is_refused_beside_one_that_is_read() -> None:
    parsed = read_goods.parse(
        sheets(
            {
                "一号架": [["物品", "单位", "所需积分", "库存"], ["香皂", "块", 5, 3]],
                "二号架": [["物品", "单位", "价钱", "库存"], ["毛巾", "条", 8, 3], ["大米", "袋", 90, 3]],
                "说明": [["请勿改动"], ["社区填写"]],
            }
        )
    )
    parsed.finish()
    assert [row.name for row in parsed.rows] == ["香皂"]
    assert [(found.sheet, found.row, found.problem.code) for found in parsed.problems] == [
        ("二号架", 1, "column_missing")
    ]
    assert parsed.total == 3
    assert [(note.code, note.values["sheet"]) for note in parsed.notes] == [("note_sheet_not_read", "说明")]


def test_a_second_table_below_the_first_is_read_by_its_own_header() -> None:
    parsed = services(
        book(
            ["日期", "姓名", "签到", "签退"],
            ["2026-10-01", "薛翠", "9:00", "10:00"],
            ["姓名", "签退", "签到", "日期"],
            ["汤琴", "12:00", "11:00", "2026-10-02"],
        )
    )
    assert [(row.name, row.started_at.day, row.minutes) for row in parsed.rows] == [("薛翠", 1, 60), ("汤琴", 2, 60)]
    assert parsed.total == 2


@pytest.mark.parametrize(
    "written",
    [
        "2026.4.5-4.7",
        "2026年4月5日至7日",
        "2026-04-05、04-06",
        "2026/4/5~2026/4/7",
        "2026-04-05 或 04-06",
        "2026-04-05-06",
    ],
)
def test_a_cell_of_several_days_refuses_its_row(written: str) -> None:
    parsed = services(book(["日期", "姓名", "签到", "签退"], [written, "薛翠", "9:00", "10:00"]))
    assert codes(parsed) == [(2, "date_with_more")]


@pytest.mark.parametrize(
    "written",
    [
        "2026-04-05 09:00",
        "2026-04-05 09:00-10:00",
        "2026-04-05（补）",
        "2026-04-05 星期日",
        "2026-04-05T00:00:00",
        "2026-04-05T00:00:00.000+08:00",
        "2026-04-05 00:00:00.0",
        "2026-04-05 上午",
        "2026年4月5日（下午）",
    ],
)
def test_a_time_or_a_weekday_behind_a_day_changes_nothing(written: str) -> None:
    parsed = services(book(["日期", "姓名", "签到", "签退"], [written, "薛翠", "9:00", "10:00"]))
    assert [row.started_at.date() for row in parsed.rows] == [date(2026, 4, 5)]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\n姓名;手机;备注\r\n薛翠;19900003050;甲,乙,丙,丁\r\n",
        '"sep=|"\n姓名|手机|备注\n薛翠|19900003050|甲\n',
        "姓名\t手机\t备注\n薛翠\t19900003050\t甲，乙,丙,丁,戊\n",
        '姓名,手机,备注\n薛翠,19900003050,"甲;乙;丙;丁;戊;己"\n',
        "姓名|手机|备注\n薛翠|19900003050|甲\n",
    ],
)
def test_a_text_table_is_split_where_its_writer_split_it(text: str) -> None:
    parsed = residents(workbook.read_workbook("a.csv", text.encode()))
    assert [(row.row, row.name, row.phone) for row in parsed.rows] == [(2, "薛翠", "19900003050")]


async def test_the_rows_of_a_refused_sheet_come_back_with_the_reason() -> None:
    tables = {
        "一号架": [["物品", "单位", "所需积分", "库存"], ["香皂", "块", 5, 3]],
        "二号架": [["物品", "单位", "价钱", "库存"], ["毛巾", "条", NA, 3], ["大米", "袋", 90, 3]],
    }
    made = NewWorkbook()
    made.remove(made.worksheets[0])
    for name, rows in tables.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    found = findings(read_goods.parse(workbook.read_workbook("a.xlsx", buffer.getvalue())))
    drawn = await refused_rows("goods", "a.xlsx", buffer.getvalue(), found.errors, str)
    again = load_workbook(io.BytesIO(drawn))
    assert again.sheetnames == ["二号架"]
    rows_back = list(again["二号架"].iter_rows(values_only=True))
    assert rows_back[0] == ("物品", "单位", "价钱", "库存", "没有导入的原因")
    assert [row[:4] for row in rows_back[1:]] == [("毛巾", "条", NA, 3), ("大米", "袋", 90, 3)]
    assert all("所需积分" in str(row[4]) for row in rows_back[1:])


def test_the_files_of_another_office_suite_are_read_by_what_they_are() -> None:
    for content in (FORMATS["xls"](), FORMATS["xlsx"]()):
        assert [row.name for row in residents(workbook.read_workbook("花名册.et", content)).rows] == ["薛翠", "付华"]


@pytest.mark.parametrize("name", ["A&B <1>", "表 1", "“引号”'"])
def test_a_sheet_of_any_name_keeps_what_cannot_be_read(name: str) -> None:
    parsed = residents(sheets({name: [["姓名", "手机", "房号"], ["薛翠", "19900003050", NA]]}))
    assert codes(parsed) == [(2, "cell_error")]


def test_alike_warnings_are_one_line_with_a_count() -> None:
    rows = [[f"薛{letter}", "0855-2621234", "1960-01-01"] for letter in "甲乙丙丁"]
    parsed = residents(book(["姓名", "手机", "出生日期"], *rows))
    told = findings(parsed).told()
    assert len(told.warnings) == 1
    assert told.warnings[0].rows == [2, 3, 4, 5]


def test_an_ods_cell_is_the_value_that_its_office_stored() -> None:
    def cell(kind: str, attribute: str, value: str, shown: str = "?") -> str:
        given = f'office:value-type="{kind}" office:{attribute}="{value}"'
        return f"<table:table-cell {given}><text:p>{shown}</text:p></table:table-cell>"

    string = ' office:value-type="string"'
    cells = [
        cell("float", "value", "19900003050", "1.99E+10"), cell("date", "date-value", "2026-10-01"),
        cell("date", "date-value", "2026-10-01T08:30:00"), cell("time", "time-value", "PT08H30M00S"),
        cell("time", "time-value", "PT25H30M00S"), cell("boolean", "boolean-value", "true"),
        cell("percentage", "value", "0.1", "10%"),
        "<table:table-cell><office:annotation><text:p>批注</text:p></office:annotation></table:table-cell>",
        f"<table:table-cell{string}><text:p>甲<text:s text:c='2'/>乙</text:p><text:p>丙</text:p></table:table-cell>",
        '<table:table-cell table:number-columns-repeated="2" office:value-type="float" office:value="7"/>',
    ]  # fmt: skip
    row = workbook.read_workbook("a.ods", ods_file(ods_table("表", ods_row(*cells)))).sheets[0].rows[0]
    assert row.cells[:11] == (
        19900003050.0, date(2026, 10, 1), datetime(2026, 10, 1, 8, 30), time(8, 30),  # noqa: DTZ001 - no zone
        timedelta(hours=25, minutes=30), True, "10%", None, "甲  乙\n丙", 7.0, 7.0,
    )  # fmt: skip


def test_an_ods_file_cannot_make_the_reader_unfold_itself() -> None:
    entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    with pytest.raises(refusals.WorkbookBroken):
        workbook.read_workbook("a.ods", ods_file(content=entity))
    many = unread_books.ods_cell("姓名").replace(
        "<table:table-cell", '<table:table-cell table:number-columns-repeated="9999"'
    )
    with pytest.raises(refusals.WorkbookTooLarge):
        workbook.read_workbook("a.ods", ods_file(ods_table("表", ods_row(many))))
    repeated = ods_row(unread_books.ods_cell("姓名"), attributes=' table:number-rows-repeated="1000000"')
    with pytest.raises(refusals.TooManyRows):
        workbook.read_workbook("a.ods", ods_file(ods_table("表", repeated)))
    with pytest.raises(refusals.FileTypeWrong):
        workbook.read_workbook("a.odt", ods_file(content="<text/>"))
    with pytest.raises(refusals.WorkbookBroken):
        workbook.read_workbook("a.ods", ods_file(content="<text>"))


def test_an_ods_file_is_read_by_what_it_is_with_its_merged_blocks() -> None:
    head = ods_row(*map(unread_books.ods_cell, ("楼栋", "姓名", "手机")))
    spans = '<table:table-cell table:number-rows-spanned="2"'
    block = unread_books.ods_cell("3栋").replace("<table:table-cell", spans)
    first = ods_row(block, *map(unread_books.ods_cell, ("薛翠", "19900003050")))
    second = ods_row("<table:covered-table-cell/>", *map(unread_books.ods_cell, ("夏贵福", "19900003051")))
    parsed = residents(workbook.read_workbook("a.xlsx", ods_file(ods_table("表", head + first + second))))
    assert [(row.name, row.household.building) for row in parsed.rows] == [("薛翠", "3栋"), ("夏贵福", "3栋")]
