"""Sign-in on a page, the attributes of the cookies, and the home page of each role."""

import re
from http.cookies import SimpleCookie

import httpx
import pytest

from tests.support.town import SPRING, Town, set_password
from timebank.access.sign_in_codes import sign_in_code
from timebank.http.callers import SESSION_COOKIE, csrf_token

PASSWORD = "桂兰的密码-2026"


def cookies(answer: httpx.Response) -> SimpleCookie:
    jar = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return jar


async def browser(town: Town, name: str) -> tuple[dict[str, str], str]:
    """Sign the person in; return the Cookie header and the CSRF token."""
    token = await town.token(name)
    return {"Cookie": f"{SESSION_COOKIE}={token}"}, csrf_token(token)


async def test_a_password_on_the_page_opens_a_session_and_goes_on(town: Town, client: httpx.AsyncClient) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    asked = await client.get("/sign-in", params={"next": "/goods"})
    assert asked.status_code == 200
    assert 'name="next" value="/goods"' in asked.text
    form = {"phone": town.phones["张桂兰"], "password": PASSWORD, "next": "/goods"}
    answer = await client.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/goods")
    session = cookies(answer)[SESSION_COOKIE]
    assert session["httponly"]
    assert (session["samesite"].lower(), session["path"], bool(session["secure"])) == ("lax", "/", False)
    home = await client.get("/", headers={"Cookie": f"{SESSION_COOKIE}={session.value}"})
    assert "张桂兰" in home.text
    assert "扫一扫签到" in home.text


async def test_a_new_sign_in_has_a_new_token_and_ends_the_browsers_old_session(
    town: Town, client: httpx.AsyncClient
) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    headers, _ = await browser(town, "张桂兰")
    elsewhere, _ = await browser(town, "张桂兰")
    form = {"phone": town.phones["张桂兰"], "password": PASSWORD}
    answer = await client.post("/sign-in", headers=headers, data=form)
    assert answer.status_code == 303
    assert cookies(answer)[SESSION_COOKIE].value not in headers["Cookie"]
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401
    assert (await client.get("/api/v1/me", headers=elsewhere)).status_code == 200


@pytest.mark.parametrize("evil", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""])
async def test_signing_in_never_leads_to_another_site(town: Town, client: httpx.AsyncClient, evil: str) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    form = {"phone": town.phones["张桂兰"], "password": PASSWORD, "next": evil}
    assert (await client.post("/sign-in", data=form)).headers["location"] == "/"


async def test_a_wrong_password_says_so_and_keeps_the_phone(town: Town, client: httpx.AsyncClient) -> None:
    form = {"phone": town.phones["张桂兰"], "password": "不对的密码"}
    answer = await client.post("/sign-in", data=form)
    assert answer.status_code == 401
    assert "手机号或密码不对" in answer.text
    assert f'value="{town.phones["张桂兰"]}"' in answer.text
    assert "set-cookie" not in answer.headers
    for bad in ({"phone": "12"}, {"phone": "abc", "password": "x"}, {}, {"phone": "1" * 99, "password": "y" * 999}):
        assert (await client.post("/sign-in", data=bad)).status_code in (401, 422)


async def test_another_sites_form_signs_nobody_in(town: Town, client: httpx.AsyncClient) -> None:
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    form = {"phone": town.phones["张桂兰"], "password": PASSWORD}
    refused = await client.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


async def test_the_counters_code_leads_to_the_first_password(town: Town, client: httpx.AsyncClient) -> None:
    code = (await sign_in_code(await town.scope("周敏"), town.people["张桂兰"], "scan")).code
    form = {"by": "code", "phone": town.phones["张桂兰"], "otp": code}
    answer = await client.post("/sign-in", data=form)
    assert answer.headers["location"] == "/password?first=1"
    token = cookies(answer)[SESSION_COOKIE].value
    headers = {"Cookie": f"{SESSION_COOKIE}={token}"}
    asked = await client.get("/password?first=1", headers=headers)
    assert "设一个密码" in asked.text
    assert 'name="current"' not in asked.text
    form = {"_csrf": csrf_token(token), "password": PASSWORD, "again": "另一个"}
    assert "两次输入的新密码不一样" in (await client.post("/password", headers=headers, data=form)).text
    weak = form | {"password": "11111111", "again": "11111111"}
    assert (await client.post("/password", headers=headers, data=weak)).status_code == 422
    done = await client.post("/password", headers=headers, data=form | {"again": PASSWORD, "first": "1"})
    assert done.headers["location"] == "/"


async def test_signing_out_ends_the_session(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "张桂兰")
    assert (await client.post("/sign-out", headers=headers)).status_code == 403
    assert (await client.post("/sign-out", headers=headers, data={"_csrf": csrf})).status_code == 303
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_a_visitor_is_told_what_this_is(town: Town, client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    assert "帮邻居的时间" in answer.text
    assert "凤凰社区" in answer.text
    asked = await client.get("/family")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/family")


async def test_home_shows_points_what_expires_and_what_was_told(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 1286)
    await sign_in_code(await town.scope("周敏"), town.people["张桂兰"], "scan")
    headers, csrf = await browser(town, "张桂兰")
    home = (await client.get("/", headers=headers)).text
    assert "1,286" in home
    assert "本月 +1,286" in home
    assert "到期" in home
    assert "共 1 条消息没有看" in home
    assert (await client.post("/messages/read", headers=headers, data={"_csrf": csrf})).status_code == 303
    assert "条消息没有看" not in (await client.get("/", headers=headers)).text


async def test_each_role_finds_its_way_from_the_first_page(town: Town, client: httpx.AsyncClient) -> None:
    for name, there, not_there in (
        ("张桂兰", "/goods", "/admin"), ("周敏", "/desk", "/admin"), ("赵丽", "/admin", "/desk"),
        ("刘洋", "/family", "/admin"), ("王建国", "/deeds", "/admin"),
    ):  # fmt: skip
        headers, _ = await browser(town, name)
        home = (await client.get("/", headers=headers)).text
        assert f'href="{there}"' in home, name
        assert f'href="{not_there}"' not in home, name


async def test_a_browser_at_the_address_of_a_form_is_led_to_the_page_above(
    town: Town, client: httpx.AsyncClient
) -> None:
    """A GET of a form's address redirects a browser, which may reload a refused form; a program gets 405."""
    headers, _csrf = await browser(town, "赵丽")
    person = f"/admin/people/{town.people['张桂兰']}"
    answer = await client.get(f"{person}/confirmation", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, person)
    assert (await client.get(person, headers=headers)).status_code == 200
    program = await client.get(f"{person}/confirmation", headers=headers | {"Accept": "application/json"})
    assert (program.status_code, program.json()["code"]) == (405, "method_not_allowed")


async def test_preferences_are_remembered_and_forms_of_others_refused(town: Town, client: httpx.AsyncClient) -> None:
    chosen = await client.post("/preferences", data={"view": "elder", "next": "/sign-in"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/sign-in")
    view = cookies(chosen)
    elder = await client.get("/sign-in", headers={"Cookie": f"timebank_view={view['timebank_view'].value}"})
    assert 'data-view="elder"' in elder.text
    assert not cookies(await client.post("/preferences", data={"view": "purple", "lang": "xx"}))
    headers, csrf = await browser(town, "张桂兰")
    assert (await client.post("/preferences", headers=headers, data={"view": "elder"})).status_code == 403
    foreign = {"_csrf": csrf, "person": str(town.people["赵丽"]), "community": str(town.communities[SPRING])}
    assert not cookies(await client.post("/preferences", headers=headers, data=foreign))
    own = {"_csrf": csrf, "person": str(town.people["张桂兰"])}
    assert len(cookies(await client.post("/preferences", headers=headers, data=own))) == 2


async def test_one_agrees_to_the_full_name_on_the_board_and_takes_it_back(
    town: Town, client: httpx.AsyncClient
) -> None:
    headers, csrf = await browser(town, "张桂兰")
    assert "现在显示：张*" in (await client.get("/preferences", headers=headers)).text
    agree = {"_csrf": csrf, "publishes_name": "1"}
    assert (await client.post("/preferences/publication", headers=headers, data=agree)).status_code == 303
    assert "现在显示：张桂兰" in (await client.get("/preferences", headers=headers)).text
    await client.post("/preferences/publication", headers=headers, data=agree | {"publishes_name": "0"})
    assert "现在显示：张*" in (await client.get("/preferences", headers=headers)).text


async def test_a_guardian_gives_and_withdraws_the_consent(town: Town, client: httpx.AsyncClient) -> None:
    headers, csrf = await browser(town, "刘洋")
    shown = (await client.get("/family", headers=headers)).text
    assert "刘小雨" in shown
    assert "已同意" in shown
    [address] = set(re.findall(r'action="(/family/[^"]+/consent)"', shown))
    stranger, theirs = await browser(town, "张桂兰")
    form = {"_csrf": theirs, "given": "0"}
    assert (await client.post(address, headers=stranger, data=form)).status_code == 404
    assert "还没有登记孩子" in (await client.get("/family", headers=stranger)).text
    await client.post(address, headers=headers, data={"_csrf": csrf, "given": "0"})
    assert "需要您的同意" in (await client.get("/family", headers=headers)).text
    await client.post(address, headers=headers, data={"_csrf": csrf, "given": "1"})
    assert "本人确认" in (await client.get("/family", headers=headers)).text


async def test_a_page_in_english_has_its_language_and_no_stray_braces(town: Town, client: httpx.AsyncClient) -> None:
    headers, _ = await browser(town, "刘洋")
    for path in ("/", "/family", "/preferences", "/password", "/sign-in", "/sign-in?by=code"):
        answer = await client.get(path, headers={"Cookie": f"{headers['Cookie']}; timebank_language=en"})
        assert answer.status_code == 200
        assert 'lang="en"' in answer.text
        assert not re.search(r"\{[a-z]+\}", answer.text), path
