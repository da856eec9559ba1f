"""The values of columns: the whole content of a cell is read, or the cell is reported; nothing is guessed."""

from datetime import date, datetime, time, timedelta

import pytest

from tests.imports.cells.test_cells import code
from tests.imports.sheets.test_columns import PEOPLE, TODAY, book, codes, residents, services, table
from timebank.imports.cells import addresses, amounts, group, lengths, moments, phones, remarks, signs
from timebank.imports.cells.addresses import Address
from timebank.imports.cells.amounts import Limit
from timebank.imports.cells.cell_values import Cell
from timebank.imports.files.refusals import ColumnTwice
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.deeds.read import DeedRow
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.goods.read import GoodRow
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.parsed import Parsed

PHONE = "19900003074"


def warned(parsed: Parsed[RosterRow] | Parsed[HoursRow] | Parsed[DeedRow] | Parsed[GoodRow]) -> list[tuple[int, str]]:
    return [(found.row, found.problem.code) for found in parsed.warnings]


def refused(parsed: Parsed[RosterRow] | Parsed[HoursRow] | Parsed[DeedRow] | Parsed[GoodRow]) -> list[tuple[int, str]]:
    return [(found.row, found.problem.code) for found in parsed.problems]


@pytest.mark.parametrize(
    ("cell", "odd"),
    [
        ("(+86)19900003074", None),
        ("86-199-0000-3074", None),
        ("0086 19900003074", None),
        ("19900003074.0", None),
        (19900003074.0, None),
        ("1.9900003074E10", None),
        ("1.9900003074e+10", None),
        ("tel:19900003074", None),
        ("手机：19900003074", None),
        ("19900003074-", None),
        ("'19900003074", None),
        ("199 0000 3074", None),
        ("19900003074（儿子）", "phone_remark"),
        ("19900003074转", "phone_remark"),
        ("0855-2621234/19900003074", "phone_remark"),
        ("19900003074 19900003075", "phone_several"),
        ("19900003074\n19900003075", "phone_several"),
        ("19900003074，19900003075", "phone_several"),
        ("19900003074、19900003074", None),
    ],
)
def test_a_phone_is_found_in_what_stands_beside_it(cell: Cell, odd: str | None) -> None:
    found = phones.find_phone(cell)
    assert isinstance(found, phones.PhoneFound)
    assert (found.number, found.odd.code if found.odd else None) == (PHONE, odd)


@pytest.mark.parametrize("cell", [None, "无手机", "无", "没有电话", "未登记", "暂无", "/", "无联系方式"])
def test_who_has_no_phone_has_none(cell: Cell) -> None:
    assert phones.parse_phone(cell) is None


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("1.99E+10", "phone_rounded"),
        ("1.990000307E10", "phone_rounded"),
        ("1990000307", "phone_length"),
        ("199000030741", "phone_length"),
        ("0855-2621234", "phone_landline"),
        ("2621234", "phone_landline"),
        ("22900003074", "phone_prefix"),
        ("问他儿子", "phone_unclear"),
    ],
)
def test_a_phone_that_cannot_be_read_says_why(cell: Cell, why: str) -> None:
    assert code(phones.parse_phone(cell)) == why


def test_a_side_column_that_cannot_be_read_never_refuses_the_row() -> None:
    number = "522699196809283822"
    parsed = residents(
        table(
            ["姓名", "身份证号", "性别", "电话", "与户主关系", "备注", "职务"],
            ["薛翠", number, "女士们", "1990000305", "关" * 21, "注" * 501, "职" * 51],
        )
    )
    [row] = parsed.rows
    assert (row.identity, row.sex, row.phone, row.relation, row.note) == (number, "female", None, None, None)
    assert {found.column for found in parsed.warnings} == {"性别", "电话", "与户主关系", "备注", "职务"}
    assert all(found.problem.sentence().endswith("没有导入这一格，其余照常") for found in parsed.warnings)


def test_a_phone_that_alone_says_who_somebody_is_refuses_the_row() -> None:
    parsed = residents(table(["姓名", "电话"], ["薛翠", "1990000305"], ["周伟", "问儿子"]))
    assert [code for _, code in refused(parsed) if code.startswith("phone")] == ["phone_length", "phone_unclear"]
    assert parsed.rows == []


@pytest.mark.parametrize("cell", ["1965.03", 1965.03, "196503", "1965-03", "1965年3月", "1965/3", "1965-03-12"])
def test_a_birth_month_agrees_with_an_identity_number_of_that_month(cell: Cell) -> None:
    parsed = residents(book(["姓名", "身份证号", "出生年月"], ["李甲", "522699196503126015", cell]))
    assert (len(parsed.rows), parsed.warnings) == (1, [])


@pytest.mark.parametrize("cell", ["1965.04", 1965.1, "196603", "1965-03-13"])
def test_a_birth_month_that_differs_is_pointed_out(cell: Cell) -> None:
    parsed = residents(book(["姓名", "身份证号", "出生年月"], ["李甲", "522699196503126015", cell]))
    assert (len(parsed.rows), warned(parsed)) == (1, [(2, "birth_differs")])


def test_a_birth_that_cannot_be_read_is_not_said_to_differ() -> None:
    parsed = residents(table(["姓名", "身份证号", "出生年月"], ["李甲", "522699196503126015", "属龙"]))
    assert (len(parsed.rows), warned(parsed)) == (1, [(2, "date_unclear")])


def test_a_date_cell_that_shows_a_month_agrees_with_the_number() -> None:
    row = ["李甲", "522699196503126015", date(1965, 3, 1)]
    assert warned(residents(book(["姓名", "身份证号", "出生年月"], row))) == []
    assert warned(residents(book(["姓名", "身份证号", "出生日期"], row))) == [(2, "birth_differs")]


def test_the_number_1965_1_may_have_been_typed_as_october() -> None:
    assert moments.year_months(1965.1) == moments.YearMonths(1965, frozenset({1, 10}))
    assert moments.year_months("1965.1") == moments.YearMonths(1965, frozenset({1}))


def test_the_number_of_a_day_is_no_birth_month() -> None:
    parsed = residents(book(["姓名", "身份证号", "出生年月"], ["李甲", "522699196503126015", 19651]))
    assert warned(parsed) == [(2, "birth_differs")]


def test_a_birth_without_its_day_is_not_made_up() -> None:
    parsed = residents(table(["姓名", "出生年月", "电话"], ["李丙", "1965.03", PHONE], ["李丁", "1965年3月", ""]))
    assert refused(parsed) == [(2, "birth_day_missing"), (3, "birth_day_missing")]


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("半小时", 30),
        ("一个半小时", 90),
        ("两小时", 120),
        ("2小时半", 150),
        ("1.5 小时", 90),
        ("1.5H", 90),
        ("1h30m", 90),
        ("1：30", 90),
        ("01:30:00", 90),
        ("一小时三十分", 90),
        ("90min", 90),
        ("三刻钟", 45),
        ("1个小时", 60),
        (timedelta(hours=2), 120),
        (12.0, 720),
    ],
)
def test_a_length_is_read_as_people_say_it(cell: Cell, minutes: int) -> None:
    assert lengths.minutes_long(cell, unit=None) == minutes


@pytest.mark.parametrize(
    "cell", ["约2小时", "2-3小时", "0.5天", "半天", "三十", "1小时半30分", "1万小时", True, 0.0625]
)
def test_a_length_that_is_not_certain_is_refused(cell: Cell) -> None:
    assert code(lengths.minutes_long(cell, unit=None)) == "duration_unclear"


def test_a_bare_number_that_may_be_minutes_is_not_taken_for_hours() -> None:
    assert code(lengths.minutes_long("120", unit=None)) == "duration_unit"
    assert lengths.minutes_long("120", unit="minutes") == 120


def test_a_length_beside_good_times_only_checks_them() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "签到", "签退", "服务时长"],
            ["2026-07-01", "薛翠", "9:00", "10:30", "1:30"],
            ["2026-07-02", "薛翠", "9:00", "10:30", "一个半小时"],
            ["2026-07-03", "薛翠", "9:00", "10:30", "约1.5"],
            ["2026-07-04", "薛翠", "9:00", "10:30", "3小时"],
            ["2026-07-05", "薛翠", "9:00", "", "约1.5"],
        )
    )
    assert [row.minutes for row in parsed.rows] == [90, 90, 90, 90]
    assert warned(parsed) == [(4, "duration_unclear"), (5, "duration_differs")]
    assert refused(parsed) == [(6, "duration_unclear")]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("31#2-701", Address("31栋", "2单元", "701")),
        ("31#2-501", Address("31栋", "2单元", "501")),
        ("31栋2单元501室", Address("31栋", "2单元", "501")),
        ("31栋二单元501", Address("31栋", "2单元", "501")),
        ("三十一栋二单元501", Address("31栋", "2单元", "501")),
        ("31号楼-2单元-501", Address("31栋", "2单元", "501")),
        ("31栋2单元5楼501", Address("31栋", "2单元", "501")),
        ("３１＃２－７０１", Address("31栋", "2单元", "701")),
        ("3-2-501", Address("3栋", "2单元", "501")),
        ("55-2", Address("55栋", "2单元")),
        ("31#2", Address("31栋", "2单元")),
        ("3-101", Address("3栋", None, "101")),
        ("8栋502室", Address("8栋", None, "502")),
        ("A座1201", Address("A栋", None, "1201")),
        ("锦绣小区8幢3单元502室", Address("8栋", "3单元", "502")),
        ("凤凰路12号锦绣花园3栋2单元501", Address("3栋", "2单元", "501")),
        ("二期3栋2单元501", Address("二期3栋", "2单元", "501")),
    ],
)
def test_one_grammar_reads_every_way_of_writing_an_address(cell: Cell, expected: Address) -> None:
    assert addresses.address(cell) == expected
    assert addresses.building_cell(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "社区广场",
        "凤凰路12号",
        "凤凰路12号501室",
        "2单元501",
        "31栋2单元501室（租）",
        "一网格3栋2单元",
        "1-3-2-501",
        "水岸",
        "3栋2单元或4栋",
    ],
)
def test_an_address_that_is_not_understood_whole_is_refused(cell: Cell) -> None:
    assert code(addresses.address(cell)) == "address_unclear"


def test_a_number_that_may_be_unit_or_room_is_refused() -> None:
    assert code(addresses.address("3-12")) == "address_two_ways"
    assert code(addresses.address("31#12")) == "address_two_ways"


def test_one_column_three_columns_and_merged_cells_say_the_same_home() -> None:
    one = residents(table(["姓名", "家庭住址", "电话"], ["薛翠", "31#2-701", PHONE]))
    three = residents(table(["姓名", "楼栋", "单元", "房号", "电话"], ["薛翠", "31号楼", "二单元", "701室", PHONE]))
    two = residents(table(["姓名", "楼栋", "房号", "电话"], ["薛翠", "31", "2-701", PHONE]))
    whole_in_room = residents(table(["姓名", "楼栋", "房号", "电话"], ["薛翠", "31栋", "31#2-701", PHONE]))
    merged = residents(
        book(
            ["楼栋", "单元", "房号", "姓名", "电话"],
            ["31#", "2", "701", "薛翠", PHONE],
            [None, None, None, "周伟", "19900003075"],
            merged=("A2:A3", "B2:B3", "C2:C3"),
        )
    )
    for parsed in (one, three, two, whole_in_room, merged):
        homes = {(r.household.building, r.household.unit, r.household.room) for r in parsed.rows}
        assert homes == {("31栋", "2单元", "701")}
        assert parsed.problems == []


def test_columns_of_a_home_that_contradict_each_other_refuse_the_row() -> None:
    head = ["姓名", "楼栋", "单元", "房号", "电话"]
    parsed = residents(
        table(
            head,
            ["薛翠", "30栋", "2", "31#2-701", PHONE],
            ["周伟", "31栋", "1", "2-701", PHONE],
            ["赵敏", "31栋(东)", "1", "701", PHONE],
        )
    )
    assert refused(parsed) == [(2, "address_contradicts"), (3, "address_contradicts"), (4, "address_unclear")]
    assert refused(residents(table(["姓名", "楼栋", "房号", "电话"], ["薛翠", "2", "2-701", PHONE]))) == [
        (2, "address_two_ways")
    ]


def test_an_address_of_the_street_beside_good_columns_is_left_out() -> None:
    parsed = residents(table(["姓名", "楼栋", "房号", "家庭住址", "电话"], ["薛翠", "3栋", "701", "凤凰路12号", PHONE]))
    assert (parsed.rows[0].household.building, warned(parsed)) == ("3栋", [(2, "address_unclear")])


def test_a_room_that_is_let_in_parts_stays_a_room() -> None:
    assert addresses.room_cell("501-1", in_building=True) == Address(room="501-1")
    assert addresses.room_cell("501.0", in_building=True) == Address(room="501")
    assert addresses.room_cell("门面", in_building=True) == Address(room="门面")


def test_deeds_find_a_building_and_unit_written_with_a_dash() -> None:
    parsed = read_deeds.parse(
        table(
            ["日期", "姓名", "楼栋/单元", "事项"],
            ["2026-07-01", "薛翠", "55-2", "劝导"],
            ["2026-07-02", "薛翠", "31栋二单元", "劝导"],
        ),
        None,
        {"劝导": 3},
        today=TODAY,
    )
    assert [(row.building, row.unit) for row in parsed.rows] == [("55栋", "2单元"), ("31栋", "2单元")]


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        ("5分/次", 5),
        ("+2分", 2),
        ("贰", 2),
        ("贰分", 2),
        ("每次5分", 5),
        ("１００分", 100),
        ("80积分/桶", 80),
        ("十五", 15),
        ("一百二十", 120),
        (8.0, 8),
        ("1万", 10_000),
        ("一千二", 1200),
        ("壹仟贰佰", 1200),
        ("5分/人次", 5),
        ("一次5分", 5),
    ],
)
def test_points_are_read_in_digits_and_in_words(cell: Cell, points: int) -> None:
    assert amounts.parse_points(cell) == points


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("25元", "amount_money"),
        ("¥25", "amount_money"),
        ("5-10", "points_unclear"),
        ("10%", "points_unclear"),
        ("5分/小时", "points_unclear"),
        ("约5", "points_unclear"),
        ("-5", "number_range"),
        ("0", "number_range"),
        ("5角", "amount_money"),
        ("2.5", "not_whole"),
    ],
)
def test_points_in_another_unit_are_refused(cell: Cell, why: str) -> None:
    assert code(amounts.parse_points(cell)) == why


def test_a_stock_is_counted_in_the_goods_own_unit_and_never_negative() -> None:
    assert [amounts.parse_stock(cell, "瓶") for cell in ("十瓶", "30", "1,000", "5件", 0, None)] == [
        10,
        30,
        1000,
        5,
        0,
        None,
    ]
    assert code(amounts.parse_stock("2打", "瓶")) == "amount_unit"
    assert code(amounts.parse_stock("2箱", "瓶")) == "amount_unit"
    assert amounts.parse_stock("1万", "瓶") == 10_000
    assert code(amounts.parse_stock("25元", "瓶")) == "amount_unit"
    assert code(amounts.parse_stock(-5, "瓶")) == "stock_negative"
    assert code(amounts.parse_stock("约50", "瓶")) == "number_unclear"
    assert code(amounts.parse_stock("10%", "瓶")) == "number_unclear"


@pytest.mark.parametrize(
    "cell", ["1", "1袋/月", "每月1袋", "每户每月限一份", "限1袋", "每户限兑1袋", "每户每月最多1件", "壹份", 1.0]
)
def test_a_limit_is_read_in_words(cell: Cell) -> None:
    assert amounts.parse_limit(cell, "袋" if "袋" in str(cell) else "份") == Limit(1)


def test_a_limit_of_another_kind_is_refused_and_none_is_none() -> None:
    assert amounts.parse_limit("不限") == Limit(None)
    assert amounts.parse_limit(None) is None
    assert [code(amounts.parse_limit(cell)) for cell in ("每周1袋", "每人每月1袋", "1/年", "看情况")] == [
        "limit_period", "limit_period", "limit_period", "limit_unclear",
    ]  # fmt: skip


def test_a_limit_in_the_remark_is_read_or_named() -> None:
    head = ["物品", "单位", "积分", "库存", "备注"]
    parsed = read_goods.parse(
        table(
            head,
            ["大米", "袋", "80", "30", "每户每月限一袋"],
            ["香皂", "块", "8", "30", "每人限购两块，先到先得"],
            ["毛巾", "条", "8", "30", "新到"],
            ["雨伞", "把", "8", "30", "已下架"],
        )
    )
    assert [(row.name, row.limit) for row in parsed.rows] == [("大米", 1), ("香皂", None), ("毛巾", None)]
    assert warned(parsed) == [(2, "limit_in_note"), (3, "limit_in_note_unclear")]
    assert refused(parsed) == [(5, "remark_ended")]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("已搬走", "gone"),
        ("2025年迁出", "gone"),
        ("迁出至外省", "gone"),
        ("转出", "gone"),
        ("去世", "died"),
        ("2024.3已故", "died"),
        ("病故", "died"),
        ("未迁出", None),
        ("没有搬走", None),
        ("搬走后又搬回", "unclear"),
        ("丈夫去世", "unclear"),
        ("户口迁出", "unclear"),
        ("易地扶贫搬迁户", None),
        ("搬迁安置户", None),
        ("病故军人家属", "unclear"),
        ("原住户已搬走", "unclear"),
        ("低保转出", "unclear"),
        ("准备搬走", "unclear"),
        ("拟迁出", "unclear"),
        ("转入", None),
        ("2026年3月由外省转入", None),
        ("党员", None),
        ("独居老人，行动不便", None),
        (None, None),
    ],
)
def test_a_remark_says_whether_somebody_is_still_there(note: str | None, expected: str | None) -> None:
    assert remarks.fate(note) == expected


def test_who_has_moved_away_or_died_is_not_entered_and_a_doubtful_remark_is_shown() -> None:
    parsed = residents(
        table(
            ["姓名", "电话", "备注"],
            ["薛翠", "19900003050", "已搬走"],
            ["周伟", "19900003051", "去世"],
            ["赵敏", "19900003052", "丈夫去世"],
            ["钱进", "19900003053", "2026年3月转入"],
        )
    )
    assert refused(parsed) == [(2, "remark_gone"), (3, "remark_died")]
    assert warned(parsed) == [(4, "remark_unclear")]
    assert [note.sentence() for note in parsed.notes] == ["备注写着转入或迁入的有 1 位，已按在住登记"]


def test_a_column_of_states_decides_as_a_remark_does() -> None:
    parsed = residents(
        table(["姓名", "电话", "居住状态"], ["薛翠", "19900003050", "已迁出"], ["周伟", "19900003051", "在住"])
    )
    assert (refused(parsed), [row.name for row in parsed.rows]) == ([(2, "remark_gone")], ["周伟"])


def test_a_line_that_was_cancelled_is_not_taken_in() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "签到", "签退", "备注"],
            ["2026-07-01", "薛翠", "9:00", "10:00", "作废"],
            ["2026-07-02", "薛翠", "9:00", "10:00", "请假"],
            ["2026-07-03", "薛翠", "9:00", "10:00", "未取消"],
            ["2026-07-04", "薛翠", "9:00", "10:00", "劝阻无效后上报"],
        )
    )
    assert refused(parsed) == [(2, "remark_cancelled"), (3, "remark_cancelled")]


@pytest.mark.parametrize("mark", ["同上", "〃", "″", '"', "同前", "“”"])
def test_as_above_is_what_stands_above_in_any_column(mark: str) -> None:
    parsed = services(
        table(
            ["日期", "姓名", "活动", "地点", "签到", "签退", "备注"],
            ["2026-07-01", "薛翠", "值守", "驿站", "9:00", "10:00", "党员"],
            ["2026-07-02", mark, mark, mark, mark, mark, mark],
            [mark, "龚荣帅", mark, mark, mark, mark, ""],
            ["", "薛翠", "", "", "11:00", "12:00", mark],
        ),
    )
    assert [(r.name, r.activity, r.place, r.started_at.day, r.note) for r in parsed.rows] == [
        ("薛翠", "值守", "驿站", 1, "党员"),
        ("薛翠", "值守", "驿站", 2, "党员"),
        ("龚荣帅", "值守", "驿站", 2, None),
        ("薛翠", None, None, 2, None),
    ]
    assert (5, "ditto_nothing_above") in warned(parsed)


def test_as_above_below_nothing_refuses_what_decides() -> None:
    parsed = residents(table(["姓名", "身份证号", "电话"], ["薛翠", "同上", PHONE], ["周伟", "", "〃"]))
    assert refused(parsed)[0] == (2, "ditto_nothing_above")
    assert [row.phone for row in parsed.rows] == [PHONE]
    assert not signs.is_ditto("上官同上")


@pytest.mark.parametrize(
    ("title", "cell", "expected"),
    [
        ("城江社区2026年7月签到表", "7月1日", date(2026, 7, 1)),
        ("城江社区2026年7月签到表", "7.1", date(2026, 7, 1)),
        ("城江社区2026年7月签到表", "1日", date(2026, 7, 1)),
        ("城江社区2026年7月签到表", 1, date(2026, 7, 1)),
        ("2026年第三季度签到表", "7-1（周三）", date(2026, 7, 1)),
        ("二〇二六年七月签到表", "1号", date(2026, 7, 1)),
        ("2026年7月-9月签到表", "8月1日", date(2026, 8, 1)),
        ("2026年7月签到表", "2025-07-01", date(2025, 7, 1)),
    ],
)
def test_year_and_month_may_stand_only_in_the_title(title: str, cell: Cell, expected: date) -> None:
    parsed = services(
        book([title], ["日期", "姓名", "签到", "签退"], [cell, "薛翠", "9:00", "10:00"], merged=("A1:D1",))
    )
    assert [row.started_at.date() for row in parsed.rows] == [expected]


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("签到表", "7月1日"),
        ("2025年12月至2026年1月签到表", "7月1日"),
        ("2026年第三季度签到表", "1日"),
        ("签到表 填表日期：2026.10.8", "7月1日"),
        ("2026年7月签到表", 7.1),
        ("2026年7月签到表", "32日"),
    ],
)
def test_a_day_that_the_title_does_not_complete_is_refused(title: str, cell: Cell) -> None:
    parsed = services(
        book([title], ["日期", "姓名", "签到", "签退"], [cell, "薛翠", "9:00", "10:00"], merged=("A1:D1",))
    )
    assert (parsed.rows, len(parsed.problems)) == ([], 1)


def test_the_one_day_of_a_sheet_stands_above_its_table() -> None:
    head = ["姓名", "签到", "签退"]
    parsed = services(
        book(
            ["签到表"],
            ["活动：清洁家园", None, "日期：2026年10月23日"],
            head,
            ["薛翠", "9:00", "11:00"],
            merged=("A1:C1",),
        )
    )
    assert [row.started_at.date() for row in parsed.rows] == [date(2026, 10, 23)]
    two_days = services(book(["2026年10月23日至24日"], head, ["薛翠", "9:00", "11:00"], merged=("A1:C1",)))
    assert codes(two_days) == [(3, "签到", "date_unclear")]


def test_an_afternoon_pair_beside_the_morning_pair_is_a_service_of_its_own() -> None:
    head = ["日期", "姓名", "上午签到", "上午签退", "下午签到", "下午签退"]
    parsed = services(
        book(
            head,
            ["2026-10-20", "薛翠", "8:30", "11:30", "2:00", "5:00"],
            ["2026-10-20", "龚荣帅", None, None, time(14, 0), time(17, 0)],
            ["2026-10-21", "薛翠", "8:30", "15:00", "14:00", "17:00"],
            ["2026-10-22", "薛翠", "8:30", "11:30", "14:00", None],
        ),
        PEOPLE,
    )
    assert [(row.row, row.part, row.started_at.hour, row.minutes) for row in parsed.rows] == [
        (2, 0, 8, 180),
        (2, 1, 14, 180),
        (3, 0, 14, 180),
    ]
    assert (parsed.total, refused(parsed)) == (6, [(4, "overlap"), (5, "missing_out")])


def test_a_pair_in_two_header_rows_is_read_for_both_halves_of_the_day() -> None:
    parsed = services(
        book(
            ["日期", "姓名", "上午", None, "下午", None],
            [None, None, "签到", "签退", "签到", "签退"],
            ["2026-10-20", "薛翠", "8:30", "11:30", "2:00", "5:00"],
            merged=("A1:A2", "B1:B2", "C1:D1", "E1:F1"),
        )
    )
    assert [(row.started_at.hour, row.minutes) for row in parsed.rows] == [(8, 180), (14, 180)]


def test_two_spans_in_one_cell_are_two_services() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "服务时间"],
            ["2026-07-01", "薛翠", "8:30-11:30，14:00-17:00"],
            ["2026-07-02", "薛翠", "8:30-11:30、11:00-12:00"],
            ["2026-07-03", "薛翠", "8:30-11:30，下午"],
        )
    )
    assert [(row.part, row.minutes) for row in parsed.rows] == [(0, 180), (1, 180)]
    assert refused(parsed) == [(3, "overlap"), (4, "time_unclear")]


@pytest.mark.parametrize("out", ["次日1:00", "次日凌晨1点", "第2天1:00", "翌日1时", "隔天 1:00", "1:00（次日）"])
def test_a_sign_out_says_that_it_is_on_the_next_day(out: str) -> None:
    parsed = services(table(["日期", "姓名", "签到", "签退"], ["2026-07-01", "薛翠", "22:00", out]))
    assert [row.minutes for row in parsed.rows] == [180]


def test_a_roster_that_names_the_head_beside_each_resident_makes_nobody_a_head() -> None:
    for head in (["楼栋", "楼栋长", "居民", "电话"], ["楼栋", "楼栋长姓名", "姓名", "电话"]):
        parsed = residents(table(head, ["3", "周伟", "薛翠", PHONE]))
        assert [(row.name, row.roles) for row in parsed.rows] == [("薛翠", frozenset())]
    with pytest.raises(ColumnTwice):
        residents(table(["楼栋", "楼栋长", "电话", "单元长"], ["3", "周伟", PHONE, "薛翠"]))


def test_a_span_may_end_on_the_next_day() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "服务时间"],
            ["2026-07-01", "薛翠", "22:00-次日1:00"],
            ["2026-07-03", "薛翠", "晚上10:00-第二天凌晨1:00"],
            ["2026-07-05", "薛翠", "2026-07-05 22:00-2026-07-06 1:00"],
        )
    )
    assert [row.minutes for row in parsed.rows] == [180, 180, 180]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("薛翠、龚荣帅、周伟", ["薛翠", "龚荣帅", "周伟"]),
        ("薛翠，龚荣帅", ["薛翠", "龚荣帅"]),
        ("薛翠 龚荣帅", ["薛翠", "龚荣帅"]),
        ("薛翠/龚荣帅", ["薛翠", "龚荣帅"]),
        ("张 三", ["张三"]),
        ("欧阳 娜娜", ["欧阳娜娜"]),
        ("阿依古丽·买买提", ["阿依古丽·买买提"]),
        ("John Smith", ["John Smith"]),
        ("薛翠、薛翠", ["薛翠"]),
        (None, None),
    ],
)
def test_several_people_of_one_cell_are_each_named(cell: Cell, expected: list[str] | None) -> None:
    assert group.names(cell) == expected


def test_a_space_parts_no_name_that_is_known_as_one() -> None:
    assert group.names("买买 艾力", {"买买艾力"}) == ["买买艾力"]
    assert code(group.names("薛翠、周伟等5人")) == "group_unlisted"
    assert code(group.names("薛翠等3人")) == "group_unlisted"


def test_a_group_is_taken_whole_or_not_at_all() -> None:
    head = ["日期", "姓名", "电话", "签到", "签退"]
    parsed = services(
        table(
            head,
            ["2026-07-01", "薛翠、龚荣帅", "", "9:00", "10:00"],
            ["2026-07-02", "薛翠、无名", "", "9:00", "10:00"],
            ["2026-07-03", "薛翠、周伟", "", "9:00", "10:00"],
            ["2026-07-03", "薛翠、周伟", "19900003050、19900001390", "9:00", "10:00"],
            ["2026-07-03", "龚荣帅、薛翠", "", "9:30", "10:30"],
        ),
        PEOPLE,
    )
    assert [(row.row, row.part, row.person.key) for row in parsed.rows if row.person] == [
        (2, 0, "1"), (2, 1, "2"), (5, 0, "1"), (5, 1, "4"),
    ]  # fmt: skip
    assert refused(parsed) == [(3, "group_unknown_person"), (4, "group_ambiguous_person"), (6, "overlap")]
    assert parsed.total == 10


def test_a_deed_of_several_people_gives_each_the_points_of_the_catalogue_and_no_more() -> None:
    head = ["日期", "姓名", "楼栋", "事项", "分值", "证明人", "备注"]
    parsed = read_deeds.parse(
        table(
            head,
            ["2026-07-01", "薛翠、阿依古丽·买买提", "1栋", "劝导", "3分/次", "周伟、龚荣帅", ""],
            ["2026-07-02", "薛翠、阿依古丽·买买提", "1栋", "劝导", "6", "", "两人合计"],
            ["2026-07-03", "薛翠、阿依古丽·买买提", "1栋", "劝导", "3", "薛翠", ""],
            ["2026-07-04", "薛翠", "1栋", "劝导", "25元", "", ""],
        ),
        PEOPLE, {"劝导": 3}, today=TODAY,
    )  # fmt: skip
    assert [(row.row, row.part, row.points) for row in parsed.rows] == [(2, 0, 3), (2, 1, 3)]
    assert refused(parsed) == [(3, "group_points"), (4, "own_witness"), (5, "amount_money")]


def test_a_log_with_a_day_and_hours_only_is_read() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "服务内容", "服务时长（小时）"],
            ["2026-07-01", "薛翠", "巡逻", "2"],
            ["2026-07-01", "薛翠", "值守", "1.5"],
            ["2026-07-01", "薛翠", "巡逻", "2"],
            ["2026-07-02", "薛翠", "巡逻", ""],
            ["2026-07-03", "薛翠", "巡逻", "25"],
        ),
        PEOPLE,
    )
    assert [(row.minutes, row.day_only) for row in parsed.rows] == [(120, True), (90, True)]
    assert refused(parsed) == [(4, "duplicate"), (5, "blank"), (6, "too_long")]
    assert (2, "day_only") in warned(parsed)


def test_a_roster_has_one_resident_in_a_row() -> None:
    parsed = residents(table(["姓名", "电话"], ["薛翠、周伟", PHONE], ["郑三/郑小三", PHONE], ["冯四等3人", PHONE]))
    assert refused(parsed) == [(2, "name_several"), (3, "name_several"), (4, "group_unlisted")]


def test_an_identity_number_may_end_in_any_sign_that_looks_like_an_x() -> None:
    parsed = residents(
        table(
            ["姓名", "身份证号"],
            *(["孙甲", f"52269919900101309{sign}"] for sign in "xＸ"),
            ["孙丙", "52269919900101325×"],
            ["孙丁", "52269919900101333Ⅹ"],
            ["孙戊", "52269919900101341Х"],
        )
    )
    assert [row.identity[-1] for row in parsed.rows if row.identity] == ["X"] * 4
    assert refused(parsed) == [(3, "duplicate")]


def test_a_moment_with_its_own_day_needs_no_day_column_beside_a_title() -> None:
    parsed = services(book(["姓名", "签到", "签退"], ["薛翠", datetime(2026, 7, 1, 8, 30), "2026-07-01 10:00"]))  # noqa: DTZ001 - as a spreadsheet has it
    assert [row.minutes for row in parsed.rows] == [90]
