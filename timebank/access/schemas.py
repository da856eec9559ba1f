"""Request and response shapes of sign-in, the caller's login and role grants."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.access.membership_state import Question
from timebank.core.scope import Role
from timebank.people.schemas import ChildOut

Phone = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A phone with a password, or with the sign-in code that staff have given."""

    phone: Phone
    password: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    otp: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None


class LoginOut(msgspec.Struct):
    id: UUID


class PersonOut(msgspec.Struct, kw_only=True):
    """A resident record that the login stands for, with the roles that it holds.

    Spending through it is paused until `rests_until`, because the login's holder is not confirmed yet.
    """

    person_id: UUID
    community_id: UUID
    community_name: str
    name: str
    roles: list[str]
    rests_until: datetime | None = None


class SessionOut(msgspec.Struct, kw_only=True):
    """A new session. `weak_password`: the password is easily guessed; ask the user for a new one."""

    token: str
    expires_at: datetime
    login: LoginOut
    persons: list[PersonOut]
    weak_password: bool = False


class MeOut(msgspec.Struct, kw_only=True):
    """The caller's login. `questions`: records with the login's phone that wait for its holder's answer."""

    login: LoginOut
    persons: list[PersonOut]
    children: list[ChildOut]
    questions: list[Question]


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """A new password. `current` is required unless a sign-in code opened the session in the last 15 minutes.

    `otp` is a sign-in code of a second community, required without `current` if the session does not open that
    community's records of the login.
    """

    password: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    current: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    otp: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None


class GrantIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A role to grant to a person over one place: a region, an area or a station. `ends_on` is the last day.

    `paid`: the holder is paid for this duty, so that what they do in it earns nothing. `unit_id`: the unit that a
    contact serves in the region.
    """

    person_id: UUID
    role: Role
    region_id: UUID | None = None
    area_id: UUID | None = None
    station_id: UUID | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    paid: bool = False
    unit_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.role is Role.unit_contact) != (self.unit_id is not None):
            raise ValueError("give unit_id for a unit_contact, and for no other role")
        if sum(place is not None for place in (self.region_id, self.area_id, self.station_id)) != 1:
            raise ValueError("give one of region_id, area_id and station_id")


class GrantOut(msgspec.Struct, kw_only=True):
    """A role grant over a place. `ends_on` is the last day, if any."""

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
    paid: bool = False
    unit_id: UUID | None = None
