"""No page reads the history of a community: every statement that a page sends, explained on a community that has grown.

The statements are those that the pages really send, recorded on their way to the server. A statement of account and the
check of the books hold before the tables were analysed, too, as after a restore.
"""

import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
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
from timebank.installation import analyze_new_tables
from timebank.ledger.check import check_ledger
from timebank.ledger.posting import Currency
from timebank.ledger.statement import statement
from timebank.migrate import migrate
from timebank.overview.figures import count_figures

GROWS = {
    "account", "audit", "booking", "claim", "class_payment", "class_purchase", "debt", "deed",
    "expiry_announcement", "household_month", "household_move", "idempotent_request", "import_row", "import_run",
    "lesson", "message", "objection", "one_time_code", "redemption", "scan", "service_record", "session", "shift",
    "sign_up", "stock_move", "transfer", "visit", "waiting_change",
}  # fmt: skip
"""Tables that grow for as long as people use them."""
STAYS = {
    "activity": "as many as a community offers", "area": "as many as there are doors", "book_check": "one a community",
    "books_closed": "one a community", "card": "one a person, and those that were lost",
    "community_figures": "one a community", "course": "as many as a community offers",
    "day_total": "a few a day: the stored totals themselves", "device": "a few a station",
    "good": "as many as a community offers", "guardianship": "as many as there are parents",
    "household": "as many as there are doors", "import_draft": "swept after a day", "installation": "one",
    "known_browser": "a few a login", "login": "one a person", "membership": "one a person",
    "migration": "one a version",
    "person": "as many as live there", "photo": "one a good", "policy": "a few a community",
    "region": "as many as there are communities", "role_grant": "as many as there are offices",
    "rule": "a few a community", "sign_in_failure": "swept after a day",
    "sign_in_suspect": "swept after a day", "station": "a few a community", "stock": "one a good and station",
    "throttle": "swept after a day",
}  # fmt: skip
"""Tables that people and places bound, not time, each with its bound."""

# A page, a day, a month or what waits: of any of them more is read nowhere, in 220,000 transfers and 50,000 records.
ROWS_MAX = 3_000
SMALL = 500  # rows of a table that the planner may read whole, if an index would serve it once it has grown

# What a sum or a count may read of a table that grows, by its index and the condition on it.
SUMMED = {
    ("account_expiry", "expires_on <"): "what should have expired and waits for a person",
    ("account_held", ""): "what is set aside now",
    ("account_unique", "owner_id ="): "the accounts of one owner",
    ("account_pkey", "id ="): "the accounts of one entry",
    ("booking_child_id", "child_id ="): "the seats of one child",
    ("booking_guardian_id", "guardian_id ="): "the seats that one guardian booked",
    ("booking_lesson_line", "lesson_id ="): "the seats of one lesson",
    ("booking_one_active", "lesson_id ="): "the seats of one lesson",
    ("debt_open", "owner_id ="): "what one person owes now",
    ("debt_owed", ""): "what is owed now",
    ("deed_status_time", "'{filed,objected}'"): "what waits for a review or a decision",
    ("deed_status_time", "'filed'"): "what waits for a review",
    ("message_unread", "person_id ="): "what one person has not read yet",
    ("objection_once", "deed_id ="): "the objections to one deed",
    ("objection_once", "service_record_id ="): "the objections to one record",
    ("objection_open", ""): "what waits for a decision",
    ("objection_waiting", ""): "what waits for a decision",
    ("redemption_due", "'reserved'"): "what waits to be collected",
    ("redemption_station_status", "'reserved'"): "what waits to be collected",
    ("service_record_person_time", "started_at >="): "one person's month",
    ("service_record_status_time", "'pending'"): "what waits for a review",
    ("transfer_credit", "posted_at >="): "one account since a day",
    ("transfer_debit", "posted_at >="): "one account since a day",
    ("transfer_entry", "entry_id ="): "the legs of one entry",
    ("transfer_reversed_once", "reverses ="): "what reversed one transfer",
    ("visit_one_open", ""): "who is at a station now",
    ("waiting_change_one_open", ""): "what waits for another person",
}  # fmt: skip

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


async def plan_of(grown: Grown, sql: str, arguments: tuple[object, ...]) -> dict[str, Any]:
    """The plan of a statement. Where it reads the whole of a small table that grows: the one that it will have then."""
    plan = await explain(grown, sql, arguments, run=True)
    whole = [node for node in nodes(plan) if node.get("Relation Name") in GROWS and node["Node Type"] == "Seq Scan"]
    if whole and all(rows_read(node) < SMALL for node in whole):
        await grown.owner.execute("SET enable_seqscan = off")
        plan = await explain(grown, sql, arguments, run=True)
        await grown.owner.execute("RESET enable_seqscan")
    return plan


def rows_read(node: dict[str, Any]) -> float:
    """How many rows a scan has read, those that it left out too."""
    removed: float = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows: float = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return rows


def history_read(plan: dict[str, Any], grows: Collection[str] = GROWS) -> list[str]:
    """What a plan reads of tables that grow, where it is more than a page may."""
    wrong, rows = [], 0.0
    for node in nodes(plan):
        if node.get("Relation Name") not in grows:
            continue
        rows += rows_read(node)
        if node["Node Type"] == "Seq Scan" and node["Actual Loops"]:
            wrong.append(f"reads the whole of {node['Relation Name']}")
    return [*wrong, *summed(plan, grows), *([f"reads {rows:.0f} rows of tables that grow"] if rows > ROWS_MAX else [])]


def summed(plan: dict[str, Any], grows: Collection[str], *, sums: bool = False) -> Iterator[str]:
    """The scans of tables that grow whose rows are summed, counted or grouped, unless SUMMED names their bound.

    What a LIMIT has cut before it is summed is bounded by that.
    """
    sums = plan["Node Type"] != "Limit" and (sums or plan["Node Type"] in ("Aggregate", "Group", "WindowAgg"))
    if sums and plan.get("Relation Name") in grows and plan["Actual Loops"]:
        found = [(each.get("Index Name"), each.get("Index Cond", "")) for each in nodes(plan) if "Index Name" in each]
        if not any(index == name and part in condition for index, condition in found for name, part in SUMMED):
            yield f"sums {plan['Relation Name']} along {found}"
    for part in plan.get("Plans", ()):
        yield from summed(part, grows, sums=sums)


STATEMENT = {"张桂兰": ("/statement", "/statement?currency=minute", "/api/v1/me/statement?limit=200")}
READERS = {
    "张桂兰": (
        "/", "/statement", "/visits", "/messages", "/redemptions", "/goods", "/classes", "/activities", "/family",
        "/deeds", "/board/{community}", "/api/v1/me", "/api/v1/me/balances", "/api/v1/me/statement?limit=200",
        "/api/v1/visits",
        "/api/v1/redemptions", "/api/v1/service-records", "/api/v1/deeds", "/api/v1/bookings",
    ),
    "赵丽": (
        "/admin", "/admin/ledger", "/admin/ledger/{entry}", "/admin/reviews", "/admin/deeds", "/admin/goods",
        "/admin/goods/{good}", "/admin/goods/redemptions", "/admin/classes", "/admin/activities", "/admin/stations",
        "/admin/people", "/admin/people/{heavy}", "/admin/imports", "/admin/agreements", "/api/v1/agreements",
        "/api/v1/agreements?status=agreed", "/api/v1/ledger/check", "/api/v1/service-records",
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
    """The accounts apart, of which a community has a few a person: the worker's first round mends their plan."""
    assert await history_of_pages(grown, client, STATEMENT, grows=GROWS - {"account"}) == []


async def history_of_pages(
    grown: Grown, client: httpx.AsyncClient, readers: Mapping[str, tuple[str, ...]],
    grows: Collection[str] = GROWS,
) -> list[str]:  # fmt: skip
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
                plan = await plan_of(grown, sql, arguments)
                wrong += [f"{name} {path} {why}: {' '.join(sql.split())[:160]}" for why in history_read(plan, grows)]
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


async def test_each_table_is_known_to_grow_or_to_stay(grown: Grown) -> None:
    tables = {
        row["tablename"]
        for row in await grown.owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    assert tables == GROWS | STAYS.keys()


async def test_no_page_reads_the_history_of_a_community(grown: Grown, client: httpx.AsyncClient) -> None:
    """As after a restore: the worker lets statistics be made and counts the figures, then every page is looked at."""
    await grown.owner.execute("UPDATE pg_class SET reltuples = -1 WHERE relname = 'transfer'")
    assert await analyze_new_tables() >= 1
    assert await analyze_new_tables() == 0
    await count_figures(grown.town.system())
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


@pytest.mark.parametrize(
    ("sql", "is_wrong"),
    [
        ("SELECT sum(amount) FROM transfer WHERE community_id = $1", True),
        ("SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'approved'", True),
        ("SELECT kind FROM transfer WHERE community_id = $1 GROUP BY kind", True),
        ("SELECT count(*) FROM (SELECT FROM transfer WHERE community_id = $1 LIMIT 100) AS few", False),
        ("SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending'", False),
        ("SELECT count(*) FROM person WHERE community_id = $1", False),
    ],
)
async def test_a_sum_over_history_is_found(grown: Grown, sql: str, *, is_wrong: bool) -> None:
    await grown.owner.execute("ANALYZE")
    plan = await plan_of(grown, sql, (grown.town.community,))
    assert bool(list(summed(plan, GROWS))) is is_wrong
