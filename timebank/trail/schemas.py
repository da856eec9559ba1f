"""The response shape of the audit trail."""

from datetime import datetime
from uuid import UUID

import msgspec


class ChangeOut(msgspec.Struct, frozen=True, kw_only=True):
    """One audit line: who did what to what, when, from which device, and why. `text` and `values` are for readers."""

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
