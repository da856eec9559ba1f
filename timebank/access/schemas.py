"""What goes in and out of sign-in and "who am I"."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.access.standing import Question
from timebank.core.scope import Role
from timebank.people.schemas import ChildOut

Phone = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Phone with a password, or with the one-time code that a keeper has given out."""

    phone: Phone
    password: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    otp: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None


class LoginOut(msgspec.Struct):
    id: UUID


class PersonOut(msgspec.Struct):
    """A resident record that the login stands for, with the roles that it holds there.

    Until `rests_until` nothing is spent through it: it is not sure yet whose the login is.
    """

    person_id: UUID
    community_id: UUID
    community_name: str
    name: str
    roles: list[str]
    rests_until: datetime | None = None


class SessionOut(msgspec.Struct):
    """`weak_password`: the password that was given is easily guessed; ask for a new one."""

    token: str
    expires_at: datetime
    login: LoginOut
    persons: list[PersonOut]
    weak_password: bool = False


class MeOut(msgspec.Struct):
    """`questions`: records of the login's phone that wait until its holder agrees."""

    login: LoginOut
    persons: list[PersonOut]
    children: list[ChildOut]
    questions: list[Question]


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """`current` is needed unless a one-time code opened the session in the last 15 minutes.

    `otp` is a second code, of another community that the login stands for as well: without it, or `current`, the code
    of one sets no password that would open the records of the other.
    """

    password: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    current: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    otp: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None


class GrantIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A role for a person over one place: a region, an area or a station. `ends_on` is the last day."""

    person_id: UUID
    role: Role
    region_id: UUID | None = None
    area_id: UUID | None = None
    station_id: UUID | None = None
    starts_on: date | None = None
    ends_on: date | None = None

    def __post_init__(self) -> None:
        if sum(place is not None for place in (self.region_id, self.area_id, self.station_id)) != 1:
            raise ValueError("give one of region_id, area_id and station_id")


class GrantOut(msgspec.Struct):
    """A role that somebody holds over a place, until `ends_on` where there is a last day."""

    id: UUID
    person_id: UUID
    person_name: str
    role: Role
    region_id: UUID | None
    area_id: UUID | None
    station_id: UUID | None
    place_name: str
    starts_on: date
    ends_on: date | None
    granted_by: UUID | None
    granted_at: datetime
