"""Activities, shifts and sign-ups over HTTP."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.activities import calling_off, changes, leaders, offers, shifts, substitutes
from timebank.activities.patterns import patterns, standing
from timebank.activities.patterns.schemas import BreakIn, PatternIn, PatternOut, StandingIn, StandingOut, Weekday
from timebank.activities.schemas import (
    ActivityChange,
    ActivityIn,
    ActivityOut,
    LeaderIn,
    SeatOut,
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

    @post("/offers", status_code=200)
    async def offer(
        self, shift_id: FromPath[UUID], data: JSONBody[SignUpIn], caller: NamedDependency[Scope]
    ) -> SeatOut:
        """Look for somebody to take the caller's seat. A repetition notifies nobody again."""
        return await substitutes.offer_seat(caller, shift_id, data.person_id)

    @post("/take-over", status_code=200)
    async def take_over(
        self, shift_id: FromPath[UUID], data: JSONBody[SignUpIn], caller: NamedDependency[Scope]
    ) -> SeatOut:
        """Take a seat that is on offer; who has offered the own seat keeps it. 409 `seat_taken` where none is left."""
        return await substitutes.take_over(caller, shift_id, data.person_id)

    @put("/leader", status_code=204)
    async def leader(
        self, shift_id: FromPath[UUID], data: JSONBody[LeaderIn], caller: NamedDependency[Scope]
    ) -> None:  # fmt: skip
        """Let somebody who has signed up lead the shift, or no longer."""
        await leaders.name_shift_leader(caller, shift_id, data.person_id, leads=data.leads)


class ShiftPatterns(Controller):
    path = "/shift-patterns"

    @get()
    async def patterns(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope],
        activity_id: FromQuery[UUID | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[PatternOut]]:  # fmt: skip
        """The patterns that have not ended, of one activity or of all."""
        return listed(request, await patterns.shift_patterns(caller, activity_id, limit=limit, cursor=cursor))

    @post()
    async def add(self, data: JSONBody[PatternIn], caller: NamedDependency[Scope]) -> PatternOut:
        """Add a pattern. Its shifts of the next 14 days are written at once."""
        return await patterns.add_pattern(caller, data)

    @delete("/{pattern_id:uuid}")
    async def end(self, pattern_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """End the pattern. Its coming shifts are called off, and who signed up is notified."""
        await patterns.end_pattern(caller, pattern_id)

    @post("/{pattern_id:uuid}/breaks")
    async def add_break(
        self, pattern_id: FromPath[UUID], data: JSONBody[BreakIn], caller: NamedDependency[Scope]
    ) -> PatternOut:
        """Add days without shifts, such as school holidays. Shifts of these days are called off."""
        return await patterns.add_break(caller, pattern_id, data)

    @put("/{pattern_id:uuid}/standing")
    async def stand(
        self, pattern_id: FromPath[UUID], data: JSONBody[StandingIn], caller: NamedDependency[Scope]
    ) -> StandingOut:
        """Take every shift on this day of the week, while there are seats. Only for oneself."""
        return await standing.stand(caller, pattern_id, data.weekday, data.person_id)

    @delete("/{pattern_id:uuid}/standing")
    async def stop_standing(
        self, pattern_id: FromPath[UUID], weekday: FromQuery[Weekday], caller: NamedDependency[Scope],
        person_id: FromQuery[UUID | None] = None,
    ) -> None:  # fmt: skip
        """End standing for this day of the week. The coming seats that it took are free again."""
        await standing.stop_standing(caller, pattern_id, weekday, person_id)
