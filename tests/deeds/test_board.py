"""The public board: what it shows to everybody, and what it must not reveal."""

from datetime import timedelta

import asyncpg
import httpx

from tests.deeds.test_deeds import MORNING, noticed
from tests.deeds.test_objections import honour_record
from tests.support.town import SPRING, Town
from timebank.core import clock
from timebank.objections.objecting import object_to


async def test_anybody_reads_the_board_and_learns_no_name(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    with clock.at(MORNING):
        deed = await noticed(town)
        record = await honour_record(town, owner)
        await object_to(await town.scope("张桂兰"), "deed", deed.id, "不属实")
    board = await client.get(f"/api/v1/board?community_id={town.community}")
    assert board.status_code == 200
    hour, hung = board.json()["items"]
    assert (hour["kind"], hour["id"], hour["person"], hour["minutes"]) == ("service_record", str(record), "张*", 60)
    assert (hung["person"], hung["what"], hung["where"], hung["points"]) == ("李*", "调解邻里纠纷", "3栋1单元", 10)
    assert (hung["open_objections"], hung["occurred_on"]) == (1, "2026-11-17")
    for secret in ("李秀英", "漏水", str(town.people["李秀英"]), "不属实"):
        assert secret not in board.text


async def test_who_consented_is_named_in_full(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE person SET publishes_name = true WHERE id = $1", town.people["李秀英"])
    with clock.at(MORNING):
        await noticed(town)
    board = await client.get(f"/api/v1/board?community_id={town.community}")
    assert board.json()["items"][0]["person"] == "李秀英"


async def test_a_signed_in_reader_sees_the_own_community_s_board(town: Town, client: httpx.AsyncClient) -> None:
    with clock.at(MORNING):
        await noticed(town)
    here = await client.get("/api/v1/board", headers=await town.sign_in("张桂兰"))
    there = await client.get("/api/v1/board", headers=await town.sign_in("马涛"))
    assert (len(here.json()["items"]), len(there.json()["items"])) == (1, 0)
    other = await client.get(
        f"/api/v1/board?community_id={town.communities[SPRING]}", headers=await town.sign_in("张桂兰")
    )
    assert other.json()["items"] == []


async def test_a_board_of_nowhere_is_not_found_and_none_named_is_a_question(
    town: Town, client: httpx.AsyncClient
) -> None:
    for nowhere in (clock.new_id(), town.street):
        assert (await client.get(f"/api/v1/board?community_id={nowhere}")).status_code == 404
    assert (await client.get("/api/v1/board")).json()["code"] == "invalid"
    assert (await client.get("/api/v1/board?community_id=x")).status_code == 400


async def test_the_board_comes_in_pages_soonest_end_first(town: Town, client: httpx.AsyncClient) -> None:
    for days in range(3):
        with clock.at(MORNING + timedelta(days=days)):
            await noticed(town)
    path = f"/api/v1/board?community_id={town.community}&limit=2"
    first = await client.get(path)
    rest = await client.get(first.links["next"]["url"])
    ends = [item["notice_until"] for item in first.json()["items"] + rest.json()["items"]]
    assert ends == sorted(ends)
    assert len(ends) == 3
