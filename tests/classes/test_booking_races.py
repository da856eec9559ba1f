"""Concurrent bookings of the same seat: real commits, no overbooking, no minute lost."""

import asyncio
from collections import Counter

import asyncpg
import httpx

from tests.classes.test_bookings import booked, give_minutes, new_family, seat, taken
from tests.support.shop import API, books_balance, minutes_of, points_of
from tests.support.town import Town, signed_in
from timebank.classes import attendance, booking, seats
from timebank.classes.class_time import purchase
from timebank.classes.schemas import Booked, BookingIn, Bought, ClassHoursIn
from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.core.scope import ResidentRecord, Scope

FAMILIES = 20


async def families(owner: asyncpg.Connection, town: Town, count: int = FAMILIES) -> list[tuple[Scope, str]]:
    """Add `count` guardians, each with a child who has an hour of class time. Returns scopes and children's names."""
    made = []
    for number in range(count):
        guardian, child = f"家长{number:02}", f"孩子{number:02}"
        town.people[guardian], town.households[guardian] = clock.new_id(), clock.new_id()
        await owner.execute(
            "INSERT INTO household (community_id, id, area_id, room, head_name, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            town.community, town.households[guardian], town.areas["凤凰社区/第一网格/3栋"], f"{number}", guardian,
            clock.now(),
        )  # fmt: skip
        await owner.execute(
            "INSERT INTO person (community_id, id, household_id, name, name_key, pinyin, publishes_name, status, "
            "code_epoch, created_at) VALUES ($1, $2, $3, $4, $4, 'x', false, 'active', 1, $5)",
            town.community, town.people[guardian], town.households[guardian], guardian, clock.now(),
        )  # fmt: skip
        await new_family(owner, town, guardian, child)
        mine = ResidentRecord(
            community_id=town.community,
            person_id=town.people[guardian],
            name=guardian,
            community_name="凤凰社区",
            household_id=town.households[guardian],
        )
        made.append((await signed_in(owner, mine), child))
    return made


def outcome(answer: object) -> str:
    if isinstance(answer, TimebankError):
        return answer.code
    assert isinstance(answer, Booked | Bought), answer
    return answer.status if isinstance(answer, Booked) else "bought"


async def test_twenty_families_want_the_last_seat_and_one_gets_it(town: Town, owner: asyncpg.Connection) -> None:
    crowd = await families(owner, town)
    answers = await asyncio.gather(
        *(booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child])) for scope, child in crowd)
    )
    assert Counter(answer.status for answer in answers) == {"held": 1, "waiting": FAMILIES - 1}
    assert sorted(answer.place for answer in answers if answer.place) == list(range(1, FAMILIES))
    assert await taken(owner, town) == 1
    held = [await minutes_of(owner, town, child, "held") for _, child in crowd]
    assert Counter(held) == {60: 1, 0: FAMILIES - 1}
    await books_balance(owner)


async def test_one_key_sent_fifty_times_at_once_books_one_seat(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 600)
    headers = await town.sign_in("刘洋") | {"Idempotency-Key": "the same for all"}
    answers = await asyncio.gather(
        *(client.post(f"{API}/bookings", json=seat(town), headers=headers) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await taken(owner, town) == 1
    assert await minutes_of(owner, town, "刘小雨") == 540


async def test_one_child_asked_for_many_times_at_once_has_one_seat(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 600)
    await owner.execute("UPDATE lesson SET seats = 30")
    answers = await asyncio.gather(*(booked(town, "刘洋", "刘小雨") for _ in range(20)), return_exceptions=True)
    assert Counter(map(outcome, answers)) == {"held": 1, "already_booked": 19}
    assert await taken(owner, town) == 1


async def test_cancelling_and_attending_at_once_ends_one_way(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE lesson SET seats = 30")
    crowd, keeper = await families(owner, town, 8), await town.scope("周敏")
    made = [await booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child])) for scope, child in crowd]
    answers = await asyncio.gather(
        *(booking.cancel_booking(scope, one.id) for (scope, _), one in zip(crowd, made, strict=True)),
        *(attendance.attend(keeper, one.id, one.code) for one in made),
        return_exceptions=True,
    )
    for number in range(8):
        ended = sorted(map(outcome, answers[number::8]))
        assert ended in (["attended", "booking_ended"], ["booking_ended", "cancelled"])
    attended = sum(outcome(answer) == "attended" for answer in answers)
    assert await taken(owner, town) == attended
    left = [await minutes_of(owner, town, child) for _, child in crowd]
    assert Counter(left) == Counter({60: 8 - attended, 0: attended})
    assert sum([await minutes_of(owner, town, child, "held") for _, child in crowd]) == 0
    await books_balance(owner)


async def test_seats_given_back_and_asked_for_at_once_are_neither_lost_nor_doubled(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE lesson SET seats = 5")
    crowd = await families(owner, town, 15)
    made = [
        await booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child])) for scope, child in crowd[:10]
    ]
    await asyncio.gather(
        *(booking.cancel_booking(scope, one.id) for (scope, _), one in zip(crowd[:5], made[:5], strict=True)),
        *(booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child])) for scope, child in crowd[10:]),
    )
    assert await taken(owner, town) == 5
    held = [await minutes_of(owner, town, child, "held") for _, child in crowd]
    assert held[:5] == [0] * 5
    assert sum(held) == 5 * 60
    assert await owner.fetchval("SELECT count(*) FROM booking WHERE status = 'waiting'") == 5
    await books_balance(owner)


async def test_two_workers_close_a_lesson_once(town: Town, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE lesson SET seats = 30")
    for scope, child in await families(owner, town, 10):
        await booking.book_seat(scope, BookingIn(town.lessons[0], town.people[child]))
    ends_at = await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(ends_at):
        closed = await asyncio.gather(*(attendance.close_lessons(town.system()) for _ in range(2)))
        assert await seats.fill_seats(town.system()) == 0
    assert sum(closed) == 10
    assert await owner.fetchval("SELECT count(*) FROM message WHERE kind = 'booking_closed'") == 10
    await books_balance(owner)


async def test_the_last_points_buy_class_hours_once(town: Town, owner: asyncpg.Connection) -> None:
    await town.give_points("刘洋", 45)
    scope = await town.scope("刘洋")
    order = ClassHoursIn(town.people["刘洋"], town.people["刘小雨"], town.course, 60)
    answers = await asyncio.gather(*(purchase.buy_class_hours(scope, order) for _ in range(20)), return_exceptions=True)
    assert Counter(map(outcome, answers)) == {"bought": 2, "insufficient_points": 18}
    assert await points_of(town, "刘洋") == (5, 0)
    assert await minutes_of(owner, town, "刘小雨") == 120
    await books_balance(owner)
