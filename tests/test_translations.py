"""English is complete: every sentence of the screens has its text, and no text is left over."""

import re
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from tests.sentences import every_sentence
from timebank.locale import CATALOGUES, catalogue

SENTENCES = every_sentence()
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def blanks(text: str) -> set[tuple[str, str]]:
    """The named places of a sentence, with how each is to be shown."""
    return {(name, spec or "") for _text, name, spec, _conversion in Formatter().parse(text) if name is not None}


def test_the_marked_sentences_are_found() -> None:
    """In a template, in Python, and on a refusal: otherwise the tests below hold of nothing."""
    assert {"签到", "扫一扫签到", "这一格应是数字，请核对", "请先登录。"} <= SENTENCES.keys()
    assert len(SENTENCES) > 1000


def test_every_sentence_has_an_english_text() -> None:
    assert {place: sentence for sentence, place in SENTENCES.items() if sentence not in catalogue("en")} == {}


def test_no_english_text_is_left_over() -> None:
    assert sorted(catalogue("en").keys() - SENTENCES.keys()) == []


def test_no_sentence_is_listed_twice() -> None:
    keys = re.findall(r"((?:msgctxt .*\n)?msgid .*)\nmsgstr", (CATALOGUES / "en.po").read_text())
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("sentence", [s for s in SENTENCES if "{" in s])
def test_the_english_text_has_the_same_places(sentence: str) -> None:
    assert blanks(catalogue("en")[sentence]) == blanks(sentence)


def test_no_chinese_is_left_in_english() -> None:
    assert {sentence: text for sentence, text in catalogue("en").items() if CHINESE.search(text)} == {}


def test_the_catalogue_reads_without_fault() -> None:
    with (CATALOGUES / "en.po").open("rb") as file:
        assert read_po(file, abort_invalid=True).locale_identifier == "en"
