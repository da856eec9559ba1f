"""The rows that a report remarks on, with their cells, so that a reader recognises them."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from timebank.imports.sheets.parsed import InSheet, Parsed, Reading, RowProblem

T = TypeVar("T", bound=InSheet)

ROWS_SHOWN_MAX = 2_000
"""Further rows are not shown: the user corrects the sheet and sees them in the next trial run."""
VALUE_SHOWN_MAX = 40


class ShownCell(msgspec.Struct, frozen=True, array_like=True):
    """One cell: its column's letter and heading, and its value with identity and phone numbers masked."""

    letter: str
    heading: str
    value: str


class ShownRow(msgspec.Struct, frozen=True):
    """A row of the sheet as it was read, with the values carried over from merged cells and 同上."""

    sheet: str
    row: int
    cells: list[ShownCell]


def shown_rows(parsed: Parsed[T], remarks: Iterable[RowProblem]) -> list[ShownRow]:
    """The first ROWS_SHOWN_MAX rows that have a remark, each once, in the order of the sheets."""
    told: dict[tuple[str, int], set[str]] = {}
    for remark in remarks:
        if (remark.sheet, remark.row) in parsed.readings:
            told.setdefault((remark.sheet, remark.row), set()).add(remark.letter)
    order = {place: number for number, place in enumerate(parsed.readings)}
    first = sorted(told, key=lambda place: order[place])[:ROWS_SHOWN_MAX]
    return [ShownRow(*place, _cells(parsed.readings[place], told[place])) for place in first]


def _cells(reading: Reading[T], marked: set[str]) -> list[ShownCell]:
    """The filled cells that were read and every cell that has a remark, even if blank, from left to right."""
    found = []
    for meaning, _column in sorted(reading.header.columns.items(), key=lambda item: item[1]):
        value, letter = reading.shown(meaning), reading.letter(meaning)
        if value or letter in marked:
            cut = value if len(value) <= VALUE_SHOWN_MAX else value[:VALUE_SHOWN_MAX] + "…"
            found.append(ShownCell(letter, reading.header.heading(meaning), cut))
    return found
