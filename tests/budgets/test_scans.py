"""A scan sends few statements, also the first of a process: for a child with a guardian, and for a flagged visit."""

from datetime import timedelta

import asyncpg
import httpx

from tests.support.counter import kept as kept_tablet
from tests.support.presence import body, nine_o_clock, personal_code, station_code
from tests.support.town import Town
from tests.support.wire import Wire
from timebank.core import clock

IN_MAX, OUT_MAX = 6, 8
CHECKINS = "/api/v1/checkins"


async def test_a_volunteers_own_scans(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    by, begin = await town.sign_in("刘洋"), nine_o_clock()
    await wire.renew()
    with clock.at(begin):
        came = (await client.post(CHECKINS, json=body(station_code(town)), headers=by)).json()
    assert came["status"] == "ok"
    assert len(wire) <= IN_MAX, wire.listed()
    await wire.renew()
    with clock.at(begin + timedelta(minutes=90)):
        left = (await client.post(CHECKINS, json=body(station_code(town)), headers=by)).json()
    assert left["credited"]["points"] == 15
    assert len(wire) <= OUT_MAX, wire.listed()


async def test_a_flagged_visit_of_a_child_at_a_counter(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    """The keeper of several stations scans a neighbour's child, whose minutes are flagged and wait for a review."""
    begin = nine_o_clock()
    with clock.at(begin):
        at_counter = await kept_tablet(client, town)
    child = {"station_id": str(town.stations["暖蜂驿站"])}
    await wire.renew()
    with clock.at(begin + timedelta(minutes=1)):
        sent = body(personal_code(town, "刘小雨"), **child)
        came = (await client.post(CHECKINS, json=sent, headers=at_counter.bearer)).json()
    assert came["status"] == "ok", came
    assert len(wire) <= IN_MAX, wire.listed()
    await wire.renew()
    late = begin + timedelta(hours=2)
    with clock.at(late):
        told = late - timedelta(minutes=30)
        with clock.at(told):
            code = personal_code(town, "刘小雨")
        sent = body(code, **child, offline=True, occurred_at=told.isoformat())
        left = (await client.post(CHECKINS, json=sent, headers=at_counter.bearer)).json()
    assert "pending_review" in left["attention"], left
    assert len(wire) <= OUT_MAX, wire.listed()


async def test_a_keeper_of_several_stations_scans_with_the_own_phone(
    client: httpx.AsyncClient, town: Town, wire: Wire, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO role_grant (community_id, id, person_id, role, station_id, starts_on, granted_at) "
        "VALUES ($1, $2, $3, 'station_keeper', $4, '2025-01-01', now())",
        town.community, clock.new_id(), town.people["周敏"], town.stations["慈善超市"],
    )  # fmt: skip
    by, begin = await town.sign_in("周敏"), nine_o_clock()
    place = {"station_id": str(town.stations["暖蜂驿站"])}
    for minutes, most in ((0, IN_MAX), (60, OUT_MAX)):
        await wire.renew()
        with clock.at(begin + timedelta(minutes=minutes)):
            seen = (await client.post(CHECKINS, json=body(personal_code(town, "刘小雨"), **place), headers=by)).json()
        assert seen["status"] == "ok", seen
        assert len(wire) <= most, wire.listed()


async def test_a_repeated_scan_is_answered_from_the_stored_verdict(
    client: httpx.AsyncClient, town: Town, wire: Wire
) -> None:
    by, begin = await town.sign_in("刘洋"), nine_o_clock()
    with clock.at(begin):
        sent = body(station_code(town))
        await client.post(CHECKINS, json=sent, headers=by)
        await wire.renew()
        again = (await client.post(CHECKINS, json=sent, headers=by)).json()
    assert again["replayed"]
    assert len(wire) <= 4, wire.listed()
