"""A row that a merge moves to the kept record while a verb waits is changed under the lock of the kept record."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.classes.test_bookings import booked, new_family
from tests.classes.test_class_refunds import bought
from tests.merging.test_merging import clean, merged, one_name
from tests.support.town import Town
from timebank.classes import attendance
from timebank.classes.seats import lock_waiting_children, locked_booking
from timebank.core import clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.deeds.reading import lock_deed
from timebank.merging.merges import MergeOut
from timebank.service_records.honour.entering import enter_hours
from timebank.service_records.objection_effects import lock_record
from timebank.service_records.reviews.deciding import locked_record
from timebank.service_records.schemas import HoursIn
from timebank.shop import cancelling
from timebank.shop.collection import lock_redemption
from timebank.shop.redemption import redeem
from timebank.shop.schemas import Redeemed, RedemptionIn

Lock = Callable[[Scope, UUID], Awaitable[object]]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

FREE = "SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED"


async def until_waiting(owner: asyncpg.Connection, sessions: int) -> None:
    """Return once so many sessions wait for a lock."""
    async with asyncio.timeout(20):
        while await owner.fetchval(WAITING) < sessions:  # noqa: ASYNC110  # the database tells nobody
            await asyncio.sleep(0.005)


async def after_a_merge(
    town: Town, owner: asyncpg.Connection, pool: str, kept: str, gone: str, verb: Callable[[], Awaitable[object]]
) -> object:
    """Run the verb so that it waits for the merged record while the merge holds it; return the verb's result."""
    holder = await asyncpg.connect(pool)
    async with holder.transaction():
        await holder.execute("SELECT FROM account WHERE owner_id = $1 FOR NO KEY UPDATE", town.people[gone])
        merging = asyncio.ensure_future(merged(town, kept, gone))
        await until_waiting(owner, 1)
        running = asyncio.ensure_future(verb())
        await until_waiting(owner, 2)
    await holder.close()
    assert isinstance(await merging, MergeOut)
    return await running


async def a_redemption(town: Town) -> UUID:
    wanted = RedemptionIn(
        person_id=town.people["李秀英"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
    )
    made: Redeemed = await redeem(await town.scope("李秀英"), wanted)
    return made.id


async def a_deed(town: Town) -> UUID:
    await town.credit_deed("李秀英", 10)
    async with transaction(town.system()):
        found: UUID = await database.fetch_value(
            "SELECT id FROM deed WHERE community_id = $1 AND person_id = $2 LIMIT 1",
            town.community, town.people["李秀英"],
        )  # fmt: skip
    return UUID(bytes=found.bytes)


async def a_record(town: Town) -> UUID:
    end = clock.now() - timedelta(hours=2)
    wanted = HoursIn(
        person_id=town.people["李秀英"], started_at=end - timedelta(hours=1), ended_at=end, reason="忘带手机",
        station_id=town.stations["暖蜂驿站"],
    )  # fmt: skip
    return (await enter_hours(await town.scope("周敏"), wanted)).id


@pytest.mark.parametrize(
    ("made", "lock"),
    [
        (a_redemption, lock_redemption), (a_deed, lock_deed), (a_record, locked_record), (a_record, lock_record),
    ],
    ids=["redemption", "deed", "decided record", "objected record"],
)  # fmt: skip
async def test_what_a_merge_moves_meanwhile_is_locked_with_the_kept_record(
    town: Town, owner: asyncpg.Connection, pool: str, made: Callable[[Town], Awaitable[UUID]], lock: Lock
) -> None:
    await town.credit_deed("李秀英", 100)
    await one_name(town, owner)
    row, admin = await made(town), await town.scope("赵丽")

    @retried
    async def is_locked() -> bool:
        async with transaction(admin):
            await lock(admin, row)
            return await owner.fetch(FREE, town.people["张桂兰"]) == []

    assert await after_a_merge(town, owner, pool, "张桂兰", "李秀英", is_locked)
    await clean(town, owner)


async def test_a_reservation_that_a_merge_moves_meanwhile_expires_for_the_kept_record(
    town: Town, owner: asyncpg.Connection, pool: str
) -> None:
    await town.credit_deed("李秀英", 100)
    await one_name(town, owner)
    await a_redemption(town)

    async def expire() -> int:
        with clock.at(clock.now() + timedelta(days=30)):
            return await cancelling.expire_redemptions(town.system())

    assert await after_a_merge(town, owner, pool, "张桂兰", "李秀英", expire) == 1
    await clean(town, owner)


@pytest.mark.parametrize("lock", [locked_booking, lock_waiting_children], ids=["booking", "lesson"])
async def test_a_seat_of_a_child_whose_records_are_merged_meanwhile_is_locked_with_the_kept_record(
    town: Town, owner: asyncpg.Connection, pool: str, lock: Callable[..., Awaitable[object]]
) -> None:
    seat, lesson = await a_seat_of_two_records(town, owner)
    keeper = await town.scope("周敏")

    @retried
    async def is_locked() -> bool:
        async with transaction(keeper):
            if lock is locked_booking:
                await lock(keeper, seat)
            else:
                await lock(keeper, lesson, seated=True)
            return await owner.fetch(FREE, town.people["刘小宇"]) == []

    assert await after_a_merge(town, owner, pool, "刘小宇", "刘小雨", is_locked)
    await clean(town, owner)


async def test_a_missed_lesson_is_charged_to_the_kept_record_of_a_child(
    town: Town, owner: asyncpg.Connection, pool: str
) -> None:
    seat, lesson = await a_seat_of_two_records(town, owner)
    ends = await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", lesson)

    async def close() -> int:
        with clock.at(ends + timedelta(hours=1)):
            return await attendance.close_lessons(town.system())

    assert await after_a_merge(town, owner, pool, "刘小宇", "刘小雨", close) == 1
    assert await owner.fetchval("SELECT status FROM booking WHERE id = $1", seat) == "missed"
    await clean(town, owner)


async def a_seat_of_two_records(town: Town, owner: asyncpg.Connection) -> tuple[UUID, UUID]:
    """The seat, and its lesson, of a child that is registered twice, with class time on the record to be merged."""
    await new_family(owner, town, "刘洋", "刘小宇", minutes=0)
    await town.credit_deed("刘洋", 100)
    await bought(town, minutes=120)
    seat = await booked(town, "刘洋", "刘小雨")
    await owner.execute(
        "UPDATE person SET born_on = NULL, sex = NULL, name_key = $2 WHERE id = $1",
        town.people["刘小雨"], names.key("刘小宇"),
    )  # fmt: skip
    lesson: UUID = await owner.fetchval("SELECT lesson_id FROM booking WHERE id = $1", seat.id)
    return seat.id, UUID(bytes=lesson.bytes)
