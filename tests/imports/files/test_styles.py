"""What only a cell's style shows: unit, currency, struck-out text, hidden cells."""

import io
from datetime import date, datetime

import pytest
from openpyxl import Workbook as NewWorkbook
from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from tests.imports.files.styled_books import FORMATS
from timebank.imports.files import workbook
from timebank.imports.files.styles import style_of
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.goods.read import GoodRow
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.reports.refused_rows import refused_rows
from timebank.imports.reports.report import findings
from timebank.imports.sheets.parsed import Parsed

TODAY = date(2026, 11, 20)


def shelf(kind: str) -> Parsed[GoodRow]:
    return read_goods.parse(workbook.read_workbook(f"a.{kind}", FORMATS[kind]()))


def page_of(*rows: list[object]) -> tuple[NewWorkbook, Worksheet]:
    made = NewWorkbook()
    page = made.active
    assert isinstance(page, Worksheet)
    for row in rows:
        page.append(row)
    return made, page


def saved(made: NewWorkbook) -> bytes:
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_five_boxes_money_and_per_cent_are_no_plain_numbers_in_any_format(kind: str) -> None:
    parsed = shelf(kind)
    assert [(row.name, row.stock) for row in parsed.rows] == [("毛巾", 12_000), ("面", 2)]
    said = {found.row: (found.problem.code, found.value) for found in parsed.problems}
    assert said[2] == ("amount_unit", "5箱")
    assert (said[3][0], said[3][1].strip("¥￥")) == ("amount_money", "5")
    assert said[7] == ("points_unclear", "10%")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_struck_row_stays_out_and_a_struck_amount_is_not_taken_in_any_format(kind: str) -> None:
    said = {found.row: found.problem for found in shelf(kind).problems}
    assert said[5].code == "row_struck"
    assert (said[6].code, said[6].values["place"]) == ("cell_struck", "D6")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_hidden_column_that_was_read_is_named_in_every_format(kind: str) -> None:
    assert any("“货架”有隐藏的列，也一起读了：库存" in note for note in findings(shelf(kind)).told().notes)


def test_comments_are_counted_for_they_are_not_read() -> None:
    assert any("1 处批注" in note for note in findings(shelf("xlsx")).told().notes)


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("General", 5, 5),
        ("0.00", 5, 5),
        ('0"分钟"', 90, "90分钟"),
        ('0.0"小时"', 1.5, "1.5小时"),
        ('General"栋"', 3, "3栋"),
        ('"第"0"栋"', 3, "第3栋"),
        ("0打", 3, "3打"),
        ("[$¥-804]#,##0.00;[Red]-[$¥-804]#,##0.00", 25, "¥25"),
        ('_ "￥"* #,##0.00_ ', 25, "￥25"),
        ("0.0%", 0.125, "12.5%"),
        ('0!.0,"万"', 12_000, 12_000),
        ("000-0000-0000", 19900003050, 19900003050),
        ('yyyy"年"m"月"d"日"', 46296, 46296),
        ('[h]"小时"mm"分"', 0.5, 0.5),
        ("@", 5, 5),
        ('"已付"', 5, 5),
        ('[DBNum1][$-804]General"元"', 8, "8元"),
    ],
)
def test_a_number_is_what_somebody_sees_with_what_stands_beside_it(code: str, value: float, shown: object) -> None:
    assert style_of(code).shown(value) == shown


def test_ninety_that_show_as_minutes_are_no_hours() -> None:
    made, page = page_of(["日期", "姓名", "时长"], ["2026-10-01", "薛翠", 10], ["2026-10-02", "薛翠", 2])
    page["C2"].number_format = '0"分钟"'
    parsed = read_hours.parse(workbook.read_workbook("a.xlsx", saved(made)), None, today=TODAY)
    assert [row.minutes for row in parsed.rows] == [10, 120]


def test_a_number_corrected_by_striking_out_the_old_one_is_not_both() -> None:
    made, page = page_of(["姓名", "手机", "房号"], ["薛翠", "19900003050", None])
    page["C2"].value = CellRichText(TextBlock(InlineFont(strike=True), "101"), "105")
    parsed = read_roster.parse(workbook.read_workbook("a.xlsx", saved(made)), today=TODAY)
    assert [found.problem.code for found in parsed.problems] == ["cell_struck"]


async def test_a_struck_row_comes_back_struck_for_whoever_mends_the_refused() -> None:
    made, page = page_of(["姓名", "手机"], ["薛翠", "19900003050"], ["夏贵福", "19900003051"])
    for cell in page[3]:
        cell.font = Font(strike=True)
    content = saved(made)
    errors = findings(read_roster.parse(workbook.read_workbook("a.xlsx", content), today=TODAY)).errors
    again = await refused_rows("residents", "a.xlsx", content, errors, str)
    assert load_workbook(io.BytesIO(again)).worksheets[0]["A2"].font.strike
    parsed = read_roster.parse(workbook.read_workbook("b.xlsx", again), today=TODAY)
    assert parsed.rows == []
    assert parsed.problems[0].problem.code == "cell_struck"


def test_a_plain_number_for_a_day_counts_from_where_its_book_counts() -> None:
    made, page = page_of(["日期", "姓名", "时长"], [datetime(2026, 10, 1), "薛翠", "2小时"], [44834, "夏贵福", "2小时"])  # noqa: DTZ001 - as a spreadsheet has it
    made.epoch = CALENDAR_MAC_1904
    page["A3"].number_format = "General"
    parsed = read_hours.parse(workbook.read_workbook("a.xlsx", saved(made)), None, today=TODAY)
    assert [row.started_at.date() for row in parsed.rows] == [date(2026, 10, 1)] * 2


def test_an_error_of_a_newer_program_is_the_error_of_one_cell() -> None:
    made, page = page_of(["姓名", "手机", "房号"], ["薛翠", "19900003050", "101"], ["夏贵福", "19900003051", "#SPILL!"])
    page["C3"].data_type = "e"
    parsed = read_roster.parse(workbook.read_workbook("a.xlsx", saved(made)), today=TODAY)
    assert [row.name for row in parsed.rows] == ["薛翠"]
    assert [(found.row, found.value, found.problem.code) for found in parsed.problems] == [(3, "#SPILL!", "cell_error")]
