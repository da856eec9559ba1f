"""Guessing is delayed without locking out rightful users."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.support.shop import wish
from tests.support.town import Town, open_session, set_password, store_password
from timebank.access import stored_answers
from timebank.access.sign_in import sessions, sign_in_delays
from timebank.access.sign_in.browsers import BROWSER_COOKIE, LOGINS_MAX, remember, tokens_in
from timebank.access.sign_in.logins import give_one_time_code
from timebank.access.sign_in.sign_in_delays import SignInDelayed, begin_try, end_try, network_of
from timebank.commands.serving import server_config
from timebank.core import clock, settings, vault
from timebank.core.database import transaction
from timebank.core.settings import BadSetting
from timebank.http.callers import SESSION_COOKIE

SHARED, ELSEWHERE = "203.0.113.7", "198.51.100.9"
PASSWORD = "桂兰的密码-2026"


def index(phone: str) -> bytes:
    return vault.blind_index(phone, "phone")


async def guesses(phone: str, address: str, times: int, *, by_code: bool = False) -> int:
    """Begin this many failing tries; return how many are not delayed."""
    looked_at = 0
    for _ in range(times):
        try:
            await begin_try(index(phone), address, (), by_code=by_code)
        except SignInDelayed:
            continue
        looked_at += 1
    return looked_at


async def is_let_in(phone: str, address: str, browsers: tuple[str, ...] = (), *, by_code: bool = False) -> bool:
    """Return whether a try with the right password or code is not delayed; it counts as a success."""
    try:
        tried = await begin_try(index(phone), address, browsers, by_code=by_code)
    except SignInDelayed:
        return False
    async with transaction(None):
        await end_try(tried)
    return True


async def test_guesses_from_one_address_are_slowed_and_the_owner_elsewhere_is_not(town: Town) -> None:
    phone = town.phones["张桂兰"]
    assert await guesses(phone, SHARED, 40) == 5
    assert await is_let_in(phone, ELSEWHERE)
    assert await guesses(phone, SHARED, 5) == 0


async def test_two_who_sign_in_at_one_moment_on_one_network_do_not_delay_each_other(town: Town) -> None:
    behind = clock.now()
    ahead = behind + timedelta(milliseconds=20)
    with clock.at(ahead):
        tried = await begin_try(index(town.phones["周敏"]), SHARED, (), by_code=False)
    with clock.at(behind):
        assert await is_let_in(town.phones["张桂兰"], SHARED), "while the first is being looked at"
    with clock.at(ahead):
        async with transaction(None):
            await end_try(tried)
    with clock.at(behind):
        assert await is_let_in(town.phones["王建国"], SHARED), "after the first was right"


async def test_each_wrong_try_doubles_the_delay_up_to_a_quarter_of_an_hour(town: Town) -> None:
    phone, waits, now = town.phones["张桂兰"], [], clock.now()
    for _ in range(14):
        with clock.at(now):
            try:
                await begin_try(index(phone), SHARED, (), by_code=False)
            except SignInDelayed as refused:
                waits.append(refused.retry_after or 0)
                now += timedelta(seconds=waits[-1])
            else:
                now += timedelta(milliseconds=1)
    assert waits[:3] == [5, 10, 20]
    assert max(waits) <= 900


async def test_whoever_guesses_from_everywhere_delays_the_owner_by_half_a_minute_at_most(town: Town) -> None:
    phone, now = town.phones["张桂兰"], clock.now()
    for number in range(60):
        now += timedelta(seconds=31)
        with clock.at(now):
            assert await guesses(phone, f"198.51.100.{number}", 1) == 1
    with clock.at(now + timedelta(seconds=1)):
        assert not await is_let_in(phone, SHARED)
    with clock.at(now + timedelta(seconds=30)):
        assert await is_let_in(phone, SHARED)


async def test_a_browser_that_has_signed_in_before_does_not_wait_for_others_failures(town: Town) -> None:
    phone, now = town.phones["张桂兰"], clock.now()
    token = await remember(town.logins["张桂兰"])
    foreign = await remember(town.logins["赵丽"])
    with clock.at(now):
        assert await guesses(phone, SHARED, 20) == 5
        assert not await is_let_in(phone, SHARED)
        assert not await is_let_in(phone, SHARED, (foreign,)), "it is known to another login"
        assert await is_let_in(phone, SHARED, (token,))
        assert await guesses(phone, SHARED, 3) == 0, "its success does not free the guesser"
        looked_at = 0
        for _ in range(10):
            try:
                await begin_try(index(phone), SHARED, (token,), by_code=False)
            except SignInDelayed:
                continue
            looked_at += 1
        assert looked_at == 5, "who guesses in it is slowed too"


async def test_a_success_resets_the_count(town: Town) -> None:
    for _ in range(4):
        assert await guesses(town.phones["张桂兰"], SHARED, 4) == 4
        assert await is_let_in(town.phones["张桂兰"], SHARED)


async def test_two_thousand_residents_behind_one_address_get_in_while_a_stranger_guesses_there(town: Town) -> None:
    now, looked_at, let_in = clock.now(), 0, 0
    for number in range(2000):
        with clock.at(now + timedelta(seconds=number)):
            looked_at += await guesses(f"188{number:08}", SHARED, 1)
            let_in += await is_let_in(f"199{number:08}", SHARED, by_code=True)
    assert let_in == 2000
    assert looked_at < 250


async def test_those_who_know_their_password_get_in_one_after_another(town: Town) -> None:
    now = clock.now()
    with clock.at(now):
        for number in range(300):
            assert await guesses(f"199{number:08}", SHARED, 1) == 1, "one slip each"
            assert await is_let_in(f"199{number:08}", SHARED)


async def test_a_new_code_from_the_counter_opens_the_way_at_once(town: Town, client: httpx.AsyncClient) -> None:
    phone = town.phones["张桂兰"]
    assert await guesses(phone, "127.0.0.1", 20, by_code=True) == 5
    assert await guesses(phone, "127.0.0.1", 20) == 5
    code = await give_one_time_code(await town.scope("周敏"), town.people["张桂兰"], phone, "scan")
    assert (await client.post("/api/v1/sessions", json={"phone": phone, "otp": code})).status_code == 201


async def test_a_delay_says_how_long_and_what_to_do(town: Town, client: httpx.AsyncClient) -> None:
    await guesses(town.phones["张桂兰"], "127.0.0.1", 6)
    body = {"phone": town.phones["张桂兰"], "password": "不是这个密码"}
    refused = await client.post("/api/v1/sessions", json=body)
    assert (refused.status_code, refused.json()["code"]) == (429, "sign_in_delayed")
    assert 0 < int(refused.headers["retry-after"]) <= 5
    page = await client.post("/sign-in", data=body)
    assert (page.status_code, "请站长发一个登录码" in page.text) == (429, True)
    assert int(page.headers["retry-after"]) > 0


async def test_a_sign_in_makes_the_browser_known_until_the_password_is_new(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    phone, login = town.phones["张桂兰"], town.logins["张桂兰"]
    await set_password(login, phone, PASSWORD)
    answer = await client.post("/sign-in", data={"phone": phone, "password": PASSWORD})
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(BROWSER_COOKIE)]
    assert "HttpOnly" in cookie
    assert "Path=/sign-in" in cookie
    token = cookie.split("=", 1)[1].split(";")[0].strip('"')
    stored = await owner.fetchval("SELECT token_hash FROM known_browser WHERE login_id = $1", login)
    assert stored == vault.token_hash(token)
    await set_password(login, phone, "另一个好密码-2027")
    assert not await owner.fetchval("SELECT count(*) FROM known_browser WHERE login_id = $1", login)
    assert len(tokens_in(".".join([token] * 99))) == LOGINS_MAX


async def test_a_code_proves_a_person_for_a_quarter_of_an_hour(town: Town, client: httpx.AsyncClient) -> None:
    now = clock.now()
    for minutes, status in ((14, 204), (16, 403)):
        with clock.at(now):
            token = await open_session(town.logins["张桂兰"], by_code=True)
        headers = {"Authorization": f"Bearer {token}"}
        with clock.at(now + timedelta(minutes=minutes)):
            answer = await client.post("/api/v1/me/password", headers=headers, json={"password": PASSWORD})
        if status == 403:
            assert answer.json()["code"] == "wrong_password", "there is a password by now, and it must be given"
        else:
            assert answer.status_code == status


async def test_a_code_of_long_ago_sets_no_first_password(town: Town, client: httpx.AsyncClient) -> None:
    now = clock.now()
    with clock.at(now):
        token = await open_session(town.logins["张桂兰"], by_code=True)
    with clock.at(now + timedelta(minutes=16)):
        headers = {"Authorization": f"Bearer {token}"}
        late = await client.post("/api/v1/me/password", headers=headers, json={"password": PASSWORD})
    assert (late.status_code, late.json()["code"]) == (403, "code_too_old")


async def test_staff_need_a_better_password_than_residents(town: Town, client: httpx.AsyncClient) -> None:
    for name, status in (("张桂兰", 204), ("赵丽", 422)):
        headers = await town.sign_in(name)
        answer = await client.post("/api/v1/me/password", headers=headers, json={"password": "kite4821"})
        assert answer.status_code == status, name


async def test_a_weak_password_of_before_still_opens_and_a_new_one_is_asked_for(
    town: Town, client: httpx.AsyncClient
) -> None:
    phone = town.phones["张桂兰"]
    await store_password(town.logins["张桂兰"], "woaini123")
    body = {"phone": phone, "password": "woaini123"}
    assert (await client.post("/api/v1/sessions", json=body)).json()["weak_password"] is True
    page = await client.post("/sign-in", data=body | {"next": "/goods"})
    assert page.headers["location"] == "/password?weak=1"
    token = next(c for c in page.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
    shown = await client.get("/password?weak=1", headers={"Cookie": token.split(";")[0]})
    assert "容易被人猜到" in shown.text


async def test_sign_ins_are_in_the_audit_and_a_flood_of_guesses_is_a_few_rows(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    phone, login, now = town.phones["张桂兰"], town.logins["张桂兰"], clock.now()
    for number in range(1, 31):
        await sessions._note_failure(login, number, "", by_code=False)
    with clock.at(now):
        code = await give_one_time_code(await town.scope("周敏"), town.people["张桂兰"], phone, "scan")
        opened = await client.post("/api/v1/sessions", json={"phone": phone, "otp": code})
    headers = {"Authorization": f"Bearer {opened.json()['token']}"}
    await client.post("/api/v1/me/password", headers=headers, json={"password": PASSWORD})
    await client.delete("/api/v1/sessions/current", headers=headers)
    rows = await owner.fetch("SELECT verb, change::text FROM audit WHERE noun_id = $1 ORDER BY at", login)
    verbs = sorted(row["verb"] for row in rows)
    assert verbs == ["fail_sign_in", "fail_sign_in", "set_password", "sign_in", "sign_out"]
    assert all(phone not in row["change"] for row in rows)


async def test_what_is_forgotten_after_a_day(town: Town, owner: asyncpg.Connection) -> None:
    await guesses(town.phones["张桂兰"], SHARED, 3)
    with clock.at(clock.now() + timedelta(days=2)):
        await sign_in_delays.purge_delays()
    assert not await owner.fetchval("SELECT (SELECT count(*) FROM sign_in_failure) + count(*) FROM sign_in_suspect")


def test_an_address_is_a_house_in_ipv6_and_a_mapped_one_is_ipv4() -> None:
    assert network_of("2001:db8:1:2::7") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::7")
    assert network_of("::ffff:203.0.113.7") == network_of("203.0.113.7") != network_of("203.0.113.8")


def test_only_named_proxies_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEBANK_TRUSTED_PROXIES", "127.0.0.1, 172.30.57.1")
    assert settings.from_environment().trusted_proxies == ("127.0.0.1", "172.30.57.1")
    for bad in ("proxy", "0.0.0.0/0", "::/0", "*"):
        monkeypatch.setenv("TIMEBANK_TRUSTED_PROXIES", bad)
        with pytest.raises(BadSetting):
            settings.from_environment()
    assert server_config(None).forwarded_allow_ips == list(settings.current().trusted_proxies)


async def test_a_stored_answer_is_sealed_and_opens_in_its_own_row_alone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 500)
    headers = await town.sign_in("张桂兰") | {"Idempotency-Key": uuid4().hex}
    key = headers["Idempotency-Key"]
    body = wish(town, "张桂兰", "香皂")

    async def reserve() -> httpx.Response:
        return await client.post("/api/v1/redemptions", headers=headers, json=body)

    first = await reserve()
    assert first.status_code == 201, first.text
    stored: bytes = await owner.fetchval("SELECT body FROM idempotent_request WHERE key = $1", key)
    assert first.json()["code"].encode() not in stored
    again = await reserve()
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    await owner.execute("UPDATE idempotent_request SET status = 200 WHERE key = $1", key)
    assert (await reserve()).status_code == 503
    await owner.execute("UPDATE idempotent_request SET status = 201, body = $2 WHERE key = $1", key, first.content)
    of_before = await reserve()
    assert (of_before.content, of_before.headers["idempotent-replayed"]) == (first.content, "true")
    with clock.at(clock.now() + timedelta(hours=25)):
        await stored_answers.purge_answers()
    assert not await owner.fetchval("SELECT count(*) FROM idempotent_request WHERE key = $1", key)
