"""Cheats with accounts: a phone, a puppet record or a child's record lets nobody spend another person's points."""

import asyncpg
import httpx
import pytest

from tests.access.test_taking_over import NEW_PHONE, PASSWORD, World
from tests.support.presence import body, card, personal_code
from tests.support.shop import API, key, points_of, wish
from tests.support.town import Town, set_password
from timebank.core import clock


@pytest.fixture
async def world(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> World:
    """Give 张桂兰 100 points and a password."""
    await town.give_points("张桂兰", 100)
    await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    return World(town, client, owner)


async def scanned(world: World, link: str) -> str:
    """Scan a code as the keeper 周敏; return the nonce."""
    sent = body(link, station_id=str(world.town.stations["暖蜂驿站"]))
    assert (await world.ask("POST", "/checkins", "周敏", 200, sent))["status"] == "ok"
    return str(sent["nonce"])


async def resting_login(world: World, name: str) -> int:
    count: int = await world.owner.fetchval(
        "SELECT count(*) FROM spending_rest WHERE person_id = $1 AND ended_at IS NULL", world.town.people[name]
    )
    return count


async def test_a_scan_of_somebody_with_her_phone_on_the_record_does_not_open_her_login(world: World) -> None:
    """赵丽 enters 张桂兰's phone on the puppet record 马小军, whose card an honest keeper scans."""
    town = world.town
    await world.enter("赵丽", "马小军", "19900007777")
    puppet = town.people["马小军@赵丽"]
    await world.ask("PATCH", f"/people/{puppet}", "赵丽", 200, {"phone": town.phones["张桂兰"]})
    await scanned(world, await card(town, world.owner, "马小军@赵丽"))
    headers = await world.opened(town.phones["张桂兰"], otp=await world.code("周敏", "马小军@赵丽"))
    assert (await world.spend(headers, "张桂兰", 403))["code"] == "spending_rests"
    address = f"/me/memberships/{town.community}/{puppet}"
    refused = await world.ask("POST", address, headers, 403, {"decision": "agree"})
    assert refused["code"] == "membership_unproved"
    assert await points_of(town, "张桂兰") == (100, 0)


async def test_a_scan_of_one_of_a_shared_phone_that_nobody_has_used_is_no_scan_of_the_other(world: World) -> None:
    """欧阳凯伟 has never signed in; a puppet record with his phone is scanned, given a code and confirmed."""
    town = world.town
    await town.give_points("欧阳凯伟", 100)
    puppet = await world.enter("赵丽", "郑强", town.phones["欧阳凯伟"])
    await scanned(world, await card(town, world.owner, "郑强@赵丽"))
    headers = await world.opened(town.phones["欧阳凯伟"], otp=await world.code("周敏", "郑强@赵丽"))
    await world.spend(headers, "欧阳凯伟", 403)
    await world.ask("POST", f"/agreements/logins/{puppet}", "赵丽", 204)
    assert await resting_login(world, "欧阳凯伟") == 1, "who confirms one of a phone has not seen the other"
    await world.spend(headers, "欧阳凯伟", 403)
    assert await points_of(town, "欧阳凯伟") == (100, 0)


async def test_a_known_holder_whose_card_was_scanned_rests_with_nobody(world: World) -> None:
    """Two people share a phone whose login was used before: after a scan and a code for one, the other may spend."""
    town = world.town
    for name in ("郑强", "郑芳"):
        await world.enter("赵丽", name, NEW_PHONE)
    await town.give_points("郑芳@赵丽", 100)
    await world.owner.execute(
        "UPDATE login SET opened_at = $1 WHERE id IN (SELECT login_id FROM membership WHERE person_id = $2)",
        clock.now(), town.people["郑强@赵丽"],
    )  # fmt: skip
    await scanned(world, await card(town, world.owner, "郑强@赵丽"))
    headers = await world.opened(NEW_PHONE, otp=await world.code("周敏", "郑强@赵丽"))
    await world.spend(headers, "郑芳@赵丽", 201)


async def test_a_phone_is_not_changed_unseen_while_its_holder_is_a_child_on_paper(world: World) -> None:
    """赵丽 makes 张桂兰 a child, changes the phone and makes her an adult again: her old login is recorded."""
    town = world.town
    old = await world.opened(town.phones["张桂兰"], password=PASSWORD)
    address = f"/people/{town.people['张桂兰']}"
    await world.ask("PATCH", address, "赵丽", 200, {"born_on": "2020-01-01"})
    moved = await world.owner.fetch(
        "SELECT from_login FROM spending_rest WHERE person_id = $1 AND ended_at IS NULL", town.people["张桂兰"]
    )
    assert [row["from_login"] for row in moved] == [town.logins["张桂兰"]], "the old phone's page says so"
    await world.ask("GET", "/me", old, 401)
    await world.ask("PATCH", address, "赵丽", 200, {"phone": NEW_PHONE})
    await world.ask("PATCH", address, "赵丽", 200, {"born_on": "1958-03-12"})
    headers = await world.opened(NEW_PHONE, otp=await world.code("赵丽", "张桂兰"))
    await world.spend(headers, "张桂兰", 403)
    assert await points_of(town, "张桂兰") == (100, 0)


async def test_a_keeper_who_was_a_child_on_paper_meanwhile_is_no_second_person(world: World) -> None:
    town, second = world.town, "19900008888"
    for change in ({"born_on": "2020-01-01"}, {"phone": second}, {"born_on": "1980-01-01"}):
        await world.ask("PATCH", f"/people/{town.people['周敏']}", "赵丽", 200, change)
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    keeper = await world.opened(second, otp=await world.code("赵丽", "周敏"))
    address = f"/agreements/logins/{town.people['张桂兰']}"
    assert (await world.ask("POST", address, keeper, 403))["code"] == "not_independent"


async def test_whom_an_administrator_appoints_after_changing_a_phone_does_not_confirm_it(world: World) -> None:
    """赵丽 changes the phone and then makes 王建国, who has his own login, a keeper: he is not independent of her."""
    town = world.town
    await world.ask("PATCH", f"/people/{town.people['张桂兰']}", "赵丽", 200, {"phone": NEW_PHONE})
    granted = {
        "person_id": str(town.people["王建国"]), "role": "station_keeper",
        "station_id": str(town.stations["暖蜂驿站"]), "starts_on": clock.local_day().isoformat(),
    }  # fmt: skip
    await world.ask("POST", "/roles", "赵丽", 201, granted)
    address = f"/agreements/logins/{town.people['张桂兰']}"
    assert (await world.ask("POST", address, "王建国", 403))["code"] == "not_independent"
    assert await resting_login(world, "张桂兰") == 1


async def test_whom_an_administrator_appoints_after_opening_a_login_does_not_confirm_it(world: World) -> None:
    """赵丽 opens 周敏's login and then makes 王建国 a keeper: his confirmation does not make that login independent."""
    town = world.town
    await world.opened(town.phones["周敏"], otp=await world.code("赵丽", "周敏"))
    granted = {
        "person_id": str(town.people["王建国"]), "role": "station_keeper",
        "station_id": str(town.stations["暖蜂驿站"]), "starts_on": clock.local_day().isoformat(),
    }  # fmt: skip
    await world.ask("POST", "/roles", "赵丽", 201, granted)
    await world.ask("POST", f"/agreements/logins/{town.people['周敏']}", "王建国", 204)
    confirmed = await world.owner.fetchval("SELECT confirmed_at FROM login WHERE id = $1", town.logins["周敏"])
    assert confirmed is None


@pytest.mark.parametrize("where", ["used", "held_as_class_time"])
async def test_an_account_that_is_empty_for_the_moment_rests_like_a_full_one(
    world: World, owner: asyncpg.Connection, where: str
) -> None:
    """After a code, spending is blocked also when the balance is 0 by now or only the person's child has points."""
    town = world.town
    if where == "used":
        await owner.execute("UPDATE account SET balance = 0 WHERE owner_id = $1", town.people["张桂兰"])
    else:
        await town.give_points("刘小雨", 20)
    name = "张桂兰" if where == "used" else "刘洋"
    headers = await world.opened(town.phones[name], otp=await world.code("赵丽", name))
    [person] = (await world.me(headers))["persons"]
    assert person["rests_until"] is not None


async def test_a_childs_code_on_a_guardians_phone_that_rests_spends_nothing(world: World) -> None:
    town: Town = world.town
    await town.give_points("刘小雨", 50)
    headers = await world.opened(town.phones["刘洋"], otp=await world.code("赵丽", "刘洋"))
    shown = await world.ask("GET", f"/me/code?person_id={town.people['刘小雨']}", headers, 200)
    presence = await scanned(world, shown["url"])
    taken = wish(town, "刘小雨", "香皂", collect_now=True, presence=presence)
    refused = await world.ask("POST", "/redemptions", await town.sign_in("周敏") | key(), 403, taken)
    assert refused["code"] == "spending_rests"
    assert await points_of(town, "刘小雨") == (50, 0)
    await world.ask("POST", f"/agreements/logins/{town.people['刘洋']}", "周敏", 204)
    taken["presence"] = await scanned(world, personal_code(town, "刘小雨"))
    await world.ask("POST", "/redemptions", await town.sign_in("周敏") | key(), 201, taken)


async def test_another_communitys_codes_free_no_guesses_at_a_password(world: World) -> None:
    """何静 of 龙泉 signs in with 张桂兰's phone by a code that she gave; guesses at the password stay delayed."""
    phone = world.town.phones["张桂兰"]
    await world.enter("何静", "张桂兰", phone)
    said = 401
    for guess in range(30):
        answer = await world.client.post(API + "/sessions", json={"phone": phone, "password": f"猜的密码-{guess}"})
        said = answer.status_code
        if said == 429:
            break
    assert said == 429
    await world.opened(phone, otp=await world.code("何静", "张桂兰@何静"))
    await world.opened(phone, 429, password="又猜一个-2026")
