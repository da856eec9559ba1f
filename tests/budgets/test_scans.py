"""A scan sends few statements, also the first one of a process, for a child with a guardian, and for a flagged visit."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.presence import body, nine_o_clock, station_code
from tests.support.town import Town
from tests.support.wire import Wire, counted
from timebank.core import clock

IN_MAX, OUT_MAX = 6, 8


@pytest.fixture
async def wire(tmp_path: Path, client: httpx.AsyncClient) -> AsyncIterator[Wire]:
    async with counted(tmp_path) as found:
        assert (await client.get("/readyz")).status_code == 200
        yield found


async def test_a_volunteers_own_scans(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    by = await town.sign_in("刘洋")
    begin = nine_o_clock()
    wire.clear()
    with clock.at(begin):
        came = (await client.post("/api/v1/checkins", json=body(station_code(town)), headers=by)).json()
    assert came["status"] == "ok"
    print(wire.listed())
    wire.clear()
    with clock.at(begin + timedelta(minutes=90)):
        left = (await client.post("/api/v1/checkins", json=body(station_code(town)), headers=by)).json()
    print(wire.listed())
    assert left["credited"]["points"] == 15
    assert len(wire) <= OUT_MAX
