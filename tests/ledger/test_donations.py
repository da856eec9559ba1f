"""Donations: each is posted once, also when many are sent at the same time."""

import asyncio
from collections import Counter
from datetime import timedelta

import asyncpg
import httpx

from tests.support.ledger_sums import problems_of
from tests.support.town import Town
from timebank.core import clock
from timebank.ledger.statement import balances


async def give(client: httpx.AsyncClient, town: Town, name: str, points: int, key: str | None) -> httpx.Response:
    headers = await town.sign_in(name) | ({"Idempotency-Key": key} if key else {})
    body = {"person_id": str(town.people[name]), "points": points}
    return await client.post("/api/v1/donations", json=body, headers=headers)


async def available(town: Town, name: str) -> int:
    return (await balances(town.system(), town.people[name], [])).points.available


async def test_a_donation_moves_points_once(town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    await town.give_points("张桂兰", 10)
    first = await give(client, town, "张桂兰", 4, "k")
    again = await give(client, town, "张桂兰", 4, "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert "idempotent-replayed" not in first.headers
    assert await available(town, "张桂兰") == 6
    other = await give(client, town, "张桂兰", 5, "k")
    assert (other.status_code, other.json()["code"]) == (422, "ledger_key_reused")
    without = await give(client, town, "张桂兰", 4, None)
    assert (without.status_code, without.json()["code"]) == (400, "idempotency_key_missing")
    assert await problems_of(owner) == []


async def test_fifty_at_once_for_the_last_points(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 3, expires_on=clock.local_day() + timedelta(days=5))
    await town.give_points("张桂兰", 7)
    await town.give_points("李秀英", 100)
    answers = await asyncio.gather(
        *(give(client, town, "张桂兰", 2, f"z{n}") for n in range(25)),
        *(give(client, town, "李秀英", 2, f"l{n}") for n in range(25)),
    )
    codes = [Counter(a.status_code for a in part) for part in (answers[:25], answers[25:])]
    assert codes == [{201: 5, 422: 20}, {201: 25}]
    assert (await available(town, "张桂兰"), await available(town, "李秀英")) == (0, 50)
    assert await problems_of(owner) == []


async def test_one_key_sent_fifty_times_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 100)
    answers = await asyncio.gather(*(give(client, town, "张桂兰", 2, "same") for _ in range(50)))
    assert {(a.status_code, a.content) for a in answers} == {(201, answers[0].content)}
    assert Counter(a.headers.get("idempotent-replayed") for a in answers) == {None: 1, "true": 49}
    assert await available(town, "张桂兰") == 98
    assert await problems_of(owner) == []


async def test_nobody_gives_away_anothers_points(town: Town, client: httpx.AsyncClient) -> None:
    await town.give_points("张桂兰", 10)
    headers = await town.sign_in("李秀英") | {"Idempotency-Key": "k"}
    body = {"person_id": str(town.people["张桂兰"]), "points": 1}
    refused = await client.post("/api/v1/donations", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert await available(town, "张桂兰") == 10
