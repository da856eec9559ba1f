"""Request and response shapes of teams, their members, skills, free times and helpers."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

TeamKind = Literal[
    "escort", "errands", "traffic", "tutoring", "mediation", "policy", "patrol", "repair", "care", "cleaning", "other"
]
SkillKind = Literal["repair", "care", "teaching", "errands", "health", "law", "craft", "other"]
Part = Literal["morning", "afternoon", "evening"]
TeamName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
SkillName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]
About = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
SkillNote = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00]*$")]
Weekday = Annotated[int, Meta(ge=1, le=7)]


class TeamIn(msgspec.Struct, forbid_unknown_fields=True):
    """A team to found; of an area or from a unit, if it is."""

    name: TeamName
    kind: TeamKind
    about: About = ""
    area_id: UUID | None = None
    unit_id: UUID | None = None


class TeamChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Changes of a team; a field that is not sent stays as it is."""

    name: TeamName | UnsetType = UNSET
    kind: TeamKind | UnsetType = UNSET
    about: About | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class TeamOut(msgspec.Struct, frozen=True, kw_only=True):
    """A team with how many belong to it. `standing`: what the caller is in it; null: nothing."""

    id: UUID
    name: str
    kind: TeamKind
    about: str
    area_id: UUID | None
    unit_id: UUID | None
    active: bool
    members: int
    standing: Literal["asked", "member", "leader"] | None


class MemberIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to join, or, by an administrator, to lead or lead no more."""

    person_id: UUID
    leads: bool | None = None


class MemberOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of a team. `pending`: has asked to join, and no leader has confirmed it yet."""

    person_id: UUID
    name: str
    leads: bool
    pending: bool
    joined_on: date | None


class TeamMessageIn(msgspec.Struct, forbid_unknown_fields=True):
    """What a leader writes to all members."""

    text: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class TeamMessageOut(msgspec.Struct, frozen=True):
    """How many members a message went to."""

    members: int


class SkillIn(msgspec.Struct, forbid_unknown_fields=True):
    """A skill to add to the community's list. `needs_proof`: an administrator has to have seen a paper."""

    name: SkillName
    kind: SkillKind
    needs_proof: bool = False


class SkillChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Changes of a skill; a field that is not sent stays as it is."""

    name: SkillName | UnsetType = UNSET
    kind: SkillKind | UnsetType = UNSET
    needs_proof: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class SkillOut(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    kind: SkillKind
    needs_proof: bool
    active: bool


class OfferIn(msgspec.Struct, forbid_unknown_fields=True):
    """What one offers to do. `findable`: consent to be found by it when somebody needs help."""

    note: SkillNote = ""
    findable: bool = False


class OfferOut(msgspec.Struct, frozen=True, kw_only=True):
    """A skill that somebody offers. `proof`: whether a proof that it needs was seen and still counts."""

    person_id: UUID
    name: str
    skill_id: UUID
    skill: str
    note: str
    findable: bool
    needs_proof: bool
    proof: bool
    proof_until: date | None


class ProofIn(msgspec.Struct, forbid_unknown_fields=True):
    """The last day on which the paper counts; none: it does not end."""

    until: date | None = None


class FreeTime(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A part of a weekday; 1 is Monday."""

    weekday: Weekday
    part: Part


class FreeTimesIn(msgspec.Struct, forbid_unknown_fields=True):
    """Every time at which one is free; those that are left out are not."""

    free: Annotated[list[FreeTime], Meta(max_length=21)]


class HelperOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who agreed to be found. `free`: at that time; `near`: lives in that grid."""

    person_id: UUID
    name: str
    skill: str
    proof: bool
    free: bool
    near: bool
    orders_this_month: int
