"""What goes out about cards."""

from datetime import datetime
from uuid import UUID

import msgspec


class CardOut(msgspec.Struct, kw_only=True):
    """The card in force of a person. `url` is the content of its QR code; `waits`: it still needs a second person."""

    id: UUID
    person_id: UUID
    epoch: int
    issued_at: datetime
    url: str
    waits: bool = False
