"""Other communities' sheets: other headings, column orders and habits."""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from openpyxl import Workbook as NewWorkbook
from openpyxl.worksheet.worksheet import Worksheet

from timebank.imports.files import workbook
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.candidates import Candidate, Candidates
from timebank.imports.sheets.parsed import Parsed

TODAY = date(2026, 10, 31)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE = Candidates.of(
    [
        Candidate(key="1", name="薛翠", phone="19900003050", household="a", building="1幢", unit="一单元"),
        Candidate(key="2", name="龚荣帅", phone="19900002580", household="a", building="1栋", unit="1单元"),
        Candidate(key="3", name="周伟", phone="19900001389", household="b", building="2栋", unit="1单元"),
        Candidate(key="4", name="周伟", phone="19900001390", household="c", building="3栋", unit="1单元"),
        Candidate(key="5", name="阿依古丽·买买提", phone=None, household="d"),
    ]
)


def book(*rows: Sequence[object], merged: tuple[str, ...] = ()) -> workbook.Workbook:
    made = NewWorkbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(list(row))
    for block in merged:
        sheet.merge_cells(block)
    buffer = io.BytesIO()
    made.save(buffer)
    return workbook.read_workbook("a.xlsx", buffer.getvalue())


def table(*rows: list[str]) -> workbook.Workbook:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return workbook.read_workbook("a.csv", buffer.getvalue().encode("gb18030"))


def residents(opened: workbook.Workbook) -> Parsed[RosterRow]:
    return read_roster.parse(opened, today=TODAY)


def services(opened: workbook.Workbook, people: Candidates | None = None) -> Parsed[HoursRow]:
    return read_hours.parse(opened, people, today=TODAY)


def codes(parsed: Parsed[RosterRow] | Parsed[HoursRow]) -> list[tuple[int, str, str]]:
    return [(found.row, found.column, found.problem.code) for found in parsed.problems]


def test_columns_are_found_under_other_headings_in_another_order() -> None:
    parsed = residents(
        table(
            ["手机", "公民身份号码", "备  注", "成员姓名", "户主", "门牌号", "幢", "单元号", "所属网格", "称谓"],
            ["19900003050", "522699196809283822", "楼栋长", "薛翠", "薛翠", "102室", "1", "1", "1", "本人"],
        )
    )
    row = parsed.rows[0]
    assert (row.name, row.identity, row.phone) == ("薛翠", "522699196809283822", "19900003050")
    assert row.household == read_roster.Household(
        grid="第一网格", building="1栋", unit="1单元", room="102", head="薛翠"
    )
    assert row.is_head
    assert row.roles == {"building_head"}


def test_english_headings_are_understood() -> None:
    parsed = residents(
        book(
            ["No.", "Full Name", "ID Number", "Date of Birth", "Gender", "Mobile", "Building", "Unit", "Room No."],
            [1, "薛翠", "522699196809283822", date(1968, 9, 28), "F", 19900003050, 1, 1, 102],
        )
    )
    row = parsed.rows[0]
    assert (row.phone, row.sex, row.household.building, row.household.room) == ("19900003050", "female", "1栋", "102")
    assert parsed.problems == []


def test_an_unclear_heading_is_decided_by_the_values_below_it() -> None:
    parsed = residents(
        table(
            ["姓名", "号码", "编号"],
            ["薛翠", "199 0000 3050", "522699196809283822"],
            ["龚荣帅", "19900002580", "522699196508266711"],
        )
    )
    assert [(row.phone, row.identity) for row in parsed.rows] == [
        ("19900003050", "522699196809283822"),
        ("19900002580", "522699196508266711"),
    ]


def test_the_phone_of_an_emergency_contact_is_not_the_residents() -> None:
    parsed = residents(table(["姓名", "紧急联系人电话", "本人电话"], ["薛翠", "19900009999", "19900003050"]))
    assert parsed.rows[0].phone == "19900003050"


def test_titles_notes_totals_and_repeated_headers_are_no_residents() -> None:
    header: list[object] = ["姓名", "身份证号", "手机", "备注"]
    parsed = residents(
        book(
            ["某社区花名册"],
            ["填表人：王姐    日期：2026.10.8"],
            [],
            header,
            ["薛翠", "522699196809283822", "19900003050"],
            ["第一网格小计", None, "1人"],
            header,
            ["夏贵福", "522699199608079415", "19900005281"],
            ["合 计：", None, None, "2人"],
            ["填表人：王姐", None, "审核人：李哥"],
            ["注：以上信息仅供登记使用"],
            merged=("A1:D1", "A2:D2"),
        )
    )
    assert [(row.row, row.name) for row in parsed.rows] == [(5, "薛翠"), (8, "夏贵福")]
    assert (parsed.total, parsed.problems) == (2, [])


def test_merged_and_blank_cells_carry_on_but_never_across_a_total() -> None:
    parsed = residents(
        book(
            ["网格", "楼栋", "单元", "房号", "户主", "姓名", "关系", "手机"],
            ["一网格", "1栋", "1单元", "101", "薛翠", "薛翠", "户主", "19900000001"],
            [None, None, None, None, None, "龚荣帅", "配偶", "19900000002"],
            [None, None, None, "102", None, "周伟", "户主", "19900000003"],
            [None, None, "2单元", None, None, "赵敏", "子", "19900000004"],
            ["小计", None, None, None, None, "4人", None, None],
            [None, None, None, "201", None, "钱进", "户主", "19900000005"],
            ["二网格", "5栋", "1单元", "101", "孙梅", "孙梅", "户主", "19900000006"],
            [None, None, None, None, None, "李雷", "子", "19900000007"],
            merged=("B8:B9", "D8:D9"),
        )
    )
    homes = {row.name: row.household for row in parsed.rows}
    assert (
        homes["龚荣帅"]
        == homes["薛翠"]
        == read_roster.Household(grid="第一网格", building="1栋", unit="1单元", room="101", head="薛翠")
    )
    assert homes["周伟"] == read_roster.Household(
        grid="第一网格", building="1栋", unit="1单元", room="102", head="周伟"
    )
    assert homes["赵敏"] == read_roster.Household(grid="第一网格", building="1栋", unit="2单元", room=None, head=None)
    assert not homes["赵敏"].is_known
    assert homes["钱进"] == read_roster.Household(grid=None, building=None, unit=None, room="201", head="钱进")
    assert homes["李雷"].building == "5栋"


def test_a_household_behind_a_merged_door_shares_its_head() -> None:
    parsed = residents(
        book(
            ["楼栋", "单元", "房号", "户主姓名", "姓名", "电话"],
            ["3栋", "1单元", "101", "孙梅", "孙梅", "19900000006"],
            [None, None, None, None, "李雷", "19900000007"],
            merged=("A2:A3", "B2:B3", "C2:C3", "D2:D3"),
        )
    )
    assert (
        parsed.rows[0].household
        == parsed.rows[1].household
        == read_roster.Household(grid=None, building="3栋", unit="1单元", room="101", head="孙梅")
    )


def test_an_address_in_one_column_is_taken_apart() -> None:
    parsed = residents(
        table(
            ["姓名", "家庭住址", "电话"],
            ["薛翠", "锦绣小区1幢2单元502室", "19900003050"],
            ["龚荣帅", "3-1-201", "19900002580"],
        )
    )
    assert [(r.household.building, r.household.unit, r.household.room) for r in parsed.rows] == [
        ("1栋", "2单元", "502"),
        ("3栋", "1单元", "201"),
    ]


def test_two_people_of_one_name_are_both_taken_and_one_written_twice_is_not() -> None:
    parsed = residents(
        table(
            ["姓名", "身份证号", "出生日期", "电话"],
            ["周伟", "522699196809283822", "", "19900003050"],
            ["周伟", "522699199608079415", "", "19900005281"],
            ["小宝", "", "2020.5.1", ""],
            ["小 宝", "", "2020年5月1日", ""],
            ["小宝", "", "2021.5.1", ""],
            ["流动", "", "", ""],
        )
    )
    assert [row.row for row in parsed.rows] == [2, 3, 4, 6]
    assert codes(parsed) == [(5, "姓名", "duplicate"), (7, "身份证号", "not_identifiable")]


def test_a_birth_date_or_sex_that_contradicts_the_number_is_pointed_out_and_the_number_believed() -> None:
    parsed = residents(
        table(["姓名", "性别", "身份证号", "出生日期"], ["薛翠", "男", "522699196809283822", "1968.9.29"])
    )
    assert [found.problem.code for found in parsed.warnings] == ["birth_differs", "sex_differs"]
    assert (parsed.rows[0].born_on, parsed.rows[0].sex) == (date(1968, 9, 28), "female")


def test_a_landline_does_not_keep_a_resident_out() -> None:
    parsed = residents(table(["姓名", "身份证号", "电话"], ["薛翠", "522699196809283822", "0855-2621234"]))
    assert (parsed.rows[0].phone, parsed.warnings[0].problem.code) == (None, "phone_landline")
    assert "2621234" not in parsed.warnings[0].value.replace("****", "")


def test_a_resident_born_tomorrow_is_refused() -> None:
    parsed = residents(table(["姓名", "出生日期"], ["小宝", "2026-11-01"], ["老人", "1890-01-01"]))
    assert codes(parsed) == [(2, "出生日期", "birth_impossible"), (3, "出生日期", "birth_impossible")]


def test_times_from_one_column_and_the_day_from_another() -> None:
    parsed = services(
        table(
            ["服务日期", "志愿者", "联系方式", "起止时间", "服务内容"],
            ["2026.7.1", "薛翠", "19900003050", "08:30-10:00", "值守"],
            ["", "龚荣帅", "19900002580", "下午2:00至5:00", "值守"],
            ["2026.7.2", "龚荣帅", "19900002580", "22:00～次日1:30", "巡逻"],
            ["2026.7.3", "龚荣帅", "19900002580", "9:00", "巡逻"],
            ["2026.7.4", "龚荣帅", "19900002580", "全天", "巡逻"],
        ),
        PEOPLE,
    )
    assert [(row.started_at, row.minutes) for row in parsed.rows] == [
        (datetime(2026, 7, 1, 8, 30, tzinfo=SHANGHAI), 90),
        (datetime(2026, 7, 1, 14, 0, tzinfo=SHANGHAI), 180),
        (datetime(2026, 7, 2, 22, 0, tzinfo=SHANGHAI), 210),
    ]
    assert codes(parsed) == [(5, "起止时间", "missing_out"), (6, "起止时间", "time_unclear")]


def test_a_heading_over_two_columns_is_read_with_those_below_it() -> None:
    parsed = services(
        book(
            ["姓名", "日期", "服务时间", None, "备注"],
            [None, None, "开始", "结束", None],
            ["薛翠", date(2026, 7, 1), time(8, 30), 0.4375, None],
            merged=("A1:A2", "B1:B2", "C1:D1", "E1:E2"),
        )
    )
    assert [(row.row, row.name, row.minutes) for row in parsed.rows] == [(3, "薛翠", 120)]


def test_moments_that_carry_their_own_day_need_no_day_column() -> None:
    parsed = services(
        book(
            ["Name", "Check-in", "Check-out"],
            ["薛翠", "2026-07-01 08:30", "2026-07-01 10:00"],
            ["龚荣帅", datetime(2026, 7, 1, 22, 0), datetime(2026, 7, 2, 1, 0)],  # noqa: DTZ001 - as a spreadsheet has it
        )
    )
    assert [row.minutes for row in parsed.rows] == [90, 180]


def test_a_length_stands_in_for_a_missing_sign_out_and_is_compared_with_a_written_one() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "签到", "签退", "时长（小时）"],
            ["2026-07-01", "薛翠", "8:30", "", "1.5"],
            ["2026-07-02", "薛翠", "8:30", "10:00", "3"],
            ["2026-07-03", "薛翠", "8:30", "24:00", ""],
        )
    )
    assert [row.minutes for row in parsed.rows] == [90, 90, 930]
    assert [found.problem.code for found in parsed.warnings] == ["duration_differs", "long_service"]


def test_services_that_cannot_have_been_are_refused_for_their_reason() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "电话", "签到", "签退"],
            ["2026-12-01", "薛翠", "19900003050", "8:30", "10:00"],
            ["2026-07-01", "薛翠", "19900003050", "", "10:00"],
            ["2026-07-01", "薛翠", "19900003050", "10:00", "10:00"],
            ["2026-07-01", "薛翠", "19900003050", "10:00", "25:00"],
            ["2026-02-30", "薛翠", "19900003050", "8:00", "10:00"],
            ["2026-07-01", "", "", "8:00", "10:00"],
        ),
        PEOPLE,
    )
    assert codes(parsed) == [
        (2, "日期", "date_future"),
        (3, "签到", "missing_in"),
        (4, "签退", "out_before_in"),
        (5, "签退", "impossible_time"),
        (6, "日期", "date_impossible"),
        (7, "姓名", "blank"),
    ]
    assert parsed.rows == []


def test_a_person_is_known_by_phone_and_name_together() -> None:
    head = ["日期", "姓名", "电话", "签到", "签退"]
    times = ["8:30", "10:00"]
    parsed = services(
        table(
            head,
            ["2026-07-01", "周 伟", "19900001390", *times],
            ["2026-07-02", "周伟", "", *times],
            ["2026-07-03", "薛翠", "19900001390", *times],
            ["2026-07-04", "薛翠", "18800001390", *times],
            ["2026-07-05", "无名", "18800001390", *times],
            ["2026-07-06", "阿依古丽•买买提", "/", *times],
        ),
        PEOPLE,
    )
    assert [(row.row, row.person.key) for row in parsed.rows if row.person] == [(2, "4"), (7, "5")]
    assert codes(parsed) == [
        (3, "姓名", "ambiguous_person"),
        (4, "姓名", "name_differs"),
        (5, "电话", "unknown_phone"),
        (6, "姓名", "unknown_person"),
    ]


def test_services_that_touch_do_not_overlap_and_services_that_cross_do() -> None:
    rows = [("8:00", "10:00"), ("10:00", "11:00"), ("9:00", "9:30"), ("23:00", "次日1:00")]
    parsed = services(
        table(["日期", "姓名", "签到", "签退"], *(["2026-07-01", "薛翠", *times] for times in rows)), PEOPLE
    )
    assert [row.row for row in parsed.rows] == [2, 3, 5]
    assert codes(parsed) == [(4, "签到", "overlap")]
    assert [found.problem.code for found in parsed.warnings] == ["same_day", "same_day"]


def test_deeds_are_judged_by_the_catalogue_the_witness_and_the_house() -> None:
    opened = table(
        ["时间", "楼栋长姓名", "楼栋", "积分项目", "得分", "见证人", "备注"],
        ["2026-07-01", "薛翠", "1", "文明 劝导", "3分", "周伟", ""],
        ["2026-07-01", "周伟", "三栋", "文明劝导", "", "薛翠", ""],
        ["2026-07-02", "周伟", "9栋", "文明劝导", "3", "薛翠", ""],
        ["2026-07-02", "薛翠", "1栋", "修路", "3", "周伟", ""],
        ["2026-07-02", "薛翠", "1栋", "文明劝导", "30", "周伟", ""],
        ["2026-07-03", "薛翠", "1栋", "文明劝导", "6", "周伟", "连续两天，加倍"],
        ["2026-07-04", "薛翠", "1栋", "文明劝导", "3", "薛 翠", ""],
        ["2026-07-05", "薛翠", "1栋", "文明劝导", "3", "龚荣帅", ""],
        ["2026-07-05", "薛翠", "1栋", "文明劝导", "3", "龚荣帅", ""],
        ["2026-07-01", "薛翠", "1", "文明劝导", "3", "周伟", ""],
    )
    parsed = read_deeds.parse(opened, PEOPLE, {"文明劝导": 3}, today=TODAY)
    assert [(row.row, row.item, row.points, row.person.key) for row in parsed.rows if row.person] == [
        (2, "文明劝导", 3, "1"),
        (3, "文明劝导", 3, "4"),
        (7, "文明劝导", 6, "1"),
    ]
    assert [(found.row, found.problem.code) for found in parsed.problems] == [
        (4, "ambiguous_person"),
        (5, "unknown_item"),
        (6, "points_differ"),
        (8, "own_witness"),
        (9, "household_witness"),
        (10, "household_witness"),
        (11, "duplicate"),
    ]
    assert [(found.row, found.problem.code) for found in parsed.warnings] == [(7, "points_differ_reason")]


def test_goods_with_other_headings_and_without_a_limit() -> None:
    parsed = read_goods.parse(
        table(
            ["商品名称", "兑换积分", "数量", "计量单位", "每户限购", "驿站"],
            ["洗衣液", "60分", "４０", "瓶", "不限", "慈善超市"],
            ["香皂", "8", "", "块", "3块/月", "慈善超市"],
            ["香皂", "8", "5", "块", "3", "慈善超市"],
            ["毛巾", "0", "5", "条", "3", "慈善超市"],
            ["雨伞", "12.5", "-5", "把", "3", "慈善超市"],
            ["合计", "", "100", "", "", ""],
        )
    )
    assert [(row.name, row.points, row.stock, row.limit) for row in parsed.rows] == [
        ("洗衣液", 60, 40, None),
        ("香皂", 8, 0, 3),
    ]
    assert [(found.row, found.problem.code) for found in parsed.problems] == [
        (4, "duplicate"),
        (5, "number_range"),
        (6, "not_whole"),
        (6, "stock_negative"),
    ]
