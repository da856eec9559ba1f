"""The only source of the current time, of local dates and of time-ordered ids."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from timebank.core import settings

Moment = Annotated[datetime, Meta(tz=True)]
"""A moment in a request, with its offset from UTC."""

_last_sequence: dict[int, int] = {}
_fixed: ContextVar[datetime | None] = ContextVar("fixed", default=None)


def now() -> datetime:
    """The current time in UTC, or the time that `at` has set."""
    return _fixed.get() or datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """The moment in the local time zone (setting TIMEBANK_TIME_ZONE)."""
    return moment.astimezone(settings.current().time_zone)


def local_day(moment: datetime | None = None) -> date:
    """The local date of a moment; today if none is given."""
    return local(moment or now()).date()


def at_local(day: date, clock_time: time) -> datetime:
    """Convert a local date and time of day to UTC."""
    return datetime.combine(day, clock_time, settings.current().time_zone).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The begin (inclusive) and end (exclusive) of a local day, in UTC.

    The first and the last day of the calendar stand for the day next to them, since UTC has no moment for their bounds.
    """
    kept = min(max(day, date.min + timedelta(days=1)), date.max - timedelta(days=1))
    return at_local(kept, time()), at_local(kept + timedelta(days=1), time())


def new_id() -> UUID:
    """A UUIDv7 of the current time (RFC 9562). Ids made by one process sort in the order of creation.

    The 12 bits after the millisecond hold its fraction, or one more than the last id of that millisecond if that is
    higher. So ids are in order even while `at` holds the clock.
    """
    millisecond, fraction = divmod(int(now().timestamp() * 1_000_000), 1000)
    sequence = max(fraction * 4, _last_sequence.get(millisecond, -1) + 1)
    while sequence > 0xFFF:
        millisecond += 1
        sequence = _last_sequence.get(millisecond, -1) + 1
    if len(_last_sequence) > 1000:
        _last_sequence.clear()
    _last_sequence[millisecond] = sequence
    return UUID(int=millisecond << 80 | 0x7 << 76 | sequence << 64 | 0b10 << 62 | secrets.randbits(62))


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Set the clock to a fixed moment until the block ends; for tests and for the demo's history."""
    token = _fixed.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
