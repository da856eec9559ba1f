"""An attendance is undone for a minute, by the keeper who marked it: the seat is held again, with its minutes."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.classes.test_bookings import booked, give_minutes, taken
from tests.classes.test_class_refunds import books_are_clean
from tests.presence.test_counter import other_household
from tests.support.messages import messages_of
from tests.support.shop import minutes_of
from tests.support.town import Town
from timebank.classes import attendance, booking
from timebank.classes.attendance import OwnChild
from timebank.classes.undone_attendance import AttendanceStands, undo_attendance
from timebank.core import clock
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.presence.undoing.acts import list_undone

CHILD = "刘小雨"


async def code_of(owner: asyncpg.Connection, booking_id: UUID) -> str:
    found: str = await owner.fetchval("SELECT code FROM pickup WHERE noun_id = $1", booking_id)
    return found


async def attended(town: Town, owner: asyncpg.Connection) -> tuple[Scope, UUID]:
    """周敏 has just marked the child as attended by its code; the keeper's scope and the booking's id."""
    await give_minutes(town, CHILD, 60)
    made = await booked(town, "刘洋", CHILD)
    keeper = await town.scope("周敏")
    await attendance.attend(keeper, made.id, await code_of(owner, made.id))
    assert await minutes_of(owner, town, CHILD, "held") == 0
    return keeper, made.id


async def test_an_undone_attendance_holds_the_seat_and_its_minutes_again(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await attended(town, owner)
    left = await minutes_of(owner, town, CHILD)
    for _ in range(2):
        assert (await undo_attendance(keeper, made)).status == "held"
    assert (await minutes_of(owner, town, CHILD), await minutes_of(owner, town, CHILD, "held")) == (left, 60 - left)
    assert await taken(owner, town) == 1
    await books_are_clean(owner, town)
    assert [m.kind for m in await messages_of(town, "刘洋")].count("attendance_undone") == 1
    [noted] = (await list_undone(await town.scope("赵丽"))).items
    assert (noted.kind, noted.keeper) == ("attend", "周敏")
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'undo_attend'") == 1


async def test_it_is_marked_undone_and_marked_again_and_may_then_be_cancelled(
    town: Town, owner: asyncpg.Connection
) -> None:
    keeper, made = await attended(town, owner)
    left = await minutes_of(owner, town, CHILD)
    for _ in range(2):
        await undo_attendance(keeper, made)
        await attendance.attend(keeper, made, await code_of(owner, made))
        assert (await minutes_of(owner, town, CHILD), await minutes_of(owner, town, CHILD, "held")) == (left, 0)
        await books_are_clean(owner, town)
    await undo_attendance(keeper, made)
    await booking.cancel_booking(await town.scope("赵丽"), made)
    assert (await minutes_of(owner, town, CHILD), await minutes_of(owner, town, CHILD, "held")) == (60, 0)
    assert await taken(owner, town) == 0
    await books_are_clean(owner, town)


async def test_only_who_marked_it_undoes_it_and_only_for_a_minute(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await attended(town, owner)
    for name, refusal in (("赵丽", AttendanceStands), ("刘洋", TimebankError), ("陈明", NotFound)):
        with pytest.raises(refusal):
            await undo_attendance(await town.scope(name), made)
    with clock.at(clock.now() + timedelta(seconds=61)), pytest.raises(AttendanceStands):
        await undo_attendance(keeper, made)
    assert await minutes_of(owner, town, CHILD, "held") == 0
    await other_household(owner, town, "周敏", CHILD)
    with pytest.raises(OwnChild):
        await undo_attendance(await town.scope("周敏"), made)


async def test_undos_at_once_hold_the_minutes_once(town: Town, owner: asyncpg.Connection) -> None:
    keeper, made = await attended(town, owner)
    left = await minutes_of(owner, town, CHILD)
    answers = await asyncio.gather(*(undo_attendance(keeper, made) for _ in range(5)))
    assert {answer.status for answer in answers} == {"held"}
    assert (await minutes_of(owner, town, CHILD), await minutes_of(owner, town, CHILD, "held")) == (left, 60 - left)
    assert await owner.fetchval("SELECT count(*) FROM undone_act") == 1
    await books_are_clean(owner, town)
