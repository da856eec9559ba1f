"""The last actions at a counter are of every kind, cards given and people confirmed too, and of its station alone."""

import asyncpg
import httpx

from tests.shop.test_counter_second_person import AGREE, asked_for
from tests.support.counter import API, STATION, kept
from tests.support.shop import browser, key
from tests.support.town import Town
from timebank.cards.cards import issue_card
from timebank.core.capability import capabilities


async def test_a_given_card_and_an_agreed_confirmation_are_listed_at_their_counter(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    sent = await counter.send("/desk/cards", person_id=town.people["张桂兰"], station_id=town.stations[STATION])
    assert sent.status_code == 200, sent.text
    assert await owner.fetchval("SELECT station_id FROM card") == town.stations[STATION]
    path = await asked_for(counter, town, "王建国")
    admin = await town.sign_in("赵丽")
    assert (await client.post(f"{API}{path}", json=AGREE, headers=admin | key())).json()["status"] == "agreed"
    shown = await counter.see("/desk")
    for each in ("张* 办卡", "王* 核对了本人 香皂 1 块", "王* 领取 香皂 1 块"):
        assert each in shown, each
    elsewhere = await (await browser(client, town, "赵丽")).see(f"/desk?station={town.stations['慈善超市']}")
    assert "办卡" not in elsewhere


async def test_a_card_is_not_listed_at_a_counter_that_its_giver_does_not_keep(
    town: Town, owner: asyncpg.Connection
) -> None:
    await issue_card(await town.scope("周敏"), town.people["张桂兰"], town.stations["慈善超市"])
    [card] = await owner.fetch("SELECT station_id FROM card")
    assert card["station_id"] is None


def test_each_kind_has_a_name_of_its_own() -> None:
    named = [each.name for one in capabilities() for each in one.done]
    assert len(named) == len(set(named))
    assert {"check_in", "check_out", "hand_over", "attend", "card", "confirmation"} <= set(named)
