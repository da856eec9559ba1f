"""Every phrase of pypinyin is read as pypinyin reads it with all its phrases, of which the service loads few.

`python -m tests.core.test_spelling` adds to timebank/core/pinyin/phrases.txt what an update of pypinyin brings.
"""

import json
import os
import subprocess
import sys

from timebank.core.pinyin.spelling import PHRASES, load, pinyin_of

WITH_ALL = """
import json, pypinyin
from pypinyin.constants import PHRASES_DICT
print(json.dumps({phrase: [[part[0] for part in parts], pypinyin.lazy_pinyin(phrase)]
                  for phrase, parts in PHRASES_DICT.items()}))
"""


def read_with_all() -> dict[str, tuple[list[str], list[str]]]:
    """Each phrase of pypinyin with its syllables with tones, and as a process that has them all spells it."""
    environment = os.environ | {"PYPINYIN_NO_PHRASES": ""}
    done = subprocess.run([sys.executable, "-c", WITH_ALL], env=environment, capture_output=True, check=True)
    read: dict[str, tuple[list[str], list[str]]] = json.loads(done.stdout)
    return read


def read_wrongly(read: dict[str, tuple[list[str], list[str]]]) -> dict[str, list[str]]:
    """The phrases that this process spells in another way, with their syllables with tones."""
    return {phrase: tones for phrase, (tones, spelled) in read.items() if pinyin_of(phrase) != spelled}


def test_each_phrase_is_read_as_with_all_of_them() -> None:
    read = read_with_all()
    assert len(read) > 40_000
    assert read_wrongly(read) == {}
    assert len(PHRASES.read_text(encoding="utf-8").splitlines()) < len(read) / 10, "few are needed"


def test_what_is_not_chinese_stays() -> None:
    assert pinyin_of("重庆路3栋") == ["chong", "qing", "lu", "3", "dong"]
    assert pinyin_of("Nguyễn·阿依") == ["Nguyễn·", "a", "yi"]
    assert pinyin_of("女") == ["nv"]
    assert pinyin_of("") == []


def write_phrases() -> None:
    """Add the phrases that are read wrongly without them, until there are none: one may be within another."""
    read, kept = read_with_all(), PHRASES.read_text(encoding="utf-8").splitlines()
    while wrong := read_wrongly(read):
        lines = [f"{phrase} {' '.join(tones)}" for phrase, tones in wrong.items()]
        load(lines)
        kept += lines
    PHRASES.write_text("".join(f"{line}\n" for line in sorted(kept)), encoding="utf-8")


if __name__ == "__main__":
    write_phrases()
