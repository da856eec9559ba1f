"""Pickup codes: one code leads to one thing and ends with it; its tries are counted whatever becomes of the verb."""

import asyncio
import secrets
from collections import Counter
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.classes.test_bookings import booked, give_minutes, new_family
from tests.shop.test_redemption_races import crowd
from tests.support.counter import stands_here
from tests.support.shop import API, browser, key, points_of, reserve
from tests.support.town import Town
from timebank.access.pickup import Found, end_pickup, find_pickup, give_pickup
from timebank.access.sign_in.attempt_limits import TooManyAttempts
from timebank.classes import attendance, booking
from timebank.classes.attendance import WrongDoorCode
from timebank.classes.changes import change_course, change_lesson
from timebank.classes.schemas import CourseChange, LessonChange
from timebank.core import clock, database
from timebank.core.capability import counter_page_of
from timebank.core.database import transaction
from timebank.core.errors import Busy, TimebankError
from timebank.shop import cancelling, collection, redemption
from timebank.shop.schemas import Redeemed, RedemptionIn

THINGS = 50


async def given(town: Town, noun_id: UUID, minutes: int = 60) -> str:
    async with transaction(town.system()):
        return await give_pickup(
            town.system(), "loan", noun_id, town.stations["暖蜂驿站"], clock.now() + timedelta(minutes=minutes)
        )


async def reserved(town: Town, name: str = "张桂兰") -> Redeemed:
    await town.give_points(name, 50)
    want = RedemptionIn(person_id=town.people[name], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"])
    return await redemption.redeem(await town.scope(name), want)


def wrong_for(code: str | None) -> str:
    return f"{(int(code or 0) + 1) % 10**8:08}"


async def tries_of(owner: asyncpg.Connection, noun_id: UUID) -> int:
    found: int = await owner.fetchval(
        "SELECT coalesce(sum(attempts), 0)::int FROM throttle WHERE key LIKE '%' || $1 || '%'", str(noun_id)
    )
    return found


async def wrong_codes_of(owner: asyncpg.Connection, login_id: UUID) -> int:
    found: int = await owner.fetchval(
        "SELECT coalesce(sum(attempts), 0)::int FROM throttle WHERE key = $1", f"look-up:{login_id}"
    )
    return found


# ----------------------------------------------------------------------------------------------------- codes themselves


async def test_things_that_wait_at_the_same_moment_have_codes_of_their_own(
    town: Town, owner: asyncpg.Connection
) -> None:
    things = [clock.new_id() for _ in range(THINGS)]
    codes = await asyncio.gather(*(given(town, thing) for thing in things))
    assert len(set(codes)) == THINGS
    assert all(len(code) == 8 and code.isdigit() for code in codes)
    keeper = await town.scope("周敏")
    for thing, code in zip(things, codes, strict=True):
        assert await find_pickup(keeper, f"{code[:4]} {code[4:]}") == Found("loan", thing, town.stations["暖蜂驿站"])
    assert await owner.fetchval("SELECT count(*) FROM pickup") == THINGS


async def test_of_the_codes_that_are_drawn_the_first_free_one_is_taken(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 1, 2, 3, 4, 7, 1, 8, 9, 5, 7, 7, 8, 8, 7])
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(drawn))
    first, second = clock.new_id(), clock.new_id()
    assert await given(town, first) == "00000007"
    assert await given(town, second) == "00000001", "the one that the first has is left out"
    monkeypatch.setattr(secrets, "randbelow", lambda _: 7)
    with pytest.raises(Busy):
        await given(town, clock.new_id())


async def test_nothing_has_two_codes(town: Town, owner: asyncpg.Connection) -> None:
    thing = clock.new_id()
    await given(town, thing)
    with pytest.raises(Busy):
        await given(town, thing)
    assert await owner.fetchval("SELECT count(*) FROM pickup WHERE noun_id = $1", thing) == 1


async def test_a_code_is_found_until_it_expires_and_in_its_own_community_alone(town: Town) -> None:
    thing = clock.new_id()
    code, keeper = await given(town, thing), await town.scope("周敏")
    assert await find_pickup(keeper, code) is not None
    with clock.at(clock.now() + timedelta(minutes=61)):
        assert await find_pickup(keeper, code) is None
    assert await find_pickup(await town.scope("何静"), code) is None, "an administrator of another community"
    async with transaction(town.system()):
        end_pickup(town.system(), "loan", thing)
    assert await find_pickup(keeper, code) is None


# ------------------------------------------------------------------------------------------------------ counted tries


async def test_the_eleventh_try_is_refused_though_each_of_the_ten_before_it_was_rolled_back(
    town: Town, owner: asyncpg.Connection
) -> None:
    made, keeper = await reserved(town), await town.scope("周敏")
    for _ in range(10):
        with pytest.raises(collection.WrongCollectionCode):
            await collection.collect(keeper, made.id, wrong_for(made.code))
    with pytest.raises(TooManyAttempts):
        await collection.collect(keeper, made.id, made.code)
    assert await tries_of(owner, made.id) == 11
    assert await points_of(town, "张桂兰") == (42, 8)
    with clock.at(clock.now() + timedelta(minutes=15)):
        assert (await collection.collect(keeper, made.id, made.code)).status == "collected"


async def test_tries_at_the_same_moment_all_count_and_ten_are_let_through(
    town: Town, owner: asyncpg.Connection
) -> None:
    """Two counters guess at one reservation at once; each knows a quarter of the codes."""
    made, keepers = await reserved(town), [await town.scope("周敏"), await town.scope("赵丽")]
    tries = [collection.collect(keeper, made.id, wrong_for(made.code)) for keeper in keepers for _ in range(15)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    ended = Counter(answer.code if isinstance(answer, TimebankError) else str(answer) for answer in answers)
    assert ended == {"wrong_collection_code": 10, "too_many_attempts": 20}
    assert await tries_of(owner, made.id) == 30
    assert sum([await wrong_codes_of(owner, town.logins[name]) for name in ("周敏", "赵丽")]) == 30


async def test_a_seats_tries_count_at_the_same_moment_too(town: Town, owner: asyncpg.Connection) -> None:
    await give_minutes(town, "刘小雨", 60)
    made, keeper = await booked(town, "刘洋", "刘小雨"), await town.scope("周敏")
    answers = await asyncio.gather(
        *(attendance.attend(keeper, made.id, wrong_for(made.code)) for _ in range(12)), return_exceptions=True
    )
    assert Counter(type(answer) for answer in answers) == {WrongDoorCode: 10, TooManyAttempts: 2}
    assert await tries_of(owner, made.id) == 12


async def test_a_try_inside_a_verb_that_fails_later_stays_counted(town: Town, owner: asyncpg.Connection) -> None:
    """The person is blocked: the code is right, and nothing is handed over."""
    made, keeper = await reserved(town), await town.scope("周敏")
    await owner.execute("UPDATE person SET status = 'blocked' WHERE id = $1", town.people["张桂兰"])
    with pytest.raises(collection.PersonNotActive):
        await collection.collect(keeper, made.id, made.code)
    assert await tries_of(owner, made.id) == 1
    assert await wrong_codes_of(owner, town.logins["周敏"]) == 0, "it was no wrong code"


async def test_a_repeated_request_uses_up_no_try(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """The answer was lost on the way: the counter sends the same request until it gets it."""
    await town.give_points("张桂兰", 50)
    made = (await reserve(client, town, "张桂兰", "香皂")).json()
    path, same = f"{API}/redemptions/{made['id']}/collection", await town.sign_in("周敏") | key()
    answers = [await client.post(path, json={"code": made["code"]}, headers=same) for _ in range(15)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert await tries_of(owner, UUID(made["id"])) == 1


async def test_who_does_not_serve_there_uses_up_no_try(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A keeper of another station, and a resident, try eleven times; the person's own counter still hands over."""
    made = await reserved(town)
    await owner.execute(
        "UPDATE role_grant SET station_id = $1 WHERE role = 'station_keeper'", town.stations["慈善超市"]
    )
    path, body = f"{API}/redemptions/{made.id}/collection", {"code": wrong_for(made.code)}
    for name in ("周敏", "王建国"):
        headers = await town.sign_in(name)
        for _ in range(11):
            assert (await client.post(path, json=body, headers=headers | key())).status_code in (403, 404), name
    assert await tries_of(owner, made.id) == 0
    handed = await client.post(path, json={"code": made.code}, headers=await town.sign_in("赵丽") | key())
    assert handed.status_code == 200


async def test_as_many_counters_as_there_are_connections_hand_over_at_once(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """Each verb holds a connection while it counts on another: none of them waits for one that all of them hold."""
    pool = database.engine.pool
    assert pool is not None
    scopes = await crowd(owner, town, 2 * pool.get_max_size())
    made = [
        await redemption.redeem(
            scope,
            RedemptionIn(
                person_id=scope.require_self(), good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
            ),
        )
        for scope in scopes
    ]
    keeper = await town.sign_in("周敏")
    answers = await asyncio.gather(
        *(
            client.post(f"{API}/redemptions/{one.id}/collection", json={"code": one.code}, headers=keeper | key())
            for one in made
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await owner.fetchval("SELECT count(*) FROM pickup") == 0


# ------------------------------------------------------------------------------------------------ what the codes are of


async def test_a_code_ends_with_the_reservation_or_seat_however_it_ends(town: Town, owner: asyncpg.Connection) -> None:
    keeper, mine = await town.scope("周敏"), await town.scope("张桂兰")
    collected, cancelled, expired = await reserved(town), await reserved(town), await reserved(town)
    await collection.collect(keeper, collected.id, collected.code)
    await cancelling.cancel(mine, cancelled.id)
    assert [row["code"] for row in await owner.fetch("SELECT code FROM pickup")] == [expired.code]
    with clock.at(expired.expires_at):
        await cancelling.expire_redemptions(town.system())
    assert await owner.fetchval("SELECT count(*) FROM pickup") == 0
    await owner.execute("UPDATE lesson SET seats = 4")
    await give_minutes(town, "刘小雨", 60)
    for guardian, child in (("王建国", "王小明"), ("李秀英", "李小满"), ("陈明", "陈小朵")):
        await new_family(owner, town, guardian, child)
    first, second = await booked(town, "刘洋", "刘小雨"), await booked(town, "王建国", "王小明")
    await booked(town, "李秀英", "李小满")
    await attendance.attend(keeper, first.id, first.code)
    await booking.cancel_booking(await town.scope("王建国"), second.id)
    assert await owner.fetchval("SELECT count(*) FROM pickup") == 1
    with clock.at(await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", town.lessons[0])):
        await attendance.close_lessons(town.system())
    assert await owner.fetchval("SELECT count(*) FROM pickup") == 0


async def test_what_is_taken_along_at_once_and_who_waits_for_a_seat_have_no_code(
    town: Town, owner: asyncpg.Connection
) -> None:
    """A code that nobody is shown could only be guessed."""
    keeper = await town.scope("周敏")
    await town.give_points("张桂兰", 50)
    presence = await stands_here(keeper, town, "张桂兰")
    want = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"],
        collect_now=True, presence=presence,
    )  # fmt: skip
    assert (await redemption.redeem(keeper, want)).status == "collected"
    assert await owner.fetchval("SELECT count(*) FROM pickup") == 0
    await give_minutes(town, "刘小雨", 120)
    await new_family(owner, town, "王建国", "王小明")
    seated = await booked(town, "刘洋", "刘小雨")
    waiting = await booked(town, "王建国", "王小明")
    assert [row["noun_id"] for row in await owner.fetch("SELECT noun_id FROM pickup")] == [seated.id]
    await booking.cancel_booking(await town.scope("刘洋"), seated.id)
    assert [row["noun_id"] for row in await owner.fetch("SELECT noun_id FROM pickup")] == [waiting.id]


async def test_a_lesson_that_is_rescheduled_or_moved_takes_its_codes_along(
    town: Town, owner: asyncpg.Connection
) -> None:
    await give_minutes(town, "刘小雨", 60)
    made, admin = await booked(town, "刘洋", "刘小雨"), await town.scope("赵丽")
    begins = await owner.fetchval("SELECT starts_at FROM lesson WHERE id = $1", town.lessons[0])
    ends = await owner.fetchval("SELECT ends_at FROM lesson WHERE id = $1", town.lessons[0])
    later = timedelta(days=2)
    await change_lesson(admin, town.lessons[0], LessonChange(starts_at=begins + later, reason="老师有事"))
    await change_course(admin, town.course, CourseChange(station_id=town.stations["慈善超市"]))
    code = made.code or ""
    with clock.at(ends + later - timedelta(minutes=1)):
        assert await find_pickup(admin, code) == Found("booking", made.id, town.stations["慈善超市"])
    with clock.at(ends + later):
        assert await find_pickup(admin, code) is None


async def test_the_counters_one_field_leads_to_whatever_has_the_code(town: Town, client: httpx.AsyncClient) -> None:
    """Seventy look-ups of a seat's code at the page of goods: each finds the seat at once, none is a wrong code."""
    await give_minutes(town, "刘小雨", 60)
    made, seat = await reserved(town), await booked(town, "刘洋", "刘小雨")
    desk = await browser(client, town, "周敏")
    assert "香皂" in await desk.see(f"/desk/redemptions?code={made.code}")
    for _ in range(70):
        lead = await client.get(f"/desk/redemptions?code={seat.code}", headers=desk.headers)
        assert (lead.status_code, lead.headers["location"]) == (303, f"/desk/bookings?code={seat.code}")
    assert [counter_page_of(noun) for noun in ("redemption", "booking")] == ["/desk/redemptions", "/desk/bookings"]
