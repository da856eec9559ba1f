"""A hand-over is undone within a minute, by the keeper who made it, once the goods are back on the shelf."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.shop.test_redemptions import messages_of, taking
from tests.support.ledger_sums import problems_of
from tests.support.shop import books_balance, browser, points_of, stock_of
from tests.support.town import Town
from timebank.agreements.schemas import Waiting
from timebank.core import clock
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.presence.undoing.acts import list_undone
from timebank.shop import redemption, returns
from timebank.shop.collection import OwnRedemption
from timebank.shop.returns import GoodsNotBack, HandOverStands, undo_hand_over
from timebank.shop.shelves import stock


async def handed(town: Town, name: str = "张桂兰") -> tuple[Scope, UUID]:
    """A bag of soap that 周敏 has just handed over to this person; the keeper's scope and the redemption's id."""
    await town.give_points(name, 50)
    keeper = await town.scope("周敏")
    made = await redemption.redeem(keeper, await taking(town, name))
    assert made.status == "collected"
    return keeper, made.id


async def test_an_undone_hand_over_gives_everything_back_and_is_told(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await handed(town)
    assert (await points_of(town, "张桂兰"), await stock_of(owner, town, "香皂")) == ((42, 0), 49)
    for _ in range(2):
        undone = await undo_hand_over(keeper, made, goods_back=True)
        assert undone.status == "returned"
    assert (await points_of(town, "张桂兰"), await stock_of(owner, town, "香皂")) == ((50, 0), 50)
    assert await owner.fetchval("SELECT sum(quantity) FROM household_month") == 0
    assert (await messages_of(owner, town, "张桂兰"))[-1] == "hand_over_undone"
    rows = await owner.fetch("SELECT person_id, noun_id FROM audit WHERE verb = 'undo_hand_over'")
    assert [(row["person_id"], row["noun_id"]) for row in rows] == [(town.people["周敏"], made)]
    await books_balance(owner)
    assert await problems_of(owner) == []


async def test_goods_that_are_not_back_are_not_undone(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await handed(town)
    with pytest.raises(GoodsNotBack):
        await undo_hand_over(keeper, made, goods_back=False)
    assert (await points_of(town, "张桂兰"), await stock_of(owner, town, "香皂")) == ((42, 0), 49)


async def test_only_the_keeper_who_made_it_undoes_it_and_only_for_a_minute(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper, made = await handed(town)
    for name, refusal in (("赵丽", HandOverStands), ("张桂兰", Forbidden), ("李秀英", NotFound)):
        with pytest.raises(refusal):
            await undo_hand_over(await town.scope(name), made, goods_back=True)
    with clock.at(clock.now() + timedelta(seconds=61)), pytest.raises(HandOverStands):
        await undo_hand_over(keeper, made, goods_back=True)
    assert await points_of(town, "张桂兰") == (42, 0)


async def test_nobody_undoes_a_hand_over_to_the_own_household(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await handed(town)
    await owner.execute(
        "UPDATE person SET household_id = (SELECT household_id FROM person WHERE id = $1) WHERE id = $2",
        town.people["张桂兰"], town.people["周敏"],
    )  # fmt: skip
    with pytest.raises(OwnRedemption):
        await undo_hand_over(keeper, made, goods_back=True)


async def test_goods_kept_under_an_undone_hand_over_cannot_be_counted_away(town: Town) -> None:
    """Points back for goods that never came back: the count that would hide it waits for somebody else."""
    keeper, made = await handed(town)
    await undo_hand_over(keeper, made, goods_back=True)
    place = town.goods["香皂"], town.stations["暖蜂驿站"]
    assert isinstance(await stock.count_stock(keeper, *place, 49), Waiting)


async def test_a_stock_counted_lower_first_refuses_the_undo(town: Town) -> None:
    keeper, made = await handed(town)
    await stock.count_stock(keeper, town.goods["香皂"], town.stations["暖蜂驿站"], 48)
    with pytest.raises(HandOverStands):
        await undo_hand_over(keeper, made, goods_back=True)


async def test_an_undo_and_a_return_at_once_give_back_once(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await handed(town)
    answers = await asyncio.gather(
        *(undo_hand_over(keeper, made, goods_back=True) for _ in range(3)),
        *(returns.return_goods(keeper, made, "拿错了") for _ in range(3)),
        return_exceptions=True,
    )
    told = Counter(a.code if isinstance(a, TimebankError) else a.status for a in answers)
    assert told["returned"] >= 1
    assert set(told) <= {"returned", "redemption_not_collected"}
    assert (await points_of(town, "张桂兰"), await stock_of(owner, town, "香皂")) == ((50, 0), 50)
    assert await problems_of(owner) == []


async def test_administrators_see_undone_hand_overs_by_keeper(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    keeper, made = await handed(town)
    await undo_hand_over(keeper, made, goods_back=True)
    reader = await browser(client, town, "赵丽")
    shown = await reader.see("/admin/presence/undone")
    for each in ("周敏", "1 次", "香皂 1 块", "张*"):
        assert each in shown, each
    with pytest.raises(Forbidden):
        await list_undone(keeper)
