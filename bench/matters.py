"""Prints how long the server takes for the pages of matters, in a county of 37 communities with 67 grids.

First with 355 matters of a quarter, then with a million of three years; then the lists of those who work with 5,000
open ones, and a report with a picture (pictures.py). The application is called in this process.
"""

import statistics
import time
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import asyncpg
import click
import httpx

from bench.pictures import measure_pictures
from tests.matters.ground import add_grids
from tests.support.matters import grant
from tests.support.switches import switch_on
from tests.support.town import Town, build_town
from timebank.app import create_app
from timebank.core import clock, database, names
from timebank.core.scope import Role, Scope
from timebank.http.callers import SESSION_COOKIE
from timebank.matters.categories.categories import add_defaults
from timebank.matters.categories.defaults import DEFAULTS
from timebank.matters.figures.counting import count_matters

COMMUNITIES, GRIDS, FEW, MANY = 37, 67, 355, 1_000_000
DAYS_FEW, DAYS_MANY = 90, 3 * 365
ROUNDS, TARGET = 15, 60
OPEN, LIST_TARGET = 5_000, 100
GROWTH_MAX = 1.25
CODES = [one.code for one in DEFAULTS if "wish" not in one.kinds]

_MATTERS = """
INSERT INTO matter (community_id, id, number, kind, category_code, area_id, channel, status, level, received_at,
    done_at, closed_at, due_at, first_due_at, done_days, reopens, created_at)
SELECT $1, gen_random_uuid(), lpad((n + $6)::text, 8, '0'), (ARRAY['report', 'event', 'order', 'pledge'])[1 + n % 4],
    ($2::text[])[1 + n % cardinality($2)], ($3::uuid[])[1 + n % cardinality($3)], 'member',
    CASE WHEN is_open THEN 'dispatched' ELSE 'closed' END, 'grid', at, CASE WHEN NOT is_open THEN at + took END,
    CASE WHEN NOT is_open THEN at + took END, at + interval '1 day', at + interval '1 day',
    CASE WHEN NOT is_open THEN extract(day FROM took) END, (n % 23 = 0)::integer, at
FROM (SELECT n, $4::timestamptz - (n::double precision / $5) * $7 * interval '1 day' AS at,
             n < $8 AS is_open, (n % 5 % 4) * interval '1 day' AS took
      FROM generate_series(0, $5 - 1) AS n) AS each
"""
_STEPS = """
INSERT INTO matter_step (community_id, id, matter_id, at, by_kind, verb, to_status, public)
SELECT community_id, gen_random_uuid(), id, received_at, 'system', 'report', 'received', true FROM matter
WHERE community_id = $1 AND number >= lpad(($2::bigint)::text, 8, '0')
"""


async def measure_matters(url: str, serving_url: str) -> None:
    """Lay the ground in an empty database, ask for each page ROUNDS times, then again with MANY matters."""
    owner = await asyncpg.connect(url)
    await database.create_pool(serving_url, 4)
    Town.operator_url = url
    try:
        town = await build_town(owner)
        grids = await _county(owner, town)
        await _add(owner, grids, _evenly(FEW, grids), DAYS_FEW, open_one_of=6)
        transport = httpx.ASGITransport(app=create_app(opens_pool=False))  # type: ignore[arg-type]  # ASGI, typed apart
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=300) as client:
            client.headers["Cookie"] = f"{SESSION_COOKIE}={await town.token('吴昊')}"
            few = await _measure(client, f"{len(grids)} communities, {GRIDS} grids, {FEW} matters")
            began = time.perf_counter()
            await _add(owner, grids, _evenly(MANY, grids), DAYS_MANY)
            rows = await owner.fetchval("SELECT count(*) FROM matter")
            click.echo(f"matters: {rows:,} laid and counted in {time.perf_counter() - began:.0f} s")
            many = await _measure(client, f"{len(grids)} communities, {GRIDS} grids, {rows:,} matters")
            await _at_work(owner, client, town, grids)
            del client.headers["Cookie"]
            await measure_pictures(client, town, serving_url)
        for words, before in few.items():
            growth = many[words] / before
            click.echo(f"  {words:36} grew {growth:.2f} times{'  OVER' if growth > GROWTH_MAX else ''}")
    finally:
        await owner.close()
        await database.close_pool()


async def _county(owner: asyncpg.Connection, town: Town) -> dict[UUID, list[UUID]]:
    """COMMUNITIES communities that use matters, with their grids."""
    while len(town.communities) < COMMUNITIES:
        name, id_ = f"社区{len(town.communities)}", clock.new_id()
        await owner.execute(
            "INSERT INTO region (id, parent_id, kind, name, pinyin, path, created_at) "
            "VALUES ($1, $2, 'community', $3, $4, $5, now())",
            id_, town.street, name, names.pinyin(name), [town.county, town.street, id_],
        )  # fmt: skip
        town.communities[name] = id_
    grids = {}
    for community, number in _evenly(GRIDS, town.communities.values()).items():
        async with database.transaction(scope := Scope.of_system(community)):
            await add_defaults(scope)
        await switch_on(owner, community, "matters")
        grids[community] = await add_grids(owner, community, number)
    return grids


def _evenly(number: int, communities: Collection[UUID]) -> dict[UUID, int]:
    """So many things, divided among the communities as evenly as whole numbers allow."""
    each, more = divmod(number, len(communities))
    return {community: each + (place < more) for place, community in enumerate(communities)}


async def _add(
    owner: asyncpg.Connection, grids: dict[UUID, list[UUID]], numbers: dict[UUID, int], days: int, *,
    open_one_of: int = 200,
) -> None:  # fmt: skip
    """Add so many matters to each community, evenly over the past days, and count them as the worker does.

    One of `open_one_of` is open, rounded up.
    """
    now = clock.now() - timedelta(minutes=1)
    await owner.execute("SET session_replication_role = replica")  # the ground refers to what is there
    for community, number in numbers.items():
        begun = await owner.fetchval("SELECT count(*) FROM matter WHERE community_id = $1", community)
        opened = -(-number // open_one_of)
        await owner.execute(
            _MATTERS, community, CODES, grids[community], now, number, begun, days, opened, timeout=600
        )  # fmt: skip
        await owner.execute(_STEPS, community, begun, timeout=600)
    await owner.execute("ANALYZE")
    for community in numbers:
        await owner.execute("DELETE FROM matter_counted WHERE community_id = $1", community)
        await count_matters(Scope.of_system(community))
    await owner.execute("VACUUM ANALYZE")  # as the server does by itself a minute after tables have grown


async def _measure(client: httpx.AsyncClient, ground: str) -> dict[str, float]:
    click.echo(ground)
    today = clock.local_day()
    month, year = (f"since={first}&until={today}" for first in (today.replace(day=1), today - timedelta(days=365)))
    pages = {
        "county page, by community": f"/admin/figures/matters?by=community&{month}",
        "county page, by grid": f"/admin/figures/matters?by=grid&{month}",
        "county page, by category": f"/admin/figures/matters?by=category&{month}",
        "county page, by category, a year": f"/admin/figures/matters?by=category&{year}",
    }
    return {words: await _timed(client, words, address) for words, address in pages.items()}


async def _at_work(
    owner: asyncpg.Connection, client: httpx.AsyncClient, town: Town, grids: dict[UUID, list[UUID]]
) -> None:  # fmt: skip
    """The dispatcher's lists with OPEN open matters, and the desk of a unit that has some in every community."""
    await _add(owner, grids, {town.community: OPEN}, 20, open_one_of=1)
    unit = clock.new_id()
    await owner.execute(
        "INSERT INTO unit (id, county_id, name, pinyin, kind, active, created_at) VALUES ($1, $2, '清江物业', 'qjwy', "
        "'property', true, now())", unit, town.county,
    )  # fmt: skip
    await owner.execute("UPDATE matter SET unit_id = $1 WHERE status = 'dispatched'", unit)
    await grant(owner, town, "马涛", Role.unit_contact, region_id=town.county, unit_id=unit)
    await owner.execute("ANALYZE matter")
    held = await owner.fetchval(
        "SELECT count(*) FROM matter WHERE community_id = $1 AND status = 'dispatched'", town.community
    )
    click.echo(f"{held:,} open matters in one community; a unit with some in each of {len(grids)}")
    for name, words, address in (
        ("赵丽", "dispatcher's list", "/admin/matters"), ("赵丽", "dispatcher's inbox", "/admin/inbox?kind=matter"),
        ("马涛", "unit's desk", "/unit"),
    ):  # fmt: skip
        client.headers["Cookie"] = f"{SESSION_COOKIE}={await town.token(name)}"
        await _timed(client, words, address, LIST_TARGET)


async def _timed(client: httpx.AsyncClient, words: str, address: str, target: int = TARGET) -> float:
    """Ask ROUNDS times after once unmeasured; print and return the median in milliseconds."""
    took = []
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        answer = await client.get(address)
        if answer.status_code != 200:
            raise click.ClickException(f"{words}: {answer.status_code} {answer.text[:500]}")
        if number:
            took.append((time.perf_counter() - began) * 1000)
    median = statistics.median(took)
    over = "  OVER" if median > target else ""
    click.echo(f"  {words:36} median {median:6.0f} ms  worst {max(took):6.0f} ms  target {target} ms{over}")
    return median
