"""Pinyin without tones, by pypinyin.

Of the 47,000 phrases that pypinyin reads as a whole (重庆 is chong qing, not zhong qing), only those are loaded that
would be read wrongly character by character: all of them take 42 MB in each process of the service.
"""

from collections.abc import Iterable
from pathlib import Path

from pypinyin import Style, lazy_pinyin, load_phrases_dict

# Lines such as "重庆 chóng qìng", from pypinyin (MIT licence). `python -m tests.core.test_spelling` writes them.
PHRASES = Path(__file__).with_name("phrases.txt")


def load(lines: Iterable[str]) -> None:
    """Read the phrases of these lines as a whole from now on."""
    load_phrases_dict({phrase: [[part] for part in parts] for phrase, *parts in map(str.split, lines)})


load(PHRASES.read_text(encoding="utf-8").splitlines())


def pinyin_of(text: str) -> list[str]:
    """The syllables of a text: 张桂兰 gives zhang, gui, lan. What is not Chinese stays, in pieces as it stands."""
    syllables: list[str] = lazy_pinyin(text, style=Style.NORMAL)
    return syllables
