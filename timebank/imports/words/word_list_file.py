"""Reads a list of word meanings that a user has written, as JSON or as CSV lines."""

import csv
import io
import json
import re
from collections.abc import Mapping

import msgspec

from timebank.core.errors import TimebankError
from timebank.imports.intake import Kind
from timebank.imports.words.words import Cap, WordIn, WordKind
from timebank.rules.schemas import CapPeriod

ANSWERS_MAX = 500
NEW = frozenset({"new", "add", "新", "新添", "新增", "添加"})
HEADINGS = frozenset({"词", "word", "value"})
OF_KIND: Mapping[Kind, WordKind] = {
    "deeds": "item", "hours": "activity", "goods": "station", "residents": "building", "members": "building",
    "matters": "building",
}  # fmt: skip
"""The kind of a word when its line does not name one."""
KIND_WORDS: Mapping[WordKind, str] = {"item": "事项", "station": "驿站", "activity": "活动", "building": "楼栋"}
PERIODS: Mapping[str, CapPeriod] = {
    "天": "day", "日": "day", "周": "week", "月": "month", "年": "year",
    "day": "day", "week": "week", "month": "month", "year": "year",
}  # fmt: skip
_CAP = re.compile(
    r"每?(?:(?P<person>人)|(?P<place>[楼栋幢]|单元))?\s*(?:每\s*(?P<each>天|日|周|月|年))?\s*(?P<word>day|week|month|year)?\s*"
    r"(?:最多|限)?\s*(?P<times>\d{1,5})\s*次?"
)


class MapUnclear(TimebankError):
    code = "map_unclear"
    status = 422
    sentence = (
        "词语对照看不懂（{where}）。每行写“词,它是哪一项”，新添的写“词,新添,分值”；后面还可以写种类（事项、驿站、活动、楼栋）"
        "和上限（如“每人每月3次”）。也可以用 JSON 的列表。"
    )


def answers_in(kind: Kind, content: bytes) -> list[WordIn]:
    """The answers of a file: JSON if it begins with a bracket, else CSV lines of word, meaning, points, kind and cap.

    Raises MapUnclear for a file that cannot be read, for more than ANSWERS_MAX answers, and for a word with two
    different answers.
    """
    text = _text(content)
    found = _json(kind, text) if text.lstrip()[:1] in ("[", "{") else _lines(kind, text)
    if len(found) > ANSWERS_MAX:
        raise MapUnclear(where=f"{len(found)} > {ANSWERS_MAX}")
    said: dict[tuple[WordKind, str], WordIn] = {}
    for answer in found:
        if msgspec.structs.replace(said.setdefault((answer.kind, answer.key), answer), value=answer.value) != answer:
            raise MapUnclear(where=answer.value)
    return found


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise MapUnclear(where="UTF-8")


def _json(kind: Kind, text: str) -> list[WordIn]:
    try:
        said = msgspec.json.decode(text, type=list[dict[str, object]] | dict[str, str])
        if isinstance(said, dict):  # read again as pairs, so that a repeated word keeps both of its answers
            return [_answer(kind, word, meaning) for word, meaning in json.loads(text, object_pairs_hook=list)]
        return [msgspec.convert({"kind": OF_KIND[kind]} | one, WordIn) for one in said]
    except (msgspec.DecodeError, RecursionError) as error:  # a msgspec.ValidationError is a DecodeError
        raise MapUnclear(where="JSON") from error


def _lines(kind: Kind, text: str) -> list[WordIn]:
    found, rows = [], csv.reader(io.StringIO(text.replace("，", ","), newline=None))
    number = 1
    try:
        for number, cells in enumerate(rows, 1):
            said = [cell.strip() for cell in cells]
            if any(said) and not (number == 1 and said[0] in HEADINGS):
                found.append(_answer(kind, *said))
    except (csv.Error, msgspec.ValidationError, TypeError, ValueError) as error:
        raise MapUnclear(where=str(max(number, rows.line_num))) from error
    return found


def _answer(kind: Kind, word: str, meaning: str, points: str = "", word_kind: str = "", cap: str = "") -> WordIn:
    is_new = meaning in NEW
    said = {
        "value": word, "means": None if is_new else meaning, "new": is_new, "points": int(points) if points else None,
        "kind": next((code for code, name in KIND_WORDS.items() if name == word_kind), word_kind or OF_KIND[kind]),
        "cap": cap_in(cap) if cap else None,
    }  # fmt: skip
    return msgspec.convert(said, WordIn)


def cap_in(words: str) -> int | Cap:
    """Parse a cap: “3” and “每人每月3次” mean three times a month for each person. Raises ValueError if unreadable."""
    found = _CAP.fullmatch(words.strip().lower())
    if found is None:
        raise ValueError(words)
    period, times = PERIODS[found["each"] or found["word"] or "month"], int(found["times"])
    if found["place"]:
        return Cap(period, per_area=times)
    return times if period == "month" else Cap(period, per_person=times)
