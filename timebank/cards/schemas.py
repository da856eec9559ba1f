"""What goes out about cards."""

from datetime import datetime
from uuid import UUID

import msgspec


class CardOut(msgspec.Struct):
    """The card in force of a person. `url` is what its code says; `waits` for a second person to vouch for it."""

    id: UUID
    person_id: UUID
    epoch: int
    issued_at: datetime
    url: str
    waits: bool = False
