"""Points that come back after their last day are usable until that day plus the days of grace, as every page says."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.counter import stands_here
from tests.support.ledger_sums import problems_of
from tests.support.messages import texts
from tests.support.town import Town
from timebank.classes.attendance import cancel_lesson
from timebank.classes.booking import book_seat
from timebank.classes.schemas import BookingIn
from timebank.core import clock, database
from timebank.ledger import posting
from timebank.ledger.grace import FirstOut, back_in_words, preview_void
from timebank.ledger.posting import Currency, Posting, Returned
from timebank.ledger.refusals import Insufficient
from timebank.ledger.statement import Expiring, balances, statement
from timebank.policies.values import change_policy
from timebank.shop.cancelling import cancel, expire_redemptions
from timebank.shop.collection import collect
from timebank.shop.pages.counter import counter_offers
from timebank.shop.redemption import redeem
from timebank.shop.returns import return_goods
from timebank.shop.schemas import Redeemed, RedemptionIn
from timebank.web.offers import Stand

LAST_DAY = date(2026, 12, 31)
GRACE_END = date(2027, 1, 30)
DECEMBER = datetime(2026, 12, 30, 4, tzinfo=UTC)
JANUARY = datetime(2027, 1, 8, 4, tzinfo=UTC)
FEBRUARY = datetime(2027, 2, 3, 4, tzinfo=UTC)


async def reserve(town: Town, quantity: int = 2) -> Redeemed:
    wanted = RedemptionIn(
        person_id=town.people["张桂兰"],
        good_id=town.goods["香皂"],
        station_id=town.stations["暖蜂驿站"],
        quantity=quantity,
    )
    return await redeem(await town.scope("张桂兰"), wanted)


async def has(town: Town, name: str = "张桂兰") -> tuple[int, list[Expiring]]:
    points = (await balances(town.system(), town.people[name], [])).points
    return points.available, points.expiring


async def newest_message(owner: asyncpg.Connection, town: Town) -> str:
    return (await texts(owner, "person_id = $1", town.people["张桂兰"]))[-1]


async def test_points_that_were_reserved_on_30_december_and_not_collected_last_until_30_january(
    town: Town, owner: asyncpg.Connection
) -> None:
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        await reserve(town)
    with clock.at(JANUARY):
        assert await expire_redemptions(town.system()) == 1
        assert await has(town) == (16, [Expiring(GRACE_END, 16, LAST_DAY)])
        text = await newest_message(owner, town)
    assert "16 分已退回：原来的有效期已过，宽限到 1月30日，请在那天结束前使用" in text
    with clock.at(clock.day_bounds(GRACE_END)[1] - timedelta(seconds=1)):
        assert (await has(town))[0] == 16
        await posting.hold(
            town.system(),
            town.people["张桂兰"],
            16,
            Posting(kind="hold", key="h", source_kind="test", source_id=UUID(int=1)),
        )
    with clock.at(clock.day_bounds(GRACE_END)[1]):
        assert (await has(town))[0] == 0
    assert await problems_of(owner) == []


async def test_ten_reservations_and_cancellations_never_move_the_last_day(town: Town) -> None:
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
    for turn in range(10):
        with clock.at(DECEMBER + timedelta(days=3 * turn)):
            made = await reserve(town)
        with clock.at(DECEMBER + timedelta(days=3 * turn + 2)):
            await cancel(await town.scope("张桂兰"), made.id)
            assert await has(town) == (16, [Expiring(GRACE_END, 16, LAST_DAY)]), turn


async def test_goods_returned_in_january_give_their_points_back_until_30_january(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper = await town.scope("周敏")
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
        assert made.code
        await collect(keeper, made.id, made.code)
    with clock.at(JANUARY):
        await return_goods(keeper, made.id, "香皂开裂了")
        assert await has(town) == (16, [Expiring(GRACE_END, 16, LAST_DAY)])
        assert "宽限到 1月30日" in await newest_message(owner, town)


async def test_what_comes_back_after_the_grace_is_said_to_have_expired_and_not_to_be_returned(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    with clock.at(DECEMBER):
        await change_policy(await town.scope("赵丽"), "hold_days", 60)
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
    with clock.at(JANUARY):
        headers = await town.sign_in("张桂兰")
        page = await client.get(f"/redemptions/{made.id}", headers=headers)
        assert "其中 16 分 的有效期已过，可以用到" in page.text
    with clock.at(FEBRUARY):
        page = await client.get(f"/redemptions/{made.id}", headers=headers)
        assert "取消后 16 分 到期作废，不能再用" in page.text
        await cancel(await town.scope("张桂兰"), made.id)
        text = await newest_message(owner, town)
        assert (await has(town))[0] == 0
    assert "16 分的有效期和宽限期都已过，到期作废，不能再用" in text
    assert "退回" not in text


async def test_points_in_their_days_of_grace_are_spent_before_others_and_never_extended_again(town: Town) -> None:
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        first = await reserve(town)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), first.id)
        await town.give_points("张桂兰", 50)
        await change_policy(await town.scope("赵丽"), "grace_days", 300)
        again = await reserve(town)
        assert await has(town) == (50, [Expiring(date(2028, 12, 31), 50)])
    with clock.at(JANUARY + timedelta(days=5)):
        await cancel(await town.scope("张桂兰"), again.id)
        assert (await has(town))[1] == [Expiring(GRACE_END, 16, LAST_DAY), Expiring(date(2028, 12, 31), 50)]


async def test_without_days_of_grace_what_comes_back_too_late_is_gone(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(DECEMBER):
        await change_policy(await town.scope("赵丽"), "grace_days", 0)
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        assert (await has(town))[0] == 0
        assert "到期作废" in await newest_message(owner, town)


async def test_a_voided_hold_repays_what_is_owed_first(town: Town, owner: asyncpg.Connection) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    given = await posting.issue(
        scope,
        zhang,
        Currency.point,
        20,
        Posting(kind="deed", key="d", source_kind="test", source_id=UUID(int=1)),
        expires_on=date(2027, 12, 31),
    )
    made = await reserve(town)
    reversal = await posting.reverse(
        scope, given.entry_id, Posting(kind="reversal", key="r", source_kind="test", source_id=UUID(int=1))
    )
    assert (reversal.taken, reversal.owed) == (4, 16)
    await town.give_points("张桂兰", 6)
    assert (await balances(scope, zhang, [])).owed == 10
    await cancel(await town.scope("张桂兰"), made.id)
    state = await balances(scope, zhang, [])
    assert (state.points.available, state.owed) == (6, 0)
    assert await newest_message(owner, town) == "您取消了预留的香皂 2 块，6 分已退回；10 分补还了欠账。"
    assert await problems_of(owner) == []


async def test_a_return_that_is_repeated_answers_the_same(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        held = await posting.hold(
            scope, zhang, 10, Posting(kind="hold", key="h", source_kind="test", source_id=UUID(int=1))
        )
    with clock.at(JANUARY):
        would = await preview_void(scope, held.entry_id)
        first = await posting.void(
            scope, held.entry_id, Posting(kind="void", key="v", source_kind="test", source_id=UUID(int=1))
        )
        again = await posting.void(
            scope, held.entry_id, Posting(kind="void", key="v", source_kind="test", source_id=UUID(int=1))
        )
    assert would == first.returned == again.returned == Returned(10, 0, 0, 10, GRACE_END)
    assert (first.replayed, again.replayed) == (False, True)


async def test_the_statement_tells_what_came_back_and_its_balance(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town, quantity=1)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        state = (await balances(scope, zhang, [])).points
        assert (state.available, state.lapsed) == (8, 8)
    lines = (await statement(scope, zhang, Currency.point)).items
    assert [(line.kind, line.amount, line.balance) for line in lines] == [
        ("void", 8, 16),
        ("hold", -8, 8),
        ("deed", 16, 16),
    ]


async def test_the_goods_page_and_the_counter_say_before_the_reservation_until_when_its_points_last(
    town: Town, client: httpx.AsyncClient
) -> None:
    good = f"/goods/{town.goods['香皂']}"
    with clock.at(DECEMBER - timedelta(days=20)):
        headers = await town.sign_in("张桂兰")
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        assert "到期的积分" not in (await client.get(good, headers=headers)).text
    with clock.at(DECEMBER - timedelta(days=3)):
        text = (await client.get(good, headers=headers)).text
        assert "会先用 12月31日 到期的积分。在那以后退回来的，可以用到 2027年1月30日。" in text
        made = await reserve(town, quantity=1)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        assert "宽限到" in (await client.get("/statement", headers=headers)).text
        told = (await client.get("/api/v1/me/balances", headers=headers)).json()["points"]["expiring"]
        assert told == [{"on": "2027-01-30", "amount": 8, "grace_of": "2026-12-31"}]
    with clock.at(JANUARY + timedelta(days=18)):
        headers = await town.sign_in("张桂兰")
        presence = await stands_here(await town.scope("周敏"), town, "张桂兰")
        stand = Stand(person_id=town.people["张桂兰"], station_id=town.stations["暖蜂驿站"], presence=presence)
        keeper = await town.scope("周敏")
        async with database.transaction(keeper):
            offered = await counter_offers(keeper, stand)
        assert offered.shown.first == FirstOut(GRACE_END, None)
        text = (await client.get(good, headers=headers)).text
        assert "会先用宽限到 1月30日 的积分。在那以后退回来的，不能再用。" in text


async def test_a_moved_or_cancelled_lesson_gives_class_time_back_with_the_same_grace(
    town: Town, owner: asyncpg.Connection
) -> None:
    scope, child, today = town.system(), town.people["刘小雨"], clock.local_day()
    bought = Posting(kind="purchase", key="p", source_kind="class_purchase", source_id=UUID(int=1))
    await posting.issue(
        scope, child, Currency.class_minute, 60, bought, expires_on=today + timedelta(days=3), subject_id=town.course
    )
    await book_seat(await town.scope("刘洋"), BookingIn(town.lessons[1], child))
    with clock.at(clock.now() + timedelta(days=6)):
        await cancel_lesson(await town.scope("周敏"), town.lessons[1], "老师生病")
    found = await owner.fetchrow(
        "SELECT balance, expires_on, grace_of FROM account WHERE owner_id = $1 AND balance > 0", child
    )
    assert found is not None
    assert tuple(found) == (60, today + timedelta(days=33), today + timedelta(days=3))
    [text] = await texts(owner, "kind = 'lesson_cancelled'")
    assert "课时1 小时已退回：原来的有效期已过，宽限到" in text


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (Returned(16, 0, 0, 0, None), "16 分已退回"),
        (Returned(16, 0, 0, 16, GRACE_END), "16 分已退回：原来的有效期已过，宽限到 1月30日，请在那天结束前使用"),
        (
            Returned(16, 0, 0, 6, GRACE_END),
            "16 分已退回，其中 6 分 原来的有效期已过，宽限到 1月30日，请在那天结束前使用",
        ),
        (Returned(4, 12, 0, 0, None), "4 分已退回；12 分补还了欠账"),
        (Returned(0, 0, 16, 0, None), "16 分的有效期和宽限期都已过，到期作废，不能再用"),
    ],
)
def test_what_came_back_is_said_in_one_sentence(back: Returned, words: str) -> None:
    with clock.at(JANUARY):
        assert back_in_words(back) == words


async def test_nobody_spends_more_than_what_is_in_grace_and_valid_together(town: Town) -> None:
    scope, zhang = town.system(), town.people["张桂兰"]
    with clock.at(DECEMBER):
        await town.give_points("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town, quantity=1)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        with pytest.raises(Insufficient) as refusal:
            await posting.hold(
                scope, zhang, 9, Posting(kind="hold", key="h", source_kind="test", source_id=UUID(int=1))
            )
    assert refusal.value.values["available"] == 8
