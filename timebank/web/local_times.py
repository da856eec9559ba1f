"""Convert the local days and times of forms."""

from datetime import date, datetime, time
from typing import Annotated

from msgspec import Meta

from timebank.core import clock

LocalTime = Annotated[str, Meta(max_length=8, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]


def moment_of(day: date, at: str) -> datetime:
    """The moment of a local day and time."""
    return clock.at_local(day, time.fromisoformat(at))
