"""Activities, their shifts, and sign-ups that never exceed the seats."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.town import Town
from timebank.activities import calling_off, shifts
from timebank.activities.schemas import ShiftIn, SignUpOut
from timebank.activities.shifts import ShiftFull, ShiftOver
from timebank.core import clock


async def shift_of(town: Town, seats: int = 1, begins_in: timedelta = timedelta(hours=2)) -> UUID:
    starts_at = clock.now() + begins_in
    wanted = ShiftIn(town.stations["暖蜂驿站"], starts_at, starts_at + timedelta(hours=2), seats)
    return (await shifts.add_shift(await town.scope("周敏"), town.activities["四点半辅导"], wanted)).id


async def test_an_admin_adds_an_activity_that_residents_see(town: Town, client: httpx.AsyncClient) -> None:
    body = {"name": "清洁家园", "rule_code": "service", "description": "周六上午"}
    assert (await client.post("/api/v1/activities", json=body)).status_code == 401
    refused = await client.post("/api/v1/activities", json=body, headers=await town.sign_in("周敏"))
    assert refused.status_code == 403
    admin = await town.sign_in("赵丽")
    made = await client.post("/api/v1/activities", json=body, headers=admin)
    assert made.status_code == 201
    again = await client.post("/api/v1/activities", json=body, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "activity_name_taken")
    seen = await client.get("/api/v1/activities", headers=await town.sign_in("张桂兰"))
    assert [a["name"] for a in seen.json()["items"]] == ["清洁家园", "四点半辅导", "站点值守"]
    address = f"/api/v1/activities/{made.json()['id']}"
    assert (await client.get(address, headers=await town.sign_in("马涛"))).status_code == 404
    ended = await client.patch(address, json={"active": False}, headers=admin)
    assert ended.json()["active"] is False
    left = await client.get("/api/v1/activities", headers=await town.sign_in("张桂兰"))
    assert [a["name"] for a in left.json()["items"]] == ["四点半辅导", "站点值守"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "甲", "rule_code": "mediation"}, 404, "rule_not_found"),
        ({"name": "甲", "rule_code": "service", "station_id": str(UUID(int=3))}, 422, "activity_station_unknown"),
        ({"name": "甲"}, 400, "bad_request"),
        ({"name": "甲", "rule_code": "service", "description": "长" * 501}, 400, "bad_request"),
    ],
)
async def test_an_activity_that_cannot_be_is_refused(
    town: Town, client: httpx.AsyncClient, body: dict[str, object], status: int, code: str
) -> None:
    refused = await client.post("/api/v1/activities", json=body, headers=await town.sign_in("赵丽"))
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_a_keeper_plans_a_shift_at_the_own_station_only(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/activities/{town.activities['四点半辅导']}/shifts"
    starts_at = clock.now() + timedelta(hours=1)
    body = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=2)).isoformat(), "seats": 3}
    keeper = await town.sign_in("周敏")
    made = await client.post(address, json=body | {"station_id": str(town.stations["暖蜂驿站"])}, headers=keeper)
    assert (made.status_code, made.json()["seats_taken"]) == (201, 0)
    other = await client.post(address, json=body | {"station_id": str(town.stations["慈善超市"])}, headers=keeper)
    assert other.status_code == 403
    backwards = body | {"station_id": str(town.stations["暖蜂驿站"]), "ends_at": clock.now().isoformat()}
    refused = await client.post(address, json=backwards, headers=keeper)
    assert (refused.status_code, refused.json()["code"]) == (422, "shift_times")
    listed = await client.get(address, headers=await town.sign_in("张桂兰"))
    assert [s["id"] for s in listed.json()["items"]] == [made.json()["id"]]


async def test_signing_up_twice_takes_one_seat_and_withdrawing_twice_returns_one(
    town: Town, client: httpx.AsyncClient
) -> None:
    shift, headers = await shift_of(town, seats=2), await town.sign_in("张桂兰")
    address = f"/api/v1/shifts/{shift}/sign-ups"
    assert (await client.post(address, json={})).status_code == 401
    first = await client.post(address, json={}, headers=headers)
    second = await client.post(address, json={}, headers=headers)
    assert (first.status_code, first.json()) == (201, second.json())
    scope = await town.scope("张桂兰")
    found = await shifts.shift(scope, shift)
    assert (found.seats_taken, found.signed_up) == (1, True)
    for _ in range(2):
        assert (await client.delete(address, headers=headers)).status_code == 204
    found = await shifts.shift(scope, shift)
    assert (found.seats_taken, found.signed_up) == (0, False)
    assert (await client.post(address, json={}, headers=headers)).json()["id"] == first.json()["id"]


async def test_nobody_signs_another_person_up(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/shifts/{await shift_of(town)}/sign-ups"
    body = {"person_id": str(town.people["李秀英"])}
    assert (await client.post(address, json=body, headers=await town.sign_in("张桂兰"))).status_code == 403
    assert (await client.post(address, json={}, headers=await town.sign_in("马涛"))).status_code == 404
    assert (await client.delete(address, headers=await town.sign_in("张桂兰"))).status_code == 404


async def test_the_last_seat_goes_to_one_of_twelve(town: Town) -> None:
    shift = await shift_of(town, seats=1)
    names = [n for n in town.logins if town.home[n] == town.community]
    scopes = [await town.scope(n) for n in names]
    results = await asyncio.gather(*(shifts.sign_up(scope, shift) for scope in scopes), return_exceptions=True)
    assert sum(isinstance(r, ShiftFull) for r in results) == len(names) - 1
    assert (await shifts.shift(town.system(), shift)).seats_taken == 1


async def test_seats_taken_and_freed_at_the_same_moment_are_neither_lost_nor_doubled(
    town: Town, owner: asyncpg.Connection
) -> None:
    shift = await shift_of(town, seats=5)
    scopes = [await town.scope(n) for n in town.logins if town.home[n] == town.community]
    for scope in scopes[:5]:
        await shifts.sign_up(scope, shift)
    answers = await asyncio.gather(
        *(shifts.cancel_sign_up(scope, shift) for scope in scopes[:3]),
        *(shifts.sign_up(scope, shift) for scope in scopes[3:]),
        return_exceptions=True,
    )
    assert {type(answer) for answer in answers} <= {type(None), SignUpOut, ShiftFull}
    stored = (await shifts.shift(town.system(), shift)).seats_taken
    assert stored == await owner.fetchval(
        "SELECT count(*) FROM sign_up WHERE shift_id = $1 AND cancelled_at IS NULL", shift
    )
    assert 2 <= stored <= 5


async def test_a_shift_that_began_or_was_called_off_takes_nobody(town: Town) -> None:
    begun, off = await shift_of(town, begins_in=timedelta(minutes=-5)), await shift_of(town)
    await calling_off.cancel_shift(await town.scope("周敏"), off)
    await calling_off.cancel_shift(await town.scope("周敏"), off)
    for shift in (begun, off):
        with pytest.raises(ShiftOver):
            await shifts.sign_up(await town.scope("张桂兰"), shift)
