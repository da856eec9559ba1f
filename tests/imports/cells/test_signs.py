"""Signs in place of words, dates in odd cells, and text files with shifted fields are read correctly or refused."""

from collections.abc import Sequence
from datetime import date, datetime
from datetime import time as clock_time

import pytest

from tests.imports.files.test_unread import book
from timebank.imports.cells import moments
from timebank.imports.cells.problems import Problem
from timebank.imports.cells.signs import is_ditto, is_unclear
from timebank.imports.files import refusals, workbook
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.roster import read as read_roster

TODAY = date(2026, 11, 20)
TIMES = ["日期", "姓名", "签到", "签退"]


def test_every_way_to_write_as_above_is_the_cell_above_in_any_column() -> None:
    signs = [
        "同上",
        "同 上",
        "（同上）",
        "同上。",
        "如上",
        "上同",
        "同前",
        "同",
        "同上行",
        "〃",
        "〃〃",
        "〃 〃",
        "″",
        '"',
        "'' ''",
        "、、",
        "々",
        "↓",
    ]
    assert [sign for sign in signs if not is_ditto(sign)] == []
    rows = [["3栋", f"10{place}", f"夏{chr(0x4E00 + place)}", f"1990000{place:04}"] for place in range(len(signs) + 1)]
    for sign, row in zip(signs, rows[1:], strict=True):
        row[0] = sign
    parsed = read_roster.parse(book(["楼栋", "房号", "姓名", "手机"], *rows), today=TODAY)
    assert {row.household.building for row in parsed.rows} == {"3栋"}
    assert len(parsed.rows) == len(rows)


@pytest.mark.parametrize("sign", ["……", "...", "√", "？", "//", "|", "同左", "*", "○"])
def test_a_mark_that_may_mean_anything_is_no_value_of_a_column_that_decides(sign: str) -> None:
    assert is_unclear(sign)
    home = read_roster.parse(book(["楼栋", "房号", "姓名", "手机"], [sign, "101", "薛翠", "19900003050"]), today=TODAY)
    assert [found.problem.code for found in home.problems] == ["mark_unclear"]
    shelf = read_goods.parse(book(["物品", "所需积分", "库存", "站点"], ["香皂", 5, sign, "东站"], ["盐", 5, 1, sign]))
    assert [found.problem.code for found in shelf.problems] == ["mark_unclear"] * 2
    done = read_hours.parse(book([*TIMES, "活动"], ["2026-10-01", "薛翠", "9:00", "10:00", sign]), None, today=TODAY)
    assert [found.problem.code for found in done.problems] == ["mark_unclear"]


@pytest.mark.parametrize("word", ["⽅⼩⽉", "上官同上", "同心", "A", "7"])
def test_a_word_is_no_mark(word: str) -> None:
    assert not is_ditto(word)
    assert not is_unclear(word)


@pytest.mark.parametrize("dash", ["/", "-", "——", "———", "__", "～"])
def test_a_dash_says_that_there_is_nothing(dash: str) -> None:
    parsed = read_roster.parse(book(["姓名", "手机", "房号"], ["薛翠", "19900003050", dash]), today=TODAY)
    assert (parsed.rows[0].household.room, parsed.problems, parsed.warnings) == (None, [], [])


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (datetime(2026, 10, 2, 9, 0), datetime(2026, 10, 2, 10, 0)),  # noqa: DTZ001 - as a spreadsheet has it
        ("2026-10-02 9:00", "2026-10-02 10:00"),
        ("2026年10月2日9:00", "10:00"),
    ],
)
def test_a_day_beside_the_time_that_contradicts_the_days_column_is_not_passed_over(first: object, last: object) -> None:
    parsed = read_hours.parse(book(TIMES, ["2026-10-01", "薛翠", first, last]), None, today=TODAY)
    assert (parsed.rows, [found.problem.code for found in parsed.problems]) == ([], ["date_contradicts"])
    assert parsed.problems[0].problem.values == {"within": "2026-10-02", "day": "2026-10-01"}


def test_a_day_beside_the_afternoons_time_is_compared_as_well() -> None:
    head = [*TIMES, "下午签到", "下午签退"]
    row = ["2026-10-01", "薛翠", "9:00", "10:00", "2026-10-02 14:00", "15:00"]
    parsed = read_hours.parse(book(head, row), None, today=TODAY)
    assert [(found.column, found.problem.code) for found in parsed.problems] == [("下午签到", "date_contradicts")]


def test_the_day_from_which_a_book_counts_its_times_contradicts_nothing() -> None:
    zero = [datetime(1899, 12, 30, 9, 0), datetime(1904, 1, 1, 10, 0)]  # noqa: DTZ001 - as a spreadsheet has it
    parsed = read_hours.parse(
        book(TIMES, ["2026-10-01", "薛翠", *zero], ["", "汤琴", clock_time(9), clock_time(10)]), None, today=TODAY
    )
    assert [(row.name, row.minutes, row.started_at.date()) for row in parsed.rows] == [
        ("薛翠", 60, date(2026, 10, 1)), ("汤琴", 60, date(2026, 10, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [
        "2026/4/5（日）",
        "2026/4/5 周日",
        "二〇二六年四月五日",
        "2026。4。5",
        "2026·4·5",
        "2026\\4\\5",
        "2026年4月5日9时",
        "'2026-04-05",
        "46117",
    ],
)
def test_a_day_is_read_as_people_write_it(written: str) -> None:
    parsed = read_deeds.parse(
        book(["日期", "姓名", "事项", "分值"], [written, "薛翠", "扫雪", 2]), None, None, today=TODAY
    )
    assert [row.happened_on for row in parsed.rows] == [date(2026, 4, 5)]


@pytest.mark.parametrize(
    "written",
    ["2026.4.5、4.6", "2026年4月31日", "2026年4月上旬", "26.4.5", "4/5/2026", "农历三月初八", "202604", "2026.4.5~7"],
)
def test_a_day_that_may_be_another_is_refused(written: str) -> None:
    assert isinstance(moments.parse_calendar_day(written), Problem)


@pytest.mark.parametrize("written", [9.3, "9.3", 0.4, "0.25", 14.5])
def test_a_time_with_a_dot_that_may_have_lost_its_last_digit_is_refused(written: float | str) -> None:
    found = moments.minute_of_day(written)
    assert isinstance(found, Problem)
    assert found.code == "time_dotted"


@pytest.mark.parametrize("cell", ["9:00-10:00 14:00-15:00", "9:00-10:00\n14:00-15:00"])
def test_two_times_of_a_day_in_one_cell_are_two_services(cell: str) -> None:
    parsed = read_hours.parse(book(["日期", "姓名", "服务时间"], ["2026-10-01", "薛翠", cell]), None, today=TODAY)
    assert [row.started_at.hour for row in parsed.rows] == [9, 14]


def test_a_row_of_nothing_anybody_sees_is_no_row() -> None:
    parsed = read_roster.parse(
        book(["姓名", "手机"], ["\u200b", " \u3000\ufeff"], ["薛翠", "19900003050"]), today=TODAY
    )
    assert (parsed.total, parsed.problems) == (1, [])


def test_an_apostrophe_that_an_export_left_before_a_value_is_no_part_of_it() -> None:
    text = "姓名,手机,房号\n'薛翠,'19900003050,'101\n"
    row = read_roster.parse(workbook.read_workbook("a.csv", text.encode()), today=TODAY).rows[0]
    assert (row.name, row.phone, row.household.room) == ("薛翠", "19900003050", "101")


def text_of(*lines: Sequence[str]) -> bytes:
    return "\r\n".join(",".join(line) for line in lines).encode("gb18030")


def test_a_quote_left_open_does_not_swallow_the_people_below_it() -> None:
    rows = [
        ["姓名", "手机", "备注"],
        ["薛翠", "19900003050", '"没有收尾'],
        ["汤琴", "19900003052", "好"],
        ["付华", "19900003058", ""],
    ]
    with pytest.raises(refusals.TextQuoteOpen) as caught:
        workbook.read_workbook("a.csv", text_of(*rows))
    assert "第 2 行" in caught.value.text()
    rows[2][2] = '"好'
    with pytest.raises(refusals.TextQuoteOpen):
        workbook.read_workbook("a.csv", text_of(*rows))


def test_quotes_that_pair_may_hold_lines_and_commas() -> None:
    text = '姓名,手机,备注\r\n薛翠,19900003050,"一,二\r\n三,四,五"\r\n汤琴,19900003052,5" 屏\r\n'
    assert len(workbook.read_workbook("a.csv", text.encode()).sheets[0].rows) == 3


def test_a_line_with_a_comma_too_many_is_not_read_in_the_wrong_columns() -> None:
    parsed = read_goods.parse(
        workbook.read_workbook(
            "a.csv", text_of(["物品", "所需积分", "库存"], ["香皂", "5", "10"], ["米", "1", "000", "20"])
        )
    )
    assert [(row.name, row.points, row.stock) for row in parsed.rows] == [("香皂", 5, 10)]
    assert [(found.row, found.problem.code) for found in parsed.problems] == [(3, "row_shifted")]
