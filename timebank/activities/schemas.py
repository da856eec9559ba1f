"""Request and response shapes of activities, shifts and sign-ups."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from timebank.core.clock import Moment
from timebank.rules.schemas import RuleCode

ActivityName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Description = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Seats = Annotated[int, Meta(ge=1, le=10_000)]


class ActivityIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An activity to add; `rule_code` is the rule by which its minutes are credited.

    One that is `paid` is attendance only: its visits earn nothing. The leaders of its team lead its shifts.
    """

    name: ActivityName
    rule_code: RuleCode
    description: Description = ""
    station_id: UUID | None = None
    needs_sign_up: bool = False
    paid: bool = False
    team_id: UUID | None = None


class ActivityChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Changes of an activity; a field that is not sent stays as it is."""

    name: ActivityName | UnsetType = UNSET
    rule_code: RuleCode | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    station_id: UUID | UnsetType | None = UNSET
    needs_sign_up: bool | UnsetType = UNSET
    paid: bool | UnsetType = UNSET
    team_id: UUID | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class ActivityOut(msgspec.Struct, frozen=True, kw_only=True):
    """An activity. `station_id` null: at any station of the community."""

    id: UUID
    community_id: UUID
    name: str
    description: str
    station_id: UUID | None
    rule_code: str
    needs_sign_up: bool
    active: bool
    paid: bool = False
    team_id: UUID | None = None


class ShiftIn(msgspec.Struct, forbid_unknown_fields=True):
    station_id: UUID
    starts_at: Moment
    ends_at: Moment
    seats: Seats


class ShiftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A shift. `signed_up`: whether the caller has signed up, `leads` to lead it, `offering` while looking for somebody
    else. `on_offer`: how many seats others offer. `pattern_id`: the pattern that it was written by."""

    id: UUID
    activity_id: UUID
    station_id: UUID
    starts_at: datetime
    ends_at: datetime
    seats: int
    seats_taken: int
    cancelled: bool
    signed_up: bool
    leads: bool = False
    offering: bool = False
    on_offer: int = 0
    pattern_id: UUID | None = None


class SignUpIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to sign up: another of the caller's own resident records, else the caller."""

    person_id: UUID | None = None


class SignUpOut(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    shift_id: UUID
    person_id: UUID


class SeatOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whose seat of a shift it is. `offered`: its holder looks for somebody else."""

    seat: UUID
    shift_id: UUID
    person_id: UUID
    offered: bool = False


class LeaderIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who leads a shift for which they have signed up; `leads` false: no longer."""

    person_id: UUID
    leads: bool = True
