"""Signing in, and what a session may be used for."""

import httpx

from tests.support.town import Town, set_password
from timebank.access.sign_in.logins import give_one_time_code


async def test_a_password_opens_a_session_and_a_wrong_one_does_not(town: Town, client: httpx.AsyncClient) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], "桂兰的密码-2026")
    body = {"phone": town.phones["张桂兰"], "password": "桂兰的密码-2026"}
    opened = await client.post("/api/v1/sessions", json=body)
    assert opened.status_code == 201
    assert opened.json()["persons"][0]["name"] == "张桂兰"
    refused = await client.post("/api/v1/sessions", json=body | {"password": "不是这个密码"})
    assert refused.status_code == 401
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.json()["code"] == "wrong_sign_in"


async def test_a_one_time_code_signs_in_once(town: Town, client: httpx.AsyncClient) -> None:
    code = await give_one_time_code(await town.scope("周敏"), town.people["张桂兰"], town.phones["张桂兰"], "scan")
    body = {"phone": town.phones["张桂兰"], "otp": code}
    assert (await client.post("/api/v1/sessions", json=body)).status_code == 201
    assert (await client.post("/api/v1/sessions", json=body)).status_code == 401


async def test_me_tells_persons_roles_and_children(town: Town, client: httpx.AsyncClient) -> None:
    mine = (await client.get("/api/v1/me", headers=await town.sign_in("刘洋"))).json()
    assert [child["name"] for child in mine["children"]] == ["刘小雨"]
    admin = (await client.get("/api/v1/me", headers=await town.sign_in("赵丽"))).json()
    assert admin["persons"][0]["roles"] == ["community_admin"]


async def test_without_a_session_the_answer_is_a_problem(town: Town, client: httpx.AsyncClient) -> None:
    refused = await client.get("/api/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


async def test_a_session_that_was_ended_opens_nothing(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("张桂兰")
    assert (await client.delete("/api/v1/sessions/current", headers=headers)).status_code == 204
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401
