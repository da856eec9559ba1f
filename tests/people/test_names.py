"""Names: one stored form and one key for comparison, whichever interface they are entered through."""

import pytest

from tests.support.town import Town
from timebank.access.sign_in.finding import find_at_counter
from timebank.core import names
from timebank.imports.cells import cell_values
from timebank.imports.sheets.candidates import Candidate, Candidates
from timebank.people.directory import list_people
from timebank.people.enrolment.enrolling import enrol
from timebank.people.schemas import Enrolment

SPELLINGS = [
    ("买买提•艾力", "买买提·艾力"), ("买买提‧艾力", "买买提·艾力"),
    ("买买提．艾力", "买买提·艾力"), ("买买提.艾力", "买买提·艾力"),
    ("买买提 · 艾力", "买买提·艾力"), ("买买提・艾力", "买买提·艾力"),
    ("买买提﹒艾力", "买买提·艾力"), ("买买提。艾力", "买买提·艾力"),
    ("⽅⼩⽉", "方小月"), ("⻘⼭", "青山"), ("葛\U000e0100城", "葛城"), ("神\ufe00田", "神田"), ("李　四", "李四"),
    ("王\xa0五", "王五"), ("Nguyễn Thị Mai", "Nguyễn Thị Mai"), ("Đỗ  Ủy Ẩn", "Đỗ Ủy Ẩn"),
    ("ＷＡＮＧ　ｌｅｉ", "WANG lei"),
    ("José O'Neil-Díaz", "José O'Neil-Díaz"), ("䶮㛃𬭎", "䶮㛃𬭎"), ("王𰻝", "王𰻝"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "stored"), SPELLINGS)
def test_the_panel_and_a_workbook_store_a_name_alike(written: str, stored: str) -> None:
    assert names.clean_person(written) == cell_values.name(written) == stored
    assert names.clean_person(stored) == stored
    assert names.key(written) == names.key(stored)


def test_names_are_compared_without_case_and_with_a_slash_for_a_dot() -> None:
    assert names.key("WANG Lei") == names.key("wang lei")
    assert names.key("买买提/艾力") == names.key("买买提·艾力")


@pytest.mark.parametrize(("one", "other"), [("张三", "张三丰"), ("Nguyễn Thị Mai", "NguyễnThịMai"), ("陈黙", "陈默")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert names.key(one) != names.key(other)


@pytest.mark.parametrize("typed", ["买买提•艾力", "买买提‧艾力", "买买提/艾力", "买买提·艾力"])
async def test_the_counter_and_the_list_find_a_name_by_any_of_its_dots(town: Town, typed: str) -> None:
    admin = await town.scope("赵丽")
    entered = Enrolment(name="买买提•艾力", phone="19900007001")
    person_id = await enrol(admin, entered)
    assert [one.id for one in await find_at_counter(admin, typed, phone_last4="7001")] == [person_id]
    assert [one.id for one in (await list_people(admin, q=typed)).items] == [person_id]
    assert [one.id for one in (await list_people(admin, q=typed[:4])).items] == [person_id]


def test_a_sheet_finds_whoever_was_entered_in_the_panel_by_any_spelling() -> None:
    entered = Candidates.of(
        [
            Candidate(key="1", name="买买提·艾力"),
            Candidate(key="2", name="Nguyễn Thị Hoa"),
            Candidate(key="3", name="WANG lei"),
            Candidate(key="4", name="葛城"),
        ]
    )
    written = {
        "买买提•艾力": "1",
        "买买提/艾力": "1",
        "Nguyễn  Thị Hoa": "2",
        "ＷＡＮＧ　ｌｅｉ": "3",
        "葛\U000e0100城": "4",
    }
    assert {name: [one.key for one in entered.named(name)] for name in written} == {n: [k] for n, k in written.items()}


@pytest.mark.parametrize(
    ("name", "spelled", "initials"),
    [
        ("张桂兰", "zhangguilan", ("zgl", "")), ("单雄信", "shanxiongxin", ("dxx", "sxx")),
        ("欧阳凯伟", "ouyangkaiwei", ("oykw", "")),
        ("阿依古丽·买买提", "ayigulimaimaiti", ("ayglmmt", "")), ("Nguyễn Thị Mai", "nguyễnthịmai", ("ntm", "")),
        ("王长贵", "wangzhanggui", ("wzg", "wcg")),
    ],
)  # fmt: skip
def test_a_name_is_spelled_in_one_word_and_by_its_initials(name: str, spelled: str, initials: tuple[str, str]) -> None:
    assert (names.spelled(name), names.initials(name)) == (spelled, initials)
