"""What station codes, claims, pairing links and cards prove: cheats over HTTP, and the points that they leave."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx

from tests.presence.test_presence_pages import browser, csrf_of, hidden, path_of, signed_in, words
from tests.support.counter import kept_scope
from tests.support.presence import body, count, later, nine_o_clock, nonce, personal_code, points_of, station_code
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.access.sign_in.logins import give_one_time_code
from timebank.cards.cards import cards_of, issue_missing_cards
from timebank.core import clock
from timebank.http.callers import DEVICE_COOKIE
from timebank.presence.evidence.browsers import purge_addresses
from timebank.presence.pages.phone import CLAIM_COOKIE, PHONE_COOKIE
from timebank.stations.code_readings import purge_readings

API = "/api/v1"
HOUR = 60


async def sends(phone: httpx.AsyncClient, path: str, direction: str = "auto", **more: str) -> str:
    """Open the code's link in a browser and send its form; return the text of the verdict."""
    page = await phone.get(path)
    form = {"_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": direction} | more
    sent = await phone.post(path, data=form)
    assert sent.status_code == 303, sent.text
    return words(await phone.get(sent.headers["location"]))


async def scan(client: httpx.AsyncClient, headers: dict[str, str], code: str, **more: object) -> Any:
    return (await client.post(f"{API}/checkins", json=body(code, **more), headers=headers)).json()


async def shown_to(client: httpx.AsyncClient, town: Town, headers: dict[str, str]) -> str:
    """Read the code of 暖蜂驿站 by the API as the caller; return its URL."""
    answer = await client.get(f"{API}/stations/{town.stations['暖蜂驿站']}/code", headers=headers)
    assert answer.status_code == 200
    return str(answer.json()["url"])


async def flags_of(owner: asyncpg.Connection, town: Town, name: str) -> list[str]:
    found: list[str] | None = await owner.fetchval(
        "SELECT flags FROM service_record WHERE person_id = $1 ORDER BY created_at DESC LIMIT 1", town.people[name]
    )
    return found or []


# -------------------------------------------------------------------------------------------------------------- claims


async def test_a_claim_and_its_cookies_carried_to_another_browser_are_refused(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Somebody at the station opens the code and sends the cookies to another person, who is signed in at home."""
    at_the_door, at_home, begin = await signed_in(town, "张桂兰"), await signed_in(town, "李秀英"), nine_o_clock()
    with clock.at(begin):
        path = path_of(station_code(town))
        await at_the_door.get(path)
    with clock.at(begin + timedelta(seconds=5)):
        page = await at_home.get(path)
    for name in (PHONE_COOKIE, CLAIM_COOKIE):
        at_home.cookies.delete(name)
        at_home.cookies.set(name, at_the_door.cookies[name])
    with clock.at(begin + timedelta(seconds=10)):
        form = {"_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": "in"}
        sent = await at_home.post(path, data=form)
        assert "不是在这里、用这次登录打开的" in words(await at_home.get(sent.headers["location"]))
    with clock.at(begin + timedelta(seconds=60)):
        assert "码已过期" in words(await at_home.get(path))
    assert await count(owner, "visit") == 0


async def test_a_visitors_claim_carried_to_somebody_who_is_signed_in_is_refused(
    town: Town, owner: asyncpg.Connection
) -> None:
    at_the_door, at_home, begin = browser(), await signed_in(town, "李秀英"), nine_o_clock()
    with clock.at(begin):
        path = path_of(station_code(town))
        page = await at_home.get(path)
        await at_the_door.get(path)
    for name in (PHONE_COOKIE, CLAIM_COOKIE):
        at_home.cookies.delete(name)
        at_home.cookies.set(name, at_the_door.cookies[name])
    with clock.at(begin + timedelta(seconds=60)):
        assert "码已过期" in words(await at_home.get(path))
        form = {"_csrf": csrf_of(page), "nonce": hidden(page, "nonce"), "direction": "in"}
        await at_home.post(path, data=form)
    assert await count(owner, "visit") == 0


async def test_in_wechats_browser_one_scans_signs_in_by_a_code_and_has_arrived_at_the_scan(
    town: Town, owner: asyncpg.Connection
) -> None:
    """WeChat's browser has its own cookies: she signs in there with a counter's code and keeps the time of her scan."""
    wechat, begin = browser(), nine_o_clock()
    wechat.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0.49 NetType/WIFI Language/zh_CN"
    with clock.at(begin):
        path = path_of(station_code(town))
        assert f"/sign-in?next={path}" in (await wechat.get(path)).text
    with clock.at(begin + timedelta(seconds=50)):
        otp = await give_one_time_code(await town.scope("周敏"), town.people["张桂兰"], town.phones["张桂兰"], "scan")
        form = {"phone": town.phones["张桂兰"], "otp": otp, "by": "code", "next": path}
        assert (await wechat.post("/sign-in", data=form)).headers["location"] == path, "she checks in first"
    with clock.at(begin + timedelta(seconds=100)):
        assert "已签到" in await sends(wechat, path)
    with later(begin, HOUR):
        assert "已签退" in await sends(wechat, path_of(station_code(town)))
    assert await owner.fetchval("SELECT in_at FROM visit") == begin
    assert await points_of(town, "张桂兰") == 10


async def test_whoever_takes_the_phone_next_scans_for_themselves(town: Town, owner: asyncpg.Connection) -> None:
    """A claim is bound to its session, even within one browser; the second person scans the displayed code again."""
    phone, begin = await signed_in(town, "张桂兰"), nine_o_clock()
    with clock.at(begin):
        path = path_of(station_code(town))
        await phone.get(path)
    phone.cookies.delete("timebank_session")
    phone.cookies.set("timebank_session", await town.token("李秀英"))
    with clock.at(begin + timedelta(seconds=60)):
        assert "码已过期" in words(await phone.get(path))
        assert "已签到" in await sends(phone, path_of(station_code(town)))
    assert await count(owner, "visit", "person_id = $1", town.people["李秀英"]) == 1


# ------------------------------------------------------------------------------------------- one browser, many people


async def family_of_two(town: Town, owner: asyncpg.Connection) -> None:
    """Make 张桂兰's login stand for her husband's record as well."""
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.community, town.logins["张桂兰"], town.people["张国庆"], clock.now(),
    )  # fmt: skip


async def test_dropping_the_browsers_cookie_between_two_people_hides_nothing(
    town: Town, owner: asyncpg.Connection
) -> None:
    await family_of_two(town, owner)
    phone, begin = await signed_in(town, "张桂兰"), nine_o_clock()
    csrf = csrf_of(await phone.get("/preferences"))
    for minutes, direction in ((0, "in"), (HOUR, "out")):
        for name in ("张桂兰", "张国庆"):
            phone.cookies.delete(PHONE_COOKIE)
            form = {"_csrf": csrf, "nonce": nonce(), "direction": direction, "person_id": str(town.people[name])}
            with later(begin, minutes):
                sent = await phone.post(path_of(station_code(town)), data=form)
                assert ("已签到" if direction == "in" else "已签退") in words(await phone.get(sent.headers["location"]))
    for name in ("张桂兰", "张国庆"):
        assert "same_device" in await flags_of(owner, town, name)
        assert await points_of(town, name) == 0


async def test_a_program_that_keeps_no_cookie_is_known_by_its_session(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await family_of_two(town, owner)
    program, begin = await town.sign_in("张桂兰"), nine_o_clock()
    for minutes in (0, HOUR):
        for name in ("张桂兰", "张国庆"):
            with later(begin, minutes):
                await scan(client, program, station_code(town), person_id=str(town.people[name]))
    assert [await points_of(town, name) for name in ("张桂兰", "张国庆")] == [0, 0]
    assert await count(owner, "service_record", "'same_device' = ANY (flags) AND status = 'pending'") == 2


async def test_a_browser_that_signs_others_out_is_seen_as_well(town: Town, owner: asyncpg.Connection) -> None:
    """Both check in with their own phones; one of them is then checked out by the other's browser."""
    phones = {name: await signed_in(town, name) for name in ("张桂兰", "李秀英")}
    begin = nine_o_clock()
    for phone in phones.values():
        with clock.at(begin):
            await sends(phone, path_of(station_code(town)))
    phones["李秀英"].cookies.delete(PHONE_COOKIE)
    phones["李秀英"].cookies.set(PHONE_COOKIE, phones["张桂兰"].cookies[PHONE_COOKIE])
    with later(begin, HOUR):
        await sends(phones["李秀英"], path_of(station_code(town)))
    assert await flags_of(owner, town, "李秀英") == ["same_device"]
    assert await points_of(town, "李秀英") == 0


THREE = ("张桂兰", "李秀英", "王建国")


async def served_together(town: Town, names: Sequence[str], begin: datetime) -> None:
    """Check each person in and, an hour later, out, each with their own browser, at the same times from one address."""
    phones = [await signed_in(town, name) for name in names]
    for minutes in (0, HOUR):
        for phone in phones:
            with later(begin, minutes):
                await sends(phone, path_of(station_code(town)))


async def test_a_shared_network_is_a_hint_and_holds_nothing_back(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    await served_together(town, THREE, clock.now() - timedelta(hours=2))
    for name in THREE:
        assert await points_of(town, name) == 10, "everybody on the station's Wi-Fi has one address"
    page = await client.get("/admin/presence", headers=await town.sign_in("赵丽") | {"Accept": "text/html"})
    assert all(name in page.text for name in THREE)
    record_id = await owner.fetchval("SELECT id FROM service_record LIMIT 1")
    record = await client.get(f"/admin/reviews/{record_id}", headers=await town.sign_in("赵丽"))
    assert "同一网络一分钟内还有别人签到" in record.text
    assert (await client.get("/admin/presence", headers=await town.sign_in("周敏"))).status_code == 403


async def test_two_at_one_address_are_no_hint(town: Town, client: httpx.AsyncClient) -> None:
    await served_together(town, THREE[:2], clock.now() - timedelta(hours=2))
    page = await client.get("/admin/presence", headers=await town.sign_in("赵丽"))
    assert "近三天没有" in page.text


async def test_an_address_is_kept_as_a_keyed_fingerprint_of_the_day_and_forgotten_after_three(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    program = await town.sign_in("张桂兰")
    for days in (4, 2):
        for minutes in (0, HOUR):
            with later(nine_o_clock(days), minutes):
                await scan(client, program, station_code(town))
    old, new = [row["in_address"] for row in await owner.fetch("SELECT in_address FROM visit ORDER BY in_at")]
    assert old != new, "one address on two days has two fingerprints"
    assert b"127.0.0.1" not in old
    assert len(old) == 20
    await purge_addresses(town.system())
    assert await owner.fetch("SELECT in_at FROM visit WHERE in_address IS NOT NULL") == await owner.fetch(
        "SELECT in_at FROM visit ORDER BY in_at DESC LIMIT 1"
    )


# ------------------------------------------------------------------------------------------------ codes read by staff


async def test_a_code_that_a_keeper_reads_at_home_earns_nothing_before_somebody_has_looked(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    for number, reader in enumerate(("周敏", "赵丽")):
        name = THREE[number]
        keeper, friend, begin = await town.sign_in(reader), await town.sign_in(name), nine_o_clock()
        for minutes in (0, HOUR):
            with later(begin, minutes):
                assert (await scan(client, friend, await shown_to(client, town, keeper)))["status"] == "ok"
        assert await flags_of(owner, town, name) == ["code_read_by_staff"]
        assert await points_of(town, name) == 0
        assert await count(owner, "audit", "verb = 'read_code' AND login_id = $1", town.logins[reader]) == 2


async def test_one_end_by_a_code_that_was_read_is_enough(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    keeper, friend, begin = await town.sign_in("周敏"), await town.sign_in("张桂兰"), nine_o_clock()
    with clock.at(begin):
        await scan(client, friend, station_code(town))
    with later(begin, HOUR):
        out = await scan(client, friend, await shown_to(client, town, keeper))
    assert out["credited"]["points"] == 0
    assert "读取过" in out["texts"][0]
    assert await points_of(town, "张桂兰") == 0


async def test_a_counter_tablet_is_not_the_screen(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    made = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="平板", kind="counter"
    )
    tablet, friend, begin = {"Authorization": f"Bearer {made.token}"}, await town.sign_in("张桂兰"), nine_o_clock()
    for minutes in (0, HOUR):
        with later(begin, minutes):
            await kept_scope(town, made.token)
            await scan(client, friend, await shown_to(client, town, tablet))
    assert await flags_of(owner, town, "张桂兰") == ["code_read_by_staff"]
    assert await points_of(town, "张桂兰") == 0


async def test_a_reading_delays_nobody_who_scans_the_screen_before_it_or_in_the_next_step(
    town: Town, client: httpx.AsyncClient
) -> None:
    made = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="大屏", kind="display"
    )
    screen, keeper = {"Authorization": f"Bearer {made.token}"}, await town.sign_in("周敏")
    earlier, afterwards, begin = await town.sign_in("张桂兰"), await town.sign_in("李秀英"), nine_o_clock()
    for minutes in (0, HOUR):
        with later(begin, minutes):
            await scan(client, earlier, await shown_to(client, town, screen))
        with clock.at(begin + timedelta(minutes=minutes, seconds=5)):
            await shown_to(client, town, keeper)
        with clock.at(begin + timedelta(minutes=minutes, seconds=15)):
            await scan(client, afterwards, await shown_to(client, town, screen))
    assert [await points_of(town, name) for name in ("张桂兰", "李秀英")] == [10, 10]


async def test_a_reading_is_written_down_once_a_step_and_forgotten_after_a_day(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    keeper, address = await town.sign_in("周敏"), f"{API}/stations/{town.stations['暖蜂驿站']}/code"
    with clock.at(nine_o_clock(2)):
        for form in ("", ".png", ".svg"):
            assert (await client.get(f"{address}{form}", headers=keeper)).status_code == 200
    assert await count(owner, "audit", "verb = 'read_code'") == await count(owner, "code_reading") == 1
    await purge_readings(town.system())
    assert await count(owner, "code_reading") == 0
    assert await count(owner, "audit", "verb = 'read_code'") == 1


# ------------------------------------------------------------------------------------------------------------- pairing


async def registered(town: Town, client: httpx.AsyncClient, kind: str = "display") -> Any:
    made = await client.post(
        f"{API}/stations/{town.stations['暖蜂驿站']}/devices", json={"name": "设备", "kind": kind},
        headers=await town.sign_in("周敏"),
    )  # fmt: skip
    assert made.status_code == 201
    return made.json()


async def test_a_pairing_link_pairs_one_browser_by_its_button_alone(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    made = await registered(town, client)
    path, screen, at_home = path_of(made["url"]), browser(), browser()
    for looks in (screen, at_home):
        asked = await looks.get(path)
        assert (asked.status_code, DEVICE_COOKIE in looks.cookies) == (200, False), "a preview pairs nothing"
        assert "配对这台设备" in words(asked)
    foreign = await at_home.post(path, headers={"Origin": "https://elsewhere.example"})
    assert (foreign.status_code, DEVICE_COOKIE in at_home.cookies) == (403, False)
    assert (await screen.post(path)).headers["location"] == "/display"
    assert (await screen.get("/display")).status_code == 200
    late = await at_home.post(path)
    assert (late.status_code, DEVICE_COOKIE in at_home.cookies) == (403, False)
    assert "已经用过" in words(await at_home.get(path))
    assert made["token"] not in made["url"]
    assert await devices.find_device(made["token"]) is None, "a device is in one place: the token told before has ended"
    assert await count(owner, "audit", "verb = 'pair_device'") == 1


async def test_of_two_browsers_at_once_one_becomes_the_device(town: Town, client: httpx.AsyncClient) -> None:
    code = (await registered(town, client, "counter"))["url"].rsplit("/", 1)[1]
    found = await asyncio.gather(*(devices.pair(code, "counter") for _ in range(6)))
    assert len([token for token in found if token]) == 1


async def test_a_pairing_link_ends_after_an_hour_and_with_its_device(town: Town, client: httpx.AsyncClient) -> None:
    made, ended = await registered(town, client), await registered(town, client, "counter")
    with clock.at(clock.now() + timedelta(minutes=61)):
        assert (await browser().post(path_of(made["url"]))).status_code == 403
    gone = await client.delete(f"{API}/stations/devices/{ended['id']}", headers=await town.sign_in("周敏"))
    assert gone.status_code == 204
    assert (await browser().post(path_of(ended["url"]))).status_code == 403
    assert (await browser().post("/display/tbp_wrong")).status_code == 403
    assert (await browser().get(f"/display/{made['token']}")).status_code == 403, "a token is no link"


async def test_a_program_uses_its_token_and_tablets_paired_before_stay_paired(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    made = await registered(town, client)
    await owner.execute("UPDATE device SET pairing_hash = NULL, pairing_expires_at = NULL, paired_at = NULL")
    assert await shown_to(client, town, {"Authorization": f"Bearer {made['token']}"})


# --------------------------------------------------------------------------------------------------------------- cards


async def issued(town: Town, client: httpx.AsyncClient, by: str | dict[str, str], name: str) -> str:
    headers = by if isinstance(by, dict) else await town.sign_in(by)
    made = await client.post(f"{API}/people/{town.people[name]}/card", headers=headers)
    assert made.status_code == 201
    return str(made.json()["url"])


async def an_hour(town: Town, client: httpx.AsyncClient, by: dict[str, str], card: str, begin: datetime) -> Any:
    """Scan a card in and, an hour later, out at one station; return the verdict of the check-out."""
    place = str(town.stations["暖蜂驿站"])
    with clock.at(begin):
        assert (await scan(client, by, card, station_id=place))["status"] == "ok"
    with later(begin, HOUR):
        verdict = await scan(client, by, card, station_id=place)
    assert verdict["status"] == "ok"
    return verdict


async def confirm(town: Town, name: str, owner: asyncpg.Connection, *holders: str) -> httpx.Response:
    """Confirm the cards of the holders in the panel as `name`."""
    panel = await signed_in(town, name)
    form = {
        "_csrf": csrf_of(await panel.get("/admin/presence")),
        "card": [
            str(row["id"]) for row in await owner.fetch(
                "SELECT id FROM card WHERE person_id = ANY ($1)", [town.people[holder] for holder in holders]
            )
        ],
    }  # fmt: skip
    return await panel.post("/admin/presence", data=form)


async def test_a_card_that_a_keeper_issues_and_scans_alone_earns_nothing_until_somebody_else_confirmed_it(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    keeper, card = await town.sign_in("周敏"), await issued(town, client, "周敏", "张桂兰")
    out = await an_hour(town, client, keeper, card, nine_o_clock(3))
    assert "还没有另一位核对" in out["texts"][0]
    assert await flags_of(owner, town, "张桂兰") == ["own_card"]
    assert await points_of(town, "张桂兰") == 0
    listed = await (await signed_in(town, "赵丽")).get("/admin/presence")
    assert "张桂兰" in words(listed)
    assert "周敏" in words(listed)
    assert (await confirm(town, "赵丽", owner, "张桂兰")).headers["location"] == "/admin/presence?done=1"
    assert (await an_hour(town, client, keeper, card, nine_o_clock(2)))["credited"]["points"] == 10
    assert await points_of(town, "张桂兰") == 10, "the hour of before still waits for its own decision"
    assert await count(owner, "audit", "verb = 'confirm_card'") == 1


async def test_a_card_confirmed_while_its_holder_serves_is_credited_at_check_out(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    keeper, card, begin = await town.sign_in("周敏"), await issued(town, client, "周敏", "张桂兰"), nine_o_clock()
    with clock.at(begin):
        await scan(client, keeper, card)
    await confirm(town, "赵丽", owner, "张桂兰")
    with later(begin, HOUR):
        assert (await scan(client, keeper, card))["credited"]["points"] == 10


async def test_a_new_card_does_not_hide_the_one_that_nobody_confirmed(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    keeper, begin = await town.sign_in("周敏"), nine_o_clock()
    with clock.at(begin):
        await scan(client, keeper, await issued(town, client, "周敏", "张桂兰"))
    second = await issued(town, client, "赵丽", "张桂兰")
    with later(begin, HOUR):
        out = await scan(client, keeper, second)
    assert out["credited"]["points"] == 0
    assert await points_of(town, "张桂兰") == 0


async def test_the_issuer_confirms_no_card_of_their_own_issue_or_household(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    card = await issued(town, client, "赵丽", "张桂兰")
    await issued(town, client, "周敏", "赵丽")
    for holder in ("张桂兰", "赵丽"):
        refused = await confirm(town, "赵丽", owner, holder)
        assert (refused.status_code, "请由另一位工作人员核对" in words(refused)) == (403, True), holder
    await an_hour(town, client, await town.sign_in("赵丽"), card, nine_o_clock())
    assert await points_of(town, "张桂兰") == 0
    for name in ("张桂兰", "孙伟"):
        outsider = await signed_in(town, name)
        sent = await outsider.post("/admin/presence", data={"_csrf": csrf_of(await outsider.get("/preferences"))})
        assert sent.status_code == 403, name


async def test_the_cards_that_one_administrator_gave_to_many_are_confirmed_at_once_from_above(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    """The community's only administrator issued the cards; the street administrator confirms all in one request."""
    await owner.execute("UPDATE person SET phone_index = NULL WHERE name = ANY ($1)", list(THREE))
    admin = await town.scope("赵丽")
    assert await issue_missing_cards(admin) == len(THREE) + 1
    cards = {card.name: card.url for card in await cards_of(admin)}
    headers = await town.sign_in("赵丽")
    await an_hour(town, client, headers, cards["李秀英"], nine_o_clock(3))
    assert await points_of(town, "李秀英") == 0
    assert (await an_hour(town, client, await town.sign_in("周敏"), cards["王建国"], nine_o_clock(3)))["credited"][
        "points"
    ] == 10, "another keeper has seen the card"
    assert (await confirm(town, "钱进", owner, *cards)).headers["location"].endswith(f"done={len(cards)}")
    assert (await an_hour(town, client, headers, cards["李秀英"], nine_o_clock(2)))["credited"]["points"] == 10
    assert "没有等核对的卡" in (await client.get("/admin/presence", headers=headers)).text


async def test_a_tablet_of_the_issuers_station_is_no_second_person(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    token = (await registered(town, client, "counter"))["token"]
    tablet = {"Authorization": f"Bearer {token}"}
    await kept_scope(town, token)
    by_keeper, by_admin = await issued(town, client, "周敏", "张桂兰"), await issued(town, client, "赵丽", "李秀英")
    by_tablet = await issued(town, client, tablet, "王建国")
    for card in (by_keeper, by_admin, by_tablet):
        await an_hour(town, client, tablet, card, nine_o_clock())
    assert [await points_of(town, name) for name in THREE] == [0, 10, 0]


async def test_somebody_elses_scan_of_the_phones_code_is_clean_whoever_issued_a_card(
    town: Town, client: httpx.AsyncClient
) -> None:
    await issued(town, client, "周敏", "张桂兰")
    keeper, begin = await town.sign_in("周敏"), nine_o_clock()
    with clock.at(begin):
        await scan(client, keeper, personal_code(town, "张桂兰"))
    with later(begin, HOUR):
        assert (await scan(client, keeper, personal_code(town, "张桂兰")))["credited"]["points"] == 10
