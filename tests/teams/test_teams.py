"""Teams: who founds them, who joins and leads, and what a leader writes."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.messages import end_quiet_hours
from tests.support.town import Town
from tests.support.units import Units
from timebank.core.errors import Forbidden, TimebankError
from timebank.teams.joining import CannotJoinTeam, Joining, NotAskedToJoin, OwnMembership, decide_joining
from timebank.teams.members import join_team, leave_team
from timebank.teams.messages import MESSAGES_MAX
from timebank.teams.schemas import MemberIn, MemberOut, TeamIn, TeamOut
from timebank.teams.teams import found_team

PLAIN = {
    "own": False, "near": False, "admin": False, "leader": False, "able": True, "asked": False, "joined": False,
    "leading": False, "leads": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "comes"),
    [
        ({"own": True, "near": True}, "ask"),
        ({"own": True, "near": True, "asked": True}, "ask"),
        ({"own": True, "near": True, "admin": True}, "ask"),
        ({"own": True, "near": True, "leader": True, "joined": True}, "keep"),
        ({"own": True, "near": True, "leader": True, "joined": True, "leading": True, "leads": False}, "step_down"),
        ({"own": True, "near": True, "leads": True}, OwnMembership),
        ({"own": True, "near": True, "admin": True, "joined": True, "leads": True}, OwnMembership),
        ({"leader": True, "asked": True}, "confirm"),
        ({"leader": True}, NotAskedToJoin),
        ({"leader": True, "asked": True, "near": True}, OwnMembership),
        ({"leader": True, "joined": True, "leads": True}, Forbidden),
        ({"leader": True, "joined": True, "leading": True, "leads": False}, Forbidden),
        ({"admin": True}, "add"),
        ({"admin": True, "asked": True}, "confirm"),
        ({"admin": True, "near": True}, OwnMembership),
        ({"admin": True, "joined": True}, "keep"),
        ({"admin": True, "joined": True, "leads": True}, "confirm"),
        ({"admin": True, "joined": True, "leading": True, "leads": True}, "keep"),
        ({"admin": True, "leads": True}, "add"),
        ({"admin": True, "leads": True, "near": True}, OwnMembership),
        ({"admin": True, "able": False}, CannotJoinTeam),
        ({}, Forbidden),
    ],
)
def test_what_comes_of_joining(facts: dict[str, Any], comes: str | type[TimebankError]) -> None:
    if isinstance(comes, str):
        assert decide_joining(Joining(**PLAIN | facts)) == comes
    else:
        with pytest.raises(comes):
            decide_joining(Joining(**PLAIN | facts))


async def repair(town: Town, **more: Any) -> TeamOut:
    return await found_team(await town.scope("赵丽"), TeamIn("维修班", "repair", **more))


async def leader_of(town: Town, team: TeamOut, name: str) -> None:
    await join_team(await town.scope("赵丽"), team.id, MemberIn(town.people[name], leads=True))


async def test_an_administrator_founds_a_team_and_residents_see_it(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    body = {
        "name": "护学班", "kind": "escort", "about": "校门口", "unit_id": str(units.tax),
        "area_id": str(town.areas["凤凰社区/第一网格"]),
    }  # fmt: skip
    assert (await client.post("/api/v1/teams", json=body)).status_code == 401
    for name in ("张桂兰", "周敏", "孙伟"):
        assert (await client.post("/api/v1/teams", json=body, headers=await town.sign_in(name))).status_code == 403
    admin = await town.sign_in("赵丽")
    made = await client.post("/api/v1/teams", json=body, headers=admin)
    assert (made.status_code, made.json()["members"], made.json()["standing"]) == (201, 0, None)
    again = await client.post("/api/v1/teams", json=body, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "team_name_taken")
    for change, code in (
        ({"area_id": str(town.areas["龙泉社区/第一网格"])}, "team_place_unknown"),
        ({"unit_id": str(UUID(int=3))}, "unit_unknown"),
        ({"name": "\u200b"}, "invalid"),
    ):
        refused = await client.post("/api/v1/teams", json=body | {"name": "另一班"} | change, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    seen = await client.get("/api/v1/teams", headers=await town.sign_in("张桂兰"))
    assert [t["name"] for t in seen.json()["items"]] == ["护学班"]
    assert (await client.get("/api/v1/teams", headers=await town.sign_in("何静"))).json()["items"] == []
    address = f"/api/v1/teams/{made.json()['id']}"
    assert (await client.patch(address, json={"active": False}, headers=await town.sign_in("何静"))).status_code == 404
    ended = await client.patch(address, json={"active": False, "name": "护学一班"}, headers=admin)
    assert (ended.json()["active"], ended.json()["name"]) == (False, "护学一班")


async def test_a_leader_confirms_who_asked_and_everybody_leaves_when_they_like(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    team = await repair(town)
    await leader_of(town, team, "王建国")
    address = f"/api/v1/teams/{team.id}/members"
    body = {"person_id": str(town.people["张桂兰"])}
    asked = await client.post(address, json=body, headers=await town.sign_in("张桂兰"))
    assert (asked.status_code, asked.json()["pending"]) == (201, True)
    leader = await town.sign_in("王建国")
    assert [m["pending"] for m in (await client.get(address, headers=leader)).json()] == [True, False]
    uninvited = await client.post(address, json={"person_id": str(town.people["周敏"])}, headers=leader)
    assert (uninvited.status_code, uninvited.json()["code"]) == (422, "not_asked_to_join")
    for name in ("李秀英", "周敏", "孙伟"):
        assert (await client.post(address, json=body, headers=await town.sign_in(name))).status_code == 403
    confirmed = await client.post(address, json=body, headers=leader)
    assert (confirmed.status_code, confirmed.json()["pending"]) == (201, False)
    member = await town.sign_in("张桂兰")
    assert [m["name"] for m in (await client.get(address, headers=member)).json()] == ["王建国", "张桂兰"]
    assert (await client.get(address, headers=await town.sign_in("李秀英"))).status_code == 403
    await end_quiet_hours(owner)
    kinds = await owner.fetch("SELECT sentence FROM message WHERE person_id = $1", town.people["张桂兰"])
    assert [row["sentence"] for row in kinds] == ["team.joined"]
    own = f"{address}/{town.people['张桂兰']}"
    other = f"{address}/{town.people['王建国']}"
    assert (await client.delete(other, headers=member)).status_code == 403
    for _ in range(2):
        assert (await client.delete(own, headers=member)).status_code == 204
    assert (await client.get(address, headers=member)).status_code == 403
    again = await client.post(address, json=body, headers=member)
    assert again.json()["pending"] is True
    declined = await client.delete(own, headers=leader)
    assert declined.status_code == 204


async def test_nobody_leads_by_their_own_word_or_confirms_their_household(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    """赵丽 administers and asks like everybody; 张国庆 is the husband of the leader 张桂兰."""
    team = await repair(town)
    await leader_of(town, team, "张桂兰")
    address = f"/api/v1/teams/{team.id}/members"
    admin, leader = await town.sign_in("赵丽"), await town.sign_in("张桂兰")
    herself = {"person_id": str(town.people["赵丽"])}
    assert (await client.post(address, json=herself, headers=admin)).json()["pending"] is True
    leading = await client.post(address, json=herself | {"leads": True}, headers=admin)
    assert (leading.status_code, leading.json()["code"]) == (403, "own_membership")
    husband = {"person_id": str(town.people["张国庆"])}
    await client.post(address, json=husband, headers=await town.sign_in("张国庆"))
    refused = await client.post(address, json=husband, headers=leader)
    assert (refused.status_code, refused.json()["code"]) == (403, "own_membership")
    promoted = await client.post(address, json=herself | {"leads": True}, headers=leader)
    assert promoted.status_code == 403
    assert (await client.post(address, json=husband, headers=admin)).json()["pending"] is False
    child = {"person_id": str(town.people["刘小雨"])}
    small = await client.post(address, json=child, headers=admin)
    assert (small.status_code, small.json()["code"]) == (422, "cannot_join_team")
    foreign = await client.post(address, json={"person_id": str(town.people["马涛"])}, headers=admin)
    assert foreign.status_code == 404
    there = await client.post(address, json={"person_id": str(town.people["何静"])}, headers=await town.sign_in("何静"))
    assert there.status_code == 404


async def test_two_leaders_who_confirm_at_once_confirm_once(
    town: Town, units: Units, owner: asyncpg.Connection
) -> None:
    team, person = await repair(town), town.people["张桂兰"]
    for name in ("王建国", "李秀英"):
        await leader_of(town, team, name)
    own = await town.scope("张桂兰")
    asked = await asyncio.gather(*(join_team(own, team.id, MemberIn(person)) for _ in range(3)))
    assert [one.pending for one in asked] == [True, True, True]
    leaders = [await town.scope("王建国"), await town.scope("李秀英")]
    done = await asyncio.gather(*(join_team(one, team.id, MemberIn(person)) for one in leaders))
    assert [one.pending for one in done] == [False, False]
    rows = "SELECT count(*) FROM team_member WHERE person_id = $1"
    assert await owner.fetchval(rows, person) == 1
    confirmed = "SELECT count(*) FROM audit WHERE verb = 'confirm_member' AND about_id = $1"
    assert await owner.fetchval(confirmed, person) == 1
    left = await asyncio.gather(
        leave_team(own, team.id, person), join_team(leaders[0], team.id, MemberIn(person)), return_exceptions=True
    )
    assert left[0] is None
    assert isinstance(left[1], MemberOut | NotAskedToJoin)


async def test_a_leader_writes_to_the_members_a_few_times_a_day_and_no_member_does(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    team = await repair(town)
    await leader_of(town, team, "王建国")
    for name in ("张桂兰", "李秀英"):
        await join_team(await town.scope("赵丽"), team.id, MemberIn(town.people[name]))
    address, leader = f"/api/v1/teams/{team.id}/messages", await town.sign_in("王建国")
    text = {"text": "明早七点\n在校门口集合"}
    assert (await client.post(address, json=text, headers=await town.sign_in("张桂兰"))).status_code == 403
    once = leader | {"Idempotency-Key": "morning"}
    first = await client.post(address, json=text, headers=once)
    assert (first.status_code, first.json()) == (201, {"members": 2})
    assert (await client.post(address, json=text, headers=once)).json() == {"members": 2}
    for _ in range(MESSAGES_MAX - 1):
        assert (await client.post(address, json=text, headers=leader)).status_code == 201
    enough = await client.post(address, json=text, headers=leader)
    assert (enough.status_code, enough.json()["code"]) == (429, "team_wrote_enough")
    await end_quiet_hours(owner)
    read = await client.get("/api/v1/me/messages", headers=await town.sign_in("李秀英"))
    texts = [message["text"] for message in read.json()["items"] if message["kind"] == "team"]
    assert texts.count("班组“维修班”的组长：明早七点 在校门口集合") == MESSAGES_MAX
