"""Each kind of stored sentence reads whole in both languages, with everything that it is given."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from string import Formatter
from typing import Any

import pytest

from timebank.core.capability import capabilities
from timebank.core.locale import LANGUAGES
from timebank.core.wording import Phrase, phrase

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
SENTENCES = {kind: sentence for one in capabilities() for kind, sentence in one.sentences.items()}
BEGIN = datetime(2031, 3, 4, 5, 6, tzinfo=UTC)
NAME = "欧阳凯伟"

# By format of a placeholder: the n-th value of a sentence as it is stored, and what a reader must see of it.
SAMPLES: dict[str, Callable[[int], tuple[object, str]]] = {
    "": lambda n: (f"{NAME}{n}", f"{NAME}{n}"),
    "word": lambda n: (f"{NAME}{n}", f"{NAME}{n}"),
    "points": lambda n: (4100 + n, f"4,10{n}"),
    "minutes": lambda n: (60 * (n + 40), f"{n + 40} "),
    "day": lambda n: (date(2041 + n, 5, 6), f"{2041 + n}"),
    "moment": lambda n: (BEGIN + timedelta(days=n), f"{4 + n}"),
    "at": lambda n: (BEGIN + timedelta(days=n), f"{4 + n}"),
    "hours": lambda _n: ("08:15 20:45", "08:15"),
    "span": lambda n: ([BEGIN + timedelta(days=n), BEGIN + timedelta(days=n, hours=1)], f"{4 + n}"),
    "sentences": lambda n: ([phrase("reason", reason=f"{NAME}{n}")], f"{NAME}{n}"),
    "clauses": lambda n: ([f"{NAME}{n}", phrase("held_role", role=f"{NAME}a{n}", place="x")], f"{NAME}a{n}"),
}

# Parts that a function puts into words: a sample of each with what it says in Chinese and in English.
PARTS: dict[str, list[tuple[dict[str, Any], str, str]]] = {
    "role": [({"role": "grid_worker"}, "网格员", "Grid worker")],
    "came_back": [
        (
            {"unit": "points", "usable": 16, "repaid": 2, "expired": 0, "graced": 0, "until": None},
            "16 分已退回；2 分补还了欠账", "16 pt returned; 2 pt",
        ),
        (
            {"unit": "minutes", "usable": 60, "repaid": 0, "expired": 0, "graced": 60, "until": "2041-01-30"},
            "1 小时已退回：原来的有效期已过，宽限到 2041年1月30日", "30 Jan 2041",
        ),
    ],
    "change": [
        (
            {"name": "person_merge", "person": NAME, "change": {"says": {"merged": NAME, "reason": NAME}}},
            f"把{NAME}的登记并入{NAME}的登记：{NAME}", NAME,
        ),
        (
            {
                "name": "policy_before", "person": "—",
                "change": {"says": {"name": "notice_days", "value": 3}},
            },
            "善行和荣誉时数的公示天数", "public notice",
        ),
    ],
}  # fmt: skip


def sample(kind: str) -> tuple[Phrase, list[str]]:
    """A sentence of this kind, and what a reader must see of its values."""
    values, seen = {}, []
    for n, (_text, name, spec, _conversion) in enumerate(Formatter().parse(SENTENCES[kind])):
        if name is not None and name not in values:
            values[name], shown = SAMPLES[spec or ""](n)
            seen.append(shown)
    return phrase(kind, **values), seen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SENTENCES)
def test_a_stored_sentence_reads_whole_with_all_its_values(kind: str, language: str) -> None:
    says, seen = sample(kind)
    text = says.text(language)
    assert [shown for shown in seen if shown not in text] == []
    assert not set("{}—") & set(text), "a placeholder is left, or a value is missing"
    assert "  " not in text
    if language == "en":
        assert CHINESE.search(text.replace(NAME, "")) is None


@pytest.mark.parametrize("kind", sorted({kind for one in capabilities() for kind in one.parts}))
def test_a_part_of_a_sentence_is_put_into_words_for_its_reader(kind: str) -> None:
    for values, chinese, english in PARTS[kind]:
        says = Phrase(kind, values)
        assert chinese in says.text()
        assert english in says.text("en")
        assert CHINESE.search(says.text("en").replace(NAME, "")) is None


def test_a_copy_for_a_guardian_holds_the_childs_message_and_not_its_text() -> None:
    told = phrase("record_credited", where="图书站", minutes=60, points=10)
    copy = phrase("for_child", child="刘小雨", message=told)
    assert copy.values["message"] == {"kind": "record_credited", "values": told.values}
    assert copy.text() == f"给刘小雨的消息：{told.text()}"
    assert copy.text("en") == f"Message for 刘小雨: {told.text('en')}"


def test_data_is_never_translated() -> None:
    """A resident or a good may have a name that is also a word of the service."""
    says = phrase("good_withdrawn", good="积分", station="社区", until=BEGIN)
    assert says.text("en").startswith("积分 is no longer offered. What you have reserved is still at 社区;")


def test_a_kind_that_is_not_known_any_more_and_a_value_that_is_missing_do_no_harm() -> None:
    assert Phrase("gone.for_ever", {"n": 1}).text() == ""
    assert "— 积分在—" in Phrase("points_expiring", {}).text()
