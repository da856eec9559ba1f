"""Faulty files that other programs misread silently: each is read correctly, or the report says what is missing."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from timebank.imports.files import workbook
from timebank.imports.files.refusals import ImportRefused
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.goods.read import GoodRow
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.hours.read import HoursRow
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.sheets.candidates import Candidate, Candidates
from timebank.imports.sheets.parsed import Parsed

FAULTS = Path(__file__).parents[2] / "data" / "faults"
MANIFEST = json.loads((FAULTS / "manifest.json").read_text())
TODAY = date(2026, 11, 20)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE = Candidates.of(
    [
        Candidate(key="1", name="薛翠", phone="19900003050"),
        Candidate(key="2", name="夏贵福", phone="19900003051"),
        Candidate(key="3", name="汤琴", phone="19900003052"),
        Candidate(key="4", name="方小月", phone="19900003055"),
        Candidate(key="5", name="付华", phone="19900003058"),
        Candidate(key="6", name="买买提·艾力"),
        Candidate(key="7", name="Nguyễn Thị Hoa"),
        Candidate(key="8", name="WANG lei"),
    ]
)


@dataclass(frozen=True)
class Told:
    """The result of reading a file: rows, codes of errors and warnings by row, or the code of the file's refusal."""

    rows: Sequence[RosterRow | HoursRow | GoodRow]
    errors: Sequence[tuple[int, str]]
    warnings: Sequence[tuple[int, str]]
    notes: Sequence[str]
    refused: str = ""

    def at(self, number: int) -> list[RosterRow | HoursRow | GoodRow]:
        return [row for row in self.rows if row.row == number]

    def says(self, number: int) -> list[str]:
        return [code for row, code in [*self.errors, *self.warnings] if row == number]


def told(file: str, kind: str) -> Told:
    book = workbook.read_workbook(file, (FAULTS / file).read_bytes())
    parsed: Parsed[RosterRow] | Parsed[HoursRow] | Parsed[GoodRow]
    try:
        if kind == "residents":
            parsed = read_roster.parse(book, today=TODAY)
        elif kind == "hours":
            parsed = read_hours.parse(book, PEOPLE, today=TODAY)
        else:
            parsed = read_goods.parse(book)
    except ImportRefused as refusal:
        return Told([], [], [], [], refusal.code)
    parsed.finish()
    return Told(
        parsed.rows,
        [(found.row, found.problem.code) for found in parsed.problems],
        [(found.row, found.problem.code) for found in parsed.warnings],
        [note.code for note in parsed.notes],
    )


def minutes(told: Told) -> list[tuple[int, int]]:
    return [(row.row, row.minutes) for row in told.rows if isinstance(row, HoursRow)]


def people(told: Told) -> dict[str, RosterRow]:
    return {row.name: row for row in told.rows if isinstance(row, RosterRow)}


def things_of(told: Told) -> list[GoodRow]:
    return [row for row in told.rows if isinstance(row, GoodRow)]


def things(told: Told) -> dict[str, GoodRow]:
    return {row.name: row for row in told.rows if isinstance(row, GoodRow)}


def base_roster(told: Told) -> None:
    assert len(told.rows) == 9
    assert not told.errors


def date_is_a_formula(told: Told) -> None:
    assert not told.at(3)
    assert told.says(3) == ["cell_formula"]


def stock_is_a_formula(told: Told) -> None:
    assert not told.rows
    assert told.errors == [(2, "cell_formula"), (3, "cell_formula")]


def phone_is_an_error(told: Told) -> None:
    assert not any(row.phone for row in people(told).values())
    assert told.says(2)


def stock_is_an_error(told: Told) -> None:
    assert not told.rows
    assert told.errors == [(2, "cell_error")]


def out_the_next_day(told: Told) -> None:
    assert minutes(told) == [(2, 210)] or told.errors == [(2, "impossible_time")]


def a_hidden_row(told: Told) -> None:
    assert "note_hidden_rows" in told.notes


def a_phone_as_a_float(told: Told) -> None:
    assert [row.phone for row in people(told).values()] == ["19900003061"]


def phones(told: Told) -> None:
    first = [70, 71, 72, 73, 74, 76, 78, 79, 80, 81, 82, 83, 84, None, 85]
    expected = [None if last is None else f"199000030{last}" for last in first]
    assert [row.phone for row in people(told).values()] == expected
    assert told.says(5)
    assert told.says(8)


def identities(told: Told) -> None:
    found = people(told)
    ends = {name: found[name].identity for name in ("孙甲", "孙乙", "孙丙", "孙丁", "孙戊")}
    assert all(number is not None and number.endswith("X") for number in ends.values())
    assert all(found[name].identity for name in ("孙庚", "孙辛", "孙壬", "孙癸"))
    for number, name in ((7, "孙己"), (12, "Mary Jones"), (13, "Ahmed Ali"), (14, "赵港"), (15, "赵台")):
        assert told.says(number) or name in found


def names(told: Told) -> None:
    found = list(people(told))
    assert [name for name in found if name.startswith("阿依古丽")] == [
        f"阿依古丽·{last}" for last in "甲乙丙丁戊己庚辛壬癸子丑寅"
    ]
    assert {"方小月", "青山", "李四", "王五", "Nguyễn Thị Mai", "José O'Neil-Díaz"} <= set(found)
    assert {name.translate({0xE0100: None}) for name in found} >= {"葛城"}
    assert all(name.isprintable() and "(" not in name and "/" not in name for name in found)


def lengths(told: Told) -> None:
    said = [90, 90, 90, 150, 120, 90, 30, 90, 90, 90, 90, 90, 90, 90, 120, None, 60, 90, 120, 180, None, 90, 90]
    taken = dict(minutes(told))
    for number, expected in enumerate(said, 2):
        assert taken.get(number) == expected if number in taken else told.says(number), number
    assert len(taken) >= 15


def a_length_beside_in_and_out(told: Told) -> None:
    assert minutes(told) == [(2, 90), (3, 90), (4, 90)]


def year_and_month_of_birth(told: Told) -> None:
    assert not any(told.says(number) for number in (2, 3, 7))
    assert {"李甲", "李乙", "李己"} <= set(people(told))
    assert all(told.says(number) for number in (4, 5, 6))


def two_pairs(told: Told) -> None:
    assert sorted(minutes(told)) == [(2, 180), (2, 180), (3, 180)] or told.refused == "column_twice"


def hours_only(told: Told) -> None:
    assert minutes(told) == [(2, 120), (3, 90)]


def stock_in_two_columns(told: Told) -> None:
    shelves = [(row.station, row.stock) for row in things_of(told)]
    assert shelves == [("测试驿站", 10), ("二号驿站", 20)]


def several_names(told: Told) -> None:
    assert minutes(told) == [(2, 120)] * 3 or told.errors == [(2, "name_unclear")]


def day_above_the_table(told: Told) -> None:
    days = [row.started_at.date() for row in told.rows if isinstance(row, HoursRow)]
    assert days == [date(2026, 10, 23)] * 2 or told.says(4) == told.says(5) == ["date_unclear"]


def room_is_an_error(told: Told) -> None:
    assert list(people(told)) == ["马二"]
    assert told.errors == [(3, "cell_error")]


def amounts_with_units(told: Told) -> None:
    found = things(told)
    rice, towels = found["大米5kg"], found["毛巾"]
    assert (rice.points, rice.stock, rice.limit) == (100, 1000, 1)
    assert (towels.points, towels.stock, towels.limit) == (8, 30, 2)
    assert {"香皂", "纸巾", "盐", "食用油"}.isdisjoint(found)
    assert found.get("洗衣液") is None or found["洗衣液"].stock == 10
    assert found.get("牙刷") is None or found["牙刷"].stock == 10_000


def people_of_the_panel(told: Told) -> None:
    assert [row.row for row in told.rows] == [2, 3, 4, 5, 6]


def side_by_side(told: Told) -> None:
    assert told.refused == "column_twice" or len(told.rows) == 4


def days_in_one_cell(told: Told) -> None:
    assert told.errors == [(number, "date_with_more") for number in range(2, 7)]
    late = [row.started_at for row in told.rows if isinstance(row, HoursRow)]
    assert late == [datetime(2026, 4, 5, 13, 0, tzinfo=SHANGHAI)]


RIGHT: dict[str, tuple[Callable[[Told], None], str | None]] = {
    "00_base_roster.xlsx": (base_roster, None),
    "02a_formula_date_no_cache.xlsx": (date_is_a_formula, None),
    "02b_formula_stock_no_cache.xlsx": (stock_is_a_formula, None),
    "02d_error_cells_roster.xlsx": (phone_is_an_error, None),
    "02e_error_cells_stock.xlsx": (stock_is_an_error, None),
    "05a_out_25h30.xlsx": (out_the_next_day, None),
    "07a_hidden_row.xlsx": (a_hidden_row, None),
    "14f_float_phone.csv": (a_phone_as_a_float, None),
    "15_phones.xlsx": (phones, None),
    "16_identities.xlsx": (identities, None),
    "17_names.xlsx": (names, None),
    "19_lengths.xlsx": (lengths, None),
    "19b_length_beside_in_out.xlsx": (a_length_beside_in_and_out, None),
    "22_birth_year_month.xlsx": (year_and_month_of_birth, None),
    "23_two_pairs.xlsx": (two_pairs, None),
    "24_hours_only.xlsx": (hours_only, None),
    "25_stock_per_station_columns.xlsx": (stock_in_two_columns, None),
    "26_several_names.xlsx": (several_names, None),
    "28_totals_and_sign.xlsx": (day_above_the_table, None),
    "31b_room_error_cell.xlsx": (room_is_an_error, None),
    "35_goods_text_numbers.xlsx": (amounts_with_units, None),
    "41_panel_entered_people.xlsx": (people_of_the_panel, None),
    "43_side_by_side.xlsx": (side_by_side, None),
    "45_date_ranges.xlsx": (days_in_one_cell, None),
}
"""For each file a check of the manifest's `right`, and the reason why it is expected to fail, or None."""


def test_every_faulty_file_has_its_expectation() -> None:
    assert [entry["file"] for entry in MANIFEST] == list(RIGHT)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(
            entry, id=entry["file"],
            marks=[pytest.mark.xfail(strict=True, reason=missing)] if (missing := RIGHT[entry["file"]][1]) else [],
        )
        for entry in MANIFEST
    ],
)  # fmt: skip
def test_a_file_that_lost_something_elsewhere_is_read_rightly_or_says_what_is_missing(entry: dict[str, str]) -> None:
    RIGHT[entry["file"]][0](told(entry["file"], entry["kind"]))
