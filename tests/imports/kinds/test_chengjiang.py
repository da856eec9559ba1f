"""The four untidy workbooks of one community are read as facts.json says."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from timebank.imports.cells.problems import LEFT_OUT
from timebank.imports.files import workbook
from timebank.imports.kinds.deeds import read as read_deeds
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.hours import read as read_hours
from timebank.imports.kinds.roster import read as read_roster
from timebank.imports.kinds.roster.read import RosterRow
from timebank.imports.reports.report import findings
from timebank.imports.sheets.candidates import Candidate, Candidates
from timebank.imports.sheets.parsed import Parsed, RowProblem

DATA = Path(__file__).parents[2] / "data" / "chengjiang"
FACTS = json.loads((DATA / "facts.json").read_text(encoding="utf-8"))
TODAY = date(2026, 10, 31)
CODES = {
    "phone length": {"phone_length"},
    "identity length": {"identity_length"},
    "identity checksum": {"identity_checksum"},
    "duplicate": {"duplicate"},
    "impossible time": {"impossible_time"},
    "sign-out before sign-in": {"out_before_in"},
    "missing sign-out": {"missing_out"},
    # Nobody has these phones; the names occur in the roster, but a given phone decides.
    "unknown person": {"unknown_phone", "unknown_person"},
    # A second line of the same person and day: an error where the times overlap, else a warning.
    "maybe-overlap": {"overlap", "same_day"},
    "points differ from the catalogue": {"points_differ"},
    "own witness": {"own_witness"},
}


def opened(name: str) -> workbook.Workbook:
    return workbook.read_workbook(name, (DATA / name).read_bytes())


def expected(kind: str, key: str) -> dict[int, set[str]]:
    """The bad rows in facts.json, by row number of the spreadsheet, each with the acceptable codes."""
    return {fact["row"]: CODES[fact["error"]] for fact in FACTS[kind][key]}


def assert_same(told: list[RowProblem], facts: dict[int, set[str]]) -> None:
    assert {found.row for found in told} == set(facts)
    assert len(told) == len(facts)
    assert [(found.row, found.problem.code) for found in told if found.problem.code not in facts[found.row]] == []


@pytest.fixture(scope="module")
def residents() -> Parsed[RosterRow]:
    return read_roster.parse(opened("roster.xlsx"), today=TODAY)


@pytest.fixture(scope="module")
def people(residents: Parsed[RosterRow]) -> Candidates:
    return Candidates.of(
        Candidate(
            key=f"{row.row}",
            name=row.name,
            phone=row.phone,
            household=str(row.household),
            building=row.household.building,
            unit=row.household.unit,
            roles=row.roles,
        )
        for row in residents.rows
    )


def test_the_roster_takes_every_good_row_and_refuses_every_bad_one_for_its_true_reason(
    residents: Parsed[RosterRow],
) -> None:
    bad = expected("roster", "bad_rows")
    # Rows with an identity number are imported without the bad phone, with a warning.
    without_phone = {row: found for row, found in bad.items() if found == {"phone_length"}}
    assert len(residents.rows) == FACTS["roster"]["valid_rows"] + len(without_phone)
    assert residents.total == FACTS["roster"]["valid_rows"] + len(bad)
    assert_same(residents.problems, {row: found for row, found in bad.items() if row not in without_phone})
    assert_same(residents.warnings, without_phone)
    assert {row.phone for row in residents.rows if row.row in without_phone} == {None}


def test_every_household_of_the_roster_has_its_place_and_one_head(residents: Parsed[RosterRow]) -> None:
    heads = Counter(row.household for row in residents.rows if row.is_head)
    assert set(heads.values()) == {1}
    for row in residents.rows:
        assert None not in (row.household.grid, row.household.building, row.household.unit, row.household.room)
        assert row.household.head is not None
    without_head = {row.household for row in residents.rows} - set(heads)
    refused = {fact["name"] for fact in FACTS["roster"]["bad_rows"]}
    assert {household.head for household in without_head} <= refused


def test_the_roster_knows_heads_births_and_phones(residents: Parsed[RosterRow]) -> None:
    first = residents.rows[0]
    assert (first.name, first.row, first.phone, first.sex) == ("薛翠", 4, "19900003050", "female")
    assert first.born_on == date(1968, 9, 28)
    assert first.roles == {"building_head"}
    child = next(row for row in residents.rows if row.row == 11)
    assert (child.name, child.phone, child.household) == ("邱龙国", None, residents.rows[4].household)
    assert Counter(role for row in residents.rows for role in row.roles)["unit_head"] > 70


def test_the_sign_in_sheets_yield_the_known_minutes(people: Candidates) -> None:
    parsed = read_hours.parse(opened("hours.xlsx"), people, today=TODAY)
    assert_same(parsed.problems + parsed.warnings, expected("hours", "flagged_rows"))
    flagged = {warning.row for warning in parsed.warnings}
    clean = [row for row in parsed.rows if row.row not in flagged]
    assert len(clean) == FACTS["hours"]["clean_rows"]
    assert sum(row.minutes for row in clean) == FACTS["hours"]["clean_minutes"]
    assert all(row.person for row in parsed.rows)


def test_only_services_at_the_same_time_are_refused_as_overlapping(people: Candidates) -> None:
    parsed = read_hours.parse(opened("hours.xlsx"), people, today=TODAY)
    assert [found.row for found in parsed.problems if found.problem.code == "overlap"] == [282, 667, 741, 888]
    assert {found.problem.code for found in parsed.warnings} == {"same_day"}
    overlap = next(found for found in parsed.problems if found.row == 741)
    assert "第 738 行" in overlap.problem.sentence()
    assert "09:00–11:30" in overlap.problem.sentence()


def test_the_moral_banks_book_is_checked_against_the_catalogue(people: Candidates) -> None:
    catalogue = {entry["item"]: entry["points"] for entry in FACTS["deeds"]["catalogue"]}
    parsed = read_deeds.parse(opened("deeds.xlsx"), people, catalogue, today=TODAY)
    assert_same(parsed.problems, expected("deeds", "flagged_rows"))
    assert len(parsed.rows) == FACTS["deeds"]["clean_rows"]
    assert all(row.points == catalogue[row.item] for row in parsed.rows)
    # There are two residents called 龙婷 and two called 董飞: building, unit and role decide.
    assert {row.person.unit for row in parsed.rows if row.name == "龙婷" and row.person} == {"2单元"}
    assert {row.person.building for row in parsed.rows if row.name == "董飞" and row.person} == {"10栋"}


def test_the_goods_list_is_read_whole() -> None:
    parsed = read_goods.parse(opened("goods.xlsx"))
    assert (parsed.total, len(parsed.rows), parsed.problems) == (14, 14, [])
    soap = next(row for row in parsed.rows if row.name == "香皂")
    assert (soap.unit, soap.points, soap.stock, soap.station, soap.limit) == ("块", 8, 150, "慈善超市", 3)


def test_the_report_tells_in_words_and_shows_no_whole_number(residents: Parsed[RosterRow]) -> None:
    told = findings(residents).told()
    assert (told.rows, told.accepted, len(told.errors)) == (2613, 2559, 54)
    assert [len(alike.rows) for alike in told.warnings] == [15], "alike ones are one line"
    first = told.warnings[0]
    assert (first.row, first.column, first.value) == (80, "联系电话", "199****0808")
    assert first.problem == "手机号有 10 位，应为 11 位，请核对。没有导入这一格，其余照常"
    shown = [remark.value for remark in [*told.errors, *told.warnings]]
    assert all("****" in value for value in shown)
    assert not any(value.isdigit() for value in shown)
    words = {"手机号有 {length} 位，应为 11 位，请核对": "phone {length}", LEFT_OUT: "{sentence}"}
    english = findings(residents).told(lambda sentence: words.get(sentence, sentence)).warnings[0]
    assert english.problem == "phone 10"


def test_the_names_and_phones_to_look_up_are_known_before_the_sheets_are_judged() -> None:
    spoken = read_hours.mentions(opened("hours.xlsx"))
    assert {"19900005695", "18800000446"} <= spoken.phones
    assert "孟超华" in spoken.names
    assert {"吕雪静", "江军勇"} <= read_deeds.mentions(opened("deeds.xlsx")).names
