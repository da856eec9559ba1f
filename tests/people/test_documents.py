"""Residents without a citizen identity number: a passport, a permit or a foreigner's card, by its kind and number."""

import asyncpg
import pytest

from tests.imports.kinds.test_imports import codes, take_in
from tests.support.town import Town
from timebank.people.contact import is_called
from timebank.people.directory import list_people, open_person
from timebank.people.enrolment.enrolling import PersonKnown, enrol
from timebank.people.identity.citizen_number import BadIdentity, masked_identity, require_identity
from timebank.people.identity.documents import Document, possible_documents, read_document
from timebank.people.schemas import Enrolment

PASSPORT = "护照 E12345678"
ROSTER = ["姓名", "证件类型", "证件号码", "出生日期", "楼栋", "房号"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("护照 E12345678", PASSPORT),
        ("护照：e12345678", PASSPORT),
        ("Passport E12345678", PASSPORT),
        ("护照号码E12345678", PASSPORT),
        ("回乡证 H01234567", "港澳居民来往内地通行证 H01234567"),
        ("港澳居民来往内地通行证 M0123456789", "港澳居民来往内地通行证 M0123456789"),
        ("H0123456789", "港澳居民来往内地通行证 H0123456789"),
        ("台胞证01234567", "台湾居民来往大陆通行证 01234567"),
        ("USA110090090909", "外国人永久居留身份证 USA110090090909"),
    ],
)
def test_a_certificate_is_kept_with_its_kind(text: str, kept: str) -> None:
    assert require_identity(text) == Document(kept)


@pytest.mark.parametrize(
    "text", ["E12345678", "H01234567", "01234567", "护照", "护照 无", "台胞证 E12345678", "军官证 12345678"]
)
def test_a_number_without_its_kind_or_of_another_is_refused(text: str) -> None:
    assert read_document(text) is None
    with pytest.raises(BadIdentity):
        require_identity(text)


def test_a_number_of_seventeen_digits_is_a_slip_and_no_passport() -> None:
    with pytest.raises(BadIdentity, match="应为 18 位"):
        require_identity("52269919680928382")


def test_a_certificate_is_shown_by_its_kind_and_its_end() -> None:
    assert masked_identity(PASSPORT) == "护照 *****5678"
    assert masked_identity("522699196809283822") == "5226**********3822"
    assert PASSPORT in possible_documents("E12345678")


async def test_one_passport_is_one_person_who_is_found_by_it(town: Town, owner: asyncpg.Connection) -> None:
    scope = await town.scope("赵丽")
    mary = await enrol(scope, Enrolment(name="Mary Jones", identity="护照 e12345678"))
    with pytest.raises(PersonKnown):
        await enrol(scope, Enrolment(name="Mary Jones", identity=PASSPORT))
    for q in ("E12345678", "护照 E12345678"):
        assert [line.id for line in (await list_people(scope, q=q)).items] == [mary]
    assert (await open_person(scope, mary)).identity == "护照 *****5678"
    assert await is_called(scope, mary, "Mary Jones", "5678")
    kept = await owner.fetchval("SELECT encode(identity_sealed, 'escape') FROM person WHERE id = $1", mary)
    assert "12345678" not in kept


async def test_a_roster_brings_people_with_other_certificates(town: Town) -> None:
    report = await take_in(
        town, "residents", ROSTER,
        ["Mary Jones", "护照", "E12345678", "1990-01-01", "5栋", "111"],
        ["赵港", "", "H0123456789", "1990-01-01", "5栋", "113"],
        ["赵台", "台胞证", "01234567", "1990-01-01", "5栋", "114"],
        ["Ahmed Ali", "", "E87654321", "1990-01-01", "5栋", "112"],
        ["Anna", "护照", "E11111111", "", "5栋", "115"],
        ["钱进进", "军官证", "E11111112", "1990-01-01", "5栋", "116"],
        ["Bob", "台胞证", "E11111113", "1990-01-01", "5栋", "117"],
        ["薛翠", "居民身份证", "522699196809283822", "", "5栋", "118"],
        ["薛翠翠", "护照", "522699199608079415", "1996-08-07", "5栋", "119"],
    )  # fmt: skip
    assert (report.accepted, report.created) == (4, 4)
    assert codes(report) == [
        (5, "identity_document"), (6, "document_birth"), (7, "document_kind"), (7, "identity_document"),
        (8, "document_number"), (10, "document_number"),
    ]  # fmt: skip
    assert all("E1" not in error.value for error in report.errors)
    again = await take_in(town, "residents", ROSTER, ["Mary Jones", "", "护照 E12345678", "1990-01-01", "5栋", "111"])
    assert (again.outcome, again.created) == ("unchanged", 0)
