"""Concurrent requests for the same stock, points or idempotency key: real commits, nothing done twice."""

import asyncio
from collections import Counter

import asyncpg
import httpx

from tests.support.shop import API, books_balance, points_of, stock_of, wish
from tests.support.town import Town, signed_in
from timebank.core import clock, names
from timebank.core.errors import TimebankError
from timebank.core.scope import ResidentRecord, Scope
from timebank.shop import cancelling, collection, redemption
from timebank.shop.schemas import Redeemed, RedemptionIn
from timebank.shop.shelves import stock

CROWD = 50


async def crowd(owner: asyncpg.Connection, town: Town, count: int = CROWD) -> list[Scope]:
    """Add `count` residents without a household, each with 50 points. Returns their scopes."""
    scopes = []
    for number in range(count):
        name, person_id = f"居民{number:02}", clock.new_id()
        await owner.execute(
            "INSERT INTO person (community_id, id, name, name_key, pinyin, publishes_name, status, code_epoch, "
            "created_at) VALUES ($1, $2, $3, $3, $4, false, 'active', 1, $5)",
            town.community, person_id, name, names.pinyin(name), clock.now(),
        )  # fmt: skip
        town.people[name], town.home[name] = person_id, town.community
        await town.give_points(name, 50)
        scopes.append(
            await signed_in(
                owner,
                ResidentRecord(community_id=town.community, person_id=person_id, name=name, community_name="凤凰社区"),
            )
        )
    return scopes


def outcome(answer: object) -> str:
    if isinstance(answer, TimebankError):
        return answer.code
    assert isinstance(answer, Redeemed), answer
    return answer.status


async def test_fifty_want_the_last_item_and_one_gets_it(town: Town, owner: asyncpg.Connection) -> None:
    scopes = await crowd(owner, town)
    place = town.goods["抽纸"], town.stations["暖蜂驿站"]
    answers = await asyncio.gather(
        *(
            redemption.redeem(s, RedemptionIn(person_id=s.require_self(), good_id=place[0], station_id=place[1]))
            for s in scopes
        ),
        return_exceptions=True,
    )
    assert Counter(map(outcome, answers)) == {"reserved": 1, "out_of_stock": CROWD - 1}
    assert await stock_of(owner, town, "抽纸") == 0
    held = [await points_of(town, f"居民{n:02}") for n in range(CROWD)]
    assert Counter(held) == {(20, 30): 1, (50, 0): CROWD - 1}
    await books_balance(owner)


async def test_fifty_wishes_for_the_last_points_of_one_person_grant_what_they_pay_for(
    town: Town, owner: asyncpg.Connection
) -> None:
    await stock.receive(await town.scope("赵丽"), town.goods["抽纸"], town.stations["暖蜂驿站"], 99)
    await town.give_points("张桂兰", 75)
    scope = await town.scope("张桂兰")
    want = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["抽纸"], station_id=town.stations["暖蜂驿站"]
    )
    answers = await asyncio.gather(*(redemption.redeem(scope, want) for _ in range(CROWD)), return_exceptions=True)
    assert Counter(map(outcome, answers)) == {"reserved": 2, "insufficient_points": CROWD - 2}
    assert await points_of(town, "张桂兰") == (15, 60)
    assert await stock_of(owner, town, "抽纸") == 98
    assert await owner.fetchval("SELECT quantity FROM household_month") == 2
    await books_balance(owner)


async def test_a_households_limit_holds_when_both_ask_at_once(town: Town, owner: asyncpg.Connection) -> None:
    scopes = []
    for name in ("张桂兰", "张国庆"):
        await town.give_points(name, 500)
        scopes.append(await town.scope(name))
    place = town.goods["香皂"], town.stations["暖蜂驿站"]
    answers = await asyncio.gather(
        *(
            redemption.redeem(s, RedemptionIn(person_id=s.require_self(), good_id=place[0], station_id=place[1]))
            for s in scopes * 10
        ),
        return_exceptions=True,
    )
    assert Counter(map(outcome, answers)) == {"reserved": 3, "monthly_limit_reached": 17}
    assert await stock_of(owner, town, "香皂") == 47


async def test_one_key_sent_fifty_times_at_once_reserves_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await town.give_points("张桂兰", 500)
    headers = await town.sign_in("张桂兰") | {"Idempotency-Key": "the same for all"}
    body = wish(town, "张桂兰", "抽纸") | {"good_id": str(town.goods["香皂"])}
    answers = await asyncio.gather(
        *(client.post(f"{API}/redemptions", json=body, headers=headers) for _ in range(CROWD))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == CROWD - 1
    assert await points_of(town, "张桂兰") == (492, 8)
    assert await stock_of(owner, town, "香皂") == 49
    assert await owner.fetchval("SELECT count(*) FROM redemption") == 1


async def test_collecting_and_cancelling_at_once_ends_one_way(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("张桂兰", 500)
    mine, keeper = await town.scope("张桂兰"), await town.scope("周敏")
    await owner.execute("UPDATE good SET monthly_limit = NULL")
    want = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
    )
    made = [await redemption.redeem(mine, want) for _ in range(10)]
    answers = await asyncio.gather(
        *(collection.collect(keeper, one.id, one.code or "") for one in made),
        *(cancelling.cancel(mine, one.id) for one in made),
        *(collection.collect(keeper, one.id, one.code or "") for one in made),
        return_exceptions=True,
    )
    for number in range(10):
        ended = Counter(map(outcome, answers[number::10]))
        assert ended in ({"collected": 1, "redemption_ended": 2}, {"cancelled": 1, "redemption_ended": 2})
    collected = sum(outcome(answer) == "collected" for answer in answers)
    assert await points_of(town, "张桂兰") == (500 - 8 * collected, 0)
    assert await stock_of(owner, town, "香皂") == 50 - collected
    assert await owner.fetchval("SELECT quantity FROM household_month") == collected
    await books_balance(owner)


async def test_two_workers_expire_each_reservation_once(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("张桂兰", 500)
    await owner.execute("UPDATE good SET monthly_limit = NULL")
    mine = await town.scope("张桂兰")
    want = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
    )
    made = [await redemption.redeem(mine, want) for _ in range(12)]
    with clock.at(made[-1].expires_at):
        ended = await asyncio.gather(*(cancelling.expire_redemptions(town.system()) for _ in range(2)))
    assert sum(ended) == 12
    assert await points_of(town, "张桂兰") == (500, 0)
    assert await stock_of(owner, town, "香皂") == 50
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'redemption_expired'") == 12
    await books_balance(owner)


async def test_a_count_amid_reservations_loses_nothing(town: Town, owner: asyncpg.Connection) -> None:
    scopes, keeper = await crowd(owner, town, 15), await town.scope("周敏")
    place = town.goods["香皂"], town.stations["暖蜂驿站"]
    await asyncio.gather(
        *(
            redemption.redeem(s, RedemptionIn(person_id=s.require_self(), good_id=place[0], station_id=place[1]))
            for s in scopes
        ),
        *(stock.count_stock(keeper, *place, 50) for _ in range(5)),
    )
    assert await stock_of(owner, town, "香皂") == 35
