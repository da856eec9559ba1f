"""Passwords, sign-in codes from the counter, cookies, and the CSRF token of each form."""

import httpx
import pytest

from tests.support.town import Town, set_password
from timebank.access.devices import devices
from timebank.access.registration import register
from timebank.access.sign_in.passwords import WeakPassword, check_strength
from timebank.access.sign_in.sessions import sign_in
from timebank.core.errors import Forbidden
from timebank.http.callers import COMMUNITY_COOKIE, PERSON_COOKIE, SESSION_COOKIE, csrf_token
from timebank.people.messages import mark_read, notify, own_messages
from timebank.people.schemas import Enrolment

PASSWORD = "/api/v1/me/password"


async def code_for(town: Town, client: httpx.AsyncClient, giver: str, name: str) -> httpx.Response:
    """Request a sign-in code as `giver`, with the person's name and last four phone digits; no `giver` is anonymous."""
    headers = await town.sign_in(giver) if giver else {}
    known = {"name": name.removesuffix("二"), "last4": town.phones[name.removesuffix("二")][-4:]}
    return await client.post(f"/api/v1/people/{town.people[name]}/sign-in-code", headers=headers, json=known)


async def test_a_first_password_is_set_after_the_counters_code(town: Town, client: httpx.AsyncClient) -> None:
    code = (await code_for(town, client, "周敏", "张桂兰")).json()["code"]
    opened = await client.post("/api/v1/sessions", json={"phone": town.phones["张桂兰"], "otp": code})
    headers = {"Authorization": f"Bearer {opened.json()['token']}"}
    elsewhere = await town.sign_in("张桂兰")
    weak = await client.post(PASSWORD, headers=headers, json={"password": "1111111111"})
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    assert (await client.post(PASSWORD, headers=headers, json={"password": "桂兰的密码-2026"})).status_code == 204
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    assert (await client.get("/api/v1/me", headers=elsewhere)).status_code == 401
    opened_by_password = await sign_in(town.phones["张桂兰"], password="桂兰的密码-2026")
    later = {"Authorization": f"Bearer {opened_by_password.token}"}
    refused = await client.post(PASSWORD, headers=later, json={"password": "另一个密码-2026"})
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_password")
    right = {"password": "另一个密码-2026", "current": "桂兰的密码-2026"}
    assert (await client.post(PASSWORD, headers=later, json=right)).status_code == 204
    assert (await client.post(PASSWORD, json=right)).status_code == 401


async def test_who_forgot_the_password_sets_a_new_one_after_a_code(town: Town, client: httpx.AsyncClient) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], "忘掉的密码-2026")
    code = (await code_for(town, client, "赵丽", "张桂兰")).json()["code"]
    opened = await client.post("/api/v1/sessions", json={"phone": town.phones["张桂兰"], "otp": code})
    headers = {"Authorization": f"Bearer {opened.json()['token']}"}
    assert (await client.post(PASSWORD, headers=headers, json={"password": "新的密码-2026"})).status_code == 204


async def test_a_password_is_not_guessed_from_an_open_session(town: Town, client: httpx.AsyncClient) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], "桂兰的密码-2026")
    headers = await town.sign_in("张桂兰")
    guess = {"password": "新的密码-2026", "current": "猜的密码"}
    codes = [(await client.post(PASSWORD, headers=headers, json=guess)).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]


@pytest.mark.parametrize(
    ("giver", "name", "status"),
    [
        ("", "张桂兰", 401),
        ("张国庆", "张桂兰", 403),
        ("王建国", "张桂兰", 403),
        ("孙伟", "张桂兰", 403),
        ("何静", "张桂兰", 404),
        ("周敏", "张桂兰", 201),
        ("陈明", "张桂兰", 201),
        ("赵丽", "张桂兰", 201),
        ("赵丽", "王建国", 201),
        ("周敏", "赵丽", 403),
        ("周敏", "王建国", 403),
        ("陈明", "周敏", 403),
        ("赵丽", "钱进", 403),
        ("钱进", "赵丽", 201),
        ("钱进", "吴昊", 403),
        ("吴昊", "钱进", 201),
    ],
)
async def test_a_code_never_lifts_its_giver_above_themselves(
    town: Town, client: httpx.AsyncClient, giver: str, name: str, status: int
) -> None:
    assert (await code_for(town, client, giver, name)).status_code == status


async def test_a_role_held_in_another_community_counts_too(town: Town, client: httpx.AsyncClient) -> None:
    """何静 administers 龙泉社区 and has a record in 凤凰社区: there only the street administrator gives her a code."""
    second = await register(await town.scope("赵丽"), Enrolment(name="何静", phone=town.phones["何静"]))
    town.people["何静二"] = second.id
    assert (await code_for(town, client, "周敏", "何静二")).json()["code"] == "office_holder"
    assert (await code_for(town, client, "赵丽", "何静二")).status_code == 403
    assert (await code_for(town, client, "钱进", "何静二")).status_code == 201


async def test_a_person_is_told_that_a_code_was_given(town: Town, client: httpx.AsyncClient) -> None:
    await code_for(town, client, "周敏", "张桂兰")
    headers = await town.sign_in("张桂兰")
    told = (await client.get("/api/v1/me/messages", headers=headers)).json()["items"]
    assert [m["kind"] for m in told] == ["sign_in_code"], told
    address = f"/api/v1/me/messages/{told[0]['id']}/read"
    assert (await client.post(address, headers=await town.sign_in("张国庆"))).status_code == 404
    assert (await client.post(address, headers=headers)).status_code == 204
    assert (await client.post(address, headers=headers)).status_code == 204
    unread = await client.get("/api/v1/me/messages", headers=headers, params={"unread": "true"})
    assert unread.json()["items"] == []
    assert (await client.get("/api/v1/me/messages")).status_code == 401


async def test_the_same_event_tells_a_person_once(town: Town) -> None:
    for _ in range(3):
        await notify(town.system(), town.people["张桂兰"], "card.given", "card:1", urgent=True)
    scope = await town.scope("张桂兰")
    [message] = (await own_messages(scope)).items
    await mark_read(scope, message.id)
    assert (await own_messages(scope, unread=True)).items == []


async def test_a_cookie_needs_the_token_of_its_own_session_and_a_bearer_none(
    town: Town, client: httpx.AsyncClient
) -> None:
    mine, other = await town.token("张桂兰"), await town.token("张桂兰")
    address = f"/api/v1/people/{town.people['张桂兰']}"
    cookie, body = {"Cookie": f"{SESSION_COOKIE}={mine}"}, {"publishes_name": True}
    assert (await client.get("/api/v1/me", headers=cookie)).status_code == 200
    missing = await client.patch(address, headers=cookie, json=body)
    assert (missing.status_code, missing.json()["code"]) == (403, "csrf_missing")
    foreign = await client.patch(address, headers=cookie | {"X-CSRF-Token": csrf_token(other)}, json=body)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "csrf_missing")
    right = await client.patch(address, headers=cookie | {"X-CSRF-Token": csrf_token(mine)}, json=body)
    assert right.status_code == 200
    bearer = await client.patch(address, headers={"Authorization": f"Bearer {mine}"}, json=body)
    assert bearer.status_code == 200


async def test_a_token_that_is_not_one_opens_nothing(town: Town, client: httpx.AsyncClient) -> None:
    for given in (
        "Bearer ",
        "Bearer nonsense",
        "Basic abc",
        "Bearer tbd_00000000000000000000000000000000_x",
        "Bearer tbd_",
    ):
        answer = await client.get("/api/v1/me", headers={"Authorization": given})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_two_of_a_family_with_one_phone_choose_who_acts(town: Town, client: httpx.AsyncClient) -> None:
    second = await register(await town.scope("赵丽"), Enrolment(name="张小梅", phone=town.phones["张桂兰"]))
    token = await town.token("张桂兰")
    first = (await client.get("/api/v1/me", headers={"Cookie": f"{SESSION_COOKIE}={token}"})).json()
    assert [p["name"] for p in first["persons"]] == ["张桂兰", "张小梅"]
    chosen = f"{SESSION_COOKIE}={token}; {PERSON_COOKIE}={second.id}"
    assert [p["name"] for p in (await client.get("/api/v1/me", headers={"Cookie": chosen})).json()["persons"]] == [
        "张小梅",
        "张桂兰",
    ]
    forged = f"{SESSION_COOKIE}={token}; {PERSON_COOKIE}={town.people['赵丽']}; {COMMUNITY_COOKIE}=nonsense"
    assert (await client.get("/api/v1/me", headers={"Cookie": forged})).json()["persons"] == first["persons"]


async def test_a_device_cannot_make_devices_and_ends_with_its_token(town: Town) -> None:
    made = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="柜台", kind="counter"
    )
    tablet = await devices.find_device(made.token)
    assert tablet is not None
    with pytest.raises(Forbidden):
        await devices.register_device(tablet, town.stations["暖蜂驿站"], name="又一台", kind="counter")
    await devices.revoke(await town.scope("周敏"), made.id)
    assert await devices.find_device(made.token) is None


@pytest.mark.parametrize(
    "password",
    [
        "1234567",
        "12345678",
        "87654321",
        "23456789",
        "abcdefgh",
        "88888888",
        "12121212",
        "Password1",
        "19900000000",
        "长" * 129,
        "shijian-2026",
        "woaini123",
        "woaini1314",
        "5201314520",
        "1234567890",
        "qwertyuiop",
    ],
)
def test_a_password_that_strangers_try_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_strength(password, "19900000000")


@pytest.mark.parametrize("password", ["桂兰的密码-2026", "90213877", "correct horse"])
def test_a_password_of_ones_own_will_do(password: str) -> None:
    check_strength(password, "19900000000")
