"""Request and response types of earning rules."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

RuleCode = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
RuleKind = Literal["service", "deed"]
CapPeriod = Literal["day", "week", "month", "year"]
Cap = Annotated[int, Meta(ge=1, le=10_000)]


class RuleIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new rule, or the next version of the rule with this code. Without a code, one is made from the name."""

    kind: RuleKind
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
    code: RuleCode | None = None
    minutes_per_point: Annotated[int, Meta(ge=1, le=1440)] | None = None
    points: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    unit: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00]*$")] | None = None
    cap_period: CapPeriod | None = None
    cap_per_person: Cap | None = None
    cap_per_area: Cap | None = None
    active: bool = True
    valid_from: datetime | None = None


class RuleOut(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a rule. `text` is what it gives, in words; `active` False: new records cannot use it."""

    code: str
    version: int
    kind: str
    name: str
    minutes_per_point: int | None
    points: int | None
    unit: str | None
    cap_period: str | None
    cap_per_person: int | None
    cap_per_area: int | None
    active: bool
    valid_from: datetime
    changed_by: UUID | None
    text: str = ""
