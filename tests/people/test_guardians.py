"""Guardians: named by an administrator, consenting themselves or on paper."""

import httpx

from tests.support.town import Town
from timebank.access.registration import register
from timebank.core import clock
from timebank.people.guardianship.guardians import children_of
from timebank.people.schemas import Enrolment


async def test_a_guardian_is_named_consents_and_withdraws(town: Town, client: httpx.AsyncClient) -> None:
    admin, address = await town.sign_in("赵丽"), f"/api/v1/people/{town.people['刘小雨']}/guardians"
    body = {"guardian_id": str(town.people["欧阳凯伟"]), "relation": "父亲"}
    named = await client.post(address, headers=admin, json=body)
    assert (named.status_code, named.json()["consented_at"]) == (201, None)
    again = await client.post(address, headers=admin, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "guardian_known")
    father, one = await town.sign_in("欧阳凯伟"), f"/api/v1/guardianships/{named.json()['id']}"
    assert (await client.post(f"{one}/consent", headers=await town.sign_in("刘洋"))).status_code == 404
    given = await client.post(f"{one}/consent", headers=father)
    assert given.status_code == 200
    assert given.json()["recorded_by"] == str(town.people["欧阳凯伟"])
    assert [(c.name, c.consented) for c in await children_of(await town.scope("欧阳凯伟"))] == [("刘小雨", True)]
    withdrawn = await client.delete(f"{one}/consent", headers=father)
    assert withdrawn.json()["consented_at"] is None
    assert (await client.delete(one, headers=father)).status_code == 403
    assert (await client.delete(one, headers=admin)).status_code == 204
    assert await children_of(await town.scope("欧阳凯伟")) == []
    renewed = await client.post(address, headers=admin, json=body | {"consented": True})
    assert renewed.status_code == 201
    assert renewed.json()["recorded_by"] == str(town.people["赵丽"])


async def test_the_guardians_of_a_child_are_told_to_staff_and_to_each_other(
    town: Town, client: httpx.AsyncClient
) -> None:
    address = f"/api/v1/people/{town.people['刘小雨']}/guardians"
    for name in ("赵丽", "孙伟", "刘洋"):
        found = await client.get(address, headers=await town.sign_in(name))
        assert [g["guardian_name"] for g in found.json()] == ["刘洋"], name
    assert (await client.get(address, headers=await town.sign_in("张桂兰"))).status_code == 404
    assert (await client.get(address)).status_code == 401


async def test_only_a_grown_up_is_guardian_and_only_of_a_minor(town: Town, client: httpx.AsyncClient) -> None:
    admin = await town.sign_in("赵丽")
    for child, guardian, status in (
        ("张桂兰", "刘洋", 422), ("刘小雨", "刘小雨", 422), ("刘小雨", "何静", 404), ("何静", "刘洋", 404),
    ):  # fmt: skip
        body = {"guardian_id": str(town.people[guardian]), "relation": "亲属"}
        answer = await client.post(f"/api/v1/people/{town.people[child]}/guardians", headers=admin, json=body)
        assert answer.status_code == status
    body = {"guardian_id": str(town.people["欧阳凯伟"]), "relation": "父亲"}
    address = f"/api/v1/people/{town.people['刘小雨']}/guardians"
    assert (await client.post(address, json=body)).status_code == 401
    assert (await client.post(address, headers=await town.sign_in("周敏"), json=body)).status_code == 403


async def test_a_child_has_no_login_even_with_the_parents_phone_beside_the_name(
    town: Town, client: httpx.AsyncClient
) -> None:
    born_on = f"{clock.local_day().year - 8}-05-01"
    body = {"name": "刘小风", "born_on": born_on, "phone": town.phones["刘洋"]}
    child = (await client.post("/api/v1/people", headers=await town.sign_in("赵丽"), json=body)).json()
    assert child["is_child"] is True
    mine = (await client.get("/api/v1/me", headers=await town.sign_in("刘洋"))).json()
    assert [p["name"] for p in mine["persons"]] == ["刘洋"]
    refused = await client.post(f"/api/v1/people/{child['id']}/sign-in-code", headers=await town.sign_in("赵丽"))
    assert refused.json()["code"] == "child_has_no_login"
    without = await register(await town.scope("赵丽"), Enrolment(name="无电话"))
    refused = await client.post(f"/api/v1/people/{without.id}/sign-in-code", headers=await town.sign_in("赵丽"))
    assert refused.json()["code"] == "no_phone"
