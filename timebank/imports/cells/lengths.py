"""Lengths of time as people write them."""

import re
from datetime import date, time, timedelta
from typing import Literal

from timebank.imports.cells.cell_values import Cell, Unreadable, blank, plain_text
from timebank.imports.cells.moments import NUMERALS
from timebank.imports.cells.numerals import chinese_number
from timebank.imports.cells.problems import Problem, problem

LengthUnit = Literal["hours", "minutes"]


HOURS_WITHOUT_UNIT_MAX = 12


HOURS_MIN = 0.1


_LENGTH_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::[0-5]\d)?")


_COUNT = r"(?P<{0}>\d{{1,4}}(?:\.\d{{1,6}})?|[零一二两三四五六七八九十]{{1,3}})"


_LENGTH = re.compile(
    rf"(?:{_COUNT.format('hours')}\s*(?P<half_before>个?半)?\s*个?(?:小时|钟头|时|h(?:(?:ou)?rs?)?)\s*(?P<half>半)?"
    rf"|(?P<only_half>半)个?(?:小时|钟头))?"
    rf"\s*(?:{_COUNT.format('minutes')}\s*(?:分钟?|m(?:in(?:ute)?s?)?)?|(?P<quarter>[一三])刻钟?)?"
)


def minutes_long(cell: Cell, *, unit: LengthUnit | None) -> int | Problem | None:
    """A length of service in minutes, from "1.5", "1小时30分", "一个半小时", "1:30" or a time cell of that length.

    `unit` is the unit that the column's heading gives for a bare number. Without one the number means hours, and more
    than HOURS_WITHOUT_UNIT_MAX is refused because it may mean minutes.
    """
    if isinstance(cell, Unreadable):
        return cell.problem
    if isinstance(cell, time):
        return cell.hour * 60 + cell.minute
    if isinstance(cell, timedelta):
        return round(cell.total_seconds() / 60)
    if isinstance(cell, bool | date):
        return problem("duration_unclear")
    if blank(cell):
        return None
    value = plain_text(cell).lower().replace("時", "时").replace("鐘", "钟")
    return _bare_length(float(value), unit) if re.fullmatch(r"\d{1,4}(\.\d{1,6})?", value) else _worded_length(value)


def _bare_length(number: float, unit: LengthUnit | None) -> int | Problem:
    if unit == "minutes":
        # Under 分钟 somebody has written 1.5 hours.
        return round(number) if number.is_integer() else problem("duration_unit")
    if unit is None and number > HOURS_WITHOUT_UNIT_MAX:
        return problem("duration_unit")
    if 0 < number < HOURS_MIN:
        return problem("duration_unclear")  # 0.0625 is how a spreadsheet keeps 1:30 in a plain cell
    return round(number * 60)


def _worded_length(value: str) -> int | Problem:
    clock = _LENGTH_CLOCK.fullmatch(value)
    if clock:
        # 15:30 is a time of the day, not a length.
        long = int(clock[1]) >= HOURS_WITHOUT_UNIT_MAX
        return problem("duration_unclear") if long else int(clock[1]) * 60 + int(clock[2])
    found = _LENGTH.fullmatch(value)
    # A written number without its unit, such as 三十, may be either.
    says_unit = found is not None and (found["hours"] or found["only_half"] or not re.fullmatch(NUMERALS, value))
    return _added_up(found) if found and found.lastgroup and says_unit else problem("duration_unclear")


def _added_up(found: re.Match[str]) -> int | Problem:
    hours, minutes = _count(found["hours"]), _count(found["minutes"])
    if hours is None or minutes is None:
        return problem("duration_unclear")
    halves = sum(found[name] is not None for name in ("half_before", "half", "only_half"))
    quarters = {"一": 15, "三": 45}.get(found["quarter"] or "", 0)
    if halves > 1 or (halves and (minutes or quarters)):
        return problem("duration_unclear")
    return round(hours * 60 + halves * 30 + minutes + quarters)


def _count(written: str | None) -> float | None:
    """A number in digits or Chinese numerals; 0 for no text, `None` if it cannot be read."""
    if written is None:
        return 0
    return float(written) if written[0].isdigit() else chinese_number(written)
