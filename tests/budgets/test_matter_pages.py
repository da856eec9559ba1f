"""The pages of those who handle matters send as many statements for many matters as for one."""

import asyncpg
import httpx
import pytest

from tests.support.matters import CONTACT, FIRM, GRID_HEAD, MORNING, Ground, matters_ground
from tests.support.town import Town
from tests.support.wire import Wire
from timebank.core import clock
from timebank.http.callers import SESSION_COOKIE


@pytest.mark.parametrize(
    ("name", "path", "most"),
    [
        ("赵丽", "/admin/matters", 6),
        ("赵丽", "/admin/matters/{matter}", 10),
        ("赵丽", "/admin/inbox?kind=matter", 8),
        (GRID_HEAD, "/worker", 6),
        (CONTACT, "/unit", 9),
        (CONTACT, "/unit/{community}/{matter}", 13),
    ],
)
async def test_a_page_sends_few_statements(
    client: httpx.AsyncClient, town: Town, owner: asyncpg.Connection, wire: Wire, name: str, path: str, most: int
) -> None:
    with clock.at(MORNING):
        ground: Ground = await matters_ground(town, owner)
        matter = (await ground.open()).id
        await ground.dispatch(matter, unit_id=ground.units[FIRM])
        by = {"Cookie": f"{SESSION_COOKIE}={await town.token(name)}"}
        sent = []
        for more in (1, 5):
            for _each in range(more):
                other = (await ground.open()).id
                if name == CONTACT:
                    await ground.dispatch(other, unit_id=ground.units[FIRM])
            await wire.renew()
            page = await client.get(path.format(matter=matter, community=town.community), headers=by)
            assert page.status_code == 200, page.text
            sent.append(len(wire))
        assert sent[0] == sent[1], wire.listed()
        assert sent[1] <= most, wire.listed()
