"""The second person at the counter: no present or former household member, and not the opener of the other's login."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx

from tests.agreements.test_two_people import call
from tests.presence.test_counter import looked, make_keeper, other_household, take
from tests.support.counter import API, PASSWORD, Tablet, has_password, kept
from tests.support.presence import body, card, nine_o_clock, personal_code
from tests.support.shop import browser, key, points_of, wish
from tests.support.town import PHOENIX, Town
from timebank.core import clock

AGREE = {"decision": "agree"}


async def opened_by(client: httpx.AsyncClient, town: Town, giver: str, name: str) -> dict[str, str]:
    """Sign in with a code that `giver` gave and set a password, as whoever holds the code can. Returns the headers."""
    headers = await town.sign_in(giver)
    code = (await call(client, "POST", f"/people/{town.people[name]}/sign-in-code", headers, status=201))["code"]
    opened = await call(client, "POST", "/sessions", {}, {"phone": town.phones[name], "otp": code}, 201)
    session = {"Authorization": f"Bearer {opened['token']}"}
    await call(client, "POST", "/me/password", session, {"password": PASSWORD}, 204)
    return session


async def asked_for(at: Tablet, town: Town, name: str) -> str:
    """Ask at the counter for soap for this resident. Returns the path at which a second person decides about it."""
    wanted = wish(town, name, "香皂")
    asked = (await at.ask("POST", "/counter/confirmations", 201, json=wanted)).json()
    return f"/counter/confirmations/{asked['id']}/decision"


async def moved_out(client: httpx.AsyncClient, town: Town, name: str) -> None:
    """The street administrator records that this person has moved to another household."""
    area = str(town.areas[f"{PHOENIX}/第一网格/3栋/2单元"])
    change = {"area_id": area, "room": "907", "reason": "搬家了"}
    await call(client, "PATCH", f"/people/{town.people[name]}", await town.sign_in("钱进"), change)


async def test_who_opened_the_askers_account_does_not_agree_to_what_it_asks(
    town: Town, client: httpx.AsyncClient
) -> None:
    """An administrator who gave the keeper's sign-in code could act with both logins, and so may not agree to what the
    keeper's login asks for."""
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    await opened_by(client, town, "赵丽", "周敏")
    await counter.sign_on(town, "周敏")
    path = await asked_for(counter, town, "王建国")
    admin = await town.sign_in("赵丽")
    refused = await client.post(f"{API}{path}", json=AGREE, headers=admin | key())
    assert (refused.status_code, refused.json()["code"]) == (403, "not_second_person")
    shown = (await client.get(f"{API}/counter/confirmations", headers=admin)).json()
    assert [each["may_decide"] for each in shown] == [False]
    assert "/admin/confirmations/" not in await (await browser(client, town, "赵丽")).see("/admin/confirmations")
    assert await points_of(town, "王建国") == (50, 0)

    await call(client, "POST", f"/agreements/logins/{town.people['周敏']}", await town.sign_in("钱进"), status=204)
    assert (await client.post(f"{API}{path}", json=AGREE, headers=admin | key())).json()["status"] == "agreed"
    assert await points_of(town, "王建国") == (42, 0), "the street has confirmed whose login it is"


async def test_another_keeper_agrees_at_the_same_tablet_but_not_who_asked_nor_who_lived_with_either(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Several keepers sign on to the same tablet one after another."""
    await town.give_points("王建国", 50)
    for name in ("李秀英", "陈明", "欧阳凯伟"):
        await make_keeper(owner, town, name)
    await other_household(owner, town, "王建国", "李秀英")
    await other_household(owner, town, "周敏", "陈明")
    for name in ("李秀英", "陈明"):
        await moved_out(client, town, name)
    counter = await kept(client, town)
    await has_password(town, "李秀英", "陈明", "欧阳凯伟")
    path = await asked_for(counter, town, "王建国")
    for name in ("周敏", "李秀英", "陈明"):
        await counter.sign_on(town, name)
        refused = await counter.ask("POST", path, 403, json=AGREE, headers=key())
        assert refused.json()["code"] == "not_second_person", name
    assert await points_of(town, "王建国") == (50, 0)
    await counter.sign_on(town, "欧阳凯伟")
    assert (await counter.ask("POST", path, json=AGREE, headers=key())).json()["status"] == "agreed"
    assert await points_of(town, "王建国") == (42, 0)


async def test_a_keeper_who_has_moved_out_on_paper_serves_the_former_household_nothing(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await other_household(owner, town, "周敏", "陈明")
    await moved_out(client, town, "周敏")
    await town.give_points("陈明", 50)
    begin, code = nine_o_clock(), await card(town, owner, "陈明")
    with clock.at(begin):
        counter = await kept(client, town)
        presence = await looked(counter, personal_code(town, "陈明"))
        assert (await take(counter, town, "陈明", 403, presence=presence)).json()["code"] == "own_redemption"
        assert (await counter.ask("POST", "/checkins", json=body(code))).json()["status"] == "ok"
    with clock.at(begin + timedelta(hours=2)):
        out = (await counter.ask("POST", "/checkins", json=body(code))).json()
    assert "served_by_family" in out["attention"]
    assert await points_of(town, "陈明") == (50, 0)


async def card_of(owner: asyncpg.Connection, town: Town, name: str) -> UUID:
    found: UUID = await owner.fetchval(
        "SELECT id FROM card WHERE person_id = $1 AND revoked_at IS NULL", town.people[name]
    )
    return found


async def confirmed(client: httpx.AsyncClient, town: Town, by: str, card_id: UUID) -> bool:
    """Whether `by` can confirm the card in the panel; a form that the page does not offer must be refused."""
    panel = await browser(client, town, by)
    offered = f'value="{card_id}"' in await panel.see("/admin/presence")
    answer = await panel.send("/admin/presence", card=str(card_id))
    assert offered == (answer.status_code == 303), "the page offers what the verb does"
    return offered


async def test_nobody_confirms_a_card_of_a_former_household_or_of_a_login_that_one_opened(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The keeper prints three cards. The administrator may confirm only the card of 王建国: 陈明 is a former household
    member, and the administrator opened the login of 李秀英."""
    for name in ("王建国", "李秀英", "陈明"):
        await town.give_points(name, 50)
    await other_household(owner, town, "赵丽", "陈明")
    await moved_out(client, town, "陈明")
    await opened_by(client, town, "赵丽", "李秀英")
    counter = await kept(client, town)
    for name in ("王建国", "李秀英", "陈明"):
        printed = (await counter.ask("POST", f"/people/{town.people[name]}/card", 201)).json()["url"]
        presence = await looked(counter, printed)
        assert await confirmed(client, town, "赵丽", await card_of(owner, town, name)) == (name == "王建国")
        answer = await take(counter, town, name, 201 if name == "王建国" else 422, presence=presence)
        assert name == "王建国" or answer.json()["code"] == "card_not_confirmed"
        assert await points_of(town, name) == ((42, 0) if name == "王建国" else (50, 0))


async def test_nobody_confirms_a_card_whose_issuers_account_one_opened(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    await opened_by(client, town, "赵丽", "周敏")
    await counter.sign_on(town, "周敏")
    printed = (await counter.ask("POST", f"/people/{town.people['王建国']}/card", 201)).json()["url"]
    assert not await confirmed(client, town, "赵丽", await card_of(owner, town, "王建国"))
    presence = await looked(counter, printed)
    assert (await take(counter, town, "王建国", 422, presence=presence)).json()["code"] == "card_not_confirmed"
    assert await points_of(town, "王建国") == (50, 0)
