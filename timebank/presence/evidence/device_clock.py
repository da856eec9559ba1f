"""The clock of a device that stored offline scans: its error, and the times of the scans by the server's clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

TOLERANCE = timedelta(minutes=2)  # a clock that is wrong by more gets the flag "skew"
LATE_AFTER = timedelta(minutes=15)


class DeviceClock(msgspec.Struct, frozen=True):
    """`skew` is the server's time less the device's when it sends; None where the device did not send its time.

    `is_set_back`: the rows of a batch show that the clock was changed between them, so that one difference cannot
    correct all of them.
    """

    skew: timedelta | None = None
    is_set_back: bool = False

    @property
    def is_wrong(self) -> bool:
        return self.is_set_back or (self.skew is not None and abs(self.skew) > TOLERANCE)

    def corrected(self, told: datetime) -> datetime:
        """A time of the device converted to the server's clock. Raises OverflowError where it is out of range."""
        return told + (self.skew or timedelta())


def measured(device_now: datetime | None, received_at: datetime, *, is_set_back: bool = False) -> DeviceClock:
    return DeviceClock(received_at - device_now if device_now else None, is_set_back)


def goes_back(times: Sequence[datetime]) -> bool:
    """Whether the times of scans, in the order in which they were made, go back by more than the tolerance."""
    return any(later < earlier - TOLERANCE for earlier, later in pairwise(times))


def offline_flags(clock: DeviceClock, late_by: timedelta) -> list[str]:
    """The flags of an offline scan."""
    return ["offline", *["offline_late"] * (late_by > LATE_AFTER), *["skew"] * clock.is_wrong]
