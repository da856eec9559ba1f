"""Score how well a column's heading and values fit a meaning, and sort out second columns of one meaning."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from timebank.imports.cells.cell_values import Cell, Unreadable
from timebank.imports.sheets.meanings import Meaning, plain_heading

_EXACT, _LIKELY, _WEAK = 3.0, 2.0, 1.0
_SHAPED = 0.5
_READ_TOGETHER = frozenset({"phone", "note"})
_BESIDE_STOCK = re.compile("备注|说明|日期|时间|单位|地点|位置|人")
_ENDS = frozenset({"in", "out", "span"})
_DECIDING = frozenset({"name", "identity", "date", "points", "stock"})
"""Meanings for which two columns that fit equally well but differ leave open which person or amount is meant."""


@dataclass(frozen=True, slots=True, order=True)
class Fit:
    """How well a column fits a meaning: total score, score of its heading, and share of values that look right."""

    total: float
    heading: float = 0.0
    shaped: float = 0.0


NO_FIT = Fit(0.0)


def fit_of(label: str, meaning: Meaning, values: Sequence[Cell]) -> Fit:
    """Score a heading and the values below it for a meaning; NO_FIT if the heading does not match.

    A weak heading also needs values that fit.
    """
    names = {plain_heading(label), plain_heading(_without_brackets(label))} - {""}
    if names & set(meaning.headings):
        shaped = _share(values, meaning)
        return Fit(_EXACT + shaped, _EXACT, shaped)
    pattern = meaning.pattern
    if pattern is not None and any(pattern.search(name) for name in names):
        shaped = _share(values, meaning)
        return Fit(_LIKELY + shaped, _LIKELY, shaped)
    if names & set(meaning.weak):
        shaped = _share(values, meaning)
        # A vague heading with fitting values beats a clear heading with values that do not fit.
        return Fit(_WEAK + _EXACT * shaped, _WEAK, shaped) if shaped > _SHAPED else NO_FIT
    return NO_FIT


def _share(values: Sequence[Cell], meaning: Meaning) -> float:
    """The share of the sampled values that look right; 0.5 if the meaning has no shape or there are no values."""
    if meaning.shape is None or not values:
        return 0.5
    return sum(map(meaning.shape, values)) / len(values)


def _without_brackets(label: str) -> str:
    kept: list[str] = []
    depth = 0
    for char in label:
        depth += char in "(（[【"
        if depth == 0:
            kept.append(char)
        depth -= char in ")）]】" and depth > 0
    return "".join(kept)


def says_something(cell: Cell) -> bool:
    return cell is not None and not isinstance(cell, Unreadable)


def second_columns(
    columns: Mapping[str, int], known: Mapping[tuple[int, str], Fit], labels: Sequence[Sequence[str]]
) -> tuple[dict[str, tuple[int, ...]], tuple[tuple[str, int], ...]]:
    """The remaining columns with the meaning of another one: those to read with it, those that may contradict it."""
    further: dict[str, tuple[int, ...]] = {}
    twice: list[tuple[str, int]] = []
    used = set(columns.values())
    for (column, key), fit in known.items():
        if column in used or key not in columns or fit.heading < _LIKELY:
            continue
        first = known[columns[key], key]
        same_name = numberless(labels[column]) == numberless(labels[columns[key]])
        if key in _READ_TOGETHER:
            if same_name:
                further[key] = (*further.get(key, ()), column)
        elif (
            same_name
            or (key in _ENDS and fit.shaped > _SHAPED)
            or (key in _DECIDING and fit.heading == first.heading and fit.shaped >= _SHAPED)
            or (key == "stock" and fit.heading == first.heading and not _BESIDE_STOCK.search("".join(labels[column])))
        ):
            twice.append((key, column))
    return further, tuple(twice)


def numberless(labels: Sequence[str]) -> str:
    """A heading without a trailing number: 电话 for 电话1 and 电话2."""
    return re.sub(r"[\d一二三]+$", "", plain_heading(labels[0])) if labels else ""
