"""The panel's pages of teams and skills: found a team, confirm members and name leaders; keep the list of skills."""

from functools import partial
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from admin.person_page import area_options
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.teams import members, skills, teams
from timebank.teams.schemas import MemberIn, ProofIn, SkillIn, TeamChange, TeamIn
from timebank.teams.words import SKILL_WORDS, TEAM_WORDS
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
TEAM = {"name": _("名称"), "kind": _("类别"), "about": _("说明"), "area_id": _("地方")}
CHANGE = {"name": _("名称"), "about": _("说明"), "active": _("在用")}
SKILL = {"name": _("名称"), "kind": _("类别"), "needs_proof": _("要看证件")}


class PanelTeamPages(Controller):
    path = "/admin/teams"
    include_in_schema = False

    @get()
    async def teams(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await _list_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _list_page(request, caller))
    async def found(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        made = await teams.found_team(caller, parse_form(TeamIn, data, TEAM))
        return see_other(f"/admin/teams/{made.id}?done=found")

    @get("/{team_id:uuid}")
    async def team(
        self, request: AnyRequest, team_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One team with its members and who asks to join."""
        return await _team_page(request, caller, team_id, done=done)

    @post("/{team_id:uuid}")
    @shown_again(lambda request, team_id, caller: _team_page(request, caller, team_id))
    async def change(self, team_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        fields = {"active": "false"} | data
        wanted = parse_form(TeamChange, fields, CHANGE, emptied="about")
        await teams.change_team(caller, team_id, wanted)
        return see_other(f"/admin/teams/{team_id}?done=changed")

    @post("/{team_id:uuid}/members")
    @shown_again(lambda request, team_id, caller: _team_page(request, caller, team_id))
    async def join(self, team_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        """Confirm who asks to join, or name a leader."""
        caller.require_admin()
        await members.join_team(
            caller, team_id, parse_form(MemberIn, data, {"person_id": _("居民"), "leads": _("组长")})
        )
        return see_other(f"/admin/teams/{team_id}?done=changed")

    @post("/{team_id:uuid}/members/{person_id:uuid}/end")
    @shown_again(lambda request, team_id, caller: _team_page(request, caller, team_id))
    async def leave(
        self, team_id: FromPath[UUID], person_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        caller.require_admin()
        await members.leave_team(caller, team_id, person_id)
        return see_other(f"/admin/teams/{team_id}?done=changed")


class PanelSkillPages(Controller):
    path = "/admin/skills"
    include_in_schema = False

    @get()
    async def skills(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        return await _skills_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _skills_page(request, caller))
    async def add(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        made = await skills.add_skill(caller, parse_form(SkillIn, data, SKILL))
        return see_other(f"/admin/skills/{made.id}")

    @get("/{skill_id:uuid}")
    async def skill(
        self, request: AnyRequest, skill_id: FromPath[UUID], caller: NamedDependency[Scope], cursor: Cursor = None
    ) -> Template:
        """Who offers a skill, and whose proof was seen."""
        return await _skill_page(request, caller, skill_id, cursor=cursor)

    @post("/{skill_id:uuid}/proofs/{person_id:uuid}")
    @shown_again(lambda request, skill_id, caller: _skill_page(request, caller, skill_id))
    async def proof(
        self, skill_id: FromPath[UUID], person_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form
    ) -> Redirect:
        seen = parse_form(ProofIn, data, {"until": _("有效到")})
        await skills.see_proof(caller, person_id, skill_id, seen.until)
        return see_other(f"/admin/skills/{skill_id}")


async def _list_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_reader()
    return page(
        request, caller, "teams/teams.html", teams=await all_pages(partial(teams.teams, caller, active=None)),
        kinds=TEAM_WORDS, edits=caller.administers, areas=await area_options(caller),
    )  # fmt: skip


async def _team_page(request: AnyRequest, caller: Scope, team_id: UUID, *, done: str = "") -> Template:
    caller.require_reader()
    return page(
        request, caller, "teams/team.html", team=await teams.team(caller, team_id), kinds=TEAM_WORDS, done=done,
        members=await members.team_members(caller, team_id), edits=caller.administers,
    )  # fmt: skip


async def _skills_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_reader()
    found = await all_pages(partial(skills.skills, caller, active=None))
    return page(request, caller, "teams/skills.html", skills=found, kinds=SKILL_WORDS, edits=caller.administers)


async def _skill_page(request: AnyRequest, caller: Scope, skill_id: UUID, *, cursor: str | None = None) -> Template:
    caller.require_reader()
    return page(
        request, caller, "teams/skill.html", skill=await skills.open_skill(caller, skill_id), kinds=SKILL_WORDS,
        found=await skills.offers_of_skill(caller, skill_id, cursor=cursor), cursor=cursor, edits=caller.administers,
    )  # fmt: skip
