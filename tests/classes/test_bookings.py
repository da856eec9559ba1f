"""Bookings of a lesson: seats, the waiting list, cancellation, attendance, missed lessons."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.messages import messages_of
from tests.support.shop import API, books_balance, key, minutes_of
from tests.support.town import Town
from timebank.classes import attendance, booking, seating, seats
from timebank.classes.booking import TooLateToCancel
from timebank.classes.schemas import Booked, BookingIn
from timebank.core import clock
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posting


async def give_minutes(town: Town, child: str, minutes: int) -> None:
    note = Posting(
        kind="purchase", key=f"given:{clock.new_id()}", source_kind="test", source_id=clock.new_id(), memo="测试发放"
    )
    scope = town.system()
    await posting.issue(scope, town.people[child], Currency.class_minute, minutes, note, subject_id=town.course)


async def new_family(owner: asyncpg.Connection, town: Town, guardian: str, child: str, minutes: int = 60) -> None:
    """Add a ten-year-old child with class minutes to the household of this guardian."""
    town.people[child], town.home[child] = clock.new_id(), town.community
    await owner.execute(
        "INSERT INTO person (community_id, id, household_id, name, name_key, pinyin, born_on, publishes_name, status, "
        "code_epoch, created_at) VALUES ($1, $2, $3, $4, $4, 'x', $5, false, 'active', 1, $6)",
        town.community, town.people[child], town.households[guardian], child,
        clock.local_day() - timedelta(days=3700), clock.now(),
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation, consented_at) "
        "VALUES ($1, $2, $3, $4, '父亲', $5)",
        town.community, clock.new_id(), town.people[guardian], town.people[child], clock.now(),
    )  # fmt: skip
    if minutes:
        await give_minutes(town, child, minutes)


async def booked(town: Town, guardian: str, child: str, lesson: int = 0) -> Booked:
    return await booking.book_seat(await town.scope(guardian), BookingIn(town.lessons[lesson], town.people[child]))


def seat(town: Town, child: str = "刘小雨", lesson: int = 0) -> dict[str, str]:
    return {"lesson_id": str(town.lessons[lesson]), "child_id": str(town.people[child])}


async def taken(owner: asyncpg.Connection, town: Town, lesson: int = 0) -> int:
    """The lesson's stored number of taken seats, asserted to be its number of bookings that hold a seat."""
    stored: int = await owner.fetchval("SELECT seats_taken FROM lesson WHERE id = $1", town.lessons[lesson])
    held = await owner.fetchval(
        "SELECT count(*) FROM booking WHERE lesson_id = $1 AND status IN ('held', 'attended', 'missed')",
        town.lessons[lesson],
    )  # fmt: skip
    assert stored == held
    return stored


async def told(town: Town, name: str) -> list[str]:
    return [message.kind for message in await messages_of(town, name)]


async def test_a_guardian_books_a_seat_with_minutes_set_aside(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 90)
    assert (await client.post(f"{API}/bookings", json=seat(town))).status_code == 401
    headers = await town.sign_in("刘洋")
    missing = await client.post(f"{API}/bookings", json=seat(town), headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")
    headers |= key()
    first = await client.post(f"{API}/bookings", json=seat(town), headers=headers)
    again = await client.post(f"{API}/bookings", json=seat(town), headers=headers)
    assert first.status_code == 201
    assert (first.json()["status"], first.json()["place"], len(first.json()["code"])) == ("held", None, 8)
    assert (again.status_code, again.content) == (201, first.content)
    twice = await client.post(f"{API}/bookings", json=seat(town), headers=headers | key())
    assert (twice.status_code, twice.json()["code"]) == (409, "already_booked")
    assert await minutes_of(owner, town, "刘小雨") == 30
    assert await minutes_of(owner, town, "刘小雨", "held") == 60
    assert await taken(owner, town) == 1


async def test_nobody_books_for_anothers_child(town: Town, client: httpx.AsyncClient) -> None:
    await give_minutes(town, "刘小雨", 90)
    for name in ("张桂兰", "周敏", "赵丽", "马涛"):
        refused = await client.post(f"{API}/bookings", json=seat(town), headers=await town.sign_in(name) | key())
        assert (refused.status_code, refused.json()["code"]) == (422, "guardian_consent_missing"), name


async def test_without_minutes_there_is_no_seat(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 45)
    refused = await client.post(f"{API}/bookings", json=seat(town), headers=await town.sign_in("刘洋") | key())
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_class_minutes")
    assert await taken(owner, town) == 0
    assert await owner.fetchval("SELECT count(*) FROM booking") == 0


async def test_a_lesson_that_has_begun_is_closed(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    starts_at = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(starts_at), pytest.raises(seating.LessonClosed):
        await booked(town, "刘洋", "刘小雨")
    unknown = {"lesson_id": str(clock.new_id()), "child_id": str(town.people["刘小雨"])}
    refused = await client.post(f"{API}/bookings", json=unknown, headers=await town.sign_in("刘洋") | key())
    assert refused.status_code == 404


async def test_a_full_lesson_keeps_a_line_and_holds_nothing(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    await new_family(owner, town, "李秀英", "李小花")
    assert (await booked(town, "刘洋", "刘小雨")).status == "held"
    lines = [await booked(town, *family) for family in (("王建国", "王小明"), ("李秀英", "李小花"))]
    assert [(b.status, b.place, b.code) for b in lines] == [("waiting", 1, None), ("waiting", 2, None)]
    assert await minutes_of(owner, town, "王小明") == 60
    with pytest.raises(seating.AlreadyBooked):
        await booked(town, "王建国", "王小明")


async def test_a_seat_given_back_goes_to_the_first_in_line_who_has_the_minutes(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明", 0)
    await new_family(owner, town, "李秀英", "李小花")
    first = await booked(town, "刘洋", "刘小雨")
    await booked(town, "王建国", "王小明")
    await booked(town, "李秀英", "李小花")
    path, headers = f"{API}/bookings/{first.id}", await town.sign_in("刘洋")
    assert (await client.delete(path)).status_code == 401
    assert (await client.delete(path, headers=await town.sign_in("张桂兰"))).status_code == 404
    assert (await client.delete(path, headers=await town.sign_in("孙伟"))).status_code == 403
    given, again = await client.delete(path, headers=headers), await client.delete(path, headers=headers)
    assert (given.status_code, given.json()["status"]) == (200, "cancelled")
    assert (again.status_code, again.content) == (200, given.content)
    assert await minutes_of(owner, town, "刘小雨") == 60
    assert await minutes_of(owner, town, "李小花", "held") == 60
    assert await taken(owner, town) == 1
    assert (await told(town, "李秀英"), await told(town, "王建国")) == (["booking_seated"], [])
    (waits,) = (await client.get(f"{API}/bookings?status=waiting", headers=await town.sign_in("王建国"))).json()[
        "items"
    ]
    assert (waits["place"], waits["child"]) == (1, "王小明")


async def test_who_has_left_holds_up_nobody_in_line(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    await new_family(owner, town, "李秀英", "李小花")
    first = await booked(town, "刘洋", "刘小雨")
    left, stays = await booked(town, "王建国", "王小明"), await booked(town, "李秀英", "李小花")
    await posting.close_accounts(town.system(), town.people["王小明"])
    await booking.cancel_booking(await town.scope("刘洋"), first.id)
    statuses = {row["id"]: row["status"] for row in await owner.fetch("SELECT id, status FROM booking")}
    assert (statuses[left.id], statuses[stays.id]) == ("waiting", "held")
    await books_balance(owner)


async def test_who_buys_minutes_while_waiting_is_seated_before_anybody_new(
    town: Town, owner: asyncpg.Connection
) -> None:
    await new_family(owner, town, "王建国", "王小明", 0)
    await give_minutes(town, "刘小雨", 60)
    await booked(town, "刘洋", "刘小雨")
    waiting = await booked(town, "王建国", "王小明")
    await owner.execute("UPDATE lesson SET seats = 2")
    assert await seats.fill_seats(town.system()) == 0
    await give_minutes(town, "王小明", 60)
    await new_family(owner, town, "李秀英", "李小花")
    late = await booked(town, "李秀英", "李小花")
    assert (late.status, late.place) == ("waiting", 1)
    assert await owner.fetchval("SELECT status FROM booking WHERE id = $1", waiting.id) == "held"
    await owner.execute("UPDATE lesson SET seats = 3")
    assert await seats.fill_seats(town.system()) == 1
    assert await taken(owner, town) == 3


async def test_a_seat_cannot_be_given_back_late_except_by_the_station(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    made = await booked(town, "刘洋", "刘小雨")
    waiting = await booked(town, "王建国", "王小明")
    starts_at = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(starts_at - timedelta(hours=24) + timedelta(seconds=1)):
        with pytest.raises(TooLateToCancel) as refused:
            await booking.cancel_booking(await town.scope("刘洋"), made.id)
        assert "24 小时" in refused.value.text()
        await booking.cancel_booking(await town.scope("周敏"), made.id)
        assert await owner.fetchval("SELECT status FROM booking WHERE id = $1", waiting.id) == "waiting"
        assert await minutes_of(owner, town, "刘小雨") == 60
        assert (await booked(town, "王建国", "王小明")).status == "held", "who waits may still take the free seat"


async def test_a_child_is_marked_by_the_code_at_the_door(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    path, body, keeper = f"{API}/bookings/{made.id}/attendance", {"code": made.code}, await town.sign_in("周敏")
    assert (await client.post(path, json=body)).status_code == 401
    for name, status in (("刘洋", 403), ("张桂兰", 404), ("孙伟", 403), ("马涛", 404)):
        assert (await client.post(path, json=body, headers=await town.sign_in(name) | key())).status_code == status, (
            name
        )
    wrong = await client.post(path, json={"code": f"{(int(made.code or 0) + 1) % 10**8:08}"}, headers=keeper | key())
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_door_code")
    (shown,) = (await client.get(f"{API}/bookings?code={made.code}", headers=keeper)).json()["items"]
    assert (UUID(shown["id"]), shown["child"], shown["code"]) == (made.id, "刘小雨", None)
    (listed,) = (await client.get(f"{API}/bookings", headers=keeper)).json()["items"]
    assert listed["child"] == "刘*"
    came, again = (
        await client.post(path, json=body, headers=keeper | key()),
        await client.post(path, json={}, headers=keeper | key()),
    )
    assert (came.status_code, came.json()["status"]) == (200, "attended")
    assert (again.status_code, again.content) == (200, came.content)
    assert (await minutes_of(owner, town, "刘小雨"), await minutes_of(owner, town, "刘小雨", "held")) == (0, 0)
    refused = await client.delete(f"{API}/bookings/{made.id}", headers=await town.sign_in("刘洋"))
    assert (refused.status_code, refused.json()["code"]) == (409, "booking_ended")
    await books_balance(owner)


async def test_guessing_a_door_code_ends_after_ten_tries(town: Town, client: httpx.AsyncClient) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    path, keeper = f"{API}/bookings/{made.id}/attendance", await town.sign_in("周敏")
    wrong = {"code": f"{(int(made.code or 0) + 1) % 10**8:08}"}
    for _ in range(10):
        assert (await client.post(path, json=wrong, headers=keeper | key())).status_code == 422
    stopped = await client.post(path, json={"code": made.code}, headers=keeper | key())
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too_many_attempts")


async def test_a_keeper_does_not_mark_the_own_child(town: Town, owner: asyncpg.Connection) -> None:
    await new_family(owner, town, "周敏", "周小满")
    made = await booked(town, "周敏", "周小满")
    with pytest.raises(attendance.OwnChild):
        await attendance.attend(await town.scope("周敏"), made.id, made.code)


async def test_who_waits_has_no_seat_to_attend_with(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    await booked(town, "刘洋", "刘小雨")
    waiting = await booked(town, "王建国", "王小明")
    with pytest.raises(attendance.NoSeat):
        await attendance.attend(await town.scope("周敏"), waiting.id)


async def test_a_missed_lesson_is_consumed_told_and_can_be_put_right(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    made = await booked(town, "刘洋", "刘小雨")
    await booked(town, "王建国", "王小明")
    ends_at = await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", town.lessons[0])
    assert await attendance.close_lessons(town.system()) == 0
    with clock.at(ends_at):
        assert await attendance.close_lessons(town.system()) == 2
        assert await attendance.close_lessons(town.system()) == 0
        assert await owner.fetchval("SELECT status FROM booking WHERE id = $1", made.id) == "missed"
        assert (await told(town, "刘洋"), await told(town, "王建国")) == (["booking_closed"], ["booking_closed"])
        assert (await minutes_of(owner, town, "刘小雨"), await minutes_of(owner, town, "王小明")) == (0, 60)
        assert (await attendance.attend(await town.scope("周敏"), made.id)).status == "attended"
    assert (await minutes_of(owner, town, "刘小雨"), await minutes_of(owner, town, "刘小雨", "held")) == (0, 0)
    await books_balance(owner)


async def test_a_lesson_called_off_returns_every_minute_and_says_why(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "王建国", "王小明")
    await booked(town, "刘洋", "刘小雨")
    await booked(town, "王建国", "王小明")
    path, body = f"{API}/lessons/{town.lessons[0]}/cancellation", {"reason": "林老师生病"}
    assert (await client.post(path, json=body)).status_code == 401
    for name, status in (("刘洋", 403), ("孙伟", 403), ("马涛", 404)):
        assert (await client.post(path, json=body, headers=await town.sign_in(name) | key())).status_code == status
    admin = await town.sign_in("赵丽")
    off, again = (
        await client.post(path, json=body, headers=admin | key()),
        await client.post(path, json=body, headers=admin | key()),
    )
    assert (off.status_code, off.json()["cancelled_at"] is None, off.json()["waiting"]) == (200, False, 0)
    assert again.content == off.content
    assert await minutes_of(owner, town, "刘小雨") == 60
    assert await taken(owner, town) == 0
    assert (await told(town, "刘洋"), await told(town, "王建国")) == (["lesson_cancelled"], ["lesson_cancelled"])
    with pytest.raises(seating.LessonClosed):
        await booked(town, "刘洋", "刘小雨")


async def test_what_is_over_cannot_be_called_off(town: Town, owner: asyncpg.Connection) -> None:
    ends_at = await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", town.lessons[0])
    with clock.at(ends_at), pytest.raises(attendance.LessonOver):
        await attendance.cancel_lesson(await town.scope("赵丽"), town.lessons[0], "太晚了")


async def test_bookings_are_seen_by_the_family_the_station_and_the_admin(town: Town, client: httpx.AsyncClient) -> None:
    await give_minutes(town, "刘小雨", 60)
    made = await booked(town, "刘洋", "刘小雨")
    seen = {}
    for name in ("刘洋", "张桂兰", "周敏", "孙伟", "马涛"):
        answer = await client.get(f"{API}/bookings", headers=await town.sign_in(name))
        seen[name] = [(b["child"], b["code"]) for b in answer.json()["items"]]
    assert seen == {
        "刘洋": [("刘小雨", made.code)], "张桂兰": [], "周敏": [("刘*", None)], "孙伟": [("刘小雨", None)], "马涛": [],
    }  # fmt: skip
    assert (await client.get(f"{API}/bookings")).status_code == 401


async def test_a_child_that_waits_and_is_booked_again_with_minutes_gets_the_free_seat(
    town: Town, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE lesson SET seats = 1")
    await give_minutes(town, "刘小雨", 60)
    await new_family(owner, town, "张桂兰", "张小宝", minutes=0)
    first, waits = await booked(town, "刘洋", "刘小雨"), await booked(town, "张桂兰", "张小宝")
    await booking.cancel_booking(await town.scope("刘洋"), first.id)
    assert (waits.status, await taken(owner, town)) == ("waiting", 0), "nobody who waits has the minutes"
    await give_minutes(town, "张小宝", 60)
    again = await booked(town, "张桂兰", "张小宝")
    assert (again.id, again.status, again.place) == (waits.id, "held", None)
    assert again.code == await owner.fetchval("SELECT code FROM pickup WHERE noun_id = $1", waits.id)
    assert await taken(owner, town) == 1
    with pytest.raises(seating.AlreadyBooked):
        await booked(town, "张桂兰", "张小宝")
    assert await minutes_of(owner, town, "张小宝", "held") == 60
