"""Those who can decide see what waits: overdue objections by message, counter confirmations and cards in the panel."""

from datetime import timedelta

import asyncpg
import httpx

from tests.deeds.test_deeds import MORNING, noticed
from tests.matrix.test_told import told
from tests.presence.test_counter import looked, take
from tests.support.counter import API, PASSWORD, Tablet, has_password, kept, tablet
from tests.support.shop import browser, key, points_of, wish
from tests.support.town import Town
from timebank.cards.cards import issue_card
from timebank.core import clock, codes
from timebank.objections.objecting import object_to
from timebank.objections.reminding import remind_of_objections


async def test_an_overdue_objection_is_told_to_the_street_and_the_county_who_can_decide_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Nobody decides for 7 days: the street and county administrators are notified, and the street's decides."""
    with clock.at(MORNING):
        deed = await noticed(town)
        made = await object_to(await town.scope("张桂兰"), "deed", deed.id, "没见过")
    for days, above in ((3, 0), (6, 0), (7, 1), (9, 1)):
        with clock.at(MORNING + timedelta(days=days)):
            for _ in range(2):
                assert await remind_of_objections(town.system()) == 1
        for name in ("钱进", "吴昊"):
            assert len(await told(owner, town, name, "objection_waits")) == above, (name, days)
    [text] = await told(owner, town, "钱进", "objection_waits")
    assert "凤凰社区" in text
    assert "您可以决定" in text
    assert await told(owner, town, "何静", "objection_waits") == [], "another community's administrator decides nothing"
    with clock.at(MORNING + timedelta(days=9)):
        answer = await client.post(
            f"{API}/objections/{made.id}/decision", json={"upheld": False, "note": "走访过，属实"},
            headers=await town.sign_in("钱进") | key() | {"X-Community-Id": str(town.community)},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert await remind_of_objections(town.system()) == 0


async def asked(at: Tablet, town: Town, name: str) -> None:
    await at.ask("POST", "/counter/confirmations", 201, json=wish(town, name, "香皂"))


async def test_the_panels_home_counts_what_waits_at_the_counters_for_who_may_decide_it(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("王建国", 50)
    panel = await browser(client, town, "赵丽")
    assert "有人在柜台等着" not in await panel.see("/admin")
    counter = await kept(client, town)
    await asked(counter, town, "王建国")
    page = await panel.see("/admin")
    assert "有人在柜台等着" in page
    assert "有 1 件事等着办" in page
    assert 'href="/admin/confirmations"' in page
    with clock.at(clock.now() + timedelta(days=1)):
        later = await browser(client, town, "赵丽")
        assert "有人在柜台等着" not in await later.see("/admin"), "what was asked yesterday waits no more"


async def test_what_an_administrator_asked_at_a_counter_is_not_shown_as_theirs_to_decide(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.give_points("王建国", 50)
    counter = await tablet(client, town)
    await has_password(town, "赵丽")
    await counter.sign_on(town, "赵丽", password=PASSWORD)
    await asked(counter, town, "王建国")
    assert "另有 1 件由别人决定" in await (await browser(client, town, "赵丽")).see("/admin")
    assert "有 1 件事等着办" in await (await browser(client, town, "钱进")).see("/admin")


async def test_the_counter_issues_a_card_that_spends_nothing_until_the_panel_has_confirmed_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("王建国", 50)
    counter = await kept(client, town)
    last4 = town.phones["王建国"][-4:]
    found = {"name": "王建国", "phone_last4": last4, "station_id": town.stations["暖蜂驿站"]}
    page = (await counter.send("/desk/people", **found)).text
    assert "办服务卡" in page
    form = {"person_id": town.people["王建国"], "station_id": town.stations["暖蜂驿站"]}
    answer = await counter.send("/desk/cards", "one-key-for-one-card-0001", **form)
    assert answer.status_code in (200, 201), answer.text
    assert "等另一位工作人员核对" in answer.text
    assert (await counter.send("/desk/cards", "one-key-for-one-card-0001", **form)).text.count("王建国") > 0
    assert await owner.fetchval("SELECT count(*) FROM card") == 1, "a repeated tap prints no second card"
    card = await owner.fetchval("SELECT id FROM card")
    url = codes.url("k", codes.card_code(town.community, card, 1))
    presence = await looked(counter, url)
    assert (await take(counter, town, "王建国", 422, presence=presence)).json()["code"] == "card_not_confirmed"
    assert await points_of(town, "王建国") == (50, 0)
    assert "这张卡等另一位工作人员核对" in (await counter.send("/desk/people", **found)).text
    panel = await browser(client, town, "赵丽")
    assert (await panel.send("/admin/presence", card=str(card))).status_code == 303
    assert "这张卡等另一位工作人员核对" not in (await counter.send("/desk/people", **found)).text
    await take(counter, town, "王建国", 201, presence=presence)
    assert await points_of(town, "王建国") == (42, 0)


async def test_a_card_that_waits_is_counted_for_whoever_may_confirm_it(town: Town, client: httpx.AsyncClient) -> None:
    await issue_card(await town.scope("赵丽"), town.people["王建国"])
    issuer, other = [await (await browser(client, town, name)).see("/admin") for name in ("赵丽", "钱进")]
    assert "另有 1 件由别人决定" in issuer
    assert "件事等着办" not in issuer
    assert "有 1 件事等着办" in other
