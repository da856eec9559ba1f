"""Request and response bodies of visits and service records."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.core.clock import Moment

Why = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class HoursIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Honour hours: service that staff enter by hand, with the reason why there was no scan."""

    person_id: UUID
    started_at: Moment
    ended_at: Moment
    reason: Why
    activity_id: UUID | None = None
    station_id: UUID | None = None


class ReviewIn(msgspec.Struct, forbid_unknown_fields=True):
    """A decision. `ended_at` corrects a forgotten check-out's end, `note` says why; somebody else then approves it."""

    decision: Literal["approve", "reject"]
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    ended_at: Moment | None = None


class TimesIn(msgspec.Struct, forbid_unknown_fields=True):
    ended_at: Moment
    reason: Why


class ReversalIn(msgspec.Struct, forbid_unknown_fields=True):
    reason: Why


class RecordOut(msgspec.Struct, frozen=True, kw_only=True):
    """A service record; `flag_texts` say in words why it is reviewed. `person_id` is null for a keeper."""

    id: UUID
    kind: str
    status: str
    person_id: UUID | None
    person: str
    activity_id: UUID | None
    activity: str | None
    station_id: UUID | None
    station: str | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    flags: list[str]
    reason: str | None
    visit_id: UUID | None
    entered_by: UUID | None
    reviewed_at: datetime | None
    review_note: str | None
    notice_until: datetime | None
    credited_minutes: int | None
    credited_points: int | None
    rule_code: str
    rule_version: int | None
    created_at: datetime
    corrected_by: UUID | None = None
    source_kind: str | None = None
    source_id: UUID | None = None
    flag_texts: list[str] = []


class WhyNoPoints(msgspec.Struct, frozen=True, kw_only=True):
    """Why a visit has earned no points: the kind of reason, and the reason in words."""

    kind: str
    text: str


class VisitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A visit with its service record. `why_no_points` is null where the points came."""

    id: UUID
    person_id: UUID
    station_id: UUID
    station: str
    activity: str | None
    in_at: datetime
    out_at: datetime | None
    status: str
    record_id: UUID | None
    record_status: str | None
    minutes: int | None
    credited_minutes: int | None
    credited_points: int | None
    flags: list[str]
    review_note: str | None
    in_by: str
    out_by: str | None
    flag_texts: list[str] = []
    why_no_points: WhyNoPoints | None = None
