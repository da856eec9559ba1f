"""The clock of a device whose scans waited on it: how wrong it is, and when a scan was made by the server's time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

TOLERANCE = timedelta(minutes=2)  # by which a clock may be wrong before the hours of its scans are called inexact
LATE_AFTER = timedelta(minutes=15)


class DeviceClock(msgspec.Struct, frozen=True):
    """`skew` is the server's clock less the device's while it sends, None where it did not tell.

    `is_set_back`: the rows of a batch say that the clock was changed between them, so that one difference cannot
    correct them all.
    """

    skew: timedelta | None = None
    is_set_back: bool = False

    @property
    def is_wrong(self) -> bool:
        return self.is_set_back or (self.skew is not None and abs(self.skew) > TOLERANCE)

    def corrected(self, told: datetime) -> datetime:
        """A moment of the device's clock by the server's. Raises OverflowError for one beyond every calendar."""
        return told + (self.skew or timedelta())


def measured(device_now: datetime | None, received_at: datetime, *, is_set_back: bool = False) -> DeviceClock:
    return DeviceClock(received_at - device_now if device_now else None, is_set_back)


def goes_back(times: Sequence[datetime]) -> bool:
    """Whether scans that are told in the order in which they were made have times that go back."""
    return any(later < earlier - TOLERANCE for earlier, later in pairwise(times))


def offline_flags(clock: DeviceClock, late_by: timedelta) -> list[str]:
    """Why a scan that waited on a device is looked at."""
    return ["offline", *["offline_late"] * (late_by > LATE_AFTER), *["skew"] * clock.is_wrong]
