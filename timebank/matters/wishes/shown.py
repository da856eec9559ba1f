"""The gift for a wish as it is answered to a keeper: without the code, and without whom it is for."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock
from timebank.matters.reading.rows import MatterRow
from timebank.matters.schemas import MatterStatus
from timebank.matters.wishes.gifts import Gift


class GiftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A wish and its gift for a keeper. Nothing in it says whom it is for."""

    matter_id: UUID
    number: str
    wish: str
    status: MatterStatus
    station_id: UUID
    station: str
    value: int
    received_at: datetime
    waits_until: datetime
    collected_at: datetime | None
    returned_at: datetime | None
    overdue: bool


def gift_out(row: MatterRow, gift: Gift, *, status: MatterStatus | None = None) -> GiftOut:
    """The gift of this wish; `status` after the verb, where it has changed."""
    return GiftOut(
        matter_id=row.id, number=row.number, wish=row.public_text or row.said, status=status or row.status,
        station_id=gift.station_id, station=gift.station, value=gift.value, received_at=gift.received_at,
        waits_until=gift.waits_until, collected_at=gift.collected_at, returned_at=gift.returned_at,
        overdue=gift.waits and gift.waits_until <= clock.now(),
    )  # fmt: skip
