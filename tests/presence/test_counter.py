"""A counter tablet acts only for the keeper who is signed on, and points need proof of presence: cheats over HTTP."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, give_minutes
from tests.support.counter import API, PASSWORD, STATION, Tablet, has_password, kept, stands_here, tablet
from tests.support.presence import body, card, count, nine_o_clock, nonce, personal_code
from tests.support.shop import browser, key, minutes_of, points_of, reserve, stock_of, wish
from tests.support.town import Town
from timebank.access.sign_in import sessions
from timebank.cards.confirming import OwnCard, confirm_cards
from timebank.core import clock
from timebank.presence.at_counter import PROVES_FOR


async def other_household(owner: asyncpg.Connection, town: Town, keeper: str, member: str) -> None:
    """Move `member` into the household of `keeper`."""
    await owner.execute(
        "UPDATE person SET household_id = (SELECT household_id FROM person WHERE id = $1) WHERE id = $2",
        town.people[keeper], town.people[member],
    )  # fmt: skip


async def make_keeper(owner: asyncpg.Connection, town: Town, name: str) -> None:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'station_keeper', $4, '2025-01-01', now())",
        town.community, clock.new_id(), town.people[name], town.stations[STATION],
    )  # fmt: skip


async def take(at: Tablet, town: Town, name: str, status: int, **more: object) -> httpx.Response:
    wanted = wish(town, name, "香皂") | {"collect_now": True} | more
    return await at.ask("POST", "/redemptions", status, json=wanted, headers=key())


async def looked(at: Tablet, code: str, status: str = "ok") -> str:
    """Scan a code only to identify the person; return the nonce, which is then sent as proof of presence."""
    told = (asked := body(code, purpose="look"))["nonce"]
    answer = (await at.ask("POST", "/checkins", json=asked)).json()
    assert answer["status"] == status, answer
    return str(told)


# ------------------------------------------------------------------------------------------ a tablet without a keeper


async def test_a_tablet_that_a_keeper_paired_serves_nobody_before_somebody_signs_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("周敏", 50)
    paired, code = await tablet(client, town), await card(town, owner, "张桂兰")
    made = (await reserve(client, town, "周敏", "香皂")).json()
    refused = await take(paired, town, "周敏", 403)
    assert refused.json()["code"] == "sign_on_needed"
    collection = f"/redemptions/{made['id']}/collection"
    await paired.ask("POST", collection, 403, json={"code": made["code"]}, headers=key())
    await paired.ask("POST", "/checkins", 403, json=body(code))
    await paired.ask("GET", "/people?name=张桂兰&phone_last4=" + town.phones["张桂兰"][-4:], 403)
    for path in ("/goods", "/redemptions", "/bookings", f"/stations/{town.stations[STATION]}/code"):
        await paired.ask("GET", path, 403)
    assert (await client.get("/desk", headers=paired.cookie)).headers["location"] == "/desk/sign-on"
    assert "谁来上岗" in await paired.see("/desk/sign-on")
    assert await points_of(town, "周敏") == (42, 8)
    assert await count(owner, "scan") == 0


async def test_a_keeper_signed_on_to_the_tablet_sells_nothing_to_themselves_or_their_household(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await other_household(owner, town, "周敏", "陈明")
    counter = await kept(client, town)
    for name in ("周敏", "陈明"):
        await town.give_points(name, 50)
        presence = await looked(counter, personal_code(town, name))
        refused = await take(counter, town, name, 403, presence=presence)
        assert refused.json()["code"] == "own_redemption"
        made = (await reserve(client, town, name, "香皂")).json()
        path = f"/redemptions/{made['id']}/collection"
        refused = await counter.ask("POST", path, 403, json={"code": made["code"]}, headers=key())
        assert refused.json()["code"] == "own_redemption"
        assert await points_of(town, name) == (42, 8), "reserved at home, and not an inch further"
    assert await stock_of(owner, town, "香皂") == 48


async def test_one_human_with_a_second_login_of_the_household_and_a_tablet_gets_nothing_out(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Two spouses are keepers and sign on in turn; the reservation is collected only when an administrator agrees."""
    await other_household(owner, town, "周敏", "陈明")
    await make_keeper(owner, town, "陈明")
    await town.give_points("周敏", 50)
    counter = await kept(client, town)
    await has_password(town, "陈明")
    presence = await looked(counter, personal_code(town, "周敏"))
    await counter.sign_on(town, "陈明")
    assert (await take(counter, town, "周敏", 403, presence=presence)).json()["code"] == "own_redemption"
    made = (await reserve(client, town, "周敏", "香皂")).json()
    asked = (await counter.ask("POST", f"/redemptions/{made['id']}/confirmation", 201)).json()
    await counter.sign_on(town, "周敏")
    path, agree = f"/counter/confirmations/{asked['id']}/decision", {"decision": "agree"}
    await counter.ask("POST", path, 403, json=agree, headers=key())
    assert await points_of(town, "周敏") == (42, 8)
    admin = await town.sign_in("赵丽") | key()
    done = await client.post(f"{API}{path}", json=agree, headers=admin)
    assert done.json()["status"] == "agreed"
    assert await points_of(town, "周敏") == (42, 0)


async def test_a_stranger_with_the_tablet_in_hand_reaches_nothing_of_the_keepers_own(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("周敏", 50)
    counter = await kept(client, town)
    for path in ("/me", "/me/balances", "/me/statement", "/me/code", "/me/messages", "/visits", "/service-records"):
        await counter.ask("GET", path, 403)
    await counter.ask("POST", "/redemptions", 403, json=wish(town, "周敏", "香皂"), headers=key())
    new = {"password": "another-good-one-9", "current": PASSWORD}
    await counter.ask("POST", "/me/password", 403, json=new)
    await counter.ask("POST", f"/people/{town.people['张桂兰']}/sign-in-code", 403)
    another = {"name": "又", "kind": "counter"}
    await counter.ask("POST", f"/stations/{town.stations[STATION]}/devices", 403, json=another)
    for path in ("/statement", "/password", "/redemptions", "/admin"):
        assert (await client.get(path, headers=counter.cookie)).status_code == 403, path
    assert (await client.get("/", headers=counter.cookie)).headers["location"] == "/desk"
    for path in ("/preferences", "/sign-in", f"/board/{town.community}"):
        page = await counter.see(path)
        assert "周敏" not in page, path
        assert town.phones["周敏"] not in page, path
    assert await points_of(town, "周敏") == (50, 0)


async def test_the_audit_names_the_keeper_who_was_signed_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    counter = await kept(client, town)
    await take(counter, town, "张桂兰", 201, presence=await looked(counter, personal_code(town, "张桂兰")))
    rows = await owner.fetch("SELECT person_id, login_id, via FROM audit WHERE verb IN ('collect', 'identify')")
    assert {(r["person_id"], r["login_id"], r["via"]) for r in rows} == {
        (town.people["周敏"], town.logins["周敏"], "device")
    }
    assert (await counter.scope()).device_id == counter.id


async def test_hand_check_ins_on_a_tablet_are_not_approved_by_who_made_them(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The administrator 赵丽 checks a friend in and out by hand on the tablet and then tries to approve the record."""
    begin = nine_o_clock()
    with clock.at(begin):
        counter = await kept(client, town, "赵丽")
        hand = {"person_id": town.people["王建国"], "station_id": town.stations[STATION]}
        assert (await counter.send("/desk/hand", **hand, nonce=nonce(), direction="in")).status_code == 303
    with clock.at(begin + timedelta(hours=2)):
        assert (await counter.send("/desk/hand", **hand, nonce=nonce(), direction="out")).status_code == 303
        record = await owner.fetchval("SELECT id FROM service_record")
        path, approve = f"{API}/service-records/{record}/review", {"decision": "approve", "note": ""}
        own = await client.post(path, json=approve, headers=await town.sign_in("赵丽"))
        assert (own.status_code, own.json()["code"]) == (403, "own_record")
        assert await points_of(town, "王建国") == (0, 0)
        other = await client.post(path, json=approve, headers=await town.sign_in("钱进"))
        assert other.status_code == 200
    assert await points_of(town, "王建国") == (20, 0)


async def test_time_that_a_keeper_scans_for_the_own_household_is_looked_at_and_not_refused(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await other_household(owner, town, "周敏", "陈明")
    begin, code = nine_o_clock(), await card(town, owner, "陈明")
    with clock.at(begin):
        counter = await kept(client, town)
        assert (await counter.ask("POST", "/checkins", json=body(code))).json()["status"] == "ok"
    with clock.at(begin + timedelta(hours=2)):
        out = (await counter.ask("POST", "/checkins", json=body(code))).json()
    assert (out["status"], out["credited"]["points"]) == ("ok", 0)
    assert "served_by_family" in out["attention"]
    assert await points_of(town, "陈明") == (0, 0)
    assert await owner.fetchval("SELECT status FROM service_record") == "pending"


# --------------------------------------------------------------------------------------------------------- the sign-on


async def test_a_sign_on_needs_the_password_of_a_keeper_of_this_station(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    paired = await tablet(client, town)
    await has_password(town, "周敏", "张桂兰", "赵丽")
    assert (await paired.sign_on(town, "周敏", 401, "wrong-password")).json()["code"] == "wrong_sign_in"
    assert (await paired.sign_on(town, "张桂兰", 403)).json()["code"] == "not_keeper_here"
    assert (await paired.ask("GET", "/counter/sign-on")).json() is None
    assert await count(owner, "session", "login_id = $1 AND ended_at IS NULL", town.logins["张桂兰"]) == 0
    on = (await paired.sign_on(town, "周敏")).json()
    assert (on["name"], UUID(on["person_id"])) == ("周敏", town.people["周敏"])
    assert (await paired.sign_on(town, "赵丽")).json()["name"] == "赵丽", "an administrator serves here too"
    assert (await paired.ask("GET", "/counter/sign-on")).json()["name"] == "赵丽"
    await paired.ask("GET", "/people?q=", 403)  # a signed-on administrator has only the counter's rights
    for who in ("周敏", "赵丽"):
        answer = await client.post(f"{API}/counter/sign-on", json={"phone": "1", "password": "x"},
                                   headers=await town.sign_in(who))  # fmt: skip
        assert answer.status_code == 403, "only a tablet has a counter to sign on to"


async def test_a_card_or_code_alone_signs_nobody_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    paired, code = await tablet(client, town), await card(town, owner, "周敏")
    await has_password(town, "周敏")
    for shown in (code, personal_code(town, "周敏")):
        page = await paired.send("/desk/sign-on/code", code=shown)
        assert page.status_code == 200
        assert "周*" in page.text
        assert "周敏" not in page.text
        assert (await paired.scope()).login_id is None
    wrong = await paired.send("/desk/sign-on", person_id=town.people["周敏"], password="nothing-like-it")
    assert wrong.status_code == 401
    right = await paired.send("/desk/sign-on", person_id=town.people["周敏"], password=PASSWORD)
    assert right.headers["location"] == "/desk"
    assert "周敏在岗" in await paired.see("/desk")


async def test_keepers_change_in_two_taps_and_a_password(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await make_keeper(owner, town, "陈明")
    counter = await kept(client, town, "陈明")
    await has_password(town, "周敏")
    await counter.sign_on(town, "周敏")
    assert 'href="/desk/sign-on"' in await counter.see("/desk"), "the first tap"
    who = f"/desk/sign-on?who={town.people['陈明']}"
    assert who in await counter.see("/desk/sign-on"), "the second"
    assert 'name="password"' in await counter.see(who)
    await counter.send("/desk/sign-on", person_id=town.people["陈明"], password=PASSWORD)
    assert "陈明在岗" in await counter.see("/desk")
    assert await count(owner, "counter_sign_on", "signed_off_at IS NULL") == 1
    assert (await counter.send("/desk/sign-off")).headers["location"] == "/desk/sign-on"
    assert "陈*" in await counter.see("/desk/sign-on"), "while nobody is on, the names are masked"
    assert (await client.get("/desk", headers=counter.cookie)).headers["location"] == "/desk/sign-on"


async def test_a_sign_on_ends_by_itself_after_twelve_hours(town: Town, client: httpx.AsyncClient) -> None:
    begin = nine_o_clock()
    with clock.at(begin):
        counter = await kept(client, town)
    with clock.at(begin + timedelta(hours=12) - timedelta(seconds=1)):
        await counter.ask("GET", "/goods")
    with clock.at(begin + timedelta(hours=12)):
        assert (await counter.ask("GET", "/goods", 403)).json()["code"] == "sign_on_needed"
        assert (await counter.ask("GET", "/counter/sign-on")).json() is None
        await counter.sign_on(town, "周敏")
        await counter.ask("GET", "/goods")


@pytest.mark.parametrize("how", ["role", "blocked", "password", "device"])
async def test_who_is_keeper_no_more_is_off_at_the_next_request(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, how: str
) -> None:
    counter = await kept(client, town)
    await counter.ask("GET", "/goods")
    if how == "role":
        await owner.execute("UPDATE role_grant SET ended_at = now() WHERE person_id = $1", town.people["周敏"])
    elif how == "blocked":
        await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["周敏"])
    elif how == "password":
        await sessions.sign_out_elsewhere(town.logins["周敏"], None)
    else:
        await owner.execute("UPDATE device SET revoked_at = now()")
    await counter.ask("GET", "/goods", 401 if how == "device" else 403)


async def test_a_retry_after_a_change_of_keepers_moves_nothing_twice(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The answer was lost; another keeper signs on and the tablet sends the same request with the same key again."""
    await make_keeper(owner, town, "陈明")
    await town.give_points("张桂兰", 50)
    counter, once = await kept(client, town), key()
    presence = await looked(counter, personal_code(town, "张桂兰"))
    wanted = wish(town, "张桂兰", "香皂", collect_now=True, presence=presence)
    first = await counter.ask("POST", "/redemptions", 201, json=wanted, headers=once)
    await has_password(town, "陈明")
    await counter.sign_on(town, "陈明")
    again = await counter.ask("POST", "/redemptions", 201, json=wanted, headers=once)
    assert again.content == first.content
    assert await points_of(town, "张桂兰") == (42, 0)


# ------------------------------------------------------------------------------------------------------- offline scans


def row(code: str, at: object, **more: object) -> dict[str, object]:
    return body(code, occurred_at=at.isoformat(), offline=True, **more)  # type: ignore[attr-defined]  # a datetime


async def test_what_waited_on_the_tablet_is_the_last_keepers_and_neither_keeper_approves_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """赵丽 was signed on when the scans were made; the batch is sent 13 hours later, when nobody is signed on."""
    begin, code = nine_o_clock(), await card(town, owner, "王建国")
    with clock.at(begin):
        counter = await kept(client, town, "赵丽")
    rows = [row(code, begin + timedelta(minutes=m)) for m in (5, 125)]
    with clock.at(begin + timedelta(hours=13)):
        sent = {"rows": rows, "device_now": clock.now().isoformat()}
        told = (await counter.ask("POST", "/checkins/batch", json=sent)).json()["results"]
        assert [each["status"] for each in told] == ["ok", "ok"], "nobody is signed on, and the queue is sent"
        again = (await counter.ask("POST", "/checkins/batch", json=sent)).json()["results"]
        assert [each["replayed"] for each in again] == [True, True]
        assert "offline_keeper" in told[1]["attention"]
        assert await points_of(town, "王建国") == (0, 0)
        record = await owner.fetchval("SELECT id FROM service_record")
        path, approve = f"{API}/service-records/{record}/review", {"decision": "approve", "note": ""}
        own = await client.post(path, json=approve, headers=await town.sign_in("赵丽"))
        assert (own.status_code, own.json()["code"]) == (403, "own_record")
    who = await owner.fetch("SELECT DISTINCT login_id FROM audit WHERE verb IN ('check_in', 'check_out')")
    assert [r["login_id"] for r in who] == [town.logins["赵丽"]]


async def test_who_sends_rows_in_another_keepers_name_does_not_approve_them(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "王建国")
    with clock.at(begin):
        counter = await kept(client, town, "周敏")
    await has_password(town, "赵丽")
    with clock.at(begin + timedelta(hours=3)):
        await counter.sign_on(town, "赵丽")
        rows = [row(code, begin + timedelta(minutes=m)) for m in (5, 125)]
        sent = {"rows": rows, "device_now": clock.now().isoformat()}
        told = (await counter.ask("POST", "/checkins/batch", json=sent)).json()["results"]
        assert [each["status"] for each in told] == ["ok", "ok"]
        record = await owner.fetchval("SELECT id FROM service_record")
        approve = {"decision": "approve", "note": ""}
        own = await client.post(
            f"{API}/service-records/{record}/review", json=approve, headers=await town.sign_in("赵丽")
        )
        assert (own.status_code, own.json()["code"]) == (403, "own_record")
    kept_by = await owner.fetch("SELECT by_login, sent_by_login FROM scan")
    assert {tuple(r) for r in kept_by} == {(town.logins["周敏"], town.logins["赵丽"])}
    trail = await client.get(f"{API}/audit?verb=check_in", headers=await town.sign_in("孙伟"))
    (line,) = trail.json()["items"]
    assert (line["person"], line["change"]["sent_by"]) == ("周敏", str(town.logins["赵丽"]))
    assert "由别人补传" in line["values"]
    assert await points_of(town, "王建国") == (0, 0)


@pytest.mark.parametrize(("minutes", "status"), [(-30, "error"), (30, "ok"), (90, "error")])
async def test_a_scan_for_which_nobody_was_signed_on_is_not_taken(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, minutes: int, status: str
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "王建国")
    with clock.at(begin - timedelta(hours=1)):
        counter = await tablet(client, town)
        await has_password(town, "周敏")
    with clock.at(begin):
        await counter.sign_on(town, "周敏")
    with clock.at(begin + timedelta(hours=1)):
        await counter.ask("DELETE", "/counter/sign-on", 204)
    with clock.at(begin + timedelta(hours=2)):
        sent = {"rows": [row(code, begin + timedelta(minutes=minutes))], "device_now": clock.now().isoformat()}
        (told,) = (await counter.ask("POST", "/checkins/batch", json=sent)).json()["results"]
    assert told["status"] == status
    assert status == "ok" or "没有站长在这台平板上岗" in told["texts"][0]


# --------------------------------------------------------------------------------------------------- proof of presence


async def test_a_keeper_spends_no_absent_residents_points(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    begin = clock.now()
    counter = await kept(client, town)
    keeper = await town.sign_in("周敏")
    someone = await looked(counter, personal_code(town, "王建国"))
    hand = nonce()
    form = {"person_id": town.people["张桂兰"], "station_id": town.stations[STATION], "nonce": hand}
    assert (await counter.send("/desk/hand", **form, direction="in")).status_code == 303
    for presence in (None, nonce(), someone, hand):
        more = {"presence": presence} if presence else {}
        assert (await take(counter, town, "张桂兰", 422, **more)).json()["code"] == "presence_needed"
        wanted = wish(town, "张桂兰", "香皂") | {"collect_now": True} | more
        answer = await client.post(f"{API}/redemptions", json=wanted, headers=keeper | key())
        assert answer.status_code == 422
    found = await counter.send("/desk/people", name="张桂兰", phone_last4=town.phones["张桂兰"][-4:])
    assert found.status_code == 200
    assert "张桂兰" in found.text
    assert made["code"] not in found.text, "a name and four digits do not show what waits"
    assert "用积分要本人的码" in found.text
    assert await points_of(town, "张桂兰") == (42, 8)
    presence = await looked(counter, personal_code(town, "张桂兰"))
    with clock.at(begin + PROVES_FOR + timedelta(minutes=1)):
        assert (await take(counter, town, "张桂兰", 422, presence=presence)).json()["code"] == "presence_needed"
    await take(counter, town, "张桂兰", 201, presence=presence)
    assert await points_of(town, "张桂兰") == (34, 8)


async def test_a_scan_elsewhere_or_of_a_check_in_is_told_apart(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    admin = await town.scope("赵丽")
    elsewhere = await stands_here(admin, town, "张桂兰", "慈善超市")
    counter = await kept(client, town)
    await take(counter, town, "张桂兰", 422, presence=elsewhere)
    came = body(personal_code(town, "张桂兰"))
    if (await counter.ask("POST", "/checkins", json=came)).json()["status"] == "ok":
        await take(counter, town, "张桂兰", 201, presence=came["nonce"])
        assert await points_of(town, "张桂兰") == (42, 0)


async def test_a_card_that_another_of_the_staff_has_confirmed_spends_at_its_issuers_counter(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    printed = (await counter.ask("POST", f"/people/{town.people['王建国']}/card", 201)).json()["url"]
    presence = await looked(counter, printed)
    assert (await take(counter, town, "王建国", 422, presence=presence)).json()["code"] == "card_not_confirmed"
    issued = [await owner.fetchval("SELECT id FROM card WHERE person_id = $1", town.people["王建国"])]
    with pytest.raises(OwnCard):
        await confirm_cards(await town.scope("周敏"), issued)
    assert await confirm_cards(await town.scope("赵丽"), issued) == 1
    await take(counter, town, "王建国", 201, presence=presence)
    assert await points_of(town, "王建国") == (42, 0)


async def test_a_card_that_a_keeper_prints_for_an_absent_person_spends_nothing_until_another_agrees(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The keeper prints the card and asks for confirmation of a redemption; an administrator agrees from elsewhere."""
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    printed = (await counter.ask("POST", f"/people/{town.people['王建国']}/card", 201)).json()["url"]
    presence = await looked(counter, printed)
    assert (await take(counter, town, "王建国", 422, presence=presence)).json()["code"] == "card_not_confirmed"
    assert await points_of(town, "王建国") == (50, 0)
    wanted = wish(town, "王建国", "香皂")
    asked = (await counter.ask("POST", "/counter/confirmations", 201, json=wanted)).json()
    again = (await counter.ask("POST", "/counter/confirmations", 201, json=wanted)).json()
    assert again == asked
    path, agree = f"/counter/confirmations/{asked['id']}/decision", {"decision": "agree"}
    assert (await counter.ask("POST", path, 403, json=agree, headers=key())).json()["code"] == "not_second_person"
    own = await client.post(f"{API}{path}", json=agree, headers=await town.sign_in("周敏") | key())
    assert own.json()["code"] == "not_second_person"
    for name, status in (("张桂兰", 403), ("王建国", 403), ("孙伟", 403), ("马涛", 404)):
        answer = await client.post(f"{API}{path}", json=agree, headers=await town.sign_in(name) | key())
        assert answer.status_code == status, name
    assert await points_of(town, "王建国") == (50, 0)
    once = await town.sign_in("赵丽") | key()
    done = [await client.post(f"{API}{path}", json=agree, headers=once) for _ in range(2)]
    assert done[0].content == done[1].content
    assert await points_of(town, "王建国") == (42, 0)
    kinds = await owner.fetch("SELECT kind FROM message WHERE person_id = $1", town.people["王建国"])
    assert {"spent_by_agreement", "redemption_collected", "card"} <= {r["kind"] for r in kinds}
    assert "可以交付" in await counter.see("/desk/confirmations")
    late = await client.post(f"{API}{path}", json=agree, headers=await town.sign_in("赵丽") | key())
    assert late.json()["code"] == "confirmation_decided"
    await take(counter, town, "王建国", 201, presence=await looked(counter, printed))
    assert await points_of(town, "王建国") == (34, 0), "the card was agreed to and serves from now on"


async def test_an_old_person_without_a_phone_is_found_by_name_and_room(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE person SET phone_last4 = NULL WHERE id = $1", town.people["王建国"])
    counter = await kept(client, town)
    assert "王建国" not in (await counter.send("/desk/people", name="王建国")).text
    assert "王建国" not in (await counter.send("/desk/people", name="王建国", room="909")).text
    assert "王建国" in (await counter.send("/desk/people", name="王建国", room="201")).text
    (line,) = (await counter.ask("GET", "/people?name=王建国&room=201")).json()["items"]
    assert line["id"] == str(town.people["王建国"])


async def test_what_was_asked_yesterday_is_agreed_to_no_more(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("王建国", 50)
    begin = nine_o_clock()
    with clock.at(begin):
        counter = await kept(client, town)
        asked = (await counter.ask("POST", "/counter/confirmations", 201, json=wish(town, "王建国", "香皂"))).json()
    with clock.at(begin + timedelta(days=1)):
        answer = await client.post(
            f"{API}/counter/confirmations/{asked['id']}/decision", json={"decision": "agree"},
            headers=await town.sign_in("赵丽") | key(),
        )  # fmt: skip
        assert answer.json()["code"] == "confirmation_stale"
    assert await points_of(town, "王建国") == (50, 0)


async def test_two_who_agree_at_once_hand_the_good_over_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    asked = (await counter.ask("POST", "/counter/confirmations", 201, json=wish(town, "王建国", "香皂"))).json()
    path, agree = f"{API}/counter/confirmations/{asked['id']}/decision", {"decision": "agree"}
    both = [(await town.sign_in(name)) | key() | {"X-Community-Id": str(town.community)} for name in ("赵丽", "钱进")]
    answers = await asyncio.gather(*(client.post(path, json=agree, headers=headers) for headers in both))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await points_of(town, "王建国") == (42, 0)
    assert await stock_of(owner, town, "香皂") == 49


async def test_of_two_keepers_who_sign_on_at_once_one_is_on(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await make_keeper(owner, town, "陈明")
    counter = await tablet(client, town)
    await has_password(town, "周敏", "陈明")
    await asyncio.gather(counter.sign_on(town, "周敏"), counter.sign_on(town, "陈明"))
    assert await count(owner, "counter_sign_on") == 2
    assert await count(owner, "counter_sign_on", "signed_off_at IS NULL") == 1
    assert (
        await count(
            owner,
            "session",
            "ended_at IS NULL AND login_id = ANY ($1)",
            [
                town.logins["周敏"],
                town.logins["陈明"],
            ],
        )
        == 2
    ), "the one who paired the tablet has a session of their own"


async def test_an_administrator_agrees_with_one_tap_in_the_panel(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    form = {"person_id": town.people["王建国"], "good_id": town.goods["香皂"], "station_id": town.stations[STATION]}
    asked = await counter.send("/desk/confirmations", **form, quantity=1)
    assert asked.headers["location"] == "/desk/confirmations"

    panel = await browser(client, town, "赵丽")
    page = await panel.see("/admin/confirmations")
    assert "王建国 · 香皂 1 块" in page
    path = page.split('action="/admin/confirmations/')[1].split('"')[0]
    assert (await panel.send(f"/admin/confirmations/{path}", decision="agree")).status_code == 303
    assert await points_of(town, "王建国") == (42, 0)


async def test_a_childs_minutes_are_used_by_the_code_or_by_who_stands_there(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    counter, path = await kept(client, town), f"/bookings/{made.id}/attendance"
    stranger = await looked(counter, personal_code(town, "王建国"))
    for sent in ({}, {"presence": stranger}, {"presence": nonce()}):
        refused = await counter.ask("POST", path, 422, json=sent, headers=key())
        assert refused.json()["code"] == "presence_needed"
    assert await minutes_of(owner, town, "刘小雨", "held") == 60
    with clock.at(await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])):
        await counter.sign_on(town, "周敏")
        guardian = await looked(counter, personal_code(town, "刘洋"))
        await counter.ask("POST", path, 200, json={"presence": guardian}, headers=key())
    assert await minutes_of(owner, town, "刘小雨", "held") == 0


async def test_who_has_been_scanned_takes_what_waits_and_no_code_stays_with_the_keeper(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    begin, counter = clock.now(), await kept(client, town)
    shown = {"code": personal_code(town, "张桂兰"), "nonce": nonce(), "purpose": "look"}
    page = await counter.send("/desk/scan", **shown)
    assert "香皂" in page.text
    assert made["code"] not in page.text
    path = f"/desk/redemptions/{made['id']}/collection"
    with clock.at(begin + PROVES_FOR + timedelta(minutes=1)):
        assert (await counter.send(path, presence=shown["nonce"])).status_code == 422
    assert (await counter.send(path)).status_code == 422
    assert await points_of(town, "张桂兰") == (42, 8)
    assert (await counter.send(path, presence=shown["nonce"])).status_code == 303
    assert await points_of(town, "张桂兰") == (42, 0)


# --------------------------------------------------------------------------------------------------------------- lists


async def test_a_keepers_lists_carry_no_ids_of_people(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    counter, keeper = await kept(client, town), await town.sign_in("周敏")
    for headers in (counter.bearer, keeper):
        (line,) = (await client.get(f"{API}/redemptions", headers=headers)).json()["items"]
        assert (line["person"], line["person_id"], line["code"]) == ("张*", None, None)
        one = (await client.get(f"{API}/redemptions/{made['id']}", headers=headers)).json()
        assert (one["person"], one["person_id"]) == ("张*", None)
        (shown,) = (await client.get(f"{API}/redemptions?code={made['code']}", headers=headers)).json()["items"]
        assert (shown["person"], shown["person_id"]) == ("张桂兰", str(town.people["张桂兰"]))
