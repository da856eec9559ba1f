"""Reads the services of one line of a sign-in sheet: pairs of sign-in and sign-out times, or a day and a length."""

import itertools
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from timebank.core import clock
from timebank.imports.cells import cell_values, lengths, moments
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.problems import Problem, problem
from timebank.imports.sheets import context
from timebank.imports.sheets.context import TitleDates
from timebank.imports.sheets.meanings import plain_heading
from timebank.imports.sheets.parsed import InSheet, Reading

T = TypeVar("T", bound=InSheet)

_PAIRS = (("in", "out", "span"), ("in2", "out2", "span2"))
_SAYS_MORNING = re.compile("凌晨|上午|早|次日|第二天|am", re.IGNORECASE)
NOON = 12 * 60
_SMALL_HOURS_END = 7 * 60
_COUNTED_FROM_UNTIL = 1904


@dataclass(frozen=True, slots=True)
class Service:
    """One interval of service and the column shown in its problems; `day_only` if just its day and length are known."""

    started_at: datetime
    ended_at: datetime
    minutes: int
    column: str
    day_only: bool = False


@dataclass(frozen=True, slots=True)
class _Ends:
    """Sign-in and sign-out as written, and their columns."""

    first: Cell
    last: Cell
    first_column: str
    last_column: str


def services(reading: Reading[T], carried: date | None, titled: TitleDates, today: date) -> list[Service]:
    """The services of a line, earliest first; refuses the row if they are invalid, overlap or are out of order."""
    ends = [written for pair in _PAIRS for written in _ends(reading, *pair)]
    if reading.refused and not ends:
        return []
    shown = ends[0].first_column if ends else _first_column(reading)
    day = _day(reading, ends[0].first if ends else None, shown, carried, titled)
    if day is not None and day > today:
        reading.refuse("date" if "date" in reading.header.columns else shown, problem("date_future"))
    if not ends:
        return _by_length(reading, day)
    length = _length(reading, decides=len(ends) == 1 and ends[0].last is None)
    found = [one for pair in ends if (one := _service(reading, pair, day, length, titled)) is not None]
    for one, other in itertools.pairwise(found):
        if other.started_at < one.ended_at:
            span = f"{one.started_at:%H:%M}–{one.ended_at:%H:%M}"
            reading.refuse(other.column, problem("overlap", row=reading.number, earlier=span))
    total = sum(one.minutes for one in found)
    if length is not None and len(found) == len(ends) and ends[-1].last is not None and abs(length - total) > 1:
        reading.warn("length", problem("duration_differs", minutes=total))
    return found


def _ends(reading: Reading[T], first: str, last: str, span: str) -> list[_Ends]:
    """The raw ends from a pair of columns, or from one column with one or more spans."""
    if not cell_values.blank(reading.cell(first)) or not cell_values.blank(reading.cell(last)):
        out = reading.cell(last)
        return [_Ends(reading.cell(first), None if cell_values.blank(out) else out, first, last)]
    return [_Ends(*halves, span, span) for halves in reading.take(span, moments.spans) or []]


def _first_column(reading: Reading[T]) -> str:
    return next((column for pair in _PAIRS for column in pair if column in reading.header.columns), "length")


def _by_length(reading: Reading[T], day: date | None) -> list[Service]:
    """The service of a line with only a day and a length, in a sheet without columns for times."""
    timed = any(column in reading.header.columns for pair in _PAIRS for column in pair)
    if timed or "length" not in reading.header.columns:
        reading.refuse(_first_column(reading), problem("missing_in"))
        return []
    length = _length(reading, decides=True)
    if length is None and not reading.refused:
        reading.refuse("length", problem("blank", column=reading.header.heading("length")))
    if length is None or day is None:
        return []
    if not 0 < length <= moments.DAY_MINUTES:
        reading.refuse("length", problem("too_long" if length > 0 else "duration_unclear"))
        return []
    midnight = clock.local(clock.at_local(day, time()))
    return [Service(midnight, midnight + timedelta(minutes=length), length, "length", day_only=True)]


def _service(
    reading: Reading[T], ends: _Ends, day: date | None, length: int | None, titled: TitleDates
) -> Service | None:
    within = _day_within(ends.first)
    if within is not None and day is not None and within != day:
        reading.refuse(ends.first_column, problem("date_contradicts", within=within.isoformat(), day=day.isoformat()))
    start = _minute(reading, ends.first_column, ends.first, "missing_in", titled)
    if start is None:
        return None
    if ends.last is None and length is not None:
        end: int | None = start + length
    elif ends.last is None and not cell_values.blank(reading.cell("length")):
        return None  # the row is refused already, because the length could not be read
    else:
        end = _minute(reading, ends.last_column, ends.last, "missing_out", titled)
    if day is None or end is None:
        return None
    end += _days_later(ends.first, ends.last, day) * moments.DAY_MINUTES
    if end <= start:
        reading.refuse(ends.last_column, problem("out_before_in"))
    elif end - start > moments.DAY_MINUTES:
        reading.refuse(ends.last_column, problem("too_long"))
    midnight = clock.local(clock.at_local(day, time()))
    shown = ends.last_column if ends.last_column in reading.header.columns else ends.first_column
    return Service(midnight + timedelta(minutes=start), midnight + timedelta(minutes=end), end - start, shown)


def _day(reading: Reading[T], first: Cell, first_column: str, carried: date | None, titled: TitleDates) -> date | None:
    if carried is not None and cell_values.blank(reading.cell("date")) and "date" in reading.header.columns:
        return _day_within(first) or carried
    written = reading.take("date", lambda cell: context.parse_day(cell, titled))
    if written is not None or not cell_values.blank(reading.cell("date")):
        return written
    within = _day_within(first)
    if within is None and carried is None:
        missing = "date" if "date" in reading.header.columns else first_column
        reading.refuse(missing, problem("date_unclear"))
    return within or carried


def _day_within(cell: Cell) -> date | None:
    """The day in a time cell. Years up to 1904 are ignored: a spreadsheet stores a time alone with its epoch as day."""
    if isinstance(cell, datetime) and cell.year <= _COUNTED_FROM_UNTIL:
        return None
    within = (
        moments.parse_calendar_day(cell)
        if isinstance(cell, datetime) or len(cell_values.plain_text(cell)) > 8
        else None
    )
    return within if isinstance(within, date) else None


def _minute(reading: Reading[T], column: str, cell: Cell, missing: str, titled: TitleDates) -> int | None:
    found = reading.read(column, lambda _: moments.minute_of_day(cell))
    if found is None:
        found = problem(missing)
    if isinstance(found, Problem):
        choices = [column, *(each for pair in _PAIRS for each in pair)]
        reading.refuse(next(each for each in choices if each in reading.header.columns), found)
        return None
    # In a column with 下午 in its heading, 2:30 means 14:30.
    late = found < NOON and context.LATE.search(reading.header.heading(column)) is not None
    # A title of the whole table shifts only times from 1:00 to 7:00: 9:30 below it may be in the morning.
    late = late or (titled.is_late and 60 <= found < _SMALL_HOURS_END)
    return found + NOON if late and not _SAYS_MORNING.search(cell_values.plain_text(cell)) else found


def _days_later(first: Cell, last: Cell, day: date) -> int:
    """The days from sign-in (by default on `day`) to a sign-out with a date of its own; 0 without one."""
    found = _day_within(last)
    return (found - (_day_within(first) or day)).days if found is not None else 0


def _length(reading: Reading[T], *, decides: bool) -> int | None:
    """The written length in minutes; an unreadable one refuses the row only if `decides`, else it is left out."""
    heading = plain_heading(reading.header.heading("length"))
    unit: lengths.LengthUnit | None = None
    if "分" in heading or "minute" in heading:
        unit = "minutes"
    elif "小时" in heading or "hour" in heading or "时数" in heading:
        unit = "hours"

    def read(cell: Cell) -> int | Problem | None:
        return lengths.minutes_long(cell, unit=unit)

    return reading.take("length", read) if decides else reading.beside("length", read)
