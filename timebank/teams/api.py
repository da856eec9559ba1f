"""Teams and their members, skills, free times and helpers over HTTP."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.core.clock import Moment
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor, Limit, listed
from timebank.teams import free_times, helpers, members, messages, skills, teams
from timebank.teams.schemas import (
    FreeTime,
    FreeTimesIn,
    HelperOut,
    MemberIn,
    MemberOut,
    OfferIn,
    OfferOut,
    ProofIn,
    SkillChange,
    SkillIn,
    SkillKind,
    SkillOut,
    TeamChange,
    TeamIn,
    TeamKind,
    TeamMessageIn,
    TeamOut,
)


class Teams(Controller):
    path = "/teams"

    @get()
    async def teams(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], kind: FromQuery[TeamKind | None] = None,
        own: FromQuery[bool] = False, active: FromQuery[bool | None] = True, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[TeamOut]]:  # fmt: skip
        """The community's teams by name; with `own` those that the caller has joined or asked to join."""
        found = await teams.teams(caller, kind=kind, own=own, active=active, limit=limit, cursor=cursor)
        return listed(request, found)

    @post()
    async def found(self, data: JSONBody[TeamIn], caller: NamedDependency[Scope]) -> TeamOut:
        return await teams.found_team(caller, data)

    @patch("/{team_id:uuid}")
    async def change(
        self, team_id: FromPath[UUID], data: JSONBody[TeamChange], caller: NamedDependency[Scope]
    ) -> TeamOut:
        return await teams.change_team(caller, team_id, data)

    @get("/{team_id:uuid}/members")
    async def members(self, team_id: FromPath[UUID], caller: NamedDependency[Scope]) -> list[MemberOut]:
        """Everybody of the team, leaders first; those who decide it see before them who asks to join."""
        return await members.team_members(caller, team_id)

    @post("/{team_id:uuid}/members")
    async def join(
        self, team_id: FromPath[UUID], data: JSONBody[MemberIn], caller: NamedDependency[Scope]
    ) -> MemberOut:
        """Ask to join, confirm who asked, or name a leader."""
        return await members.join_team(caller, team_id, data)

    @delete("/{team_id:uuid}/members/{person_id:uuid}")
    async def leave(self, team_id: FromPath[UUID], person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """Leave the team, or take the asking back."""
        await members.leave_team(caller, team_id, person_id)

    @post("/{team_id:uuid}/messages")
    async def write(
        self, team_id: FromPath[UUID], data: JSONBody[TeamMessageIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """A leader's message to all members."""
        return await once.answer(caller, lambda: messages.write_to_team(caller, team_id, data.text), required=False)


class Skills(Controller):
    path = "/skills"

    @get()
    async def skills(
        self, request: Request[Any, Any, Any], caller: NamedDependency[Scope], kind: FromQuery[SkillKind | None] = None,
        active: FromQuery[bool | None] = True, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[SkillOut]]:  # fmt: skip
        return listed(request, await skills.skills(caller, kind=kind, active=active, limit=limit, cursor=cursor))

    @post()
    async def add(self, data: JSONBody[SkillIn], caller: NamedDependency[Scope]) -> SkillOut:
        return await skills.add_skill(caller, data)

    @patch("/{skill_id:uuid}")
    async def change(
        self, skill_id: FromPath[UUID], data: JSONBody[SkillChange], caller: NamedDependency[Scope]
    ) -> SkillOut:
        return await skills.change_skill(caller, skill_id, data)

    @get("/{skill_id:uuid}/offers")
    async def offers(
        self, request: Request[Any, Any, Any], skill_id: FromPath[UUID], caller: NamedDependency[Scope],
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[OfferOut]]:  # fmt: skip
        """Who offers the skill, and whose proof was seen; for administrators and auditors."""
        return listed(request, await skills.offers_of_skill(caller, skill_id, limit=limit, cursor=cursor))


class OwnSkills(Controller):
    path = "/me"

    @get("/skills")
    async def own(self, caller: NamedDependency[Scope]) -> list[OfferOut]:
        return await skills.own_offers(caller)

    @put("/skills/{skill_id:uuid}")
    async def offer(
        self, skill_id: FromPath[UUID], data: JSONBody[OfferIn], caller: NamedDependency[Scope]
    ) -> OfferOut:
        """Offer a skill, or change the note and the consent to be found."""
        return await skills.offer_skill(caller, skill_id, data)

    @delete("/skills/{skill_id:uuid}")
    async def withdraw(self, skill_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """Offer it no more."""
        await skills.withdraw_skill(caller, skill_id)

    @put("/free-times")
    async def free(self, data: JSONBody[FreeTimesIn], caller: NamedDependency[Scope]) -> list[FreeTime]:
        """Say anew when one is free."""
        return await free_times.set_free_times(caller, data.free)


class Helpers(Controller):
    path = ""

    @post("/people/{person_id:uuid}/skills/{skill_id:uuid}/proof", status_code=200)
    async def proof(
        self, person_id: FromPath[UUID], skill_id: FromPath[UUID], data: JSONBody[ProofIn],
        caller: NamedDependency[Scope],
    ) -> OfferOut:  # fmt: skip
        """An administrator has seen the paper that the skill needs."""
        return await skills.see_proof(caller, person_id, skill_id, data.until)

    @get("/helpers")
    async def helpers(
        self, caller: NamedDependency[Scope], skill_id: FromQuery[UUID], area_id: FromQuery[UUID | None] = None,
        at: FromQuery[Moment | None] = None,
    ) -> list[HelperOut]:  # fmt: skip
        """Who agreed to be found by a skill, the fittest first."""
        return await helpers.find_helpers(caller, skill_id, area_id=area_id, at=at)
