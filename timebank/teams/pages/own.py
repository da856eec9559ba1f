"""A resident's pages of teams: join and leave, what one can do and when; for a leader, the members and a message."""

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.refusals import shown_again
from timebank.teams import free_times, members, messages, skills, teams
from timebank.teams.schemas import FreeTime, MemberIn, OfferIn, TeamMessageIn
from timebank.teams.words import PART_WORDS, SKILL_WORDS, TEAM_WORDS, WEEKDAY_WORDS
from timebank.web.forms import parse_form
from timebank.web.pages import page, see_other

Form = URLEncodedBody[dict[str, str]]
TIMES = [(f"{day}-{part}", day, part) for day in range(1, 8) for part in PART_WORDS]


class OwnTeamPages(Controller):
    path = "/teams"
    include_in_schema = False

    @get()
    async def own(self, request: AnyRequest, caller: NamedDependency[Scope], done: FromQuery[str] = "") -> Template:
        return await _page(request, caller, done=done)

    @post("/{team_id:uuid}/joining")
    @shown_again(lambda request, caller: _page(request, caller))
    async def join(self, team_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        """Ask to join."""
        await members.join_team(caller, team_id, MemberIn(caller.require_self()))
        return see_other("/teams?done=asked")

    @post("/{team_id:uuid}/leaving")
    @shown_again(lambda request, caller: _page(request, caller))
    async def leave(self, team_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        await members.leave_team(caller, team_id, caller.require_self())
        return see_other("/teams?done=left")

    @post("/skills/{skill_id:uuid}")
    @shown_again(lambda request, caller: _page(request, caller))
    async def offer(self, skill_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        given = {"findable": "false"} | data
        wanted = parse_form(OfferIn, given, {"note": _("说明"), "findable": _("能被找到")}, emptied="note")
        await skills.offer_skill(caller, skill_id, wanted)
        return see_other("/teams?done=saved")

    @post("/skills/{skill_id:uuid}/withdrawal")
    @shown_again(lambda request, caller: _page(request, caller))
    async def withdraw(self, skill_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Redirect:
        await skills.withdraw_skill(caller, skill_id)
        return see_other("/teams?done=saved")

    @post("/free-times")
    @shown_again(lambda request, caller: _page(request, caller))
    async def free(self, caller: NamedDependency[Scope], data: Form) -> Redirect:
        chosen = [FreeTime(day, part) for name, day, part in TIMES if data.get(name)]  # type: ignore[arg-type]  # a key of PART_WORDS
        await free_times.set_free_times(caller, chosen)
        return see_other("/teams?done=saved")

    @get("/{team_id:uuid}")
    async def team(
        self, request: AnyRequest, team_id: FromPath[UUID], caller: NamedDependency[Scope], done: FromQuery[str] = ""
    ) -> Template:
        """One's own team: who belongs to it; for its leader, who asks to join."""
        return await _team_page(request, caller, team_id, done=done)

    @post("/{team_id:uuid}/members/{person_id:uuid}")
    @shown_again(lambda request, team_id, caller: _team_page(request, caller, team_id))
    async def confirm(
        self, team_id: FromPath[UUID], person_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await members.join_team(caller, team_id, MemberIn(person_id))
        return see_other(f"/teams/{team_id}?done=saved")

    @post("/{team_id:uuid}/members/{person_id:uuid}/end")
    @shown_again(lambda request, team_id, caller: _team_page(request, caller, team_id))
    async def decline(
        self, team_id: FromPath[UUID], person_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Redirect:
        await members.leave_team(caller, team_id, person_id)
        return see_other(f"/teams/{team_id}?done=saved")

    @post("/{team_id:uuid}/messages")
    @shown_again(lambda request, team_id, caller: _team_page(request, caller, team_id))
    async def write(self, team_id: FromPath[UUID], caller: NamedDependency[Scope], data: Form) -> Redirect:
        await messages.write_to_team(caller, team_id, parse_form(TeamMessageIn, data, {"text": _("消息")}).text)
        return see_other(f"/teams/{team_id}?done=sent")


class _Skill(msgspec.Struct, kw_only=True):
    """A skill as the page offers it, with what the reader has said of it."""

    id: UUID
    name: str
    kind: str
    needs_proof: bool
    offered: bool
    note: str
    findable: bool
    proof: bool


async def _page(request: AnyRequest, caller: Scope, *, done: str = "") -> Template:
    own = caller.require_self()
    offers = {each.skill_id: each for each in await skills.own_offers(caller)}
    listed = [
        _Skill(
            id=each.id, name=each.name, kind=each.kind, needs_proof=each.needs_proof, offered=each.id in offers,
            note=offers[each.id].note if each.id in offers else "",
            findable=each.id in offers and offers[each.id].findable,
            proof=each.id in offers and offers[each.id].proof,
        )
        for each in await all_pages(partial(skills.skills, caller))
    ]  # fmt: skip
    return page(
        request, caller, "member/teams.html", teams=await all_pages(partial(teams.teams, caller)), kinds=TEAM_WORDS,
        skills=listed, skill_kinds=SKILL_WORDS, free=await free_times.free_times(caller, own), parts=PART_WORDS,
        days=WEEKDAY_WORDS, done=done, sent_to=request.url.path,
    )  # fmt: skip


async def _team_page(request: AnyRequest, caller: Scope, team_id: UUID, *, done: str = "") -> Template:
    shown = await teams.team(caller, team_id)
    return page(
        request, caller, "member/team.html", team=shown, kinds=TEAM_WORDS, done=done, own=caller.person_id,
        members=await members.team_members(caller, team_id), decides=shown.standing == "leader",
    )  # fmt: skip
