"""Additional information in headings, and columns that make a row stand for several, are read or reported."""

from datetime import date

import pytest

from tests.imports.files.test_unread import book
from timebank.imports.files import workbook
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.header import with_unit
from timebank.imports.sheets.parsed import Parsed

TODAY = date(2026, 11, 20)


def residents(text: str) -> Parsed[RosterRow]:
    return read_roster.parse(workbook.read_workbook("a.csv", text.encode()), today=TODAY)


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("积分（元）", "amount_money"), ("积分（×10）", "points_unclear"), ("积分(百)", "points_unclear"),
        ("库存（打）", "amount_unit"), ("库存（箱）", "amount_unit"), ("库存/箱", "amount_unit"),
        ("库存（千）", "amount_unit"),
        ("限兑（次/周）", "limit_period"), ("限兑（每人）", "limit_period"),
    ],
)  # fmt: skip
def test_a_unit_in_the_heading_counts_for_the_numbers_below_it(heading: str, code: str) -> None:
    plain = ["积分", "库存", "限兑"]
    head = [heading if heading.startswith(name) else name for name in plain]
    parsed = read_goods.parse(book(["物品", *head], ["香皂", 5, 10, 2]))
    assert (parsed.rows, [found.problem.code for found in parsed.problems]) == ([], [code])


@pytest.mark.parametrize(
    "head",
    [
        ["物品", "积分（必填）", "库存（数字）", "限兑（每户每月）"],
        ["物品", "积分（分）", "库存（个/件）", "限兑（选填）"],
        ["物品", "积分（整数）", "库存（件）", "限兑"],
    ],
)
def test_what_a_heading_says_of_how_to_fill_it_in_changes_nothing(head: list[str]) -> None:
    parsed = read_goods.parse(book(head, ["香皂", 5, 10, 2]))
    assert [(row.points, row.stock, row.limit) for row in parsed.rows] == [(5, 10, 2)]


def test_a_stock_counted_in_the_goods_own_boxes_is_taken() -> None:
    assert read_goods.parse(book(["物品", "单位", "积分", "库存（箱）"], ["奶", "箱", 5, 10])).rows[0].stock == 10


@pytest.mark.parametrize(
    ("heading", "minutes"), [("时长（min）", 2), ("时长（h）", 120), ("时长（小时）", 120), ("时长（天）", None)]
)
def test_a_length_is_in_the_unit_of_its_heading(heading: str, minutes: int | None) -> None:
    parsed = read_hours.parse(book(["日期", "姓名", heading], ["2026-10-01", "薛翠", 2]), None, today=TODAY)
    assert [row.minutes for row in parsed.rows] == ([] if minutes is None else [minutes])
    assert bool(parsed.problems) == (minutes is None)


def test_a_cell_with_a_unit_of_its_own_keeps_it() -> None:
    assert with_unit("length", "时长（min）", "2小时") == "2小时"
    assert with_unit("stock", "库存（箱）", "5件") == "5件"


@pytest.mark.parametrize("heading", ["日期（农历）", "农历日期", "日期（民国）"])
def test_days_of_another_calendar_are_not_taken_for_ours(heading: str) -> None:
    parsed = read_deeds.parse(
        book([heading, "姓名", "事项", "分值"], ["2026-3-8", "薛翠", "扫雪", 2]), None, None, today=TODAY
    )
    assert (parsed.rows, [found.problem.code for found in parsed.problems]) == ([], ["date_calendar"])


def test_a_birthday_of_another_calendar_keeps_nobody_out_whose_number_says_it() -> None:
    text = "姓名,身份证号,出生日期（农历）\n薛翠,522699196809283822,1968-08-07\n"
    parsed = residents(text)
    assert [row.born_on for row in parsed.rows] == [date(1968, 9, 28)]
    assert parsed.problems == []


def test_a_row_for_several_times_is_not_one_deed() -> None:
    rows: list[list[object]] = [
        ["2026-10-01", "薛翠", "扫雪", 3, 2],
        ["2026-10-02", "薛翠", "扫雪", 1, 2],
        ["2026-10-03", "薛翠", "扫雪", None, 2],
    ]
    parsed = read_deeds.parse(book(["日期", "姓名", "事项", "次数", "分值"], *rows), None, None, today=TODAY)
    assert [row.row for row in parsed.rows] == [3, 4]
    assert [found.problem.code for found in parsed.problems] == ["several_times"]


def test_a_count_of_people_that_the_names_do_not_reach_is_asked_for() -> None:
    rows = [
        ["2026-10-01", who, "9:00", "10:00", count]
        for who, count in (("薛翠", 5), ("汤琴、付华", 2), ("夏贵福等", 3), ("马二", "1人"))
    ]
    parsed = read_hours.parse(book(["日期", "姓名", "签到", "签退", "人数"], *rows), None, today=TODAY)
    assert [(row.row, row.name) for row in parsed.rows] == [(3, "汤琴"), (3, "付华"), (5, "马二")]
    assert [(found.row, found.problem.code) for found in parsed.problems] == [(2, "group_count"), (4, "group_unlisted")]


def test_what_statistics_programs_write_for_nothing_is_nothing() -> None:
    parsed = residents(",姓名,手机,楼栋\n0,薛翠,19900003050.0,3.0\n1,汤琴,19900003052.0,nan\n2,付华,19900003058,<NA>\n")
    assert [row.household.building for row in parsed.rows] == ["3栋", None, None]
    assert parsed.problems == []
