"""The verbs of matters that people wait for, and the dispatcher's list, send a bounded number of statements."""

import asyncpg
import httpx
import pytest

from tests.support.matters import BUILDING, GRID_HEAD, LEADER, MORNING, let_reports_earn, matters_ground
from tests.support.shop import API, key
from tests.support.town import Town
from tests.support.wire import Wire
from timebank.core import clock

MOST = {"POST /matters": 7, "dispatch": 7, "take": 6, "finish": 6, "confirm": 9, "confirm and award": 13}
"""Session, BEGIN, lock, read, write, COMMIT. POST /matters writes its key besides, a dispatch reads its receiver; a
confirmation reads whether the two report for each other, the reporter's roles and the rule. An award locks the person
and the place, reads all that decides at once, and writes with what the confirmation has written."""


@pytest.mark.parametrize("earns", [False, True])
async def test_each_verb(
    client: httpx.AsyncClient, town: Town, owner: asyncpg.Connection, wire: Wire, earns: bool
) -> None:
    sent: dict[str, int] = {}
    if earns:
        await let_reports_earn(town)
    with clock.at(MORNING):
        ground = await matters_ground(town, owner)
        wanted = {
            "kind": "report", "category": "noise", "area_id": str(town.areas[BUILDING]), "said": "夜里吵",
        }  # fmt: skip
        steps = [
            (GRID_HEAD, "dispatch", {"team_id": str(ground.team)}), (LEADER, "take", {}), (LEADER, "finish", {}),
            (GRID_HEAD, "confirm", {"verified": "true"}),
        ]  # fmt: skip
        by = await town.sign_in("张桂兰")
        await wire.renew()
        opened = await client.post(f"{API}/matters", json=wanted, headers=by | key())
        sent["POST /matters"] = len(wire)
        for name, verb, body in steps:
            by = await town.sign_in(name)
            await wire.renew()
            answer = await client.post(f"{API}/matters/{opened.json()['id']}/{verb}", json=body, headers=by)
            assert answer.status_code == 200, answer.text
            assert bool(answer.json().get("award")) is (earns and verb == "confirm")
            sent["confirm and award" if earns and verb == "confirm" else verb] = len(wire)
    assert {verb: count for verb, count in sent.items() if count > MOST[verb]} == {}


async def test_the_dispatchers_list_sends_as_many_for_fifteen_as_for_three(
    client: httpx.AsyncClient, town: Town, owner: asyncpg.Connection, wire: Wire
) -> None:
    counts, shown = [], 0
    with clock.at(MORNING):
        ground = await matters_ground(town, owner)
        for names in (("张桂兰",), ("李秀英", "周敏", "王建国", "张国庆")):
            for name in names:
                for _each in range(3):
                    await ground.open(name)
            by = await town.sign_in(GRID_HEAD)
            await wire.renew()
            page = await client.get(f"{API}/matters?open=true", headers=by)
            assert page.status_code == 200, page.text
            counts.append(len(wire))
            shown = len(page.json()["items"])
    assert shown == 15
    assert counts[0] == counts[1], wire.listed()
    assert counts[1] <= 5, wire.listed()
