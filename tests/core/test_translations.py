"""The English catalogue is complete: every sentence has a translation, and no translation is unused."""

import re
import secrets
from string import Formatter

import httpx
import pytest
from babel.messages.pofile import read_po

from tests.core.sentences import every_sentence
from tests.support.town import Town
from timebank.core.locale import CATALOGUES, catalogue
from timebank.core.wording import said

SENTENCES = every_sentence()
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def blanks(text: str) -> set[tuple[str, str]]:
    """The placeholders of a sentence, as (name, format)."""
    return {(name, spec or "") for _text, name, spec, _conversion in Formatter().parse(text) if name is not None}


def test_the_marked_sentences_are_found() -> None:
    """Sentences from a template, from Python and from an error class are found, so the tests below test something."""
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


def test_a_kept_sentence_is_put_together_for_its_reader() -> None:
    told = said("服务 {served:minutes}，需要社区核对后入账。原因：{why}。", served=135, why=["一天的服务时间过长"])
    assert told.text() == "服务 2 小时 15 分，需要社区核对后入账。原因：一天的服务时间过长。"
    assert told.text("en").startswith("2 h 15 min of service")
    assert "Very long service on one day" in told.text("en")


async def test_verdicts_and_problems_follow_the_language_asked_for(town: Town, client: httpx.AsyncClient) -> None:
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    headers = await town.sign_in("张桂兰")
    scan = {"code": "c/not-a-code", "nonce": secrets.token_urlsafe(24)}
    chinese = await client.post("/api/v1/checkins", json=scan, headers=headers)
    again = await client.post("/api/v1/checkins", json=scan, headers=headers | english)
    assert (chinese.json()["reason"], again.json()["reason"]) == ("invalid_code", "invalid_code")
    assert chinese.json()["texts"] == ["这不是本站的码。请扫驿站屏幕上的码，或居民出示的码。"]
    assert again.json()["texts"] == [catalogue("en")[chinese.json()["texts"][0]]]
    assert (await client.get("/api/v1/visits", headers=english)).json()["detail"] == "Please sign in first."
