"""Several people in one cell: "薛翠、夏贵福、汤琴", "薛翠 夏贵福"."""

import re
from collections.abc import Set as AbstractSet

from timebank.imports.cells import Cell, name, words
from timebank.imports.problems import Problem, problem
from timebank.names import COMPOUND_SURNAMES, key

GROUP_MAX = 50
_UNLISTED = re.compile(r"[、,，;；/ ].*等$|^[\u3400-\u9fff]{2,}等$|等\s*(\d+|[一二三四五六七八九十]+)\s*(人|名|位)?$")
_LISTED = re.compile(r"\s*[、,，;；/|]\s*|\s+和\s+|\s*&\s*")
_SPACED = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]{2,4}(?: [\u3400-\u9fff\U00020000-\U000323af]{2,4})+")


def names(cell: Cell, known: AbstractSet[str] = frozenset()) -> list[str] | Problem | None:
    """The names of a cell, each once. Names parted by a space are several unless they are one of `known`.

    `known` are the keys of names. A cell that ends in 等5人 hides people and is refused.
    """
    text = words(cell)
    if _UNLISTED.search(text):
        return problem("group_unlisted")
    parts = [part for part in _LISTED.split(text) if part]
    if len(parts) < 2:
        parts = _by_spaces(text, known) or [text]
    if len(parts) == 1:
        one = name(cell)
        return one if one is None or isinstance(one, Problem) else [one]
    found: dict[str, str] = {}
    for part in parts:
        one = name(part)
        if isinstance(one, Problem):
            return one
        if one is not None:
            found.setdefault(key(one), one)
    if len(found) > GROUP_MAX:
        return problem("group_too_large", most=GROUP_MAX)
    return list(found.values()) or None


def mentioned(cell: Cell) -> set[str]:
    """Every name that a cell may hold, read as one name and as several."""
    found = {one for one in [name(cell)] if isinstance(one, str)}
    several = names(cell)
    return found | set(several) if isinstance(several, list) else found


def _by_spaces(text: str, known: AbstractSet[str]) -> list[str] | None:
    if not _SPACED.fullmatch(text):
        return None
    parts = text.split(" ")
    if key("".join(parts)) in known:
        return None
    # "欧阳 娜娜" is one name with a space in it, unless both halves are names of people who are known.
    if len(parts) == 2 and parts[0] in COMPOUND_SURNAMES and not known >= set(map(key, parts)):
        return None
    return parts
