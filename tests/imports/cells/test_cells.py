"""Reading single cells: what people type, and the value it stands for."""

from datetime import date, datetime, time, timedelta

import pytest

from timebank.imports.cells import addresses, amounts, cell_values, lengths, moments, phones, places
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.identity import Identity, check_character, mask_number
from timebank.imports.cells.problems import SENTENCES, Problem, problem


def code(result: object) -> str:
    assert isinstance(result, Problem), result
    assert "{" not in result.sentence()
    return result.code


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        (time(19, 0), 1140),
        (datetime(1899, 12, 31, 8, 30), 510),  # noqa: DTZ001 - a spreadsheet's clock has no zone
        (timedelta(hours=24), 1440),
        (0.3125, 450),
        ("0.3125", 450),
        ("24:00", 1440),
        ("１９：００", 1140),
        (" 07 : 30 ", 450),
        ("7:30:00", 450),
        ("0930", 570),
        ("上午9点", 540),
        ("上午7点30分", 450),
        ("下午3:00", 900),
        ("下午3点半", 930),
        ("下午15:00", 900),
        ("三点一刻", 195),
        ("晚上7:00", 1140),
        ("晚上8点30分", 1230),
        ("晚上12点", 1440),
        ("中午12点", 720),
        ("中午1点", 780),
        ("凌晨12点", 0),
        ("3:00 PM", 900),
        ("12:15 am", 15),
        ("次日1:00", 1500),
        ("2026-07-01 08:30", 510),
        (None, None),
        ("/", None),
    ],
)
def test_a_time_is_understood(cell: Cell, minutes: int | None) -> None:
    assert moments.minute_of_day(cell) == minutes


@pytest.mark.parametrize("cell", ["25:30", "24:01", "9:60", "上午15:00", timedelta(hours=25)])
def test_a_time_that_no_clock_shows_is_impossible(cell: Cell) -> None:
    assert code(moments.minute_of_day(cell)) == "impossible_time"


@pytest.mark.parametrize("cell", ["早饭后", "9", 9, "约3点", True])
def test_a_time_that_may_mean_anything_is_not_guessed(cell: Cell) -> None:
    assert code(moments.minute_of_day(cell)) == "time_unclear"


@pytest.mark.parametrize(
    "cell",
    [
        datetime(2026, 7, 1, 8, 30),  # noqa: DTZ001 - a spreadsheet's clock has no zone
        date(2026, 7, 1),
        "2026-07-01",
        "2026.7.1",
        "2026/7/1",
        "2026年7月1日",
        "２０２６年７月１日",
        " 2026 年 7 月 1 号 ",
        "2026年7月1日 星期三",
        "2026-07-01（周三）",
        "2026-07-01T00:00:00",
        "20260701",
        46204,
        46204.0,
        "46204",
    ],
)
def test_a_day_is_understood(cell: Cell) -> None:
    assert moments.parse_calendar_day(cell) == date(2026, 7, 1)


def test_days_that_are_none_or_may_be_several_are_refused() -> None:
    assert code(moments.parse_calendar_day("2026-02-30")) == "date_impossible"
    assert code(moments.parse_calendar_day("2026.13.1")) == "date_impossible"
    assert code(moments.parse_calendar_day("0001-01-01")) == "date_impossible"
    assert code(moments.parse_calendar_day("9999-12-31")) == "date_impossible"
    assert code(moments.parse_calendar_day("7月1日")) == "date_unclear"
    assert code(moments.parse_calendar_day("7/1/26")) == "date_unclear"
    assert moments.parse_calendar_day("无") is None


@pytest.mark.parametrize(
    "cell",
    ["19900003050", "199 0000 3050", "199-0000-3050", "+86 19900003050", "8619900003050", "１９９００００３０５０",
     19900003050, 19900003050.0, '="19900003050"', "\t19900003050", "'19900003050", "19900003050/19900003051"],
)  # fmt: skip
def test_a_phone_is_understood(cell: Cell) -> None:
    assert phones.parse_phone(cell) == "19900003050"


def test_phones_that_cannot_be_called_are_refused_for_their_reason() -> None:
    assert code(phones.parse_phone("1990000808")) == "phone_length"
    assert code(phones.parse_phone("1.99E+10")) == "phone_rounded"
    assert code(phones.parse_phone("22900003050")) == "phone_prefix"
    assert code(phones.parse_phone("0855-2621234")) == "phone_landline"
    assert code(phones.parse_phone("问他儿子")) == "phone_unclear"
    assert [phones.parse_phone(cell) for cell in ("无", "/", "-", None, "  ")] == [None] * 5


def test_an_identity_number_says_when_its_bearer_was_born() -> None:
    found = cell_values.identity("522699 19820713 313x")
    assert isinstance(found, Identity)
    assert (found.number, found.born_on, found.sex) == ("52269919820713313X", date(1982, 7, 13), "male")
    assert check_character("52269919820713313") == "X"
    whole = cell_values.identity("５２２６９９１９６８０９２８３８２２")
    assert isinstance(whole, Identity)
    assert whole.sex == "female"


def test_identity_numbers_are_refused_for_their_reason() -> None:
    assert code(cell_values.identity("5226991996021909")) == "identity_length"
    assert code(cell_values.identity("522699196809283823")) == "identity_checksum"
    assert code(cell_values.identity("52269919680928382A")) == "identity_unclear"
    assert code(cell_values.identity("5.22699E+17")) == "identity_rounded"
    assert code(cell_values.identity(5.22699196809283822e17)) == "identity_rounded"
    assert code(cell_values.identity("522699196809283000")) == "identity_rounded"
    impossible = "52269919680231382"
    assert code(cell_values.identity(impossible + check_character(impossible))) == "identity_birth"
    assert cell_values.identity("无") is None


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("张 三", "张三"),
        ("张　三 ", "张三"),
        ("李\u200b四", "李四"),
        ("䶮㛃𬭎", "䶮㛃𬭎"),
        ("欧阳凯伟", "欧阳凯伟"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("John  Smith", "John Smith"),
        ("\U00031350", "\U00031350"),
    ],
)
def test_a_name_is_kept_as_its_bearer_writes_it(cell: str, name: str) -> None:
    assert cell_values.name(cell) == name


def test_what_is_no_name_is_refused() -> None:
    assert code(cell_values.name("2600人")) == "name_unclear"
    assert code(cell_values.name("张三\x00")) == "control_character"
    assert code(cell_values.name("张" * 51)) == "text_too_long"


def test_whole_numbers_are_read_with_their_unit_and_refused_when_they_are_none() -> None:
    assert [amounts.parse_points(cell) for cell in (60.0, "６０", "60 分", "1,200")] == [60, 60, 60, 1200]
    assert code(amounts.parse_points("60.5")) == "not_whole"
    assert code(amounts.parse_points("很多")) == "points_unclear"
    assert code(amounts.parse_points("-3")) == "number_range"
    assert code(amounts.parse_points("9" * 15)) == "number_range"
    assert code(amounts.parse_points("9" * 400)) == "points_unclear"
    assert code(amounts.parse_points(1e300)) == "points_unclear"


def test_an_office_counts_unless_it_is_over() -> None:
    assert cell_values.roles("党员、楼栋长") == {"building_head"}
    assert cell_values.roles("网格员兼单元长") == {"grid_worker", "unit_head"}
    assert cell_values.roles("原楼栋长") == frozenset()
    assert cell_values.roles("前任单元长，现任网格员") == {"grid_worker"}
    assert cell_values.roles(None) == frozenset()


def test_a_place_is_written_one_way() -> None:
    assert {places.building(cell) for cell in ("3", 3.0, "3幢", "3号楼", "三栋", "3#", "Building 3")} == {"3栋"}
    assert {places.unit(cell) for cell in (2, "二单元", "2单元", "Unit 2")} == {"2单元"}
    assert {places.room(cell) for cell in (502.0, "502室", "502")} == {"502"}
    assert {places.grid(cell) for cell in (1, "1网格", "第一网格", "网格1")} == {"第一网格"}
    assert places.grid("第12网格") == "第十二网格"
    assert places.grid("水岸网格") == "水岸网格"
    assert addresses.address("8栋3单元") == addresses.Address("8栋", "3单元", None)
    assert addresses.address("锦绣小区8幢3单元502室") == addresses.Address("8栋", "3单元", "502")
    assert addresses.address("8-3-502") == addresses.Address("8栋", "3单元", "502")
    assert code(addresses.address("社区广场")) == "address_unclear"


def test_a_length_of_service_is_read_in_the_unit_it_says() -> None:
    read = lengths.minutes_long
    assert [read(cell, unit=None) for cell in ("1.5", 2, "1小时30分", "90分钟", "1个小时半", time(1, 30))] == [
        90, 120, 90, 90, 90, 90,
    ]  # fmt: skip
    assert read(45, unit="minutes") == 45
    assert code(read("半天", unit=None)) == "duration_unclear"


def test_numbers_are_masked_for_reports() -> None:
    assert mask_number("522699196809283822") == "5226****3822"
    assert mask_number("199 0000 3050") == "199****3050"
    assert mask_number("12345") == "1****"


def test_every_problem_is_of_a_known_kind() -> None:
    with pytest.raises(KeyError):
        problem("no_such_kind")
    assert all(sentence for sentence in SENTENCES.values())
