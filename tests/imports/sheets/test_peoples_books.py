"""Workbooks as communities keep them: each value is read correctly, or refused with a remedy; nothing is guessed."""

from datetime import date, datetime

import asyncpg
import pytest

from tests.imports.cells.test_cells import code
from tests.imports.cells.test_values import PHONE, refused, warned
from tests.imports.kinds.test_imports import DEEDS, codes, resident, take_in
from tests.imports.kinds.test_imports import ROSTER as COLUMNS
from tests.imports.kinds.test_imports import warned as warned_of
from tests.imports.kinds.test_offices import HEADS, take_in_sheets
from tests.imports.sheets.test_columns import PEOPLE, TODAY, book, residents, services, table
from tests.support.town import Town
from timebank.areas.places import add_area
from timebank.imports.cells import addresses, amounts, cell_values, group, lengths, moments, remarks
from timebank.imports.cells.addresses import Address
from timebank.imports.cells.amounts import Limit
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.identity import Document, Identity
from timebank.imports.cells.numerals import chinese_number
from timebank.imports.cells.problems import Problem
from timebank.imports.files.refusals import ColumnMissing
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods

NUMBER = "522699196809283822"
HOME = ["楼栋", "单元", "房号", "姓名", "电话"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("三十一栋二单元七〇一", Address("31栋", "2单元", "701")),
        ("三号楼二单元五零一室", Address("3栋", "2单元", "501")),
        ("31幢乙单元701", Address("31栋", "乙单元", "701")),
        ("31栋東单元701", Address("31栋", "东单元", "701")),
        ("3棟2單元501", Address("3栋", "2单元", "501")),
        ("31―2―701", Address("31栋", "2单元", "701")),
        ("31‐2‐701", Address("31栋", "2单元", "701")),
        ("31.2.701", Address("31栋", "2单元", "701")),
        ("31 2 701", Address("31栋", "2单元", "701")),
        ("三-二-五〇一", Address("3栋", "2单元", "501")),
        ("B8-2-501", Address("B8栋", "2单元", "501")),
        ("31-1栋2单元701", Address("31-1栋", "2单元", "701")),
        ("廿一栋502", Address("21栋", None, "502")),
        ("一百零一栋2单元502", Address("101栋", "2单元", "502")),
        ("31栋2单元701-1", Address("31栋", "2单元", "701-1")),
        ("8栋2单元5-1", Address("8栋", "2单元", "5-1")),
        ("31栋1单元3楼东户", Address("31栋", "1单元", "3楼东户")),
        ("31栋1单元301东", Address("31栋", "1单元", "301东")),
        ("8栋2号门502", Address("8栋", "2单元", "502")),
        ("8座2梯502", Address("8栋", "2单元", "502")),
        ("第8栋第2单元第501室", Address("8栋", "2单元", "501")),
        ("阳光花园31-2-701", Address("31栋", "2单元", "701")),
        ("锦绣华庭（二期）3栋2单元501", Address("二期3栋", "2单元", "501")),
        ("南区3-2-501", Address("南区3栋", "2单元", "501")),
        ("廉租房3栋2单元501", Address("3栋", "2单元", "501")),
        ("11号院3号楼2单元501", Address("3栋", "2单元", "501")),
        ("平房12号", Address("平房", None, "12")),
        ("别墅3栋", Address("别墅3栋")),
        ("商铺1-12", Address("商铺", None, "1-12")),
    ],
)
def test_an_address_is_read_in_every_hand(cell: Cell, expected: Address) -> None:
    assert addresses.address(cell) == expected
    assert addresses.building_cell(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "701/702", "701-702", "3/4", "31~2~701", "31、2、701", "3、4", "31201", "B1501", "0", "0-0-0",
        "31栋0单元701", "31弄2号701", "701室",
    ],
)  # fmt: skip
def test_what_may_be_two_places_is_no_building(cell: Cell) -> None:
    assert isinstance(addresses.building_cell(cell), Problem)


@pytest.mark.parametrize(
    ("cell", "unit", "room"),
    [
        ("乙", "乙单元", None),
        ("乙单元", "乙单元", None),
        ("东", "东单元", None),
        ("2號", "2单元", None),
        ("2号门", "2单元", None),
        ("2门洞", "2单元", None),
        ("单元2", "2单元", None),
        ("②", "2单元", None),
        ("2-701", "2单元", "701"),
        ("二单元七〇一", "2单元", "701"),
    ],
)
def test_a_unit_is_the_same_in_every_hand_and_never_a_building(cell: Cell, unit: str, room: str | None) -> None:
    assert addresses.unit_cell(cell) == Address(unit=unit, room=room)


def test_a_building_without_units_has_none() -> None:
    assert addresses.unit_cell("无单元") is None
    assert addresses.building_cell("待定") is None
    assert code(addresses.unit_cell("0")) == "address_unclear"
    assert code(addresses.unit_cell("2-1")) == "address_two_ways"


@pytest.mark.parametrize(
    ("cell", "room"),
    [
        ("七〇一", "701"), ("七零一室", "701"), ("7楼701", "701"), ("7层701", "701"),
        ("东户", "东户"), ("单身宿舍", "单身宿舍"),
    ],
)  # fmt: skip
def test_a_room_is_the_same_in_every_hand(cell: Cell, room: str) -> None:
    assert addresses.room_cell(cell, in_building=True) == Address(room=room)


@pytest.mark.parametrize("cell", ["701（租）", "7o1", "70l", 0.5, 701.5, "701?"])
def test_a_room_with_more_than_its_number_is_refused(cell: Cell) -> None:
    assert code(addresses.room_cell(cell, in_building=True)) == "room_unclear"


def test_a_room_by_floor_and_door_needs_the_units_column() -> None:
    assert addresses.room_cell("7-1", in_building=True, in_unit=True) == Address(room="7-1")
    assert code(addresses.room_cell("7-1", in_building=True)) == "address_two_ways"
    parsed = residents(table(HOME, ["31", "2", "7-1", "薛翠", PHONE], ["7", "", "7-1", "周伟", "19900003075"]))
    assert [(row.household.unit, row.household.room) for row in parsed.rows] == [("2单元", "7-1")]
    assert refused(parsed) == [(3, "address_two_ways")]


def test_a_room_that_the_spreadsheet_made_a_date_is_refused_for_it() -> None:
    parsed = residents(book(HOME, ["31", "2", datetime(2026, 3, 2), "薛翠", PHONE]))  # noqa: DTZ001 - as a spreadsheet has it
    assert refused(parsed) == [(2, "place_became_date")]


def test_an_address_beside_the_buildings_column_says_unit_and_room() -> None:
    parsed = residents(table(["楼栋", "家庭住址", "姓名", "电话"], ["31", "2单元701", "薛翠", PHONE]))
    assert [(r.household.building, r.household.unit, r.household.room) for r in parsed.rows] == [
        ("31栋", "2单元", "701")
    ]
    assert parsed.warnings == []


def test_a_column_of_buildings_and_units_may_have_a_building_alone() -> None:
    head = ["楼栋单元", "房号", "姓名", "电话"]
    parsed = residents(table(head, ["31-2", "701", "薛翠", PHONE], ["31", "703", "周伟", "19900003075"]))
    homes = [(r.household.building, r.household.unit, r.household.room) for r in parsed.rows]
    assert homes == [("31栋", "2单元", "701"), ("31栋", None, "703")]
    assert (parsed.problems, parsed.warnings) == ([], [])


def test_an_address_that_is_not_understood_never_leaves_a_home_without_its_building() -> None:
    head = ["家庭住址", "房号", "姓名", "电话"]
    parsed = residents(table(head, ["31-2", "701", "薛翠", PHONE], ["某处", "703", "周伟", "19900003075"]))
    assert refused(parsed) == [(3, "address_unclear")]


def test_the_head_beside_a_room_is_a_side_column() -> None:
    head = ["户主", "楼栋", "房号", "姓名", "电话"]
    parsed = residents(
        table(head, ["薛翠", "3", "101", "薛翠", PHONE], ["薛翠（已故）", "3", "101", "周伟", "19900003075"])
    )
    assert (len(parsed.rows), warned(parsed)) == (2, [(3, "name_unclear")])
    alone = residents(table(["户主", "姓名", "电话"], ["薛翠（已故）", "周伟", "19900003075"]))
    assert refused(alone) == [(2, "name_unclear")]


def test_three_columns_of_numbers_that_a_program_made_floats_are_a_home() -> None:
    parsed = residents(book(HOME, [31.0, 2.0, 701.0, "薛翠", PHONE], ["31.0", "2.0", "701.0", "周伟", "19900003075"]))
    assert {(r.household.building, r.household.unit, r.household.room) for r in parsed.rows} == {
        ("31栋", "2单元", "701")
    }


def test_building_and_unit_in_one_column_and_the_room_in_another_are_a_home() -> None:
    parsed = residents(table(["楼栋", "房号", "姓名", "电话"], ["31栋 2单元", "701", "薛翠", PHONE]))
    assert [(r.household.building, r.household.unit, r.household.room) for r in parsed.rows] == [
        ("31栋", "2单元", "701")
    ]


async def test_two_estates_with_buildings_of_one_number_are_two_buildings(
    town: Town, owner: asyncpg.Connection
) -> None:
    rows = [
        ["姓名", "家庭住址", "电话"],
        ["林小满", "阳光花园58栋2单元701", "19900008001"],
        ["林大山", "锦绣小区58幢2-701", "19900008002"],
        ["林阿宝", "58-2-701", "19900008003"],
    ]
    report = await take_in(town, "residents", *rows)
    assert codes(report) == [(4, "estate_missing")]
    found = await owner.fetch(
        "SELECT p.name, b.name AS building, h.id FROM person p JOIN household h ON h.id = p.household_id "
        "JOIN area u ON u.id = h.area_id JOIN area b ON b.id = u.parent_id WHERE p.name LIKE '林%' ORDER BY b.name"
    )
    assert [row["building"] for row in found] == ["锦绣小区58栋", "阳光花园58栋"]
    assert len({row["id"] for row in found}) == 2
    again = await take_in(town, "residents", *rows)
    assert (again.created, codes(again)) == (0, [(4, "estate_missing")])
    later = await take_in(town, "residents", rows[0], ["林阿福", "阳光花园58号楼2单元702", "19900008004"])
    assert (later.created, codes(later)) == (1, [])
    assert await owner.fetchval("SELECT count(*) FROM area WHERE name LIKE '%58%'") == 2


async def test_an_estate_written_in_full_and_in_short_is_one(town: Town, owner: asyncpg.Connection) -> None:
    rows = [
        ["姓名", "家庭住址", "电话"],
        ["林小满", "阳光花园58栋2单元701", "19900008001"],
        ["林大山", "凤凰社区阳光花园小区58栋2单元701", "19900008002"],
        ["林阿宝", "锦绣小区58栋2单元701", "19900008003"],
    ]
    report = await take_in(town, "residents", *rows)
    assert (report.created, codes(report)) == (3, [])
    found = await owner.fetch("SELECT name FROM area WHERE name LIKE '%58%' ORDER BY name")
    assert [row["name"] for row in found] == ["锦绣小区58栋", "阳光花园58栋"]
    later = await take_in(town, "residents", rows[0], ["林阿福", "阳光花园小区58栋2单元702", "19900008004"])
    assert (later.created, codes(later)) == (1, [])
    assert await owner.fetchval("SELECT count(*) FROM area WHERE name LIKE '%58%'") == 2


async def test_one_estate_before_every_building_says_nothing(town: Town, owner: asyncpg.Connection) -> None:
    head = ["姓名", "家庭住址", "电话"]
    report = await take_in(
        town,
        "residents",
        head,
        ["林小满", "阳光花园58栋2单元701", "19900008001"],
        ["林大山", "58-2-701", "19900008002"],
    )
    assert (report.created, codes(report)) == (2, [])
    assert await owner.fetchval("SELECT count(DISTINCT household_id) FROM person WHERE name LIKE '林%'") == 1


@pytest.mark.parametrize(
    ("said", "number"),
    [("十", 10), ("廿一", 21), ("卅", 30), ("一百五", 150), ("一百零五", 105), ("一千二", 1200), ("两万五千", 25_000)],
)
def test_a_number_in_words_is_that_number(said: str, number: int) -> None:
    assert chinese_number(said) == number


@pytest.mark.parametrize("said", ["百", "十百", "一二", "零十", "一百零", "五十零", "百万"])
def test_words_that_are_no_number_are_none(said: str) -> None:
    assert chinese_number(said) is None


@pytest.mark.parametrize(
    "cell", ["3箱(24瓶)", "5~10", "约20", "20+", "(3)", "免费", "待定", "半", "2/3", "1 000", "若干", "10*5"]
)
def test_an_amount_that_is_not_certain_is_refused_everywhere(cell: Cell) -> None:
    assert isinstance(amounts.parse_points(cell), Problem)
    assert isinstance(amounts.parse_stock(cell, "瓶"), Problem)
    assert isinstance(amounts.parse_limit(cell, "瓶"), Problem)


@pytest.mark.parametrize(
    "cell",
    [
        "每家每月2袋",
        "每个家庭每月2袋",
        "每月每户2袋",
        "2袋（每月）",
        "不超过2袋",
        "2袋以内",
        "≤2",
        "2/户·月",
        "一月两袋",
    ],
)
def test_a_limit_of_a_household_and_month_is_read_in_every_hand(cell: Cell) -> None:
    assert amounts.parse_limit(cell, "袋") == Limit(2)


@pytest.mark.parametrize("cell", ["每人限2", "每季1袋", "每半年1袋", "每两月1袋", "每2个月1袋", "每次限2"])
def test_a_limit_of_another_period_is_refused_and_says_which(cell: Cell) -> None:
    assert code(amounts.parse_limit(cell, "袋")) == "limit_period"


def test_two_numbers_are_not_run_together() -> None:
    assert code(amounts.parse_limit("1 2", "袋")) == "limit_unclear"


def test_one_good_has_one_unit_in_all_of_its_columns() -> None:
    parsed = read_goods.parse(
        table(
            ["物品", "单位", "积分", "库存", "限兑"],
            ["盐", "箱", "5分/袋", "3", ""],
            ["油", "桶", "50分/桶", "3桶", "每月1桶"],
            ["蛋", "", "8", "5盒", "1斤"],
            ["纸", "", "8分", "5提", "1提/月"],
            ["皂", "", "8", "5", "1"],
        )
    )
    assert [(row.name, row.unit, row.stock, row.limit) for row in parsed.rows] == [
        ("油", "桶", 3, 1), ("纸", "提", 5, 1), ("皂", None, 5, 1),
    ]  # fmt: skip
    assert refused(parsed) == [(2, "amount_unit"), (4, "amount_unit")]


def test_a_limit_in_a_remark_is_never_passed_over() -> None:
    parsed = read_goods.parse(
        table(
            ["物品", "单位", "积分", "库存", "备注"],
            ["大米", "袋", "80", "30", "每月一袋"],
            ["香皂", "块", "8", "30", "每家每月2块"],
            ["毛巾", "条", "8", "30", "2条以内"],
            ["盐", "袋", "3", "30", "每季度一袋"],
            ["伞", "把", "3", "30", "每月补货"],
        )
    )
    assert [(row.name, row.limit) for row in parsed.rows] == [
        ("大米", 1), ("香皂", 2), ("毛巾", 2), ("盐", None), ("伞", None),
    ]  # fmt: skip
    assert warned(parsed) == [
        (2, "limit_in_note"), (3, "limit_in_note"), (4, "limit_in_note"), (5, "limit_in_note_unclear"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "unit", "why"),
    [
        ("1.5", "minutes", "duration_unit"),
        (0.5, "minutes", "duration_unit"),
        ("15:30", None, "duration_unclear"),
        ("上午", None, "duration_unclear"),
        ("2小时×2", None, "duration_unclear"),
    ],
)
def test_a_length_in_another_unit_than_its_column_is_refused(
    cell: Cell, unit: lengths.LengthUnit | None, why: str
) -> None:
    assert code(lengths.minutes_long(cell, unit=unit)) == why


def test_a_length_in_traditional_characters_is_read() -> None:
    assert lengths.minutes_long("1小時30分鐘", unit=None) == 90


@pytest.mark.parametrize(
    "cell",
    [f"身份证号：{NUMBER}", f"身份证{NUMBER}", f"ID: {NUMBER}", f"{NUMBER}.0", "522699 19680928 3822", int(NUMBER)],
)
def test_an_identity_number_is_found_behind_its_label(cell: Cell) -> None:
    found = cell_values.identity(cell)
    assert isinstance(found, Identity)
    assert found.number == NUMBER


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (f"{NUMBER}（已故）", "identity_with_more"),
        (f"{NUMBER}女", "identity_with_more"),
        (f"{NUMBER}/{NUMBER}", "identity_with_more"),
        ("5.22699E+17", "identity_rounded"),
        (5.22699196809284e17, "identity_rounded"),
        ("522699196809284000", "identity_rounded"),
        ("522699196809283823", "identity_checksum"),
        ("522699680928382", "identity_length"),
        ("5226**********3822", "identity_unclear"),
        ("5226991968O9283822", "identity_unclear"),
        ("军官证12345678", "identity_document"),
    ],
)
def test_a_number_that_says_nobody_for_certain_is_refused_with_its_own_reason(cell: Cell, why: str) -> None:
    assert code(cell_values.identity(cell)) == why


@pytest.mark.parametrize("cell", ["未办", "没有办", "待补", "无", "暂无身份证", "未登记"])
def test_who_has_no_identity_number_has_none(cell: Cell) -> None:
    assert cell_values.identity(cell) is None


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("E12345678（护照）", "护照 E12345678"),
        ("E12345678 护照", "护照 E12345678"),
        ("Passport No. E12345678", "护照 E12345678"),
        ("港澳通行证 H12345678", "港澳居民来往内地通行证 H12345678"),
        ("台湾通行证12345678", "台湾居民来往大陆通行证 12345678"),
        ("外国人永居证 USA110090090909", "外国人永久居留身份证 USA110090090909"),
    ],
)
def test_a_certificate_is_kept_alike_however_its_kind_is_written(cell: Cell, kept: str) -> None:
    assert cell_values.identity(cell) == Document(kept)


def test_a_shortened_identity_number_is_no_passport() -> None:
    assert code(cell_values.identity("522699196809283", "护照")) == "document_number"


@pytest.mark.parametrize("cell", [date(1899, 12, 30), datetime(1899, 12, 31), "1900-01-01"])  # noqa: DTZ001 - as a spreadsheet has it
def test_a_zero_that_is_shown_as_a_day_is_no_birth(cell: Cell) -> None:
    assert code(moments.parse_calendar_day(cell)) == "date_zero"
    parsed = residents(book(["姓名", "出生日期", "电话"], ["薛翠", cell, PHONE]))
    assert (len(parsed.problems), parsed.rows) == (1, [])


@pytest.mark.parametrize("cell", ["1968年9月28日生", "生于1968-09-28", "1968-09-28（58岁）", "1968.9.28."])
def test_a_birth_is_read_with_what_people_write_beside_it(cell: Cell) -> None:
    parsed = residents(book(["姓名", "出生日期"], ["薛翠", cell]))
    assert [row.born_on for row in parsed.rows] == [date(1968, 9, 28)]


def test_an_age_is_no_birth_and_is_not_passed_over() -> None:
    assert refused(residents(table(["姓名", "出生日期", "电话"], ["薛翠", "58岁", PHONE]))) == [(2, "date_unclear")]


def test_a_birth_of_five_digits_may_be_a_month_or_a_day() -> None:
    assert refused(residents(table(["姓名", "出生日期", "电话"], ["薛翠", "19651", PHONE]))) == [
        (2, "birth_day_missing")
    ]
    assert refused(residents(table(["姓名", "出生日期", "电话"], ["薛翠", "1968.8.7（农历）", PHONE]))) == [
        (2, "date_with_more")
    ]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("张三夫妇", "group_unlisted"),
        ("张三一家三口", "group_unlisted"),
        ("张三等", "group_unlisted"),
        ("张三、李四等3人", "group_unlisted"),
        ("张三、李四共3人", "group_unlisted"),
        ("小王", "name_calling"),
        ("王阿姨", "name_calling"),
        ("张三之子", "name_calling"),
        ("张三的母亲", "name_calling"),
        ("张三 组长", "name_calling"),
        ("组长张三", "name_calling"),
        ("张三代李四", "name_calling"),
        ("由张三代签", "name_calling"),
        ("本人", "name_calling"),
        ("全体志愿者", "name_calling"),
        ("王某", "name_masked"),
        ("王XX", "name_masked"),
        ("王*", "name_unclear"),
        ("张三（已故）", "name_unclear"),
    ],
)
def test_what_names_nobody_or_more_than_one_is_no_name(cell: Cell, why: str) -> None:
    assert code(group.names(cell)) == why


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("张三、", ["张三"]),
        ("张三+李四", ["张三", "李四"]),
        ("张三、李四（2人）", ["张三", "李四"]),
        ("张三 和 李四", ["张三", "李四"]),
        ("王〇", ["王〇"]),
        ("𠮷田", ["𠮷田"]),
        ("欧阳代红", ["欧阳代红"]),
        ("何和平", ["何和平"]),
        ("老舍", ["老舍"]),
        ("阿不的热合曼·买买提", ["阿不的热合曼·买买提"]),
    ],
)
def test_names_are_read_as_they_are_written(cell: Cell, found: list[str]) -> None:
    assert group.names(cell) == found


def test_two_known_people_joined_by_a_word_are_two() -> None:
    assert group.names("薛翠和周伟", {"薛翠", "周伟"}) == ["薛翠", "周伟"]
    assert group.names("李老师", {"李老师"}) == ["李老师"]
    assert {"薛翠", "周伟"} <= group.mentioned("薛翠和周伟")
    assert {"薛翠", "李老师"} <= group.mentioned("薛翠、李老师（2人）")


def test_a_name_written_twice_in_a_cell_counts_once_and_says_so() -> None:
    log = services(table(["日期", "姓名", "签到", "签退"], ["2026-07-01", "薛翠、薛翠", "9:00", "10:00"]), PEOPLE)
    assert (len(log.rows), warned(log)) == (1, [(2, "group_repeated")])
    row = ["2026-07-01", "薛翠、薛 翠", "1栋", "劝导"]
    done = read_deeds.parse(table(["日期", "姓名", "楼栋", "事项"], row), PEOPLE, {"劝导": 3}, today=TODAY)
    assert (len(done.rows), warned(done)) == (1, [(2, "group_repeated")])


def test_a_name_written_three_times_does_not_earn_three_times_the_points() -> None:
    row = ["2026-07-01", "薛翠、薛翠、薛翠", "1栋", "劝导", "9", "三人次"]
    parsed = read_deeds.parse(
        table(["日期", "姓名", "楼栋", "事项", "分值", "备注"], row), PEOPLE, {"劝导": 3}, today=TODAY
    )
    assert refused(parsed) == [(2, "group_points")]


def test_nobody_is_their_own_witness_under_another_word() -> None:
    row = ["2026-07-01", "薛翠", "1栋", "劝导", "本人"]
    parsed = read_deeds.parse(table(["日期", "姓名", "楼栋", "事项", "证明人"], row), PEOPLE, {"劝导": 3}, today=TODAY)
    assert refused(parsed) == [(2, "own_witness")]


def test_two_names_without_a_mark_between_them_are_no_resident() -> None:
    parsed = residents(table(["姓名", "电话"], ["陈 静 李 四", PHONE], ["薛翠和周伟", "19900003075"]))
    assert refused(parsed) == [(2, "name_several"), (3, "name_several")]


def test_a_column_that_says_yes_or_self_names_the_head_of_each_household() -> None:
    parsed = residents(
        table(
            ["楼栋", "单元", "房号", "是否户主", "姓名", "电话"],
            ["3", "1", "101", "是", "薛翠", PHONE],
            ["3", "1", "101", "否", "周伟", "19900003075"],
            ["3", "1", "102", "本人", "赵敏", "19900003076"],
        )
    )
    assert [(r.name, r.household.head, r.is_head) for r in parsed.rows] == [
        ("薛翠", "薛翠", True), ("周伟", "薛翠", False), ("赵敏", "赵敏", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("8月要搬走", "unclear"),
        ("预计迁出", "unclear"),
        ("不会搬走", None),
        ("从3栋搬走到5栋", "unclear"),
        ("夫已故", "unclear"),
        ("其父去世", "unclear"),
        ("老伴走了", "unclear"),
        ("户口注销", "unclear"),
        ("已出嫁", "unclear"),
        ("房子已卖", "unclear"),
        ("已离世", "died"),
        ("2024年亡", "died"),
        ("已外迁", "gone"),
        ("搬往外省", "gone"),
        ("丧偶", None),
        ("外出务工", None),
    ],
)
def test_a_remark_of_a_relative_or_of_the_future_sends_nobody_away(note: str, expected: str | None) -> None:
    assert remarks.fate(note) == expected


@pytest.mark.parametrize(
    "note",
    [
        "楼栋长家属", "楼栋长妻子", "拟任楼栋长", "候选楼栋长", "副楼栋长", "辞去楼栋长", "不再担任楼栋长",
        "楼栋长助理", "楼栋长：李四", "楼栋长已卸任",
    ],
)  # fmt: skip
def test_a_remark_about_an_office_gives_nobody_the_office(note: str) -> None:
    parsed = residents(table([*HOME, "备注"], ["3", "1", "101", "薛翠", PHONE, note]))
    assert [(row.roles, warned(parsed)) for row in parsed.rows] == [(frozenset(), [(2, "remark_role_unclear")])]


@pytest.mark.parametrize(
    "note", ["楼栋长", "3栋楼栋长", "党员，楼栋长", "楼栋长兼志愿者", "2024年起任楼栋长", "代理楼栋长"]
)
def test_a_remark_that_somebody_holds_an_office_gives_it(note: str) -> None:
    parsed = residents(table([*HOME, "备注"], ["3", "1", "101", "薛翠", PHONE, note]))
    assert [row.roles for row in parsed.rows] == [frozenset({"building_head"})]
    assert warned(parsed) == []


def test_a_remark_of_a_service_that_changes_it_is_refused_or_shown_to_the_reviewer() -> None:
    head = ["日期", "姓名", "签到", "签退", "备注"]
    notes = ["重复登记", "本人请假", "（作废）", "他人代签", "早退30分钟", "周伟请假", "代签收快递"]
    rows = [[f"2026-07-{day:02}", "薛翠", "9:00", "10:00", note] for day, note in enumerate(notes, 1)]
    parsed = services(table(head, *rows))
    assert refused(parsed) == [(2, "remark_cancelled"), (3, "remark_cancelled"), (4, "remark_cancelled")]
    assert warned(parsed) == [(5, "remark_signed_by_another"), (6, "remark_shorter"), (7, "remark_absent")]


@pytest.mark.parametrize("state", ["缺勤", "否", "×", "请假", "未到岗", "不通过", "驳回"])
def test_who_was_not_there_by_the_sheets_own_column_is_not_credited(state: str) -> None:
    log = services(
        table(
            ["日期", "姓名", "签到", "签退", "出勤情况"],
            ["2026-07-01", "薛翠", "9:00", "10:00", state],
            ["2026-07-02", "薛翠", "9:00", "10:00", "正常"],
            ["2026-07-03", "薛翠", "9:00", "10:00", ""],
        )
    )
    assert (len(log.rows), refused(log)) == (2, [(2, "remark_cancelled")])
    row = ["2026-07-01", "薛翠", "1栋", "劝导", state]
    done = read_deeds.parse(table(["日期", "姓名", "楼栋", "事项", "审核结果"], row), None, {"劝导": 3}, today=TODAY)
    assert refused(done) == [(2, "remark_cancelled")]


def test_a_day_of_leaving_keeps_a_resident_out() -> None:
    parsed = residents(
        table(
            ["姓名", "电话", "迁出日期", "死亡日期"],
            ["薛翠", "19900003050", "2025-05-01", ""],
            ["周伟", "19900003051", "", "2024年3月"],
            ["赵敏", "19900003052", "/", "无"],
        )
    )
    assert (refused(parsed), [row.name for row in parsed.rows]) == ([(2, "remark_gone"), (3, "remark_died")], ["赵敏"])


def test_the_length_of_one_of_several_times_is_not_that_of_all() -> None:
    with pytest.raises(ColumnMissing):
        services(table(["日期", "姓名", "次数", "每次时长"], ["2026-07-01", "薛翠", "3", "1小时"]))


@pytest.mark.parametrize(
    "cell",
    [
        "8:30-11:30 14:00-17:00", "8:30-11:30\n14:00-17:00", "8:30-11:30/14:00-17:00", "8:30-11:30和14:00-17:00",
        "上午8:30-11:30下午2:00-5:00", "上午8点半至11点半 下午2点至5点", "8:30—11:30；14:00—17:00",
    ],
)  # fmt: skip
def test_two_spans_of_a_cell_are_two_services_whatever_parts_them(cell: Cell) -> None:
    parsed = services(book(["日期", "姓名", "起止时间"], ["2026-07-01", "薛翠", cell]))
    assert [(row.started_at.hour, row.minutes) for row in parsed.rows] == [(8, 180), (14, 180)]


@pytest.mark.parametrize(("cell", "why"), [("9.5", "time_dotted"), (9.5, "time_dotted"), (9.3, "time_dotted")])
def test_half_past_nine_as_a_fraction_is_not_five_past(cell: Cell, why: str) -> None:
    assert code(moments.minute_of_day(cell)) == why
    assert moments.minute_of_day("9.30") == 570


def test_a_span_without_its_beginning_says_so() -> None:
    parsed = services(
        table(["日期", "姓名", "起止时间"], ["2026-07-01", "薛翠", "-11:30"], ["2026-07-01", "周伟", "8:30-"])
    )
    assert refused(parsed) == [(2, "missing_in"), (3, "missing_out")]


def test_a_service_before_dawn_is_shown_unless_the_sheet_says_it_is_night() -> None:
    parsed = services(
        table(
            ["日期", "姓名", "签到", "签退"],
            ["2026-07-01", "薛翠", "2:00", "5:00"],
            ["2026-07-02", "薛翠", "凌晨2:00", "5:00"],
            ["2026-07-03", "薛翠", "22:00", "次日1:00"],
        )
    )
    assert (len(parsed.rows), warned(parsed)) == (3, [(2, "small_hours")])


async def test_a_list_of_heads_finds_the_places_of_the_roster_in_another_hand(
    town: Town, owner: asyncpg.Connection
) -> None:
    roster = [
        COLUMNS,
        resident("林小满", phone="19900008001", building="甲栋", unit="乙单元"),
        resident("林大山", phone="19900008002", building="58-1栋", unit="2单元"),
    ]
    heads = [
        HEADS,
        ["甲", "乙", "林小满", "单元长", "19900008001"],
        ["58-1号楼", "二单元", "林大山", "单元长", "19900008002"],
    ]
    before = await owner.fetchval("SELECT count(*) FROM area")
    report = await take_in_sheets(town, 名册=heads, 花名册=roster)
    assert (report.errors, report.created) == ([], 2)
    assert await owner.fetchval("SELECT count(*) FROM area") == before + 4
    held = await owner.fetch(
        "SELECT p.name, a.name AS place FROM role_grant g JOIN person p ON p.id = g.person_id "
        "JOIN area a ON a.id = g.area_id WHERE p.name LIKE '林%' ORDER BY p.name"
    )
    assert sorted(tuple(row) for row in held) == [("林大山", "2单元"), ("林小满", "乙单元")]


def in_roster() -> list[list[str]]:
    return [COLUMNS, resident("林小满", phone="19900008001"), resident("林大山", phone="19900008002", room="103")]


async def test_a_head_with_another_phone_is_not_entered_a_second_time(town: Town, owner: asyncpg.Connection) -> None:
    heads = [HEADS, ["3栋", "", "林小满", "楼栋长", "19900008099"], ["3栋", "", "林大山", "楼栋长", "19900008002"]]
    report = await take_in_sheets(town, 名册=heads, 花名册=in_roster())
    assert codes(report) == [(2, "head_namesake")]
    later = await take_in(town, "residents", *heads)
    assert codes(later) == [(2, "head_namesake")]
    assert await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'") == 2
    held = await owner.fetch(
        "SELECT p.name FROM role_grant g JOIN person p ON p.id = g.person_id WHERE p.name LIKE '林%'"
    )
    assert [row["name"] for row in held] == ["林大山"]


async def test_a_list_of_grid_workers_gives_their_offices(town: Town, owner: asyncpg.Connection) -> None:
    report = await take_in_sheets(
        town, 名册=[["网格", "网格员", "电话"], ["第一网格", "林小满", "19900008001"]], 花名册=in_roster()
    )
    assert report.errors == []
    held = await owner.fetch(
        "SELECT g.role FROM role_grant g JOIN person p ON p.id = g.person_id WHERE p.name LIKE '林%'"
    )
    assert [row["role"] for row in held] == ["grid_worker"]


async def test_an_office_over_several_buildings_or_of_nobody_is_refused(town: Town) -> None:
    head = ["楼栋", "楼栋长", "电话"]
    report = await take_in_sheets(
        town, 名册=[head, ["3-4栋", "林小满", "19900008001"], ["3、4栋", "林小满", "19900008001"], ["5栋", "空缺", ""]]
    )
    assert codes(report) == [(2, "address_unclear"), (3, "address_unclear"), (4, "blank")]


async def test_the_only_building_of_a_number_is_meant_without_its_estate_too(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope = await town.scope("赵丽")
    await add_area(scope, "building", "东苑58号楼", None)
    head = ["楼栋", "单元", "房号", "姓名", "电话"]
    report = await take_in(
        town,
        "residents",
        head,
        ["58", "2", "701", "林小满", "19900008001"],
        ["东苑58栋", "2", "702", "林大山", "19900008002"],
    )
    assert (report.created, codes(report)) == (2, [])
    assert await owner.fetchval("SELECT count(*) FROM area WHERE name LIKE '%58%'") == 1
    item = await owner.fetchval("SELECT name FROM rule WHERE kind = 'deed' AND active LIMIT 1")
    day = date.today().isoformat()  # noqa: DTZ011 - any day that is not to come
    done = await take_in(town, "deeds", DEEDS, [day, "林小满", "58栋", item, "", "", ""])
    assert (done.created, codes(done)) == (1, [])


async def test_a_deed_is_found_in_its_estate(town: Town, owner: asyncpg.Connection) -> None:
    rows = [
        ["姓名", "家庭住址", "电话"],
        ["林小满", "阳光花园58栋2单元701", "19900008001"],
        ["林大山", "锦绣小区58幢2-701", "19900008002"],
    ]
    await take_in(town, "residents", *rows)
    item = await owner.fetchval("SELECT name FROM rule WHERE kind = 'deed' AND active LIMIT 1")
    day = date.today().isoformat()  # noqa: DTZ011 - any day that is not to come
    report = await take_in(
        town,
        "deeds",
        DEEDS,
        [day, "林小满", "阳光花园58号楼", item, "", "", ""],
        [day, "林大山", "58栋", item, "", "", ""],
    )
    assert codes(report) == [(3, "place_unknown")]
    assert not [code for _, code in warned_of(report) if code == "place_missing"]
    place = await owner.fetchval("SELECT a.name FROM deed d JOIN area a ON a.id = d.area_id ORDER BY d.id DESC LIMIT 1")
    assert place == "阳光花园58栋"
