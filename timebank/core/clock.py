"""The only source of time, and of ids that carry it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from timebank.core import settings

_last_sequence: dict[int, int] = {}
_fixed: ContextVar[datetime | None] = ContextVar("fixed", default=None)


def now() -> datetime:
    """This moment, in UTC."""
    return _fixed.get() or datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """The moment on the community's clocks."""
    return moment.astimezone(settings.current().time_zone)


def local_day(moment: datetime | None = None) -> date:
    """The community's calendar day of a moment, today when none is given."""
    return local(moment or now()).date()


def at_local(day: date, clock_time: time) -> datetime:
    """The moment when the community's clocks show this day and time, in UTC."""
    return datetime.combine(day, clock_time, settings.current().time_zone).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """From the first moment of a local day up to, and without, the first of the next."""
    return at_local(day, time()), at_local(day + timedelta(days=1), time())


def new_id() -> UUID:
    """A UUIDv7 of this moment (RFC 9562): ids that one process makes sort in the order in which it made them.

    The 12 bits after the millisecond hold its fraction, raised where needed above the last id of that millisecond: a
    held clock too gives ids in order.
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
    """Hold the clock at a moment: for tests, and for a history that is told again through the verbs."""
    token = _fixed.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
