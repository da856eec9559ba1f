"""Role grants: limited to the granter's own scope, in force from the next request."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.matrix.test_told import told
from tests.support.town import PHOENIX, SPRING, Town, operating, set_password
from timebank.access.admins import create_admin
from timebank.access.sign_in.passwords import WeakPassword
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.core.scope import Role
from timebank.http.callers import SESSION_COOKIE

ROLES = "/api/v1/roles"


def body(town: Town, name: str, role: str, **place: UUID) -> dict[str, str]:
    return {"person_id": str(town.people[name]), "role": role} | {key: str(value) for key, value in place.items()}


async def test_a_role_works_on_the_next_request_and_so_does_its_end(town: Town, client: httpx.AsyncClient) -> None:
    admin, hers = await town.sign_in("赵丽"), await town.sign_in("张桂兰")
    assert (await client.get("/api/v1/people", headers=hers)).status_code == 403
    unit = town.areas[f"{PHOENIX}/第一网格/3栋/2单元"]
    made = await client.post(ROLES, headers=admin, json=body(town, "张桂兰", "unit_head", area_id=unit))
    assert (made.status_code, made.json()["place_name"]) == (201, "3栋2单元")
    seen = (await client.get("/api/v1/people", headers=hers)).json()["items"]
    assert {p["name"] for p in seen} == {"王建国", "欧阳凯伟"}
    assert (await client.get("/api/v1/me", headers=hers)).json()["persons"][0]["roles"] == ["unit_head"]
    again = await client.post(ROLES, headers=admin, json=body(town, "张桂兰", "unit_head", area_id=unit))
    assert (again.status_code, again.json()["code"]) == (409, "role_held")
    assert (await client.delete(f"{ROLES}/{made.json()['id']}", headers=admin)).status_code == 204
    assert (await client.get("/api/v1/people", headers=hers)).status_code == 403
    assert (await client.delete(f"{ROLES}/{made.json()['id']}", headers=admin)).status_code == 204


async def test_nobody_grants_above_the_own_reach(town: Town, client: httpx.AsyncClient) -> None:
    attempts: list[tuple[str, str, str, dict[str, UUID], int]] = [
        ("赵丽", "张桂兰", "community_admin", {"region_id": town.community}, 202),
        ("钱进", "张桂兰", "community_admin", {"region_id": town.community}, 201),
        ("赵丽", "张桂兰", "street_admin", {"region_id": town.street}, 403),
        ("赵丽", "张桂兰", "auditor", {"region_id": town.county}, 403),
        ("赵丽", "张桂兰", "community_admin", {"region_id": town.communities[SPRING]}, 404),
        ("赵丽", "张桂兰", "grid_worker", {"area_id": town.areas[f"{SPRING}/第一网格"]}, 404),
        ("钱进", "张桂兰", "street_admin", {"region_id": town.street}, 202),
        ("钱进", "张桂兰", "county_admin", {"region_id": town.county}, 403),
        ("吴昊", "张桂兰", "county_admin", {"region_id": town.county}, 202),
        ("周敏", "张桂兰", "station_keeper", {"station_id": town.stations["慈善超市"]}, 403),
        ("孙伟", "张桂兰", "auditor", {"region_id": town.community}, 403),
        ("何静", "张桂兰", "unit_head", {"area_id": town.areas[f"{SPRING}/第一网格/1栋/1单元"]}, 404),
    ]
    for giver, name, role, place, status in attempts:
        answer = await client.post(ROLES, headers=await town.sign_in(giver), json=body(town, name, role, **place))
        assert answer.status_code == status, (giver, role, answer.text)
    anonymous = await client.post(ROLES, json=body(town, "张桂兰", "auditor", region_id=town.community))
    assert anonymous.status_code == 401


async def test_nobody_changes_the_own_roles(town: Town, client: httpx.AsyncClient) -> None:
    admin = await town.sign_in("赵丽")
    own = await client.post(ROLES, headers=admin, json=body(town, "赵丽", "auditor", region_id=town.community))
    assert (own.status_code, own.json()["code"]) == (403, "own_role")
    held = (await client.get(ROLES, headers=admin, params={"person_id": str(town.people["赵丽"])})).json()["items"]
    assert (await client.delete(f"{ROLES}/{held[0]['id']}", headers=admin)).status_code == 403
    above = (await client.get(ROLES, headers=admin, params={"role": "county_admin"})).json()["items"]
    assert (await client.delete(f"{ROLES}/{above[0]['id']}", headers=admin)).status_code == 403


async def test_a_role_needs_its_kind_of_place(town: Town, client: httpx.AsyncClient) -> None:
    admin, building = await town.sign_in("赵丽"), town.areas[f"{PHOENIX}/第一网格/3栋"]
    for role, place in (
        ("unit_head", {"area_id": building}), ("grid_worker", {"area_id": building}),
        ("station_keeper", {"region_id": town.community}), ("community_admin", {"area_id": building}),
    ):  # fmt: skip
        answer = await client.post(ROLES, headers=admin, json=body(town, "张桂兰", role, **place))
        assert (answer.status_code, answer.json()["code"]) == (422, "wrong_place")
    for shape in (
        {"person_id": str(town.people["张桂兰"]), "role": "unit_head"},
        body(town, "张桂兰", "unit_head", area_id=building, region_id=town.community),
        body(town, "张桂兰", "emperor", region_id=town.community),
    ):
        assert (await client.post(ROLES, headers=admin, json=shape)).status_code == 400


async def test_a_role_begins_and_ends_with_its_days(town: Town, client: httpx.AsyncClient) -> None:
    admin, today = await town.sign_in("赵丽"), clock.local_day()
    station = body(town, "张桂兰", "station_keeper", station_id=town.stations["慈善超市"])
    past = station | {"ends_on": str(today - timedelta(days=1))}
    assert (await client.post(ROLES, headers=admin, json=past)).json()["code"] == "bad_term"
    later = station | {"starts_on": str(today + timedelta(days=2)), "ends_on": str(today + timedelta(days=3))}
    assert (await client.post(ROLES, headers=admin, json=later)).status_code == 201
    assert not (await town.scope("张桂兰")).has(Role.station_keeper)
    with clock.at(clock.now() + timedelta(days=2)):
        assert (await town.scope("张桂兰")).has(Role.station_keeper)
    with clock.at(clock.now() + timedelta(days=4)):
        assert not (await town.scope("张桂兰")).has(Role.station_keeper)


async def test_the_list_of_roles_is_for_who_reads_the_books(town: Town, client: httpx.AsyncClient) -> None:
    found = (await client.get(ROLES, headers=await town.sign_in("孙伟"), params={"limit": 200})).json()["items"]
    assert {(g["person_name"], g["place_name"]) for g in found} >= {("陈明", "第一网格"), ("周敏", "暖蜂驿站")}
    assert len(found) == 8
    assert (await client.get(ROLES, headers=await town.sign_in("张桂兰"))).status_code == 403
    assert (await client.get(ROLES)).status_code == 401


async def test_a_child_and_somebody_blocked_hold_no_role(town: Town, client: httpx.AsyncClient) -> None:
    asked = body(town, "刘小雨", "unit_head", area_id=town.areas[f"{PHOENIX}/第一网格/5栋/2单元"])
    answer = await client.post(ROLES, headers=await town.sign_in("赵丽"), json=asked)
    assert answer.json()["code"] == "cannot_hold_role"


async def test_a_password_too_weak_for_an_administrator_makes_nobody_one(town: Town, owner: asyncpg.Connection) -> None:
    """A resident may have this password; for an administrator, with a new or a known phone, nothing is written."""
    before = [
        await owner.fetchval(f"SELECT count(*) FROM {table}") for table in ("person", "login", "role_grant")
    ]  # no input in the SQL
    for name, phone in (("罗主任", "19900008888"), ("王建国", town.phones["王建国"])):
        with pytest.raises(WeakPassword):
            await create_admin(town.system(), name, phone, "sunny1day")
    after = [
        await owner.fetchval(f"SELECT count(*) FROM {table}") for table in ("person", "login", "role_grant")
    ]  # no input in the SQL
    assert after == before


async def test_who_is_appointed_with_a_weak_password_is_asked_for_a_better_one_at_the_next_sign_in(
    town: Town, client: httpx.AsyncClient
) -> None:
    password = "sunny1day"
    await set_password(town.logins["欧阳凯伟"], town.phones["欧阳凯伟"], password)
    asked = {"phone": town.phones["欧阳凯伟"], "password": password}
    assert (await client.post("/api/v1/sessions", json=asked)).json()["weak_password"] is False
    duty = body(town, "欧阳凯伟", "grid_worker", area_id=town.areas[f"{PHOENIX}/第一网格"])
    assert (await client.post(ROLES, headers=await town.sign_in("赵丽"), json=duty)).status_code == 201
    assert (await client.post("/api/v1/sessions", json=asked)).json()["weak_password"] is True


async def test_a_command_makes_the_first_administrator(town: Town, client: httpx.AsyncClient) -> None:
    system = town.system(SPRING)
    async with operating():
        made = await create_admin(system, "罗主任", "19900008888", "很长的一个密码一")
        assert await create_admin(system, "罗主任", "19900008888", "很长的新密码-2") == made
    opened = await client.post("/api/v1/sessions", json={"phone": "19900008888", "password": "很长的新密码-2"})
    assert opened.json()["persons"][0]["roles"] == ["community_admin"]
    with pytest.raises(Forbidden):
        await create_admin(await town.scope("何静"), "混入", "19900008889", "很长的一个密码一")


async def test_paid_duty_is_granted_listed_told_and_audited_as_such(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    admin, unit = await town.sign_in("赵丽"), town.areas[f"{PHOENIX}/第一网格/3栋/2单元"]
    paid: dict[str, object] = {**body(town, "张桂兰", "unit_head", area_id=unit), "paid": True}
    made = await client.post(ROLES, headers=admin, json=paid)
    assert (made.status_code, made.json()["paid"]) == (201, True)
    free = await client.post(ROLES, headers=admin, json=body(town, "欧阳凯伟", "unit_head", area_id=unit))
    assert free.json()["paid"] is False, "unless somebody says so, duty is unpaid"
    listed = {g["person_name"]: g["paid"] for g in (await client.get(ROLES, headers=admin)).json()["items"]}
    assert (listed["张桂兰"], listed["欧阳凯伟"], listed["李秀英"]) == (True, False, False)
    [text] = await told(owner, town, "张桂兰", "role_granted")
    assert "带薪" in text
    assert await owner.fetchval(
        "SELECT (change ->> 'paid')::boolean FROM audit WHERE verb = 'grant_role' AND noun_id = $1", made.json()["id"]
    )
    cookie = {"Cookie": f"{SESSION_COOKIE}={await town.token('赵丽')}"}
    for page in ("/admin/roles", f"/admin/people/{town.people['张桂兰']}"):
        assert "（带薪）" in (await client.get(page, headers=cookie)).text, page
    form = await client.get(f"/admin/roles/new?person_id={town.people['王建国']}&role=unit_head", headers=cookie)
    assert "这是带薪的职务" in form.text


async def test_the_second_person_sees_whether_an_administrator_would_be_paid(
    town: Town, client: httpx.AsyncClient
) -> None:
    wanted: dict[str, object] = {**body(town, "张桂兰", "community_admin", region_id=town.community), "paid": True}
    waits = await client.post(ROLES, headers=await town.sign_in("赵丽"), json=wanted)
    assert waits.status_code == 202
    street = await town.sign_in("钱进")
    shown = (await client.get(f"/api/v1/agreements/{waits.json()['waiting']}", headers=street)).json()
    assert "带薪" in shown["text"]
    agreed = await client.post(
        f"/api/v1/agreements/{waits.json()['waiting']}/decision", headers=street, json={"decision": "agree"}
    )
    assert agreed.status_code == 200
    items = (await client.get(ROLES, headers=street | {"X-Community-Id": str(town.community)})).json()["items"]
    assert [g["paid"] for g in items if g["person_name"] == "张桂兰"] == [True]
