"""Request and response types of earning rules."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

RuleCode = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
RuleKind = Literal["service", "deed"]
CapPeriod = Literal["day", "week", "month", "year"]
Trigger = Literal[
    "report_confirmed", "head_report_confirmed", "courier_report_confirmed", "turn_kept", "theme_kept",
    "dispute_settled", "idea_adopted", "pledge_kept",
]  # fmt: skip
Cap = Annotated[int, Meta(ge=1, le=10_000)]


class RuleIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new rule, or the next version of the rule with this code. Without a code, one is made from the name.

    For deeds: what happens under the `trigger` is filed as a deed by itself, and `notice_days` is how long a deed is
    published before it is credited, where that differs from the community's policy.
    """

    kind: RuleKind
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
    code: RuleCode | None = None
    minutes_per_point: Annotated[int, Meta(ge=1, le=1440)] | None = None
    points: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    unit: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00]*$")] | None = None
    cap_period: CapPeriod | None = None
    cap_per_person: Cap | None = None
    cap_per_area: Cap | None = None
    trigger: Trigger | None = None
    notice_days: Annotated[int, Meta(ge=0, le=60)] | None = None
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
    trigger: str | None = None
    notice_days: int | None = None
    text: str = ""
