"""Cheats over HTTP: spending an absent person's points, inventing minutes, guessing codes, delaying a sign-in."""

import io
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import zxingcpp
from PIL import Image

from tests.classes.test_bookings import booked, give_minutes
from tests.presence.test_counter import looked, make_keeper, other_household, take
from tests.support.counter import API, STATION, has_password, kept
from tests.support.presence import body, count, nine_o_clock, nonce, personal_code, station_code
from tests.support.shop import browser, key, minutes_of, points_of, reserve, wish
from tests.support.town import Town
from timebank.cards.confirming import confirm_cards
from timebank.core import clock
from timebank.stations.code_readings import purge_readings

HOUR = timedelta(minutes=60)


async def picture_of_card(client: httpx.AsyncClient, town: Town, name: str, headers: dict[str, str]) -> str | None:
    """Return the code that the picture of a person's card holds; None if the caller may not see the picture."""
    answer = await client.get(f"{API}/people/{town.people[name]}/card.png", headers=headers)
    if answer.status_code != 200:
        assert answer.status_code == 404, answer.text
        return None
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.content)).convert("L"))
    return str(found.text)


# ------------------------------------------------------------------------------------------------- somebody else's card


async def test_a_keeper_does_not_read_an_absent_persons_card_and_spend_by_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The administrator issued the card, a second person confirmed it, and its holder is at home."""
    await town.give_points("张桂兰", 50)
    issued = await client.post(f"{API}/people/{town.people['张桂兰']}/card", headers=await town.sign_in("赵丽"))
    await confirm_cards(await town.scope("钱进"), [UUID(issued.json()["id"])])
    counter = await kept(client, town)
    for headers in (counter.bearer, await town.sign_in("周敏"), await town.sign_in("钱进"), await town.sign_in("孙伟")):
        assert await picture_of_card(client, town, "张桂兰", headers) is None
    for name in ("赵丽", "张桂兰"):
        assert await picture_of_card(client, town, "张桂兰", await town.sign_in(name)) == issued.json()["url"]
    panel = await browser(client, town, "钱进")
    address = f"/admin/people/{town.people['张桂兰']}"
    assert "第 1 张" in await panel.see(address)
    assert "/card.png" not in await panel.see(address)
    await panel.see(f"{address}/card.png", 404)
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_a_card_that_the_keepers_family_issued_is_looked_at_like_an_own_one(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """陈明 is a keeper too and lives with 周敏; he issues a card to a neighbour and she scans it twice."""
    await other_household(owner, town, "周敏", "陈明")
    await make_keeper(owner, town, "陈明")
    begin = nine_o_clock()
    with clock.at(begin):
        made = await client.post(f"{API}/people/{town.people['王建国']}/card", headers=await town.sign_in("陈明"))
        keeper = await town.sign_in("周敏")
        assert (await client.post(f"{API}/checkins", json=body(made.json()["url"]), headers=keeper)).status_code == 200
    with clock.at(begin + HOUR):
        out = (await client.post(f"{API}/checkins", json=body(made.json()["url"]), headers=keeper)).json()
    assert "own_card" in out["attention"]
    assert await points_of(town, "王建国") == (0, 0)


# ------------------------------------------------------------------------------------------------------- guessed codes


async def test_a_code_that_one_knows_does_not_begin_the_count_of_guesses_anew(
    town: Town, client: httpx.AsyncClient
) -> None:
    """The keeper looks up a known right code between guesses, which does not reset the count of wrong ones."""
    await town.give_points("张桂兰", 50)
    known = (await reserve(client, town, "张桂兰", "香皂")).json()["code"]
    wrong = f"{(int(known) + 1) % 10**8:08}"
    keeper, answers = await town.sign_in("周敏"), []
    for tried in range(70):
        code = known if tried % 20 == 19 else wrong
        answers.append((await client.get(f"{API}/redemptions?code={code}", headers=keeper)).status_code)
    assert answers[:63] == [200] * 63, "sixty wrong ones, and three that were right"
    assert answers[63:] == [429] * 7


async def test_a_busy_counter_is_not_stopped_by_codes_that_are_right(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The keeper looks up a redemption and a booking by their codes 70 times each; only wrong codes are counted."""
    await town.give_points("张桂兰", 50)
    code = (await reserve(client, town, "张桂兰", "香皂")).json()["code"]
    await give_minutes(town, "刘小雨", 60)
    door = (await booked(town, "刘洋", "刘小雨")).code
    counter = await kept(client, town)
    for _ in range(70):
        assert "张桂兰" in await counter.see(f"/desk/redemptions?code={code}")
        lead = await client.get(f"/desk/redemptions?code={door}", headers=counter.cookie)
        assert "刘小雨" in await counter.see(lead.headers["location"])


async def test_a_keeper_does_not_guess_at_one_reservation_after_the_other(
    town: Town, client: httpx.AsyncClient
) -> None:
    """Nine wrong codes at each of seven reservations: the limit of 60 counts the wrong codes of all reservations."""
    made = []
    for name in ("张桂兰", "王建国", "李秀英", "陈明", "赵丽", "孙伟", "钱进"):
        await town.give_points(name, 8)
        made.append((await reserve(client, town, name, "香皂")).json())
    keeper, answers = await town.sign_in("周敏"), []
    for each in made:
        path = f"{API}/redemptions/{each['id']}/collection"
        for tried in range(9):
            wrong = {"code": f"{(int(each['code']) + 1 + tried) % 10**8:08}"}
            answers.append((await client.post(path, json=wrong, headers=keeper | key())).status_code)
    assert answers == [422] * 60 + [429] * 3


async def test_who_hands_nothing_over_uses_up_no_tries_of_a_reservation(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    path, stranger = f"{API}/redemptions/{made['id']}/collection", await town.sign_in("王建国")
    for _ in range(12):
        assert (await client.post(path, json={"code": "00000000"}, headers=stranger | key())).status_code == 404
    keeper = await town.sign_in("周敏") | key()
    assert (await client.post(path, json={"code": made["code"]}, headers=keeper)).status_code == 200


# ----------------------------------------------------------------------------------------------- one login, two people


async def test_one_browser_that_has_two_people_in_at_two_stations_is_seen(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    """One login stands for a couple; one session checks each of them in at a different station at the same time."""
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.community, town.logins["张桂兰"], town.people["张国庆"], clock.now(),
    )  # fmt: skip
    program, begin = await town.sign_in("张桂兰"), nine_o_clock()
    for moment in (begin, begin + HOUR):
        for name, station in (("张桂兰", "暖蜂驿站"), ("张国庆", "慈善超市")):
            with clock.at(moment):
                asked = body(station_code(town, station), person_id=str(town.people[name]))
                told = (await client.post(f"{API}/checkins", json=asked, headers=program)).json()
                assert told["status"] == "ok", told
    assert await count(owner, "service_record", "'same_device' = ANY (flags) AND status = 'pending'") == 2
    assert [await points_of(town, name) for name in ("张桂兰", "张国庆")] == [(0, 0), (0, 0)]


async def test_a_keepers_second_record_is_the_keeper(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    """The keeper's login also stands for a second record, which it checks in at the keeper's own station."""
    await owner.execute(
        "INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES ($1, $2, $3, $4)",
        town.community, town.logins["周敏"], town.people["欧阳凯伟"], clock.now(),
    )  # fmt: skip
    keeper, begin, told = await town.sign_in("周敏"), nine_o_clock(), dict[str, list[str]]()
    for moment in (begin, begin + HOUR):
        with clock.at(moment):
            asked = body(station_code(town), person_id=str(town.people["欧阳凯伟"]))
            told = (await client.post(f"{API}/checkins", json=asked, headers=keeper)).json()
            assert told["status"] == "ok", told
    assert "keeper_is_volunteer" in told["attention"]
    assert await points_of(town, "欧阳凯伟") == (0, 0)


# --------------------------------------------------------------------------------------------------- the keeper's child


async def ward(owner: asyncpg.Connection, town: Town, guardian: str, child: str = "刘小雨") -> None:
    """Make the person a guardian, with consent, of a child who lives elsewhere."""
    await owner.execute(
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at) "
        "VALUES ($1, $2, $3, $4, '父亲', $5)",
        town.community, clock.new_id(), town.people[guardian], town.people[child], clock.now(),
    )  # fmt: skip


async def test_a_keeper_spends_nothing_of_a_child_whose_code_is_on_the_keepers_own_phone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The child lives with the other parent; the keeper, its guardian, scans its code from the keeper's own phone."""
    await ward(owner, town, "周敏")
    await town.give_points("刘小雨", 50)
    own = await client.get(f"{API}/me/code?person_id={town.people['刘小雨']}", headers=await town.sign_in("周敏"))
    counter = await kept(client, town)
    presence = await looked(counter, own.json()["url"])
    assert (await take(counter, town, "刘小雨", 403, presence=presence)).json()["code"] == "own_redemption"
    begin, told = nine_o_clock(), dict[str, list[str]]()
    for moment in (begin, begin + HOUR):
        with clock.at(moment):
            keeper = await town.sign_in("周敏")
            own = await client.get(f"{API}/me/code?person_id={town.people['刘小雨']}", headers=keeper)
            told = (await client.post(f"{API}/checkins", json=body(own.json()["url"]), headers=keeper)).json()
            assert told["status"] == "ok", told
    assert "served_by_family" in told["attention"]
    assert await points_of(town, "刘小雨") == (50, 0)


async def test_a_keeper_does_not_give_back_the_seat_of_the_own_household_too_late(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The keeper lives with the child and cancels its seat an hour before the lesson and again during it."""
    await other_household(owner, town, "刘洋", "周敏")
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    begins = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    for moment in (begins - HOUR, begins + HOUR / 2):
        with clock.at(moment):
            answer = await client.delete(f"{API}/bookings/{made.id}", headers=await town.sign_in("周敏"))
            assert (answer.status_code, answer.json()["code"]) == (422, "too_late_to_cancel")
    assert await minutes_of(owner, town, "刘小雨") == 0


async def test_a_lesson_of_next_week_is_not_marked_as_attended_today(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The keeper scans the guardian and records attendance while the family can still cancel the seat."""
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    counter = await kept(client, town)
    presence = await looked(counter, personal_code(town, "刘洋"))
    path = f"/bookings/{made.id}/attendance"
    refused = await counter.ask("POST", path, 409, json={"presence": presence}, headers=key())
    assert refused.json()["code"] == "lesson_not_yet"
    assert await minutes_of(owner, town, "刘小雨", "held") == 60


# ----------------------------------------------------------------------------------------------------- sign-in delays


async def test_wrong_passwords_from_the_stations_own_network_keep_no_keeper_off_the_tablet(
    town: Town, client: httpx.AsyncClient
) -> None:
    """Every 20 minutes a wrong password for the keeper's phone comes from the network that the tablet uses too."""
    counter = await kept(client, town)
    await counter.ask("DELETE", "/counter/sign-on", 204)
    begin = clock.now()
    wrong = {"phone": town.phones["周敏"], "password": "wrong-password"}
    for tried in range(12):
        with clock.at(begin + timedelta(minutes=20 * tried)):
            await client.post(f"{API}/sessions", json=wrong)
    with clock.at(begin + timedelta(minutes=20 * 11, seconds=1)):
        assert (await client.post(f"{API}/sessions", json=wrong)).status_code == 429
        await counter.sign_on(town, "周敏")


# ------------------------------------------------------------------------------------------- who decides about a flag


async def decides(client: httpx.AsyncClient, town: Town, name: str, record: UUID) -> tuple[int, str]:
    path, approve = f"{API}/service-records/{record}/review", {"decision": "approve", "note": ""}
    answer = await client.post(path, json=approve, headers=await town.sign_in(name))
    return answer.status_code, answer.json().get("code", "")


async def test_an_administrator_approves_no_visit_that_somebody_at_home_has_scanned(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """周敏 checks an absent friend in and out by hand; the administrator 赵丽 lives with 周敏."""
    await other_household(owner, town, "周敏", "赵丽")
    begin, hand = nine_o_clock(), {"person_id": town.people["王建国"], "station_id": town.stations[STATION]}
    for moment, direction in ((begin, "in"), (begin + HOUR, "out")):
        with clock.at(moment):
            desk = await browser(client, town, "周敏")
            assert (await desk.send("/desk/hand", **hand, nonce=nonce(), direction=direction)).status_code == 303
    record = await owner.fetchval("SELECT id FROM service_record")
    assert await decides(client, town, "赵丽", record) == (403, "own_record")
    panel = await browser(client, town, "赵丽")
    assert 'value="approve"' not in await panel.see(f"/admin/reviews/{record}")
    assert await points_of(town, "王建国") == (0, 0)
    above = await browser(client, town, "钱进")
    assert 'value="approve"' in await above.see(f"/admin/reviews/{record}")
    assert (await decides(client, town, "钱进", record))[0] == 200
    assert await points_of(town, "王建国") == (10, 0)


async def test_who_read_the_code_at_home_does_not_approve_what_came_of_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The administrator reads the code by the API and a friend checks in with it; then the readings are purged."""
    begin = nine_o_clock(3)
    for moment in (begin, begin + HOUR):
        with clock.at(moment):
            code = f"{API}/stations/{town.stations[STATION]}/code"
            read = (await client.get(code, headers=await town.sign_in("赵丽"))).json()["url"]
            friend = await town.sign_in("王建国")
            told = (await client.post(f"{API}/checkins", json=body(read), headers=friend)).json()
            assert told["status"] == "ok", told
    await purge_readings(town.system())
    assert await count(owner, "code_reading") == 0
    record = await owner.fetchval("SELECT id FROM service_record")
    assert await decides(client, town, "赵丽", record) == (403, "own_record")
    assert await points_of(town, "王建国") == (0, 0)
    assert (await decides(client, town, "钱进", record))[0] == 200
    assert await points_of(town, "王建国") == (10, 0)


async def test_a_guardian_decides_nothing_about_a_child_that_lives_elsewhere(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The administrator is the child's father; the child lives with its mother, and a grid worker entered the hours."""
    await ward(owner, town, "赵丽")
    begin = nine_o_clock(2)
    hours = {
        "person_id": str(town.people["刘小雨"]), "reason": "停电，没有扫码",
        "started_at": begin.isoformat(), "ended_at": (begin + HOUR).isoformat(),
    }  # fmt: skip
    entered = await client.post(f"{API}/service-records", json=hours, headers=await town.sign_in("陈明"))
    assert entered.status_code == 201, entered.text
    record = UUID(entered.json()["id"])
    assert await decides(client, town, "赵丽", record) == (403, "own_record")
    await owner.execute("UPDATE guardianship SET ended_at = now() WHERE guardian_id = $1", town.people["赵丽"])
    assert await decides(client, town, "赵丽", record) == (403, "own_record"), "nor by ending the guardianship first"


async def test_nothing_is_handed_over_for_somebody_who_is_blocked(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A friend who knows the code tries to collect the reservation of a person who was blocked for fraud."""
    await town.give_points("王建国", 50)
    made = (await reserve(client, town, "王建国", "香皂")).json()
    blocked = await client.patch(
        f"{API}/people/{town.people['王建国']}", json={"status": "blocked", "reason": "骗取积分"},
        headers=await town.sign_in("赵丽"),
    )  # fmt: skip
    assert blocked.status_code == 200, blocked.text
    counter = await kept(client, town)
    path = f"/redemptions/{made['id']}/collection"
    refused = await counter.ask("POST", path, 422, json={"code": made["code"]}, headers=key())
    assert refused.json()["code"] == "person_not_active"
    assert await points_of(town, "王建国") == (42, 8)


async def test_a_scan_serves_the_keeper_who_made_it_and_no_other(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The next keeper at the tablet sends the nonce of a scan that the previous keeper made."""
    await make_keeper(owner, town, "陈明")
    await has_password(town, "陈明")
    await town.give_points("张桂兰", 50)
    counter = await kept(client, town)
    presence = await looked(counter, personal_code(town, "张桂兰"))
    await counter.sign_on(town, "陈明")
    assert (await take(counter, town, "张桂兰", 422, presence=presence)).json()["code"] == "presence_needed"
    await counter.sign_on(town, "周敏")
    await take(counter, town, "张桂兰", 201, presence=presence)
    assert await points_of(town, "张桂兰") == (42, 0)


async def test_that_staff_open_one_childs_seat_is_written_down(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """An auditor who opens the page of one child's booking leaves one `read_children` audit entry."""
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    auditor = await browser(client, town, "孙伟")
    assert "刘小雨" in await auditor.see(f"/desk/bookings/{made.id}")
    assert await count(owner, "audit", "verb = 'read_children' AND person_id = $1", town.people["孙伟"]) == 1


# ------------------------------------------------------------------------------------------------------- other cheats


async def test_a_scan_at_another_station_proves_nothing_here(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A keeper of two stations scans the person at one station and sends that scan with a redemption at the other."""
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'station_keeper', $4, '2025-01-01', now())",
        town.community, clock.new_id(), town.people["周敏"], town.stations["慈善超市"],
    )  # fmt: skip
    await town.give_points("张桂兰", 50)
    keeper = await town.sign_in("周敏")
    asked = body(personal_code(town, "张桂兰"), purpose="look", station_id=str(town.stations["慈善超市"]))
    assert (await client.post(f"{API}/checkins", json=asked, headers=keeper)).json()["status"] == "ok"
    wanted = wish(town, "张桂兰", "香皂", collect_now=True, presence=asked["nonce"])
    refused = await client.post(f"{API}/redemptions", json=wanted, headers=keeper | key())
    assert (refused.status_code, refused.json()["code"]) == (422, "presence_needed")
    assert await points_of(town, "张桂兰") == (50, 0)


async def test_nobody_gets_anothers_answer_by_their_key(town: Town, client: httpx.AsyncClient) -> None:
    """Others send the idempotency key and the body of a reservation: they are refused and do not see its code."""
    await town.give_points("张桂兰", 50)
    once, wanted = key(), wish(town, "张桂兰", "香皂")
    made = await client.post(f"{API}/redemptions", json=wanted, headers=await town.sign_in("张桂兰") | once)
    assert made.status_code == 201
    for name, status in (("王建国", 404), ("周敏", 403), ("赵丽", 403)):
        answer = await client.post(f"{API}/redemptions", json=wanted, headers=await town.sign_in(name) | once)
        assert answer.status_code == status
        assert made.json()["code"] not in answer.text
    assert await points_of(town, "张桂兰") == (42, 8)
