"""Place services within their day if a sheet gives their date and length but no times."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from timebank.imports.kinds.hours.read import HoursRow

DAY = timedelta(days=1)
Busy = tuple[datetime, datetime]


def place_in_day(row: HoursRow, busy: Sequence[Busy]) -> HoursRow | None:
    """The service at the first free time of its day; None where no free time is long enough.

    The time is only chosen to avoid an overlap with other services. The record's reason tells the reviewer that the
    real times are unknown.
    """
    found = free_part(row.started_at, row.ended_at - row.started_at, busy)
    return replace(row, started_at=found[0], ended_at=found[1]) if found else None


def free_part(midnight: datetime, length: timedelta, busy: Sequence[Busy]) -> Busy | None:
    """The first span of this length in the day from `midnight` on that overlaps nothing in `busy`."""
    begins = [midnight, *sorted(end for _, end in busy if midnight < end < midnight + DAY)]
    for begin in begins:
        end = begin + length
        if end <= midnight + DAY and not any(
            begin < other_end and other_begin < end for other_begin, other_end in busy
        ):
            return begin, end
    return None


def of_that_day(row: HoursRow, busy: Sequence[Busy]) -> int:
    """The number of known services that touch the row's day; one of them may be the same service."""
    return sum(begin < row.started_at + DAY and row.started_at < end for begin, end in busy)
