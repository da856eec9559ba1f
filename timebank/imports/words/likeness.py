"""Similarity of two words by pronunciation and by shared characters, to suggest meanings for unknown words."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TypeVar

from timebank.core.pinyin.spelling import pinyin_of

SUGGESTED_MAX = 3
ALIKE_LEAST = 0.4

T = TypeVar("T")


def likeness(one: str, other: str) -> float:
    """Similarity from 0 to 1: the share of equal syllables in the same order, or of common characters if larger."""
    return max(_sound(one, other), _meaning(one, other))


def most_alike(word: str, choices: Iterable[tuple[str, T]]) -> Sequence[T]:
    """At most SUGGESTED_MAX of the (name, choice) pairs that are similar to a word, the most similar first."""
    rated = [(likeness(word, name), name, choice) for name, choice in choices]
    alike = sorted((one for one in rated if one[0] >= ALIKE_LEAST), key=lambda one: (-one[0], one[1]))
    return [choice for _, _, choice in alike[:SUGGESTED_MAX]]


def _sound(one: str, other: str) -> float:
    return SequenceMatcher(None, _syllables(one), _syllables(other), autojunk=False).ratio()


@lru_cache(maxsize=4096)
def _syllables(word: str) -> Sequence[str]:
    """Pinyin syllables, cached: a community has hundreds of buildings, each compared with every unknown word."""
    return tuple(pinyin_of(word))


def _meaning(one: str, other: str) -> float:
    first, second = set(one), set(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first or second else 0.0
