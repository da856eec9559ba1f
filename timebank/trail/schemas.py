"""The shapes of the trail."""

from datetime import datetime
from uuid import UUID

import msgspec


class ChangeOut(msgspec.Struct, frozen=True):
    """One line of the trail: who did what to what, when, from which device, and why."""

    id: UUID
    at: datetime
    person_id: UUID | None
    person: str | None
    from_above: bool
    via: str
    device_id: UUID | None
    device: str | None
    verb: str
    noun: str
    noun_id: UUID | None
    about_id: UUID | None
    about: str | None
    reason: str | None
    change: dict[str, object]
    text: str = ""
    values: str = ""
