"""Request and response shapes about people."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

NO_NUL = r"^[^\x00]*$"
Sex = Literal["男", "女"]
Status = Literal["active", "blocked", "left"]
PersonName = Annotated[str, Meta(min_length=1, max_length=60, pattern=NO_NUL)]
Word = Annotated[str, Meta(max_length=20, pattern=NO_NUL)]
Number = Annotated[str, Meta(max_length=40, pattern=NO_NUL)]
Reason = Annotated[str, Meta(max_length=500, pattern=NO_NUL)]


class Enrolment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A person to register in the community.

    The household is found by area, room and head; without a head it is the room's only household, else a new one with
    the person as head. Without an area there is no household.
    """

    name: PersonName
    sex: Sex | None = None
    born_on: date | None = None
    identity: Number | None = None
    phone: Number | None = None
    relation: Word | None = None
    area_id: UUID | None = None
    room: Word = ""
    head_name: PersonName | None = None
    publishes_name: bool = False


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """The person of an enrolment. `created` is false for somebody already registered, who is left unchanged."""

    person_id: UUID
    created: bool


class Correction(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Changes of a person's record; a field that is not sent stays as it is, null empties it."""

    name: PersonName | UnsetType = UNSET
    sex: Sex | UnsetType | None = UNSET
    born_on: date | UnsetType | None = UNSET
    identity: Number | UnsetType | None = UNSET
    phone: Number | UnsetType | None = UNSET
    relation: Word | UnsetType | None = UNSET
    area_id: UUID | UnsetType = UNSET
    room: Word | UnsetType = UNSET
    head_name: PersonName | UnsetType = UNSET
    publishes_name: bool | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    reason: Reason | None = None


class PersonLine(msgspec.Struct, kw_only=True):
    """A person in a list. Phone and room are null for building and unit heads, and in a look-up at the counter."""

    id: UUID
    name: str
    area: str | None
    room: str | None
    phone: str | None
    status: Status
    is_child: bool


class PersonDetail(msgspec.Struct, kw_only=True):
    """One person. The identity number is masked; the phone too, unless for administrators, the person and guardians."""

    id: UUID
    community_id: UUID
    name: str
    sex: Sex | None
    born_on: date | None
    relation: str | None
    phone: str | None
    identity: str | None
    household_id: UUID | None
    area_id: UUID | None
    area: str | None
    room: str | None
    head_name: str | None
    publishes_name: bool
    status: Status
    is_child: bool
    created_at: datetime
    merged_into: UUID | None = None
    """The record that this one was merged into and that holds everything now; this one has status `left`."""


class ChildOut(msgspec.Struct, kw_only=True):
    person_id: UUID
    community_id: UUID
    name: str
    consented: bool


class GuardianIn(msgspec.Struct, forbid_unknown_fields=True):
    """A guardian to name for a child. `consented`: the guardian has agreed in front of whoever records it."""

    guardian_id: UUID
    relation: Annotated[str, Meta(min_length=1, max_length=20, pattern=NO_NUL)]
    consented: bool = False


class GuardianOut(msgspec.Struct, kw_only=True):
    id: UUID
    guardian_id: UUID
    guardian_name: str
    child_id: UUID
    child_name: str
    relation: str
    consented_at: datetime | None
    recorded_by: UUID | None
