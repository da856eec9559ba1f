"""Reserving and collecting goods, booking and attending lessons send few statements, also the first of a process."""

import httpx

from tests.classes.test_bookings import give_minutes, seat
from tests.support.counter import kept as kept_tablet
from tests.support.shop import API, key, wish
from tests.support.town import Town
from tests.support.wire import Wire

# A code that is shown is counted as a try by a statement of its own, on a connection of its own, so that it stays
# counted when the verb is rolled back.
RESERVE_MAX, COLLECT_MAX, BOOK_MAX, ATTEND_MAX = 8, 8 + 1, 8, 8 + 1


async def test_a_reservation_and_its_collection(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    await town.credit_deed("刘洋", 100)
    by, tablet = await town.sign_in("刘洋"), await kept_tablet(client, town)
    await wire.renew()
    made = await client.post(f"{API}/redemptions", json=wish(town, "刘洋", "香皂"), headers=by | key())
    assert made.status_code == 201, made.text
    assert len(wire) <= RESERVE_MAX, wire.listed()
    reserved = made.json()
    await wire.renew()
    path = f"/redemptions/{reserved['id']}/collection"
    given = await tablet.ask("POST", path, 200, json={"code": reserved["code"]}, headers=key())
    assert given.json()["status"] == "collected"
    assert len(wire) <= COLLECT_MAX, wire.listed()


async def test_a_seat_for_a_child_and_its_attendance(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    await give_minutes(town, "刘小雨", 90)
    by, tablet = await town.sign_in("刘洋"), await kept_tablet(client, town)
    await wire.renew()
    made = await client.post(f"{API}/bookings", json=seat(town), headers=by | key())
    assert (made.status_code, made.json().get("status")) == (201, "held"), made.text
    assert len(wire) <= BOOK_MAX, wire.listed()
    booked = made.json()
    await wire.renew()
    path = f"/bookings/{booked['id']}/attendance"
    came = await tablet.ask("POST", path, 200, json={"code": booked["code"]}, headers=key())
    assert came.json()["status"] == "attended"
    assert len(wire) <= ATTEND_MAX, wire.listed()
