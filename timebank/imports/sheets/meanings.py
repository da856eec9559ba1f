"""What a column can mean: its usual headings, and what its values look like."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time

from timebank.imports.cells import amounts, cell_values, moments, phones
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.problems import Problem


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning of a column: its exact headings, a pattern for others, and `weak` headings, which count only if the
    column's values have the `shape`."""

    key: str
    headings: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    weak: tuple[str, ...] = ()
    shape: Callable[[Cell], bool] | None = field(default=None)


def plain_heading(cell: Cell) -> str:
    """A heading in lower case without spaces and marks: “checkintime” for “Check-in time *”."""
    return re.sub(r"[\W_]+", "", cell_values.plain_text(cell).lower())


def means(
    key: str, headings: str, pattern: str = "", *, weak: str = "", shape: Callable[[Cell], bool] | None = None
) -> Meaning:
    return Meaning(key, tuple(headings.split()), re.compile(pattern) if pattern else None, tuple(weak.split()), shape)


def is_identity(cell: Cell) -> bool:
    return bool(re.fullmatch(r"\d{14,18}X?|\d\.\d+E\+?17", cell_values.digits_only(cell)))


def is_phone(cell: Cell) -> bool:
    return isinstance(phones.parse_phone(cell), str)


def is_name(cell: Cell) -> bool:
    found = cell_values.name(cell)
    return isinstance(found, str) and 2 <= len(found) <= 30


def is_day(cell: Cell) -> bool:
    return isinstance(moments.parse_calendar_day(cell), date)


def is_clock(cell: Cell) -> bool:
    return isinstance(cell, time) or (not is_span(cell) and isinstance(moments.minute_of_day(cell), int))


def is_span(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return False
    found = moments.spans(cell)
    return isinstance(found, list) and all(
        last is not None
        and isinstance(moments.minute_of_day(first), int)
        and isinstance(moments.minute_of_day(last), int)
        for first, last in found
    )


def is_whole(cell: Cell) -> bool:
    found = amounts.parse_points(cell, 0)
    return found is not None and not isinstance(found, Problem)
