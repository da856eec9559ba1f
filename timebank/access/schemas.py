"""What goes in and out of sign-in and "who am I"."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.people.schemas import ChildOut

Phone = Annotated[str, Meta(min_length=5, max_length=20, pattern=r"^\+?[0-9 -]+$")]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Phone with a password, or with the one-time code that a keeper has given out."""

    phone: Phone
    password: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    otp: Annotated[str, Meta(pattern=r"^[0-9]{6}$")] | None = None


class LoginOut(msgspec.Struct):
    id: UUID


class PersonOut(msgspec.Struct):
    """A resident record that the login stands for, with the roles that it holds there."""

    person_id: UUID
    community_id: UUID
    community_name: str
    name: str
    roles: list[str]


class SessionOut(msgspec.Struct):
    token: str
    expires_at: datetime
    login: LoginOut
    persons: list[PersonOut]


class MeOut(msgspec.Struct):
    login: LoginOut
    persons: list[PersonOut]
    children: list[ChildOut]
