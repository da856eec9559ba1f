"""Read the names of several people from one cell: "薛翠、夏贵福、汤琴", "薛翠 夏贵福"."""

import re
from collections.abc import Set as AbstractSet

from timebank.core.names import COMPOUND_SURNAMES, key
from timebank.imports.cells import callings
from timebank.imports.cells.callings import HAN
from timebank.imports.cells.cell_values import Cell, name, plain_text
from timebank.imports.cells.numerals import chinese_number
from timebank.imports.cells.problems import Problem, problem

GROUP_MAX = 50
_UNLISTED = re.compile(
    r".等$|等\s*(\d+|[一二三四五六七八九十]+)?\s*(人|名|位)$|"
    r".(夫妇|夫妻|两口子|父子|父女|母子|母女|兄弟|姐妹|一家(.口|人)?|全家)(俩|[二两三四五2-5]人)?$"
)
_COUNT = re.compile(r"[\s(（]*(?:共|计|合计)?\s*(\d{1,2}|[一二两三四五六七八九十]{1,3})\s*[人名位][)）]?$")
_LISTED = re.compile(r"\s*[、,，;；/|+\\]\s*|\s+[和与及]\s+|\s*&\s*")
_SPACED = re.compile(rf"{HAN}{{2,4}}(?: {HAN}{{2,4}})+")
_JOINED = re.compile(rf"({HAN}{{2,4}})[和与及]({HAN}{{2,4}})")


def names(cell: Cell, known: AbstractSet[str] = frozenset()) -> list[str] | Problem | None:
    """The names in a cell, each once. Parts separated by a space are several names unless joined they are in `known`.

    `known` holds the keys of residents' names. A cell that does not name everybody (等5人, 张三夫妇) is refused.
    """
    text = plain_text(cell)
    if _UNLISTED.search(text):
        return problem("group_unlisted")
    said = _COUNT.search(text)
    parts = _parts(text[: said.start()] if said and said.start() else text, known)
    if len(parts) == 1:
        # If the cell holds only the name, pass the cell itself, because it may be Unreadable.
        one = callings.name(cell if parts[0] == text else parts[0], known)
        found = {} if one is None or isinstance(one, Problem) else {key(one): one}
        if isinstance(one, Problem):
            return one
    else:
        found = {}
        for part in parts:
            one = callings.name(part, known)
            if isinstance(one, Problem):
                return one
            if one is not None:
                found.setdefault(key(one), one)
    if len(found) > GROUP_MAX:
        return problem("group_too_large", most=GROUP_MAX)
    if found and said and chinese_number(said[1]) != len(found):
        return problem("group_unlisted")
    return list(found.values()) or None


def repeats(cell: Cell, known: AbstractSet[str] = frozenset()) -> bool:
    """Whether a cell has one name twice."""
    parts = [key(part) for part in _parts(_COUNT.sub("", plain_text(cell)), known)]
    return len(set(parts)) < len(parts)


def mentioned(cell: Cell) -> set[str]:
    """Every name that a cell may hold, read as one name and as several."""
    text = plain_text(cell)
    joined = _JOINED.fullmatch("".join(text.split()))
    parts = [text, *_parts(_COUNT.sub("", text), frozenset()), *(joined.groups() if joined else ())]
    return {one for part in parts if isinstance(one := name(part), str)}


def _parts(text: str, known: AbstractSet[str]) -> list[str]:
    parts = [part for part in _LISTED.split(text) if part]
    if len(parts) != 1:
        # A cell may mix separators: "薛翠、夏贵福 汤琴".
        return [one for part in parts for one in _by_spaces(part, known) or [part]] or [text]
    joined = _JOINED.fullmatch(parts[0])
    if joined and key(parts[0]) not in known and known >= {key(joined[1]), key(joined[2])}:
        return [joined[1], joined[2]]
    return _by_spaces(parts[0], known) or parts


def _by_spaces(text: str, known: AbstractSet[str]) -> list[str] | None:
    if not _SPACED.fullmatch(text):
        return None
    parts = text.split(" ")
    if key("".join(parts)) in known:
        return None
    # "欧阳 娜娜" is one name with a space in it, unless both halves are names of known residents.
    if len(parts) == 2 and parts[0] in COMPOUND_SURNAMES and not known >= set(map(key, parts)):
        return None
    return parts
