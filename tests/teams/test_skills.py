"""Skills, proofs and free times, and finding somebody who helps."""

from datetime import UTC, date, datetime
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.town import Town
from tests.support.units import Units
from timebank.core import clock
from timebank.teams.free_times import part_of
from timebank.teams.helpers import Found, ordered
from timebank.teams.members import join_team
from timebank.teams.schemas import FreeTime, MemberIn, SkillIn, SkillOut, TeamIn
from timebank.teams.skills import add_skill
from timebank.teams.teams import found_team

MONDAY_NINE = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai


@pytest.mark.parametrize(
    ("moment", "part"),
    [
        (MONDAY_NINE, FreeTime(1, "morning")),
        (datetime(2026, 11, 30, 3, 59, tzinfo=UTC), FreeTime(1, "morning")),
        (datetime(2026, 11, 30, 4, 0, tzinfo=UTC), FreeTime(1, "afternoon")),
        (datetime(2026, 11, 30, 10, 0, tzinfo=UTC), FreeTime(1, "evening")),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), FreeTime(2, "morning")),
        (datetime(2026, 12, 6, 12, 0, tzinfo=UTC), FreeTime(7, "evening")),
    ],
)
def test_a_moment_lies_in_a_part_of_a_weekday(moment: datetime, part: FreeTime) -> None:
    assert part_of(moment) == part


def found(number: int, *, proof: bool = True, free: bool = True, near: bool = True) -> Found:
    return Found(person_id=UUID(int=number), name="甲", skill="水电", proof=proof, free=free, near=near)


def test_the_fittest_stand_first() -> None:
    people = [
        found(1, proof=False), found(2, free=False), found(3), found(4, near=False), found(5), found(6, near=False),
    ]  # fmt: skip
    shown = ordered(people, {UUID(int=3): 2, UUID(int=6): 1, UUID(int=2): 0})
    assert [one.person_id.int for one in shown] == [5, 4, 6, 3, 2, 1]


async def taps(town: Town, *, needs_proof: bool = False) -> SkillOut:
    return await add_skill(await town.scope("赵丽"), SkillIn("修水龙头", "repair", needs_proof=needs_proof))


async def offers(client: httpx.AsyncClient, town: Town, skill: SkillOut, name: str, *, findable: bool) -> None:
    answer = await client.put(
        f"/api/v1/me/skills/{skill.id}", json={"note": "周末", "findable": findable}, headers=await town.sign_in(name)
    )
    assert answer.status_code == 200, answer.text


async def test_an_administrator_keeps_the_list_of_skills(town: Town, units: Units, client: httpx.AsyncClient) -> None:
    body = {"name": "量血压", "kind": "health", "needs_proof": True}
    assert (await client.post("/api/v1/skills", json=body)).status_code == 401
    for name in ("张桂兰", "孙伟"):
        assert (await client.post("/api/v1/skills", json=body, headers=await town.sign_in(name))).status_code == 403
    admin = await town.sign_in("赵丽")
    made = await client.post("/api/v1/skills", json=body, headers=admin)
    assert made.status_code == 201
    again = await client.post("/api/v1/skills", json=body, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "skill_name_taken")
    seen = await client.get("/api/v1/skills", headers=await town.sign_in("张桂兰"))
    assert [(s["name"], s["needs_proof"]) for s in seen.json()["items"]] == [("量血压", True)]
    address = f"/api/v1/skills/{made.json()['id']}"
    gone = await client.patch(address, json={"active": False}, headers=admin)
    assert gone.json()["active"] is False
    assert (await client.get("/api/v1/skills", headers=admin)).json()["items"] == []
    offered = await client.put(f"/api/v1/me/skills/{made.json()['id']}", json={}, headers=await town.sign_in("张桂兰"))
    assert offered.status_code == 404


async def test_somebody_offers_a_skill_and_takes_it_back(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    skill = await taps(town)
    address, own = f"/api/v1/me/skills/{skill.id}", await town.sign_in("张桂兰")
    assert (await client.put(address, json={})).status_code == 401
    first = await client.put(address, json={"note": "会换芯", "findable": True}, headers=own)
    assert (first.json()["note"], first.json()["findable"], first.json()["proof"]) == ("会换芯", True, False)
    again = await client.put(address, json={"note": "", "findable": False}, headers=own)
    assert again.json()["findable"] is False
    assert [o["skill"] for o in (await client.get("/api/v1/me/skills", headers=own)).json()] == ["修水龙头"]
    for _ in range(2):
        assert (await client.delete(address, headers=own)).status_code == 204
    assert (await client.get("/api/v1/me/skills", headers=own)).json() == []
    assert await owner.fetchval("SELECT count(*) FROM person_skill") == 1
    assert (await client.put(f"/api/v1/me/skills/{UUID(int=2)}", json={}, headers=own)).status_code == 404
    assert (await client.put(address, json={}, headers=await town.sign_in("何静"))).status_code == 404


async def test_a_proof_is_seen_by_an_administrator_who_is_somebody_else(
    town: Town, units: Units, client: httpx.AsyncClient
) -> None:
    skill = await taps(town, needs_proof=True)
    for name in ("张桂兰", "赵丽"):
        await offers(client, town, skill, name, findable=True)
    admin = await town.sign_in("赵丽")
    until = clock.local_day().replace(year=clock.local_day().year + 1)
    address = f"/api/v1/people/{town.people['张桂兰']}/skills/{skill.id}/proof"
    assert (await client.post(address, json={})).status_code == 401
    for name in ("张桂兰", "孙伟", "周敏"):
        assert (await client.post(address, json={}, headers=await town.sign_in(name))).status_code == 403
    past = await client.post(address, json={"until": "2020-01-01"}, headers=admin)
    assert (past.status_code, past.json()["code"]) == (422, "proof_over")
    seen = await client.post(address, json={"until": until.isoformat()}, headers=admin)
    assert (seen.status_code, seen.json()["proof"], seen.json()["proof_until"]) == (200, True, until.isoformat())
    herself = f"/api/v1/people/{town.people['赵丽']}/skills/{skill.id}/proof"
    refused = await client.post(herself, json={}, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (403, "own_proof")
    nothing = f"/api/v1/people/{town.people['李秀英']}/skills/{skill.id}/proof"
    assert (await client.post(nothing, json={}, headers=admin)).status_code == 404
    listed = await client.get(f"/api/v1/skills/{skill.id}/offers", headers=admin)
    assert [(o["name"], o["proof"]) for o in listed.json()["items"]] == [("张桂兰", True), ("赵丽", False)]
    assert (
        await client.get(f"/api/v1/skills/{skill.id}/offers", headers=await town.sign_in("张桂兰"))
    ).status_code == 403


async def test_free_times_are_set_anew_as_a_whole(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    own = await town.sign_in("张桂兰")
    body = {"free": [{"weekday": 6, "part": "morning"}, {"weekday": 1, "part": "evening"}]}
    both = await client.put("/api/v1/me/free-times", json=body, headers=own)
    assert both.json() == [{"weekday": 1, "part": "evening"}, {"weekday": 6, "part": "morning"}]
    one = await client.put("/api/v1/me/free-times", json={"free": body["free"][:1] * 2}, headers=own)
    assert one.json() == body["free"][:1]
    none = await client.put("/api/v1/me/free-times", json={"free": []}, headers=own)
    assert none.json() == []
    assert await owner.fetchval("SELECT count(*) FROM free_time") == 0
    bad = await client.put("/api/v1/me/free-times", json={"free": [{"weekday": 8, "part": "morning"}]}, headers=own)
    assert bad.status_code == 400


async def test_helpers_are_found_among_those_who_agreed_and_by_those_who_dispatch(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    skill = await taps(town)
    for name, findable in (("张桂兰", True), ("李秀英", True), ("周敏", False)):
        await offers(client, town, skill, name, findable=findable)
    times = {"free": [{"weekday": 1, "part": "morning"}]}
    await client.put("/api/v1/me/free-times", json=times, headers=await town.sign_in("李秀英"))
    grid = town.areas["凤凰社区/第一网格"]
    query = {"skill_id": str(skill.id), "area_id": str(grid), "at": MONDAY_NINE.isoformat()}
    assert (await client.get("/api/v1/helpers", params=query)).status_code == 401
    for name in ("张桂兰", "周敏", "孙伟", "陈明"):
        refused = await client.get("/api/v1/helpers", params=query, headers=await town.sign_in(name))
        assert refused.status_code == 403, name
    told = await client.get("/api/v1/helpers", params=query, headers=await town.sign_in("赵丽"))
    assert [(h["name"], h["free"], h["near"], h["orders_this_month"]) for h in told.json()] == [
        ("李秀英", True, True, 0), ("张桂兰", False, True, 0),
    ]  # fmt: skip
    assert set(told.json()[0]) == {"person_id", "name", "skill", "proof", "free", "near", "orders_this_month"}
    foreign = query | {"area_id": str(town.areas["龙泉社区/第一网格"])}
    assert (await client.get("/api/v1/helpers", params=foreign, headers=await town.sign_in("赵丽"))).status_code == 404
    await owner.execute(
        "UPDATE role_grant SET role = 'grid_head' WHERE person_id = $1 AND role = 'grid_worker'", town.people["陈明"]
    )
    head = await town.sign_in("陈明")
    assert len((await client.get("/api/v1/helpers", params=query, headers=head)).json()) == 2
    anywhere = {"skill_id": str(skill.id)}
    assert (await client.get("/api/v1/helpers", params=anywhere, headers=head)).status_code == 403


async def test_a_teams_leader_finds_the_own_members_alone(town: Town, units: Units, client: httpx.AsyncClient) -> None:
    skill = await taps(town)
    for name in ("张桂兰", "李秀英"):
        await offers(client, town, skill, name, findable=True)
    admin = await town.scope("赵丽")
    team = await found_team(admin, TeamIn("维修班", "repair"))
    await join_team(admin, team.id, MemberIn(town.people["王建国"], leads=True))
    await join_team(admin, team.id, MemberIn(town.people["张桂兰"]))
    leader = await town.sign_in("王建国")
    told = await client.get("/api/v1/helpers", params={"skill_id": str(skill.id)}, headers=leader)
    assert [h["name"] for h in told.json()] == ["张桂兰"]


async def test_a_proof_that_has_ended_counts_no_more(
    town: Town, units: Units, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    skill = await taps(town, needs_proof=True)
    for name in ("张桂兰", "李秀英"):
        await offers(client, town, skill, name, findable=True)
    await owner.execute(
        "UPDATE person_skill SET proof_seen_by = $1, proof_seen_at = now(), proof_until = $2 WHERE person_id = $3",
        town.people["赵丽"], date(2026, 1, 1), town.people["张桂兰"],
    )  # fmt: skip
    await owner.execute(
        "UPDATE person_skill SET proof_seen_by = $1, proof_seen_at = now() WHERE person_id = $2",
        town.people["赵丽"], town.people["李秀英"],
    )  # fmt: skip
    told = await client.get("/api/v1/helpers", params={"skill_id": str(skill.id)}, headers=await town.sign_in("赵丽"))
    assert [(h["name"], h["proof"]) for h in told.json()] == [("李秀英", True), ("张桂兰", False)]
