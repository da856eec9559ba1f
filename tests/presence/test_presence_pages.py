"""The pages of presence: a code's link, the verdict, the personal code, own visits, display, counter, activities."""

import html
import re
from datetime import timedelta
from functools import cache

import asyncpg
import httpx
import pytest

from tests.support.counter import kept_scope, stands_here
from tests.support.presence import card, count, later, nine_o_clock, nonce, personal_code, served, station_code
from tests.support.town import Town, set_password
from timebank.access.devices.at_stations import add_device
from timebank.activities import shifts
from timebank.activities.schemas import ShiftIn
from timebank.app import create_app
from timebank.core import clock
from timebank.http.callers import DEVICE_COOKIE, SESSION_COOKIE
from timebank.presence.at_counter import is_present
from timebank.presence.scanning import scan, scan_seen
from timebank.presence.scans.identifying import ScanTooOld
from timebank.presence.schemas import ScanIn
from timebank.stations.schemas import DeviceIn


@cache
def transport() -> httpx.ASGITransport:
    """Return a transport to one application, which is built once for all tests."""
    return httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # ASGI, typed apart


def browser() -> httpx.AsyncClient:
    """Return a browser with its own cookies, not signed in."""
    return httpx.AsyncClient(transport=transport(), base_url="http://test", headers={"Accept": "text/html"})


async def signed_in(town: Town, name: str) -> httpx.AsyncClient:
    opened = browser()
    opened.cookies.set(SESSION_COOKIE, await town.token(name))
    return opened


def path_of(code: str) -> str:
    return code.removeprefix("http://test")


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" content="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


def hidden(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found, name
    return found[1]


def words(page: httpx.Response) -> str:
    """Return the text of the page without tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text))


# ----------------------------------------------------------------------------------------------------- the code's link


async def test_opening_the_code_changes_nothing_and_offers_one_button(town: Town, owner: asyncpg.Connection) -> None:
    phone = await signed_in(town, "张桂兰")
    for _ in range(3):
        page = await phone.get(path_of(station_code(town)))
        assert page.status_code == 200
        assert "在暖蜂驿站签到？" in words(page)
    for table in ("visit", "scan", "claim", "audit"):
        assert await count(owner, table) == 0, table


async def test_confirming_checks_in_and_a_reload_shows_the_same(town: Town, owner: asyncpg.Connection) -> None:
    phone, path = await signed_in(town, "张桂兰"), path_of(station_code(town))
    page = await phone.get(path)
    form = {"_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": "in"}
    sent = await phone.post(path, data=form)
    assert sent.status_code == 303
    for _ in range(2):
        verdict = await phone.get(sent.headers["location"])
        assert "已签到" in words(verdict)
        assert "张桂兰 · 暖蜂驿站" in words(verdict)
    again = await phone.post(path, data=form)
    assert (again.status_code, again.headers["location"].split("?")[0]) == (303, f"/scans/{form['nonce']}")
    assert await count(owner, "visit") == 1
    other = await signed_in(town, "李秀英")
    assert (await other.get(sent.headers["location"])).status_code == 404


async def test_a_form_without_its_token_is_refused(town: Town, owner: asyncpg.Connection) -> None:
    phone, path = await signed_in(town, "张桂兰"), path_of(station_code(town))
    page = await phone.get(path)
    sent = await phone.post(path, data={"nonce": hidden(page, "nonce"), "direction": "in"})
    assert sent.status_code == 403
    assert await count(owner, "visit") == 0


async def test_a_visitor_signs_in_and_still_arrives_when_the_code_was_scanned(
    town: Town, owner: asyncpg.Connection
) -> None:
    phone, begin = browser(), nine_o_clock()
    with clock.at(begin):
        path = path_of(station_code(town))
        asked = await phone.get(path)
    assert "请先登录" in words(asked)
    assert f"/sign-in?next={path}" in asked.text
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], "桂兰的密码-2026")
    with clock.at(begin + timedelta(seconds=60)):
        form = {"phone": town.phones["张桂兰"], "password": "桂兰的密码-2026", "next": path}
        assert (await phone.post("/sign-in", data=form)).headers["location"] == path
    with clock.at(begin + timedelta(seconds=100)):
        page = await phone.get(path)
        assert "在暖蜂驿站签到？" in words(page)
        form = {"_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": "in"}
        assert "已签到" in words(await phone.get((await phone.post(path, data=form)).headers["location"]))
    assert await count(owner, "visit", "in_at = $1", begin) == 1


async def test_without_the_phones_cookies_a_stale_code_is_refused(town: Town) -> None:
    begin = nine_o_clock()
    with clock.at(begin):
        path = path_of(station_code(town))
        await (await signed_in(town, "张桂兰")).get(path)
    with clock.at(begin + timedelta(seconds=100)):
        page = await (await signed_in(town, "张桂兰")).get(path)
    assert "码已过期" in words(page)
    assert 'href="/scan"' in page.text


async def confirmed(phone: httpx.AsyncClient, path: str, direction: str) -> httpx.Response:
    """Open a code's link, send its form, which must offer `direction`, and return the page of the verdict."""
    page = await phone.get(path)
    form = {"_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": hidden(page, "direction")}
    assert form["direction"] == direction
    return await phone.get((await phone.post(path, data=form)).headers["location"])


async def test_leaving_shows_the_minutes_and_the_points(town: Town) -> None:
    phone, begin = await signed_in(town, "张桂兰"), nine_o_clock()
    with clock.at(begin):
        await confirmed(phone, path_of(station_code(town)), "in")
    with later(begin, 135):
        verdict = await confirmed(phone, path_of(station_code(town)), "out")
    for each in ("已签退", "2 小时 15 分", "+22 分 → 22", "3 分钟记入时间账户", "为什么是 22 分"):
        assert each in words(verdict), each


async def test_a_strange_link_says_so(town: Town) -> None:
    phone = await signed_in(town, "张桂兰")
    assert "不是本站的码" in words(await phone.get("/c/abc"))
    assert "不是本社区的码" in words(await phone.get(path_of(station_code(town, "龙泉驿站"))))
    assert "这是居民的码" in words(await browser().get(path_of(personal_code(town, "李秀英"))))


async def test_while_in_elsewhere_the_page_says_where(town: Town) -> None:
    phone = await signed_in(town, "张桂兰")
    await scan(await town.scope("张桂兰"), ScanIn(code=station_code(town), nonce=nonce()))
    assert "还在暖蜂驿站签到" in words(await phone.get(path_of(station_code(town, "慈善超市"))))


async def test_several_activities_are_chosen_from(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE activity SET needs_sign_up = false")
    phone, path = await signed_in(town, "张桂兰"), path_of(station_code(town))
    page = await phone.get(path)
    assert "四点半辅导" in words(page)
    form = {
        "_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": "in",
        "activity_id": str(town.activities["四点半辅导"]),
    }  # fmt: skip
    assert "四点半辅导" in words(await phone.get((await phone.post(path, data=form)).headers["location"]))


# ---------------------------------------------------------------------------------------------- scanning, code, visits


async def test_a_typed_link_leads_to_the_code_and_anything_else_is_refused(town: Town) -> None:
    phone = await signed_in(town, "张桂兰")
    token = csrf_of(await phone.get("/scan"))
    code = station_code(town)
    led = await phone.post("/scan", data={"_csrf": token, "code": code})
    assert (led.status_code, led.headers["location"]) == (303, path_of(code))
    refused = await phone.post("/scan", data={"_csrf": token, "code": "https://evil.example/c/x"})
    assert (refused.status_code, "不是本站的码" in words(refused)) == (422, True)


async def test_my_code_turns_and_a_guardian_shows_the_childs(town: Town) -> None:
    phone = await signed_in(town, "刘洋")
    page = await phone.get("/me/code")
    assert "刘小雨" in words(page)
    child = f"?person_id={town.people['刘小雨']}"
    turned = (await phone.get(f"/me/code.json{child}")).json()
    assert set(turned) == {"png_url", "expires_at", "step_seconds", "server_time"}
    assert "刘小雨的码" in words(await phone.get(f"/me/code{child}"))
    other = await signed_in(town, "张桂兰")
    assert (await other.get(f"/me/code{child}")).status_code == 422
    assert (await browser().get("/me/code")).status_code == 303


async def test_my_visits_say_why_there_are_no_points(town: Town) -> None:
    await served(town, "周敏", 60)
    phone = await signed_in(town, "周敏")
    page = await phone.get("/visits")
    assert "等核对" in words(page)
    found = re.search(r'href="(/visits/[0-9a-f-]+)"', page.text)
    assert found
    assert "志愿者就是本站站长" in words(await phone.get(found[1]))
    assert (await (await signed_in(town, "张桂兰")).get(found[1])).status_code == 404
    assert "还没有服务记录" in words(await (await signed_in(town, "张桂兰")).get("/visits"))


# --------------------------------------------------------------------------------------------------------- the display


async def test_a_screen_is_paired_by_its_link_and_turns(town: Town) -> None:
    made = await add_device(await town.scope("周敏"), town.stations["暖蜂驿站"], DeviceIn("大屏", "display"))
    screen = browser()
    assert (await screen.get("/display")).status_code == 403
    asked = await screen.get(path_of(made.url))
    assert (asked.status_code, "大屏" in words(asked), DEVICE_COOKIE in screen.cookies) == (200, True, False)
    paired = await screen.post(path_of(made.url))
    assert (paired.status_code, paired.headers["location"]) == (303, "/display")
    assert DEVICE_COOKIE in screen.cookies
    await scan(await town.scope("张桂兰"), ScanIn(code=station_code(town), nonce=nonce()))
    wall = await screen.get("/display")
    assert "暖蜂驿站" in words(wall)
    assert "张*" in words(wall)
    assert "张桂兰" not in wall.text
    turned = (await screen.get("/display/code.json")).json()
    assert turned["url"].startswith("http://test/c/")
    assert (turned["present"], turned["recent"][0]["name"]) == (1, "张*")
    assert (await browser().get("/display/tbd_wrong")).status_code == 403
    counter = await add_device(await town.scope("周敏"), town.stations["暖蜂驿站"], DeviceIn("平板", "counter"))
    code = counter.url.rsplit("/", 1)[1]
    assert (await browser().post(f"/display/{code}")).status_code == 403, "a counter is no display"


# --------------------------------------------------------------------------------------------------------- the counter


async def counter_of(town: Town) -> httpx.AsyncClient:
    made = await add_device(await town.scope("周敏"), town.stations["暖蜂驿站"], DeviceIn("平板", "counter"))
    tablet = browser()
    assert (await tablet.post(path_of(made.url))).headers["location"] == "/desk"
    await kept_scope(town, tablet.cookies[DEVICE_COOKIE])
    return tablet


@pytest.mark.parametrize("by", ["keeper", "tablet"])
async def test_a_scan_at_the_counter_says_who_it_is_and_a_button_checks_in(
    town: Town, owner: asyncpg.Connection, by: str
) -> None:
    desk = await signed_in(town, "周敏") if by == "keeper" else await counter_of(town)
    page = await desk.get("/desk")
    assert page.status_code == 200
    await town.credit_deed("张桂兰", 40)
    headers = {"X-CSRF-Token": csrf_of(page), "X-Partial": "verdict"}
    code, asked = await card(town, owner, "张桂兰"), nonce()
    form = {
        "code": code, "nonce": asked, "occurred_at": clock.now().isoformat(),
        "station_id": str(town.stations["暖蜂驿站"]),
    }  # fmt: skip
    answer = await desk.post("/desk/scan", data=form, headers=headers)
    assert answer.status_code == 200
    assert re.findall(r'data-desk-slot="(\w+)"', answer.text) == ["verdict", "person", "today", "recent"]
    for each in ("张桂兰", "3栋1单元", "香皂"):
        assert each in words(answer), each
    assert await count(owner, "visit") == 0
    assert await count(owner, "audit", "verb = 'identify'") == 1
    button = {
        name: hidden(answer, name) for name in ("person_id", "presence", "station_id", "direction", "nonce")
    } | {"_csrf": csrf_of(page)}  # fmt: skip
    assert button["presence"] == asked
    sent = [await desk.post("/desk/visits", data=button) for _ in range(2)]
    assert [done.status_code for done in sent] == [303, 303]
    shown = words(await desk.get(sent[-1].headers["location"]))
    assert "已签到" in shown
    assert "张桂兰" in shown
    assert await count(owner, "visit", "in_by = 'card' AND flags = '{}'") == 1
    refused = await desk.post("/desk/scan", data=form | {"code": "hello", "nonce": nonce()}, headers=headers)
    assert "不是本站的码" in words(refused)


async def test_a_scan_kept_without_network_checks_in_when_it_is_uploaded(town: Town, owner: asyncpg.Connection) -> None:
    desk = await counter_of(town)
    headers = {"X-CSRF-Token": csrf_of(await desk.get("/desk")), "Accept": "application/json"}
    row = {
        "code": await card(town, owner, "张桂兰"), "nonce": nonce(), "occurred_at": clock.now().isoformat(),
        "station_id": str(town.stations["暖蜂驿站"]), "offline": True,
    }  # fmt: skip
    for replayed in (False, True):
        answer = await desk.post("/desk/scan/batch", json={"rows": [row]}, headers=headers)
        assert answer.json()["results"][0]["replayed"] is replayed
    assert await count(owner, "visit") == 1


async def test_what_is_chosen_after_a_scan_counts_as_the_scan_and_proves_no_longer(
    town: Town, owner: asyncpg.Connection
) -> None:
    """The time is that of the scan, and a check-in does not prolong the five minutes in which points are spent."""
    keeper, begin = await town.scope("周敏"), nine_o_clock()
    with clock.at(begin):
        seen = await stands_here(keeper, town, "张桂兰")
    asked = ScanIn(code="seen", nonce=nonce(), station_id=town.stations["暖蜂驿站"], direction="in")
    with later(begin, 4):
        verdict = await scan_seen(keeper, town.people["张桂兰"], seen, asked)
        assert (verdict.status, verdict.direction) == ("ok", "in")
    assert await count(owner, "visit", "in_at = $1 AND in_by = 'personal_code'", begin) == 1
    again = ScanIn(code="seen", nonce=nonce(), station_id=town.stations["暖蜂驿站"], direction="out")
    with later(begin, 6):
        assert not await is_present(keeper, town.people["张桂兰"], town.stations["暖蜂驿站"], asked.nonce)
        for nonce_before in (seen, asked.nonce):
            with pytest.raises(ScanTooOld):
                await scan_seen(keeper, town.people["张桂兰"], nonce_before, again)


async def test_nobody_is_checked_in_by_the_scan_of_another_person_station_or_keeper(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper, other = await town.scope("周敏"), await town.scope("赵丽")
    seen = await stands_here(keeper, town, "张桂兰")
    here, there = town.stations["暖蜂驿站"], town.stations["慈善超市"]
    for scope, name, station_id in (
        (keeper, "李秀英", here), (other, "张桂兰", here), (other, "张桂兰", there),
    ):  # fmt: skip
        asked = ScanIn(code="seen", nonce=nonce(), station_id=station_id, direction="in")
        with pytest.raises(ScanTooOld):
            await scan_seen(scope, town.people[name], seen, asked)
    assert await count(owner, "visit") == 0


async def test_a_keeper_who_checks_in_the_own_family_by_a_scan_is_flagged(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper = await town.scope("周敏")
    seen = await stands_here(keeper, town, "周敏")
    asked = ScanIn(code="seen", nonce=nonce(), station_id=town.stations["暖蜂驿站"], direction="in")
    assert (await scan_seen(keeper, town.people["周敏"], seen, asked)).status == "ok"
    assert await count(owner, "visit", "'served_by_family' = ANY (flags)") == 1


async def test_without_a_script_the_counter_still_works(town: Town, owner: asyncpg.Connection) -> None:
    desk = await signed_in(town, "周敏")
    page = await desk.get("/desk")
    form = {"_csrf": csrf_of(page), "code": await card(town, owner, "张桂兰"), "nonce": hidden(page, "nonce")}
    shown = await desk.post("/desk/scan", data=form)
    assert "张桂兰" in words(shown)
    button = {name: hidden(shown, name) for name in ("person_id", "presence", "station_id", "direction")}
    done = await desk.post("/desk/visits", data=button | {"_csrf": form["_csrf"], "nonce": nonce()})
    assert "已签到" in words(await desk.get(done.headers["location"]))


async def test_who_has_neither_phone_nor_card_is_found_by_name_and_checked_in_by_hand(
    town: Town, owner: asyncpg.Connection
) -> None:
    desk = await signed_in(town, "周敏")
    form = {"_csrf": csrf_of(await desk.get("/desk")), "name": "张桂兰", "phone_last4": "0000"}
    found = await desk.post("/desk/people", data=form)
    assert "3栋1单元" in words(found)
    acted = {name: hidden(found, name) for name in ("person_id", "direction")}
    acted |= {"_csrf": form["_csrf"], "nonce": nonce(), "station_id": str(town.stations["暖蜂驿站"])}
    done = await desk.post("/desk/hand", data=acted)
    assert "已签到" in words(await desk.get(done.headers["location"]))
    assert await count(owner, "visit", "in_by = 'keeper'") == 1
    nobody = await desk.post("/desk/people", data=form | {"phone_last4": "9999"})
    assert "没有找到" in words(nobody)


async def test_a_mistaken_check_in_is_taken_back(town: Town, owner: asyncpg.Connection) -> None:
    desk = await signed_in(town, "周敏")
    await scan(await town.scope("周敏"), ScanIn(code=personal_code(town, "张桂兰"), nonce=nonce()))
    page = await desk.get("/desk")
    found = re.search(r'action="(/desk/visits/[0-9a-f-]+/undo)"', page.text)
    assert found
    for _ in range(2):
        assert (await desk.post(found[1], data={"_csrf": csrf_of(page)})).status_code == 303
    assert await count(owner, "visit", "status = 'void'") == 1
    assert (await (await signed_in(town, "张桂兰")).post(found[1], data={})).status_code == 403


async def test_a_waiting_goods_code_leads_to_its_page(town: Town) -> None:
    desk = await signed_in(town, "周敏")
    headers = {"X-CSRF-Token": csrf_of(await desk.get("/desk")), "X-Partial": "verdict"}
    for code in ("1234 5678", "http://test/desk/redemptions?code=12345678"):
        answer = await desk.post("/desk/scan", data={"code": code, "nonce": nonce()}, headers=headers)
        assert 'href="/desk/redemptions?code=12345678"' in answer.text


async def test_the_counter_is_for_those_who_serve(town: Town) -> None:
    assert (await browser().get("/desk")).status_code == 303
    for name, status in (("张桂兰", 403), ("孙伟", 403), ("赵丽", 200)):
        assert (await (await signed_in(town, name)).get("/desk")).status_code == status, name
    several = await (await signed_in(town, "赵丽")).get("/desk")
    assert "慈善超市" in words(several)
    keeper = await signed_in(town, "周敏")
    assert (await keeper.get(f"/desk?station={town.stations['慈善超市']}")).status_code == 404


# ----------------------------------------------------------------------------------------------------------- activities


async def test_a_resident_takes_a_seat_and_gives_it_back(town: Town) -> None:
    begin = clock.now() + timedelta(hours=3)
    wanted = ShiftIn(town.stations["暖蜂驿站"], begin, begin + timedelta(hours=2), 1)
    await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)
    phone, other = await signed_in(town, "张桂兰"), await signed_in(town, "李秀英")
    page = await phone.get("/activities")
    assert "余 1 位" in words(page)
    take = re.search(r'action="(/activities/shifts/[^"]+/sign-up)"', page.text)
    assert take
    assert (await phone.post(take[1], data={"_csrf": csrf_of(page)})).status_code == 303
    assert "我报的班" in words(await phone.get("/activities"))
    late = await other.post(take[1], data={"_csrf": csrf_of(await other.get("/activities"))})
    assert (late.status_code, "这一班已经报满了" in words(late)) == (409, True)
    back = take[1].replace("sign-up", "withdrawal")
    assert (await phone.post(back, data={"_csrf": csrf_of(page)})).status_code == 303
    assert "余 1 位" in words(await other.get("/activities"))
