"""What goes in and out about policies."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class PolicyOut(msgspec.Struct, kw_only=True):
    """A policy in force with its limits. Only administrators and auditors see who set it, and when."""

    name: str
    title: str
    unit: str
    value: int
    default: int
    smallest: int
    largest: int
    changed_by: UUID | None
    changed_at: datetime | None


class PolicyIn(msgspec.Struct, forbid_unknown_fields=True):
    value: Annotated[int, Meta(ge=0, le=100_000)]
