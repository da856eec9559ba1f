"""No page reads the history of a community: every statement that a page sends, explained on a community that has grown.

The statements are those that the pages really send, recorded on their way to the server. A statement of account and the
check of the books hold before the tables were analysed, too, as after a restore.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.ground import grow
from tests.shop import browser
from tests.town import Town, build_town
from timebank import clock, connections, settings
from timebank.database import engine
from timebank.ledger.check import check_ledger
from timebank.ledger.posting import Currency
from timebank.ledger.statement import statement
from timebank.migrate import migrate

GROWS = {
    "transfer", "service_record", "visit", "scan", "redemption", "booking", "deed", "audit", "message", "stock_move",
    "objection", "sign_up", "shift",
}  # fmt: skip
# A page, a day, a month or what waits: of any of them more is read nowhere, in 220,000 transfers and 50,000 records.
ROWS_MAX = 3_000

sent: list[tuple[str, tuple[object, ...]]] = []


class Recording(connections.Connection):
    """A pooled connection that notes what is sent over it."""

    async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().fetch(query, *args, **more)

    async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().fetchrow(query, *args, **more)

    async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().fetchval(query, *args, **more)


@dataclass
class Grown:
    town: Town
    owner: asyncpg.Connection
    url: str
    told: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
async def grown(pool: str) -> AsyncIterator[Grown]:
    """A database of its own with a community that has grown, and the service's pool on it."""
    assert settings.current().database_url == pool
    kept = urlsplit(pool).path.lstrip("/")
    name = f"{kept}_grown"
    url = pool.replace(f"/{kept}", f"/{name}")
    before = engine.pool, engine.config
    server = await asyncpg.connect(pool)
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
        engine.pool = None
        await migrate(url)
        owner = await asyncpg.connect(url)
        try:
            town = await build_town(owner)
            await grow(owner, town, clock.now())
            async with asyncpg.create_pool(url, min_size=1, max_size=4, connection_class=Recording) as engine.pool:
                yield Grown(town, owner, url)
        finally:
            await owner.close()
            await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        engine.pool, engine.config = before
        await server.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


async def explain(grown: Grown, sql: str, arguments: tuple[object, ...], *, run: bool) -> dict[str, Any]:
    """The plan of a statement as the serving role would run it; `run` counts the rows, too."""
    how = "ANALYZE, TIMING OFF, " if run else ""
    async with grown.owner.transaction():
        await grown.owner.execute(
            "SET LOCAL statement_timeout = '30s'; SET LOCAL ROLE timebank_app; "
            f"SET LOCAL timebank.communities = '{{{grown.town.community}}}'"
        )
        found = await grown.owner.fetchval(f"EXPLAIN ({how}FORMAT JSON) {sql}", *arguments)
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


def history_read(plan: dict[str, Any]) -> list[str]:
    """What a plan reads of tables that grow, where it is more than a page may."""
    wrong, rows = [], 0.0
    for node in nodes(plan):
        if node.get("Relation Name") not in GROWS:
            continue
        loops = node["Actual Loops"]
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        rows += (node["Actual Rows"] + removed) * loops
        if node["Node Type"] == "Seq Scan" and loops:
            wrong.append(f"reads the whole of {node['Relation Name']}")
    return [*wrong, *([f"reads {rows:.0f} rows of tables that grow"] if rows > ROWS_MAX else [])]


STATEMENT = {"张桂兰": ("/statement", "/statement?currency=minute", "/api/v1/me/statement?limit=200")}
READERS = {
    "张桂兰": (
        "/", "/statement", "/visits", "/messages", "/redemptions", "/goods", "/classes", "/activities", "/family",
        "/deeds", "/board/{community}", "/api/v1/me", "/api/v1/me/balances", "/api/v1/me/statement?limit=200",
        "/api/v1/visits",
        "/api/v1/redemptions", "/api/v1/service-records", "/api/v1/deeds", "/api/v1/bookings",
    ),
    "赵丽": (
        "/admin", "/admin/ledger", "/admin/ledger/{entry}", "/admin/reviews", "/admin/presence", "/admin/deeds",
        "/admin/goods",
        "/admin/goods/{good}", "/admin/goods/redemptions", "/admin/classes", "/admin/activities", "/admin/stations",
        "/admin/people", "/admin/people/{heavy}", "/admin/imports", "/api/v1/ledger/check", "/api/v1/service-records",
        "/api/v1/service-records?status=pending", "/api/v1/service-records?status=approved", "/api/v1/deeds",
        "/api/v1/deeds?status=credited", "/api/v1/redemptions", "/api/v1/redemptions?status=collected",
        "/api/v1/bookings", "/api/v1/me/statement?person_id={heavy}",
    ),
    "孙伟": ("/admin", "/admin/ledger"),
    "周敏": (
        "/desk/redemptions", "/desk/bookings", "/api/v1/redemptions", "/api/v1/service-records", "/api/v1/bookings",
    ),
    "陈明": ("/api/v1/deeds", "/api/v1/service-records"),
}  # fmt: skip


async def test_a_statement_reads_no_history_before_the_tables_are_analysed(
    grown: Grown, client: httpx.AsyncClient
) -> None:
    assert await history_of_pages(grown, client, STATEMENT) == []


async def history_of_pages(
    grown: Grown, client: httpx.AsyncClient, readers: Mapping[str, tuple[str, ...]]
) -> list[str]:
    town, wrong = grown.town, list[str]()
    places = {
        "community": town.community, "station": town.stations["暖蜂驿站"], "good": town.goods["香皂"],
        "course": town.course, "activity": town.activities["站点值守"], "heavy": town.people["张桂兰"],
        "child": await grown.owner.fetchval("SELECT child_id FROM booking LIMIT 1"),
        "entry": await grown.owner.fetchval("SELECT entry_id FROM transfer WHERE kind = 'service' LIMIT 1"),
    }  # fmt: skip
    await grown.owner.execute(
        "INSERT INTO book_check (community_id, checked_at, problems) VALUES ($1, $2, '[]') ON CONFLICT DO NOTHING",
        town.community, clock.now(),
    )  # fmt: skip
    for name, paths in readers.items():
        headers = await town.sign_in(name) if name else {}
        reader = await browser(client, town, name)
        for path in paths:
            sent.clear()
            address = path.format_map({place: str(value) for place, value in places.items()})
            answer = await client.get(address, headers=headers if "/api/" in path else reader.headers)
            if answer.status_code != 200:
                wrong.append(f"{name} {address} answers {answer.status_code}")
            for sql, arguments in [each for each in sent if each[0].lstrip().startswith(("SELECT", "WITH"))]:
                if " UPDATE" in sql or "access_" in sql:
                    continue
                plan = await explain(grown, sql, arguments, run=True)
                wrong += [f"{name} {path} {why}: {' '.join(sql.split())[:160]}" for why in history_read(plan)]
    return wrong


@pytest.mark.parametrize("analysed", [False, True])
async def test_the_check_joins_set_by_set_whatever_the_planner_believes(grown: Grown, *, analysed: bool) -> None:
    """Two hundred thousand transfers: no look-up row by row, and nothing wrong is found."""
    if analysed:
        await grown.owner.execute("ANALYZE")
    sent.clear()
    books = await check_ledger(grown.town.system())
    assert books.problems == []
    assert await grown.owner.fetchval("SELECT count(*) FROM transfer") > 200_000
    await grown.owner.execute("SET enable_nestloop = off")
    for sql, arguments in [each for each in sent if "$1" in each[0]]:
        plan = await explain(grown, sql, arguments, run=False)
        for node in nodes(plan):
            assert node["Node Type"] != "Nested Loop", sql
            assert not _uses(node), sql
    await grown.owner.execute("RESET enable_nestloop")


def _uses(node: dict[str, Any]) -> bool:
    """Whether a part that is run for each row reads a table."""
    return node.get("Parent Relationship") == "SubPlan" and any("Relation Name" in each for each in nodes(node))


async def test_no_page_reads_the_history_of_a_community(grown: Grown, client: httpx.AsyncClient) -> None:
    await grown.owner.execute("ANALYZE")
    wrong = await history_of_pages(grown, client, READERS)
    assert sorted(set(wrong)) == [], "\n" + "\n".join(sorted(set(wrong)))


async def test_a_long_statement_pages_to_its_very_beginning(grown: Grown) -> None:
    """张桂兰's five years: every entry once, newest first, the balance carried from page to page down to nothing."""
    scope, person = await grown.town.scope("张桂兰"), grown.town.people["张桂兰"]
    seen: list[UUID] = []
    cursor, balance = None, None
    while True:
        found = await statement(scope, person, Currency.point, limit=200, cursor=cursor)
        for line in found.items:
            assert balance is None or line.balance == balance
            balance = line.balance - line.amount
        assert list(found.items) == sorted(found.items, key=lambda line: (line.posted_at, line.entry_id), reverse=True)
        seen += [line.entry_id for line in found.items]
        cursor = found.next
        if cursor is None:
            break
    own = await grown.owner.fetchval(
        "SELECT count(DISTINCT t.entry_id) FROM account a "
        "JOIN transfer t ON a.id IN (t.debit_account, t.credit_account) "
        "WHERE a.owner_id = $1 AND a.currency = 'point' AND a.bucket = 'available'",
        person,
    )  # fmt: skip
    assert balance == 0
    assert len(seen) == len(set(seen)) == own > 4_000
