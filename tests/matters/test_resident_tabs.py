"""A resident's page in the panel shows their matters, units and teams, where the community uses them."""

from datetime import date

import asyncpg
import httpx

from tests.support.matters import FIRM, GRID_HEAD, LEADER, Ground
from tests.support.shop import browser
from tests.support.switches import switch_on
from tests.support.town import Town
from timebank.core import clock


async def tab(client: httpx.AsyncClient, town: Town, name: str, part: str, reader: str = "赵丽") -> str:
    panel = await browser(client, town, reader)
    return await panel.see(f"/admin/people/{town.people[name]}?part={part}")


async def test_the_matters_that_somebody_said_or_handles(ground: Ground, client: httpx.AsyncClient) -> None:
    said = await ground.open()
    hidden = await ground.open(hides_reporter=True)
    order = await ground.open("李秀英", kind="order", category="repair")
    await ground.dispatch(order.id, team_id=ground.team)
    await ground.take(order.id, by=LEADER)
    of_reporter = await tab(client, ground.town, "张桂兰", "matters")
    assert said.number in of_reporter
    assert "反映人" in of_reporter
    assert hidden.number not in of_reporter, "whose name is hidden is not found by the person"
    of_helper = await tab(client, ground.town, LEADER, "matters", reader="孙伟")
    assert order.number in of_helper
    assert "承办人" in of_helper
    assert "没有事项" in await tab(client, ground.town, GRID_HEAD, "matters")


async def test_teams_and_units(ground: Ground, client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    town = ground.town
    assert "维修队" not in await tab(client, town, LEADER, "teams"), "the community does not use teams"
    for name in ("teams", "units"):
        await switch_on(owner, town.community, name)
    page = await tab(client, town, LEADER, "teams")
    assert "维修队" in page
    assert "班组长" in page
    assert "没有从单位报到" in await tab(client, town, LEADER, "units")
    await owner.execute(
        "INSERT INTO affiliation (community_id, id, person_id, unit_id, reported_on, created_at) "
        "VALUES ($1, $2, $3, $4, $5, now())",
        town.community, clock.new_id(), town.people[LEADER], ground.units[FIRM], date(2026, 3, 1),
    )  # fmt: skip
    page = await tab(client, town, LEADER, "units")
    assert FIRM in page
    assert "3月1日" in page
