"""Services of which a log says the day and the length and not the hour: where in the day they are entered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from timebank.imports.kinds.hours.read import HoursRow

DAY = timedelta(days=1)
Busy = tuple[datetime, datetime]


def placed(row: HoursRow, busy: Sequence[Busy]) -> HoursRow | None:
    """The service at the first time of its day that is free; None where the day has no such time left.

    Nobody was seen at that time: the reviewer reads so in the record's reason. It only must not be counted as an
    overlap with what is known of the day.
    """
    found = free_part(row.started_at, row.ended_at - row.started_at, busy)
    return replace(row, started_at=found[0], ended_at=found[1]) if found else None


def free_part(midnight: datetime, length: timedelta, busy: Sequence[Busy]) -> Busy | None:
    """The first time of the day that begins at this midnight in which nothing is known."""
    begins = [midnight, *sorted(end for _, end in busy if midnight < end < midnight + DAY)]
    for begin in begins:
        end = begin + length
        if end <= midnight + DAY and not any(
            begin < other_end and other_begin < end for other_begin, other_end in busy
        ):
            return begin, end
    return None


def of_that_day(row: HoursRow, busy: Sequence[Busy]) -> int:
    """How many known services touch the day of a row: one of them may be the same service."""
    return sum(begin < row.started_at + DAY and row.started_at < end for begin, end in busy)
