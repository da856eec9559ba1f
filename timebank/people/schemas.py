"""What goes in and out about people."""

from uuid import UUID

import msgspec


class ChildOut(msgspec.Struct):
    person_id: UUID
    community_id: UUID
    name: str
    consented: bool
