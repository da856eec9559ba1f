"""An administrator books a seat for a family: who may, who is told, and who marks the child as attended."""

import asyncio
from collections import Counter
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, give_minutes, new_family, seat
from tests.support.counter import stands_here
from tests.support.messages import texts
from tests.support.shop import API, books_balance, key, minutes_of
from tests.support.town import Town
from timebank.classes import attendance, booking
from timebank.classes.schemas import Booked, BookingIn
from timebank.core import clock
from timebank.core.errors import TimebankError

WHY = "妈妈来电话，手机坏了"


def wanted(town: Town, child: str = "刘小雨", lesson: int = 0) -> BookingIn:
    return BookingIn(town.lessons[lesson], town.people[child], WHY)


async def refused(town: Town, by: str, asked: BookingIn) -> str:
    with pytest.raises(TimebankError) as met:
        await booking.book_seat(await town.scope(by), asked)
    return met.value.code


async def code_of(owner: asyncpg.Connection, made: Booked) -> str:
    found: str = await owner.fetchval("SELECT code FROM pickup WHERE noun_id = $1", made.id)
    return found


async def test_the_childs_minutes_are_held_and_only_the_family_reads_the_code_and_is_told(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    headers = await town.sign_in("赵丽") | key()
    first = await client.post(f"{API}/bookings", json=seat(town) | {"reason": WHY}, headers=headers)
    again = await client.post(f"{API}/bookings", json=seat(town) | {"reason": WHY}, headers=headers)
    assert (first.status_code, again.content) == (201, first.content), first.text
    assert (first.json()["status"], first.json()["code"]) == ("held", None)
    held = first.json()["minutes"]
    assert await minutes_of(owner, town, "刘小雨") == 60 - held
    (own,) = (await client.get(f"{API}/bookings", headers=await town.sign_in("刘洋"))).json()["items"]
    assert len(own["code"]) == 8
    assert own["reason"] == WHY
    (row,) = await owner.fetch("SELECT person_id, login_id, reason FROM audit WHERE verb = 'book_for'")
    assert tuple(row) == (town.people["赵丽"], town.logins["赵丽"], WHY)
    (told,) = await texts(owner, "kind = 'booked_for' AND person_id = $1", town.people["刘洋"])
    for word in ("刘小雨", WHY):
        assert word in told, told
    await booking.cancel_booking(await town.scope("刘洋"), (await owner.fetchval("SELECT id FROM booking")))
    assert await minutes_of(owner, town, "刘小雨") == 60


async def test_nobody_books_for_a_child_near_them_and_only_an_administrator_does(
    town: Town, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    for name in ("刘洋", "周敏", "孙伟", "陈明", "张桂兰"):
        assert await refused(town, name, wanted(town)) == "forbidden", name
    await new_family(owner, town, "赵丽", "赵小明")
    assert await refused(town, "赵丽", wanted(town, "赵小明")) == "not_independent"
    await owner.execute(
        "UPDATE person SET household_id = $1 WHERE id = $2", town.households["赵丽"], town.people["刘洋"]
    )
    assert await refused(town, "赵丽", wanted(town)) == "not_independent", "nor where the guardian is near"
    assert await refused(town, "钱进", wanted(town, "王建国")) == "guardian_consent_missing"


async def test_the_family_cancels_it_until_the_lesson_begins(town: Town, owner: asyncpg.Connection) -> None:
    """Past the deadline, an own booking stays; one that staff made is not forced on the family."""
    await give_minutes(town, "刘小雨", 120)
    begins = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(begins - timedelta(hours=1)):
        made = await booking.book_seat(await town.scope("赵丽"), wanted(town))
        assert (await booking.cancel_booking(await town.scope("刘洋"), made.id)).status == "cancelled"
        own = await booked(town, "刘洋", "刘小雨")
        with pytest.raises(booking.TooLateToCancel):
            await booking.cancel_booking(await town.scope("刘洋"), own.id)


async def test_attendance_needs_the_familys_own_code_and_another_hand(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booking.book_seat(await town.scope("赵丽"), wanted(town))

    async def attended(by: str, code: str | None = None, presence: str | None = None) -> str:
        try:
            return (await attendance.attend(await town.scope(by), made.id, code, presence)).status
        except TimebankError as refusal:
            return refusal.code

    assert await attended("赵丽", await code_of(owner, made)) == "same_hand"
    assert await attended("钱进") == "presence_needed", "another administrator needs the code too"
    assert await attended("周敏", "00000000") == "wrong_door_code"
    begins = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(begins):
        seen = await stands_here(await town.scope("赵丽"), town, "刘洋")
        assert await attended("赵丽", None, seen) == "same_hand"
        seen = await stands_here(await town.scope("周敏"), town, "刘洋")
        assert await attended("周敏", None, seen) == "attended"
    await books_balance(owner)


async def test_the_family_and_administrators_at_once_book_one_seat(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 600)
    family, admin, street = [await town.scope(name) for name in ("刘洋", "赵丽", "钱进")]
    own = BookingIn(town.lessons[0], town.people["刘小雨"])
    answers = await asyncio.gather(
        *(booking.book_seat(family, own) for _ in range(5)),
        *(booking.book_seat(one, wanted(town)) for one in (admin, street) for _ in range(5)),
        return_exceptions=True,
    )
    ended = Counter("held" if isinstance(one, Booked) else getattr(one, "code", one) for one in answers)
    assert ended == {"held": 1, "already_booked": 14}
    assert await owner.fetchval("SELECT count(*) FROM booking") == 1
    await books_balance(owner)
