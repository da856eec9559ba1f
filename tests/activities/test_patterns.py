"""Patterns of shifts over holidays and working Saturdays, the worker that writes them, and who stands for them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.messages import end_quiet_hours
from tests.support.presence import count
from tests.support.town import Town
from timebank.activities import calling_off, shifts
from timebank.activities.changes import change_activity
from timebank.activities.patterns.days import PatternRow, comes_on, coming_days
from timebank.activities.patterns.patterns import add_break, add_pattern, end_pattern
from timebank.activities.patterns.schemas import BreakIn, PatternIn, PatternOut
from timebank.activities.patterns.standing import AdultsOnly, stand, stop_standing
from timebank.activities.patterns.thin import warn_thin_shifts
from timebank.activities.patterns.writing import write_shifts
from timebank.activities.schemas import ActivityChange
from timebank.areas.workdays import Workdays
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden

API = "/api/v1"
MONDAY_TO_FRIDAY = [1, 2, 3, 4, 5]
FEBRUARY_2 = datetime(2026, 2, 2, 1, tzinfo=UTC)  # a Monday, 9 o'clock in China
SPRING_2026 = Workdays(
    {date(2026, 2, 14): True, date(2026, 2, 28): True} | {date(2026, 2, day): False for day in range(15, 24)},
    frozenset({2026}),
)


@pytest.fixture
def february() -> Iterator[None]:
    with clock.at(FEBRUARY_2):
        yield


def pattern_in(town: Town, **other: Any) -> PatternIn:
    known: dict[str, Any] = {
        "activity_id": town.activities["四点半辅导"], "station_id": town.stations["暖蜂驿站"],
        "weekdays": MONDAY_TO_FRIDAY, "starts_at": "16:20", "ends_at": "16:50", "seats": 3,
    }  # fmt: skip
    return PatternIn(**(known | other))


async def made(town: Town, **other: Any) -> PatternOut:
    return await add_pattern(await town.scope("周敏"), pattern_in(town, **other))


async def days_written(owner: asyncpg.Connection, *, cancelled: bool = False) -> list[str]:
    found = await owner.fetch(
        "SELECT starts_at FROM shift WHERE (cancelled_at IS NOT NULL) = $1 ORDER BY starts_at", cancelled
    )
    return [f"{clock.local(row['starts_at']):%m-%d}" for row in found]


def row(**other: Any) -> PatternRow:
    known: dict[str, Any] = {
        "id": UUID(int=1), "activity_id": UUID(int=2), "station_id": UUID(int=3), "weekdays": MONDAY_TO_FRIDAY,
        "days": "workdays", "starts_at": time(7, 20), "ends_at": time(7, 50), "seats": 3,
        "starts_on": date(2026, 1, 1), "ends_on": None,
    }  # fmt: skip
    return PatternRow(**(known | other))


@pytest.mark.parametrize(
    ("why", "change", "day", "comes"),
    [
        ("a Monday", {}, date(2026, 2, 9), True),
        ("an ordinary Saturday", {}, date(2026, 2, 7), False),
        ("the working Saturday before the Spring Festival", {}, date(2026, 2, 14), True),
        ("that Saturday, without all five days", {"weekdays": [1, 3]}, date(2026, 2, 14), False),
        ("that Saturday, named", {"weekdays": [6]}, date(2026, 2, 14), True),
        ("an ordinary Saturday, named, on working days only", {"weekdays": [6]}, date(2026, 2, 7), False),
        ("an ordinary Saturday on all days", {"weekdays": [6], "days": "all"}, date(2026, 2, 7), True),
        ("that Saturday, where days are counted as they come", {"days": "all"}, date(2026, 2, 14), False),
        ("the Spring Festival", {}, date(2026, 2, 17), False),
        ("the Spring Festival on all days", {"days": "all"}, date(2026, 2, 17), True),
        ("before it begins", {"starts_on": date(2026, 2, 10)}, date(2026, 2, 9), False),
        ("its first day", {"starts_on": date(2026, 2, 10)}, date(2026, 2, 10), True),
        ("its last day", {"ends_on": date(2026, 2, 10)}, date(2026, 2, 10), True),
        ("after its last day", {"ends_on": date(2026, 2, 10)}, date(2026, 2, 11), False),
        ("the last day of a break", {"breaks": [BreakIn(date(2026, 2, 3), date(2026, 2, 9))]}, date(2026, 2, 9), False),
        ("after a break", {"breaks": [BreakIn(date(2026, 2, 3), date(2026, 2, 9))]}, date(2026, 2, 10), True),
    ],
)
def test_on_which_days_a_pattern_comes(why: str, change: dict[str, Any], day: date, comes: bool) -> None:
    assert comes_on(row(**change), day, SPRING_2026) is comes, why


def test_fourteen_days_ahead_and_over_the_end_of_the_year() -> None:
    days = coming_days(row(), date(2026, 2, 2), SPRING_2026)
    assert (days[0], days[-1], len(days)) == (date(2026, 2, 2), date(2026, 2, 14), 11)
    late = coming_days(row(), date(2026, 12, 24), Workdays({}, frozenset()))
    assert late[-1] == date(2027, 1, 7)
    night = row(starts_at=time(22), ends_at=time(1))
    begin, end = night.span(date(2026, 12, 31))
    assert (clock.local(end).date(), end - begin) == (date(2027, 1, 1), timedelta(hours=3))


@pytest.mark.usefixtures("february")
async def test_the_worker_writes_the_days_ahead_once_over_the_spring_festival(
    town: Town, owner: asyncpg.Connection
) -> None:
    await made(town)
    week = ["02-02", "02-03", "02-04", "02-05", "02-06", "02-09", "02-10", "02-11", "02-12", "02-13", "02-14"]
    assert await days_written(owner) == week
    assert await write_shifts(town.system()) == 0
    assert await count(owner, "audit", "verb = 'write_shifts'") == 1
    with clock.at(FEBRUARY_2 + timedelta(days=14)):
        assert sum(await asyncio.gather(*(write_shifts(town.system()) for _ in range(4)))) == 6
    assert (await days_written(owner))[11:] == ["02-24", "02-25", "02-26", "02-27", "02-28", "03-02"]
    with clock.at(FEBRUARY_2 + timedelta(days=14)):
        assert await write_shifts(town.system()) == 0


@pytest.mark.usefixtures("february")
async def test_a_day_that_becomes_free_is_called_off_and_told_and_a_called_off_shift_stays_so(
    town: Town, owner: asyncpg.Connection
) -> None:
    pattern = await made(town)
    coming = (await shifts.shifts(await town.scope("张桂兰"), limit=50)).items
    await shifts.sign_up(await town.scope("张桂兰"), coming[2].id)
    await owner.execute(
        "INSERT INTO workday (id, county_id, day, works, name, source, estimated, set_at) "
        "VALUES ($1, $2, '2026-02-04', false, '抗洪停工', 'county', false, $3)",
        clock.new_id(), town.county, clock.now(),
    )  # fmt: skip
    assert await write_shifts(town.system()) == 0
    assert await days_written(owner, cancelled=True) == ["02-04"]
    await calling_off.cancel_shift(await town.scope("周敏"), coming[4].id)
    assert await write_shifts(town.system()) == 0
    await add_break(await town.scope("周敏"), pattern.id, BreakIn(date(2026, 2, 9), date(2026, 2, 28)))
    again = await add_break(await town.scope("周敏"), pattern.id, BreakIn(date(2026, 2, 9), date(2026, 2, 28)))
    assert len(again.breaks) == 1
    assert await days_written(owner) == ["02-02", "02-03", "02-05"]
    told = await owner.fetch("SELECT said::text FROM message WHERE sentence = 'shift_cancelled.because'")
    assert len(told) == 1


@pytest.mark.usefixtures("february")
async def test_ending_a_pattern_or_its_activity_calls_its_shifts_off(town: Town, owner: asyncpg.Connection) -> None:
    first = await made(town)
    await made(town, starts_at="07:20", ends_at="07:50")
    coming = (await shifts.shifts(await town.scope("张桂兰"), limit=1)).items[0]
    await shifts.sign_up(await town.scope("张桂兰"), coming.id)
    for _ in range(2):
        await end_pattern(await town.scope("周敏"), first.id)
    assert len(await days_written(owner, cancelled=True)) == 11
    await change_activity(await town.scope("赵丽"), town.activities["四点半辅导"], ActivityChange(active=False))
    assert await days_written(owner) == []
    assert await count(owner, "shift_pattern", "ended_at IS NULL") == 0
    assert await write_shifts(town.system()) == 0
    assert await count(owner, "message", "sentence = 'shift_cancelled.because'") == 1


@pytest.mark.usefixtures("february")
async def test_who_stands_gets_the_seats_in_turn_and_ends_it_with_one_tap(
    town: Town, owner: asyncpg.Connection
) -> None:
    pattern = await made(town, weekdays=[1], seats=2, starts_on=date(2026, 2, 9))
    names = ["张桂兰", "李秀英", "王建国"]
    taken = [(await stand(await town.scope(name), pattern.id, 1)).signed_up for name in names]
    assert taken == [1, 1, 0]
    assert (await stand(await town.scope("张桂兰"), pattern.id, 1)).signed_up == 0
    with clock.at(FEBRUARY_2 + timedelta(days=10)):
        assert await write_shifts(town.system()) == 0, "16 and 23 February are holidays"
    with clock.at(FEBRUARY_2 + timedelta(days=14)):
        assert await write_shifts(town.system()) == 1
        seats = await owner.fetch(
            "SELECT p.name FROM sign_up u JOIN person p ON p.id = u.person_id JOIN shift s ON s.id = u.shift_id "
            "WHERE s.starts_at > $1 AND u.cancelled_at IS NULL ORDER BY p.name", clock.now(),
        )  # fmt: skip
        assert {seat["name"] for seat in seats} == {"张桂兰", "李秀英"}
        for _ in range(2):
            await stop_standing(await town.scope("张桂兰"), pattern.id, 1)
        left = (await shifts.shifts(await town.scope("张桂兰"), limit=5)).items[0]
        assert (left.seats_taken, left.signed_up) == (1, False)
    assert await count(owner, "standing") == 2
    assert await count(owner, "sign_up", "cancelled_at IS NOT NULL") == 1, "what has begun stays"


@pytest.mark.usefixtures("february")
async def test_a_shift_from_which_somebody_withdrew_is_not_taken_again_by_standing(town: Town) -> None:
    pattern, mine = await made(town, weekdays=[2]), await town.scope("张桂兰")
    first = (await shifts.shifts(mine, limit=5)).items[0]
    await shifts.sign_up(mine, first.id)
    await shifts.cancel_sign_up(mine, first.id)
    assert (await stand(mine, pattern.id, 2)).signed_up == 1
    assert not (await shifts.shift(mine, first.id)).signed_up


@pytest.mark.usefixtures("february")
async def test_two_who_stand_and_the_worker_at_once_never_exceed_the_seats(
    town: Town, owner: asyncpg.Connection
) -> None:
    pattern = await made(town, weekdays=[2], seats=2)
    scopes = [await town.scope(name) for name in ("张桂兰", "李秀英", "王建国", "陈明")]
    with clock.at(FEBRUARY_2 + timedelta(days=20)):
        await asyncio.gather(*(stand(scope, pattern.id, 2) for scope in scopes), write_shifts(town.system()))
        await write_shifts(town.system())
    assert await owner.fetch("SELECT FROM shift WHERE starts_at > $1", FEBRUARY_2 + timedelta(days=20))
    differing = "seats_taken <> (SELECT count(*) FROM sign_up u WHERE u.shift_id = shift.id AND u.cancelled_at IS NULL)"
    assert await count(owner, "shift", differing) == 0
    assert await count(owner, "standing") == 4


@pytest.mark.usefixtures("february")
async def test_nobody_puts_another_person_there_and_children_do_not_stand(
    town: Town, owner: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    pattern = await made(town)
    address = f"{API}/shift-patterns/{pattern.id}/standing"
    other = {"weekday": 1, "person_id": str(town.people["李秀英"])}
    for name in ("张桂兰", "周敏", "赵丽"):
        assert (await client.put(address, json=other, headers=await town.sign_in(name))).status_code == 403
    child = {"weekday": 1, "person_id": str(town.people["刘小雨"])}
    assert (await client.put(address, json=child, headers=await town.sign_in("刘洋"))).status_code == 403
    await owner.execute("UPDATE person SET born_on = '2010-03-01' WHERE id = $1", town.people["张桂兰"])
    with pytest.raises(AdultsOnly):
        await stand(await town.scope("张桂兰"), pattern.id, 1)
    with pytest.raises(Forbidden):
        await stand(town.system(), pattern.id, 1)
    assert await count(owner, "standing") == 0


@pytest.mark.usefixtures("february")
async def test_somebody_who_has_left_gets_no_seats_any_more(town: Town, owner: asyncpg.Connection) -> None:
    pattern = await made(town, weekdays=[2], starts_on=date(2026, 2, 24))
    await stand(await town.scope("张桂兰"), pattern.id, 2)
    await owner.execute("UPDATE person SET status = 'left' WHERE id = $1", town.people["张桂兰"])
    with clock.at(FEBRUARY_2 + timedelta(days=12)):
        assert await write_shifts(town.system()) == 1
    assert await count(owner, "sign_up") == 0


@pytest.mark.usefixtures("february")
async def test_patterns_over_http(town: Town, client: httpx.AsyncClient) -> None:
    body: dict[str, object] = {
        "activity_id": str(town.activities["四点半辅导"]), "station_id": str(town.stations["暖蜂驿站"]),
        "weekdays": [5, 1, 1], "days": "workdays", "starts_at": "07:20", "ends_at": "07:50", "seats": 4, "seats_min": 2,
        "breaks": [{"starts_on": "2026-02-05", "ends_on": "2026-02-06"}],
    }  # fmt: skip
    address, keeper = f"{API}/shift-patterns", await town.sign_in("周敏")
    assert (await client.post(address, json=body)).status_code == 401
    assert (await client.post(address, json=body, headers=await town.sign_in("张桂兰"))).status_code == 403
    first = await client.post(address, json=body, headers=keeper)
    assert (first.status_code, first.json()["weekdays"]) == (201, [1, 5])
    again = await client.post(address, json=body, headers=keeper)
    assert (again.status_code, again.json()["code"]) == (409, "pattern_exists")
    for change, code in (
        ({"ends_on": "2026-02-01"}, "pattern_term"),
        ({"ends_at": "07:20"}, "pattern_times"),
        ({"seats_min": 5}, "pattern_seats"),
        ({"breaks": [{"starts_on": "2026-02-06", "ends_on": "2026-02-05"}]}, "pattern_term"),
        ({"weekdays": [2], "activity_id": str(UUID(int=3))}, "not_found"),
        ({"weekdays": [8]}, "bad_request"),
        ({"weekdays": []}, "bad_request"),
    ):
        refused = await client.post(address, json=body | {"starts_on": "2026-02-03"} | change, headers=keeper)
        assert refused.json()["code"] == code, (change, refused.text)
    one = f"{address}/{first.json()['id']}"
    resident = await town.sign_in("张桂兰")
    assert (await client.put(f"{one}/standing", json={"weekday": 1}, headers=resident)).json()["signed_up"] == 1
    wrong = await client.put(f"{one}/standing", json={"weekday": 3}, headers=resident)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "no_such_weekday")
    seen = (await client.get(address, headers=resident)).json()["items"]
    assert [(each["stands"], each["seats_min"], len(each["breaks"])) for each in seen] == [([1], 2, 1)]
    assert (await client.get(address, headers=await town.sign_in("马涛"))).json()["items"] == []
    assert (await client.delete(f"{one}/standing?weekday=1", headers=resident)).status_code == 204
    assert (await client.delete(one, headers=resident)).status_code == 403
    assert (await client.delete(one, headers=await town.sign_in("马涛"))).status_code == 404
    assert (await client.delete(one, headers=keeper)).status_code == 204
    assert (await client.put(f"{one}/standing", json={"weekday": 1}, headers=resident)).status_code == 404
    assert (await client.get(address, headers=resident)).json()["items"] == []


@pytest.mark.usefixtures("february")
async def test_a_thin_shift_is_told_to_its_leader_once_else_to_keepers_and_administrators(
    town: Town, owner: asyncpg.Connection
) -> None:
    await made(town, weekdays=[2], seats_min=2)
    with clock.at(FEBRUARY_2 + timedelta(hours=6)):
        assert await warn_thin_shifts(town.system()) == 0, "more than a day before"
    with clock.at(FEBRUARY_2 + timedelta(hours=8)):
        for _ in range(2):
            assert await warn_thin_shifts(town.system()) == 1
        await end_quiet_hours(owner)
        told = await owner.fetch("SELECT person_id FROM message WHERE sentence = 'shift_thin'")
        assert {row["person_id"] for row in told} == {town.people["周敏"], town.people["赵丽"]}
        first = (await shifts.shifts(town.system(), limit=1)).items[0]
        for name in ("张桂兰", "李秀英"):
            await shifts.sign_up(await town.scope(name), first.id)
        assert await warn_thin_shifts(town.system()) == 0
        await owner.execute("UPDATE sign_up SET leads = true WHERE person_id = $1", town.people["李秀英"])
        await shifts.cancel_sign_up(await town.scope("张桂兰"), first.id)
        assert await warn_thin_shifts(town.system()) == 1
        assert await count(owner, "message", "sentence = 'shift_thin' AND person_id = $1", town.people["李秀英"]) == 1


@pytest.mark.usefixtures("february")
async def test_the_database_lets_nobody_stand_for_another(town: Town, owner: asyncpg.Connection) -> None:
    pattern, scope = await made(town), await town.scope("赵丽")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(scope):
            await database.execute(
                "INSERT INTO standing (community_id, id, pattern_id, person_id, weekday, created_at) "
                "VALUES ($1, $2, $3, $4, 1, $5)",
                town.community, clock.new_id(), pattern.id, town.people["张桂兰"], clock.now(),
            )  # fmt: skip
    assert await count(owner, "standing") == 0
