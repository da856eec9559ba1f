"""Matters at the counter: a keeper writes down what somebody says, and a scanned card says whether it is solved."""

import asyncpg
import httpx

from tests.support.matters import BUILDING, Ground
from tests.support.presence import card, nonce
from tests.support.shop import Browser, browser

STATION = "暖蜂驿站"


async def keeper_with(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection, name: str
) -> tuple[Browser, str]:
    """The keeper's browser, and the nonce of the scan of this person's card at the counter."""
    keeper = await browser(client, ground.town, "周敏")
    seen = nonce()
    told = {"code": await card(ground.town, owner, name), "nonce": seen, "station_id": ground.town.stations[STATION]}
    answer = await keeper.send("/desk/scan", **told)
    assert answer.status_code == 200, answer.text
    assert name in answer.text
    return keeper, seen


async def test_a_keeper_reports_and_orders_for_who_stands_there(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    town = ground.town
    keeper, seen = await keeper_with(ground, client, owner, "张桂兰")
    stands = {"person_id": town.people["张桂兰"], "station_id": town.stations[STATION], "presence": seen}
    here = f"person_id={stands['person_id']}&station={stands['station_id']}&scan={seen}"
    counter = await keeper.see(f"/desk?station={stands['station_id']}&scan={seen}")
    assert "代反映" in counter
    assert "代点单" in counter
    assert "替张桂兰点单" in await keeper.see(f"/desk/matters/new?kind=order&{here}")
    wanted = {"category": "repair", "said": "换灯泡", "area_id": town.areas[BUILDING], "people_wanted": 1}
    sent = await keeper.send("/desk/matters/new", kind="order", at_home="true", **wanted, **stands)
    assert sent.status_code == 303, sent.text
    receipt = await keeper.see(sent.headers["location"])
    kept = await owner.fetchrow("SELECT kind, reporter_id, entered_by, channel, number FROM matter")
    assert kept is not None
    assert tuple(kept.values())[:4] == ("order", town.people["张桂兰"], town.people["周敏"], "desk")
    assert f"{kept['number'][:4]} {kept['number'][4:]}" in receipt
    told = {"category": "street_light", "said": "", "area_id": town.areas[BUILDING]}
    refused = await keeper.send("/desk/matters/new", kind="report", **told, **stands)
    assert refused.status_code == 422
    assert "替张桂兰反映" in refused.text
    wish = {"said": "一副老花镜", "value_max": 60, "area_id": town.areas[BUILDING]}
    assert (await keeper.send("/desk/matters/new", kind="wish", **wish, **stands)).status_code == 303
    assert await owner.fetchval("SELECT count(*) FROM matter") == 2


async def test_a_scanned_card_says_whether_it_is_solved(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    matter = await ground.done()
    town = ground.town
    keeper, seen = await keeper_with(ground, client, owner, "张桂兰")
    counter = await keeper.see(f"/desk?station={town.stations[STATION]}&scan={seen}")
    assert "路灯办好了吗？" in counter
    said = {"station_id": town.stations[STATION], "person_id": town.people["张桂兰"], "solved": "true", "stars": 5}
    unproven = await keeper.send(f"/desk/matters/{matter}/rating", **said, presence=nonce())
    assert unproven.status_code == 422
    assert (await keeper.send(f"/desk/matters/{matter}/rating", **said, presence=seen)).status_code == 303
    kept = await owner.fetchrow("SELECT how, solved, stars FROM rating")
    assert kept is not None
    assert tuple(kept.values()) == ("card", True, 5)
    after = await keeper.see(f"/desk?station={town.stations[STATION]}&scan={seen}")
    assert "办好了吗？" not in after


async def test_without_a_scan_nobodys_matters_are_shown(
    ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await ground.done()
    keeper = await browser(client, ground.town, "周敏")
    found = await keeper.send(
        "/desk/people", name="张桂兰", phone_last4=ground.town.phones["张桂兰"][-4:],
        station_id=ground.town.stations[STATION],
    )  # fmt: skip
    assert "代反映" in found.text
    assert "办好了吗？" not in found.text


async def test_who_keeps_no_station_writes_nothing_down(ground: Ground, client: httpx.AsyncClient) -> None:
    other = await browser(client, ground.town, "李秀英")
    here = f"person_id={ground.town.people['张桂兰']}&station={ground.town.stations[STATION]}"
    await other.see(f"/desk/matters/new?kind=report&{here}", status=403)
