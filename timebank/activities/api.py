"""Activities, shifts and sign-ups over HTTP."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.activities import calling_off, changes, offers, shifts
from timebank.activities.schemas import (
    ActivityChange,
    ActivityIn,
    ActivityOut,
    ShiftIn,
    ShiftOut,
    SignUpIn,
    SignUpOut,
)
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.paging import Cursor, Limit, listed


class Activities(Controller):
    path = "/activities"

    @get()
    async def activities(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], active: FromQuery[bool | None] = True,
        station_id: FromQuery[UUID | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[ActivityOut]]:  # fmt: skip
        """The community's activities by name; with `station_id` only those offered at that station."""
        found = await offers.activities(caller, active=active, station_id=station_id, limit=limit, cursor=cursor)
        return listed(request, found)

    @post()
    async def add(self, data: JSONBody[ActivityIn], caller: NamedDependency[Scope]) -> ActivityOut:
        return await offers.add_activity(caller, data)

    @get("/{activity_id:uuid}")
    async def one(self, activity_id: FromPath[UUID], caller: NamedDependency[Scope]) -> ActivityOut:
        return await offers.activity(caller, activity_id)

    @patch("/{activity_id:uuid}")
    async def change(
        self, activity_id: FromPath[UUID], data: JSONBody[ActivityChange], caller: NamedDependency[Scope]
    ) -> ActivityOut:
        return await changes.change_activity(caller, activity_id, data)

    @get("/{activity_id:uuid}/shifts")
    async def shifts(
        self, request: Request[Any, Any, Any], activity_id: FromPath[UUID], caller: NamedDependency[Scope],
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[ShiftOut]]:  # fmt: skip
        """The shifts that have not ended yet, soonest first."""
        return listed(request, await shifts.shifts(caller, activity_id, limit=limit, cursor=cursor))

    @post("/{activity_id:uuid}/shifts")
    async def add_shift(
        self, activity_id: FromPath[UUID], data: JSONBody[ShiftIn], caller: NamedDependency[Scope]
    ) -> ShiftOut:
        return await shifts.add_shift(caller, activity_id, data)


class Shifts(Controller):
    path = "/shifts/{shift_id:uuid}"

    @delete()
    async def cancel(self, shift_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """Cancel the shift."""
        await calling_off.cancel_shift(caller, shift_id)

    @post("/sign-ups")
    async def sign_up(
        self, shift_id: FromPath[UUID], data: JSONBody[SignUpIn], caller: NamedDependency[Scope]
    ) -> SignUpOut:
        """Sign up for the shift; a repetition returns the same sign-up."""
        return await shifts.sign_up(caller, shift_id, data.person_id)

    @delete("/sign-ups")
    async def withdraw(
        self, shift_id: FromPath[UUID], caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None
    ) -> None:
        """Cancel a sign-up."""
        await shifts.cancel_sign_up(caller, shift_id, person_id)
