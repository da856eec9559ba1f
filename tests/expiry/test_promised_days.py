"""The last day that was shown is kept when the policy or the course changes, and the points expire without approval."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from tests.classes.test_class_endings import A_DAY, day_closed, let_run_out
from tests.classes.test_class_refunds import another_course, books_are_clean, bought
from tests.conftest import DatabaseClock
from tests.expiry.test_expiry import Days
from tests.expiry.test_grace import DECEMBER, GRACE_END, JANUARY, LAST_DAY, has, newest_message, reserve
from tests.ledger.test_ledger_check import check
from tests.support.shop import minutes_of
from tests.support.town import Town, operating
from timebank.classes.changes import change_course
from timebank.classes.class_time import endings, refunds
from timebank.classes.class_time.entries import NotEnoughUnused
from timebank.classes.class_time.expiry_reversal import reverse_class_expiry
from timebank.classes.class_time.minute_moves import move_class_hours
from timebank.classes.schemas import CourseChange, MoveIn, RefundIn
from timebank.classes.stopping import cancel_lessons_of_stopped, refund_ended
from timebank.core import clock
from timebank.ledger.statement import Expiring
from timebank.policies.values import change_policy
from timebank.shop import reading
from timebank.shop.cancelling import cancel
from timebank.shop.collection import collect
from timebank.shop.redemption import redeem
from timebank.shop.returns import return_goods
from timebank.shop.schemas import RedemptionIn

NOON_OF_THE_LAST = datetime(2027, 1, 30, 4, tzinfo=UTC)
DAY_AFTER = datetime(2027, 1, 31, 4, tzinfo=UTC)


async def policy(town: Town, days: int, name: str = "grace_days") -> None:
    async with operating():
        await change_policy(town.system(), name, days)


async def test_days_of_grace_cut_while_goods_are_reserved_are_kept_for_them(
    town: Town, owner: asyncpg.Connection
) -> None:
    with clock.at(DECEMBER):
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
        await policy(town, 0)
    with clock.at(JANUARY):
        would = await reading.preview_cancellation(await town.scope("张桂兰"), made.id)
        assert (would.usable, would.until) == (16, GRACE_END)
        await cancel(await town.scope("张桂兰"), made.id)
        assert await has(town) == (16, [Expiring(GRACE_END, 16, LAST_DAY)])
        assert "宽限到 1月30日" in await newest_message(owner, town)
        assert (await check(town)).problems == []


async def test_days_of_grace_that_grew_meanwhile_hold_for_everybody(town: Town) -> None:
    with clock.at(DECEMBER):
        await policy(town, 0)
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
        await policy(town, 30)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        assert (await has(town))[0] == 16


async def test_goods_brought_back_keep_the_days_that_were_told_before_they_were_reserved(town: Town) -> None:
    keeper = await town.scope("周敏")
    with clock.at(DECEMBER):
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
        assert made.code
        await collect(keeper, made.id, made.code)
        await policy(town, 5)
    with clock.at(JANUARY):
        await return_goods(keeper, made.id, "香皂开裂了")
        assert await has(town) == (16, [Expiring(GRACE_END, 16, LAST_DAY)])


async def test_a_reservation_of_before_gets_the_days_of_today(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(DECEMBER):
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
        await owner.execute("UPDATE transfer SET grace_days = NULL")
        await policy(town, 20)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        assert await has(town) == (16, [Expiring(date(2027, 1, 20), 16, LAST_DAY)])


@pytest.mark.parametrize("way", ["cancelled", "brought back"])
async def test_what_comes_back_in_the_last_hours_of_its_grace_ends_by_itself(
    town: Town, database_clock: DatabaseClock, way: str
) -> None:
    """The person is notified of the last day when the points come back, so the expiry needs no administrator."""
    days = Days(town, database_clock)
    with clock.at(DECEMBER):
        await policy(town, 60, "hold_days")
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
        if way == "brought back":
            assert made.code
            await collect(await town.scope("周敏"), made.id, made.code)
    await days.work(DECEMBER)
    await days.work(NOON_OF_THE_LAST)
    with clock.at(NOON_OF_THE_LAST):
        if way == "brought back":
            await return_goods(await town.scope("周敏"), made.id, "香皂开裂了")
        else:
            await cancel(await town.scope("张桂兰"), made.id)
        assert await has(town) == (16, [Expiring(GRACE_END, 16, LAST_DAY)])
    await days.work(DAY_AFTER)
    assert await days.waiting(DAY_AFTER) == []
    with clock.at(DAY_AFTER):
        assert (await check(town)).problems == []


async def test_what_was_announced_and_reserved_again_is_announced_once(
    town: Town, database_clock: DatabaseClock, owner: asyncpg.Connection
) -> None:
    days = Days(town, database_clock)
    with clock.at(DECEMBER):
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
    await database_clock.show(JANUARY)
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
        for _ in range(5):
            made = await reserve(town)
            await cancel(await town.scope("张桂兰"), made.id)
    await days.work(NOON_OF_THE_LAST)
    with clock.at(NOON_OF_THE_LAST):
        wanted = RedemptionIn(
            person_id=town.people["张桂兰"],
            good_id=town.goods["香皂"],
            station_id=town.stations["暖蜂驿站"],
            quantity=1,
        )
        await cancel(await town.scope("张桂兰"), (await redeem(await town.scope("张桂兰"), wanted)).id)
    assert await owner.fetchval("SELECT amount FROM expiry_announcement WHERE day = $1", GRACE_END) == 16


async def test_a_worker_whose_clock_is_wrong_announces_nothing_by_a_return(
    town: Town, database_clock: DatabaseClock, owner: asyncpg.Connection
) -> None:
    with clock.at(DECEMBER):
        await town.credit_deed("张桂兰", 16, expires_on=LAST_DAY)
        made = await reserve(town)
    await database_clock.show(NOON_OF_THE_LAST - timedelta(days=200))
    with clock.at(JANUARY):
        await cancel(await town.scope("张桂兰"), made.id)
    assert await owner.fetchval("SELECT count(*) FROM expiry_announcement") == 0


async def test_class_minutes_given_back_in_the_last_hours_of_the_grace_end_by_themselves(
    town: Town, database_clock: DatabaseClock, owner: asyncpg.Connection
) -> None:
    days, start = Days(town, database_clock), clock.now()
    last_day = clock.local_day() + A_DAY
    await town.credit_deed("刘洋", 40, expires_on=last_day)
    await bought(town, 120)
    grace_end = last_day + timedelta(days=30)
    evening = clock.day_bounds(grace_end)[1] - timedelta(hours=2)
    await days.work(start)
    await days.work(evening)
    with clock.at(evening):
        wanted = RefundIn(
            person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, minutes=120
        )
        assert (await refunds.refund(await town.scope("刘洋"), wanted)).points == 40
    await days.work(evening + A_DAY)
    assert await days.waiting(evening + A_DAY) == []
    assert await owner.fetchval("SELECT sum(amount) FROM transfer WHERE kind = 'expiry'") == 40


async def test_a_course_cut_short_takes_nothing_of_the_last_day_that_was_shown(
    town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("刘洋", 40, expires_on=clock.local_day() + A_DAY)
    await bought(town, 120)
    shown = await owner.fetchval("SELECT ends_on FROM course")
    assert await owner.fetchval("SELECT last_day FROM class_purchase") == shown
    await owner.execute("UPDATE course SET ends_on = ends_on - 70")
    cut = shown - timedelta(days=70)
    await day_closed(owner, town, cut + timedelta(days=40))
    with clock.at(clock.day_bounds(cut + timedelta(days=40))[1]):
        assert await endings.expire_class_minutes(town.system()) == 0
        (has_left,) = await refunds.list_unused_minutes(town.system(), course_id=town.course)
        assert has_left.lasts_until == shown
    assert await minutes_of(owner, town, "刘小雨") == 120
    await day_closed(owner, town, shown + timedelta(days=30))
    with clock.at(clock.day_bounds(shown + timedelta(days=30))[1]):
        assert await endings.expire_class_minutes(town.system()) == 1
    assert await minutes_of(owner, town, "刘小雨") == 0


async def test_a_guardian_disposes_of_class_minutes_until_the_day_before_a_leap_day_birthday(
    town: Town, owner: asyncpg.Connection
) -> None:
    """A child born on 29 February 2008 is a minor on 28 February 2026 and an adult on 1 March. After that the guardian
    cannot ask for a refund, but the end of the course still refunds whoever paid."""
    start = datetime(2026, 2, 20, 4, tzinfo=UTC)
    with clock.at(start):
        await owner.execute("UPDATE course SET starts_on = '2026-01-01', ends_on = '2026-06-30', age_max = 18")
        await owner.execute("UPDATE person SET born_on = '2008-02-29' WHERE id = $1", town.people["刘小雨"])
        await town.credit_deed("刘洋", 60, expires_on=date(2027, 12, 31))
        await bought(town, 180)
    wanted = RefundIn(person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, minutes=60)
    with clock.at(datetime(2026, 2, 28, 4, tzinfo=UTC)):
        assert (await refunds.refund(await town.scope("刘洋"), wanted)).points == 20
    with clock.at(datetime(2026, 3, 1, 4, tzinfo=UTC)):
        with pytest.raises(refunds.ChildGrown):
            await refunds.refund(await town.scope("刘洋"), wanted)
        await change_course(await town.scope("赵丽"), town.course, CourseChange(active=False, reason="老师调走"))
        await cancel_lessons_of_stopped(town.system())
        assert await refund_ended(town.system()) == 1
        assert (await has(town, "刘洋"))[0] == 60
        await books_are_clean(owner, town)


async def test_class_minutes_that_came_back_can_move(town: Town, owner: asyncpg.Connection) -> None:
    day, entry = await let_run_out(town, owner)
    await owner.execute("UPDATE course SET ends_on = ends_on + 60 WHERE id = $1", town.course)
    with clock.at(clock.day_bounds(day)[0]):
        await reverse_class_expiry(await town.scope("赵丽"), entry, "结课日写错了")
        other = await another_course(owner, town)
        asked = MoveIn(
            person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, to_course_id=other
        )
        moved = await move_class_hours(await town.scope("刘洋"), asked)
        assert moved.arrived == 90
        await books_are_clean(owner, town)


@pytest.mark.parametrize("turn", range(4))
async def test_a_worker_and_a_family_and_an_administrator_at_the_last_minutes_at_once(
    town: Town, owner: asyncpg.Connection, turn: int
) -> None:
    """An expiry is reversed while the worker expires class minutes and the guardian moves them to another course."""
    day, entry = await let_run_out(town, owner)
    await owner.execute("UPDATE course SET ends_on = ends_on + 60 WHERE id = $1", town.course)
    with clock.at(clock.day_bounds(day)[0]):
        zhao, liu, other = await town.scope("赵丽"), await town.scope("刘洋"), await another_course(owner, town)
        wanted = MoveIn(
            person_id=town.people["刘洋"], child_id=town.people["刘小雨"], course_id=town.course, to_course_id=other
        )
        answers = await asyncio.gather(
            reverse_class_expiry(zhao, entry, "结课日写错了"), move_class_hours(liu, wanted),
            endings.expire_class_minutes(town.system()), move_class_hours(liu, wanted), return_exceptions=True,
        )  # fmt: skip
        odd = [a for a in answers if isinstance(a, BaseException) and not isinstance(a, NotEnoughUnused)]
        assert odd == []
        assert await owner.fetchval("SELECT sum(balance) FROM account WHERE owner_id = $1", wanted.child_id) == 90
        await books_are_clean(owner, town)
