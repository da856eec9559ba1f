"""No page reads the whole history of a community: EXPLAIN of every statement a page sends, in a grown community.

The statements are recorded while pages are requested. The statement of account and the ledger check are also tested
before the tables have been analysed, as after a restore.
"""

import json
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.conftest import as_login
from tests.matrix.readers import READERS, UNREAD, headers_of_reader, places_of
from tests.plans.ground import grow
from tests.plans.plans import GROWS, ROWS_MAX, SMALL, STAYS, Call, calls, history_read, nodes, rows_read
from tests.support.town import Town, build_town
from timebank.classes.reading import bookings
from timebank.core import clock, settings
from timebank.core.database import connections, engine
from timebank.ledger.checking.check import check_ledger
from timebank.ledger.posting import Currency
from timebank.ledger.statement import statement
from timebank.migrate import migrate
from timebank.operations.installation import analyze_new_tables
from timebank.overview.figures import count_figures
from timebank.trail.reading import LOOKED_MAX, trail_by_reason

sent: list[tuple[str, tuple[object, ...]]] = []


class Recording(connections.Connection):
    """A pooled connection that records the statements sent over it."""

    async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().fetch(query, *args, **more)

    async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().fetchrow(query, *args, **more)

    async def fetchmany(self, query: str, args: Any, **more: Any) -> Any:
        asked = list(args)
        sent.extend((query, one) for one in asked)
        return await super().fetchmany(query, asked, **more)

    async def execute(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().execute(query, *args, **more)

    async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
        sent.append((query, args))
        return await super().fetchval(query, *args, **more)


@dataclass
class Grown:
    town: Town
    owner: asyncpg.Connection
    url: str
    functions: "dict[str, Function]"


@pytest.fixture(scope="module")
async def grown(pool: str) -> AsyncIterator[Grown]:
    """A separate database with a grown community, and the service's pool on it."""
    assert settings.current().database_url == pool
    kept = urlsplit(pool).path.lstrip("/")
    name = f"{kept}_grown"
    url = pool.replace(f"/{kept}", f"/{name}")
    before = engine.pool, engine.aside, engine.readers, engine.config, Town.operator_url
    login = urlsplit(engine.config["dsn"]).username or ""
    server = await asyncpg.connect(pool)
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
        engine.pool, Town.operator_url = None, url
        await migrate(url)
        owner = await asyncpg.connect(url)
        try:
            town = await build_town(owner)
            await grow(owner, town, clock.now())
            async with asyncpg.create_pool(
                as_login(url, login), min_size=1, max_size=4, connection_class=Recording
            ) as engine.pool:
                engine.aside = engine.readers = engine.pool
                yield Grown(town, owner, url, await functions_of(owner))
        finally:
            await owner.close()
            await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        engine.pool, engine.aside, engine.readers, engine.config, Town.operator_url = before
        await server.close()


@dataclass(frozen=True, kw_only=True)
class Function:
    """One of our database functions: language, body, and the names and types of its arguments."""

    name: str
    language: str
    body: str
    is_definer: bool
    named: list[str]
    typed: list[str]


OPAQUE: dict[str, str] = {
    "access_sessions": "the session, its login's records; of each the person, open rests and grants in force",
    "access_device": "the device, who is signed on to it, and of that login what access_sessions reads",
    "agreement_side": "a login's records and logins; of each record the household now and before",
    "device_used": "the row of the device with this token",
    "own_children": "the session, its login's records, and of each the children in its care",
    "booking_lock": "those who wait for the lesson, and the lesson",
    "session_used": "the row of one session",
    "sessions_of": "the logins of one person, and the sessions of these that are kept for a day after their end",
    "sessions_own": "a session, open rests of its login, and the sessions of that, kept for a day after their end",
    "present_elsewhere": "visits and records of a day of the person's other records",
}
"""PL/pgSQL functions that a page calls, each with what it reads, because no plan shows that."""


@dataclass
class Seen:
    """The plans of a statement and of the functions it calls, and the rows read of growing tables."""

    plans: list[dict[str, Any]]
    wrong: list[str]
    counted: int

    def history_read(self, grows: Collection[str] = GROWS) -> list[str]:
        wrong = [why for plan in self.plans for why in history_read(plan, grows)]
        if not wrong and grows is GROWS and self.counted > ROWS_MAX:
            wrong.append(f"reads {self.counted} rows of tables that grow inside a function")
        return self.wrong + wrong


async def look(
    grown: Grown, sql: str, arguments: tuple[object, ...], *, scans: bool = True, anew: bool = False
) -> Seen:
    """Run a statement as the serving role in a transaction that is rolled back; return its plans."""
    transaction = grown.owner.transaction()
    await transaction.start()
    try:
        await grown.owner.execute(
            "SET LOCAL statement_timeout = '30s'; SET LOCAL ROLE timebank_app; "
            f"SET LOCAL enable_seqscan = {'on' if scans else 'off'}; "
            f"SET LOCAL enable_mergejoin = {'on' if scans else 'off'}; "
            f"SET LOCAL timebank.communities = '{{{grown.town.community}}}'"
        )
        await grown.owner.execute("DISCARD PLANS")  # Those of the functions too, which a connection keeps.
        before = await counted(grown)
        plan = await plan_of_asked(grown, sql, arguments, anew=anew)
        rows = await counted(grown) - before
        seen, known = Seen([plan], [], rows), grown.functions
        for made in calls(plan, known):
            function = known[made.name]
            given = _MARK.sub(lambda mark: literal(arguments[int(mark[1]) - 1]), made.arguments)
            call = replace(made, arguments=given)
            if function.language == "sql":
                seen.plans.append(await plan_of_body(grown, function, call))
            elif function.name not in OPAQUE:
                seen.wrong.append(f"calls {function.name}, and nothing says what that reads")
        return seen
    finally:
        await transaction.rollback()


async def plan_of_asked(grown: Grown, sql: str, arguments: tuple[object, ...], *, anew: bool) -> dict[str, Any]:
    """The plan of a statement as the service's connections keep it: one for all values, unless planned anew."""
    given = f"({', '.join(map(literal, arguments))})" if arguments else ""
    mode = "auto" if anew else "force_generic_plan"
    await grown.owner.execute(f"SET LOCAL plan_cache_mode = {mode}; PREPARE asked AS {sql}")
    try:
        return await plan_of(grown, f"EXECUTE asked {given}")
    finally:
        with suppress(asyncpg.InFailedSQLTransactionError):
            await grown.owner.execute("DEALLOCATE asked; SET LOCAL plan_cache_mode = auto")


_MARK = re.compile(r"\$(\d+)")


def literal(value: object) -> str:
    """A value as SQL text."""
    if value is None:
        return "NULL"
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        return _quoted("{" + ",".join("NULL" if each is None else json.dumps(_text(each)) for each in value) + "}")
    return _quoted(_text(value))


def _text(value: object) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def plan_of(grown: Grown, sql: str, *arguments: object) -> dict[str, Any]:
    found = await grown.owner.fetchval(f"EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, FORMAT JSON) {sql}", *arguments)
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


async def plan_of_body(grown: Grown, function: Function, call: Call) -> dict[str, Any]:
    """The generic plan of a function's SQL, as the server may choose it, run with the arguments of a call."""
    body = function.body.strip().rstrip(";")
    for number, name in enumerate(function.named, 1):
        body = re.sub(rf"\b{name}\b", f"${number}", body)
    types = f"({', '.join(function.typed)})" if function.typed else ""
    arguments = call.arguments
    if re.search(r"\b[a-z_]+\.[a-z_]+\b", re.sub(r"'[^']*'", "", arguments)):  # columns: called for each row
        arguments = ", ".join(f"NULL::{each}" for each in function.typed)
    given = f"({arguments})" if arguments else ""
    role = "timebank_owner" if function.is_definer else "timebank_app"
    await grown.owner.execute(f"SET LOCAL ROLE {role}; SET LOCAL plan_cache_mode = force_generic_plan")
    await grown.owner.execute(f"PREPARE body {types} AS {body}")
    try:
        plan = await plan_of(grown, f"EXECUTE body {given}")
        await grown.owner.execute("SET LOCAL ROLE timebank_app; SET LOCAL plan_cache_mode = auto")
    finally:
        with suppress(asyncpg.InFailedSQLTransactionError):
            await grown.owner.execute("DEALLOCATE body")
    return plan


async def counted(grown: Grown) -> int:
    """The rows of growing tables that this transaction has read so far, inside functions too."""
    rows: int = await grown.owner.fetchval(
        "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_user_tables "
        "WHERE relname = ANY ($1)",
        list(GROWS),
    )
    return rows


async def looked_at(grown: Grown, sql: str, arguments: tuple[object, ...], *, anew: bool = False) -> Seen:
    """The plans of a statement; where it scans a growing table that is still small, those that large tables would have.

    Of a small table the planner also merges: it then reads a large one from its beginning for each row.
    """
    seen = await look(grown, sql, arguments, anew=anew)
    every = [node for plan in seen.plans for node in nodes(plan)]
    whole = [node for node in every if node.get("Relation Name") in GROWS and node["Node Type"] == "Seq Scan"]
    if whole and all(rows_read(node) <= SMALL * node["Actual Loops"] for node in whole):
        return await look(grown, sql, arguments, scans=False, anew=anew)
    return seen


async def functions_of(owner: asyncpg.Connection) -> dict[str, Function]:
    found = await owner.fetch(
        "SELECT p.proname, l.lanname, p.prosrc, p.prosecdef, coalesce(p.proargnames[:p.pronargs], '{}') AS named, "
        "ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY a (t, n) ORDER BY n) AS typed "
        "FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang "
        "WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'"
    )
    return {row["proname"]: Function(**dict(zip(Function.__annotations__, row, strict=True))) for row in found}


STATEMENT = {"张桂兰": ("/statement", "/statement?currency=minute", "/api/v1/me/statement?limit=200")}


async def test_a_statement_reads_no_history_before_the_tables_are_analysed(
    grown: Grown, client: httpx.AsyncClient
) -> None:
    """Accounts (a few for each person) and debts are excepted, because their plans need statistics.

    Statistics are made when a restored database is migrated, when it is served, and in the worker's first round.
    """
    wrong = await history_of_pages(grown, client, STATEMENT, grows=GROWS - {"account", "debt"})
    assert sorted(set(wrong)) == [], "\n" + "\n".join(sorted(set(wrong)))


SENT = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
PLAN_ANEW = "SET LOCAL plan_cache_mode = auto"


async def history_of_pages(
    grown: Grown, client: httpx.AsyncClient, readers: Mapping[str, tuple[str, ...]],
    grows: Collection[str] = GROWS,
) -> list[str]:  # fmt: skip
    """The statements of these pages that read too much; those that lock, write or find the caller are checked too."""
    town, wrong = grown.town, list[str]()
    places = await places_of(town, grown.owner)
    await grown.owner.execute(
        "INSERT INTO book_check (community_id, checked_at, problems) VALUES ($1, $2, '[]') ON CONFLICT DO NOTHING",
        town.community, clock.now(),
    )  # fmt: skip
    looked: set[tuple[str, str]] = set()
    for name, paths in readers.items():
        for path in paths:
            headers = await headers_of_reader(town, name, path)
            sent.clear()
            address = path.format_map(places)
            answer = await client.get(address, headers=headers)
            if answer.status_code != 200:
                wrong.append(f"{name} {address} answers {answer.status_code}")
            for sql, arguments, anew in _planned(sent):
                if (sql, repr(arguments)) in looked or _only_writes(sql):
                    continue
                looked.add((sql, repr(arguments)))
                seen = await looked_at(grown, sql, arguments, anew=anew)
                wrong += [f"{name} {path} {why}: {' '.join(sql.split())[:160]}" for why in seen.history_read(grows)]
    return wrong


def _planned(statements: Collection[tuple[str, tuple[object, ...]]]) -> list[tuple[str, tuple[object, ...], bool]]:
    """The statements that have a plan, each with whether its transaction plans it for its values."""
    found, anew = [], False
    for sql, arguments in statements:
        anew = sql == PLAN_ANEW or (anew and not sql.startswith("BEGIN"))
        if sql.lstrip().startswith(SENT):
            found.append((sql, arguments, anew))
    return found


def _only_writes(sql: str) -> bool:
    """Whether a statement inserts given values, alone or with other queued writes.

    It cannot run a second time, because the ids exist already.
    """
    return sql.lstrip().startswith("WITH w0 AS (") or (sql.lstrip().startswith("INSERT") and "SELECT" not in sql)


@pytest.mark.parametrize("analysed", [False, True])
async def test_the_check_joins_set_by_set_whatever_the_planner_believes(grown: Grown, *, analysed: bool) -> None:
    """With 200,000 transfers, the ledger check uses no nested loop and no subplan for each row, and finds no fault."""
    if analysed:
        await grown.owner.execute("ANALYZE")
    sent.clear()
    books = await check_ledger(grown.town.system())
    assert books.problems == []
    assert await grown.owner.fetchval("SELECT count(*) FROM transfer") > 200_000
    await grown.owner.execute("SET enable_nestloop = off")
    for sql, arguments in [each for each in sent if "$1" in each[0]]:
        found = await grown.owner.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
        plan = json.loads(found)[0]["Plan"]
        for node in nodes(plan):
            assert node["Node Type"] != "Nested Loop", sql
            assert not _uses(node), sql
    await grown.owner.execute("RESET enable_nestloop")


def _uses(node: dict[str, Any]) -> bool:
    """Whether a node is a subplan, run for each row, that reads a table."""
    return node.get("Parent Relationship") == "SubPlan" and any("Relation Name" in each for each in nodes(node))


async def test_each_table_is_known_to_grow_or_to_stay(grown: Grown) -> None:
    tables = {
        row["tablename"]
        for row in await grown.owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    assert tables == GROWS | STAYS.keys()


async def test_no_page_reads_the_history_of_a_community(grown: Grown, client: httpx.AsyncClient) -> None:
    """As after a restore: the worker analyses new tables and counts the figures, then every page is checked."""
    await grown.owner.execute("UPDATE pg_class SET reltuples = -1 WHERE relname = 'transfer'")
    assert await analyze_new_tables() >= 1
    assert await analyze_new_tables() == 0
    await count_figures(grown.town.system())
    wrong = await history_of_pages(grown, client, READERS)
    assert sorted(set(wrong)) == [], "\n" + "\n".join(sorted(set(wrong)))


DEEP = (
    ("张桂兰", "/api/v1/me/statement", "transfer"),
    ("张桂兰", "/api/v1/me/messages", "message"),
    ("张桂兰", "/api/v1/visits", "visit"),
    ("张桂兰", "/api/v1/redemptions", "redemption"),
    ("赵丽", "/api/v1/audit", "audit"),
    ("赵丽", "/api/v1/audit?person_id={heavy}", "audit"),
    ("赵丽", "/api/v1/service-records", "service_record"),
    ("赵丽", "/api/v1/service-records?status=approved", "service_record"),
    ("赵丽", "/api/v1/redemptions", "redemption"),
    ("赵丽", "/api/v1/redemptions?person_id={heavy}", "redemption"),
    ("赵丽", "/api/v1/deeds?status=credited", "deed"),
    ("赵丽", "/api/v1/bookings", "booking"),
)
"""Long lists: reader, path, and the table that is listed."""


@pytest.mark.parametrize(("name", "path", "table"), DEEP)
async def test_a_deep_page_does_not_read_the_rows_before_it(
    grown: Grown, client: httpx.AsyncClient, name: str, path: str, table: str
) -> None:
    """After 800 rows, a page of 20 reads at most the 200 rows that follow in the shortest of these lists."""
    await analyze_new_tables()
    headers = await headers_of_reader(grown.town, name, path)
    address = path.format_map(await places_of(grown.town, grown.owner))
    given: dict[str, str | int] = {"limit": 200}
    for _ in range(4):
        answer = await client.get(address, headers=headers, params=httpx.URL(address).params.merge(given))
        given["cursor"] = answer.json()["next"]
        assert given["cursor"], "the list is too short"
    sent.clear()
    given["limit"] = 20
    answer = await client.get(address, headers=headers, params=httpx.URL(address).params.merge(given))
    assert len(answer.json()["items"]) == 20
    plans = [
        plan
        for sql, arguments, anew in _planned(sent)
        if not _only_writes(sql)
        for plan in (await looked_at(grown, sql, arguments, anew=anew)).plans
    ]
    read = sum(rows_read(node) for plan in plans for node in nodes(plan) if node.get("Relation Name") == table)
    assert 20 <= read <= 300


@pytest.mark.parametrize("of", [None, "person_id", "verb"])
async def test_words_of_a_reason_are_looked_for_in_a_bounded_number_of_lines(grown: Grown, of: str | None) -> None:
    """Nobody has written them: every line of one stretch is looked at, and the page says from where to go on."""
    await analyze_new_tables()
    scope, heavy = await grown.town.scope("孙伟"), grown.town.people["张桂兰"]
    sent.clear()
    given: dict[str, Any] = {"person_id": heavy} if of == "person_id" else {"verb": "issue_card"} if of else {}
    found = await trail_by_reason(scope, "从来没有写过", **given)
    assert (found.items, bool(found.next)) == ([], True)
    seen = [await looked_at(grown, sql, arguments, anew=anew) for sql, arguments, anew in _planned(sent)]
    assert [why for each in seen for why in each.history_read()] == []
    read = sum(rows_read(n) for each in seen for plan in each.plans for n in nodes(plan) if "audit" in str(n))
    assert read >= LOOKED_MAX


async def test_a_long_statement_pages_to_its_very_beginning(grown: Grown) -> None:
    """张桂兰's five years: every entry once, newest first; the running balance continues over pages down to 0."""
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


async def test_a_guardian_pages_through_the_bookings_of_every_child_in_care(grown: Grown) -> None:
    """The thousand bookings of the guardian's ten children, newest first, none twice, and no other child's."""
    scope, guardian = await grown.town.scope("刘洋"), grown.town.people["刘洋"]
    sql = (
        "SELECT b.id FROM booking b WHERE b.child_id IN (SELECT child_id FROM guardianship WHERE guardian_id = $1) "
        "AND ($2::uuid IS NULL OR b.lesson_id = $2) AND b.status = ANY ($3) ORDER BY b.created_at DESC, b.id DESC"
    )
    lesson = await grown.owner.fetchval("SELECT lesson_id FROM booking LIMIT 1")
    await grown.owner.execute(
        "UPDATE booking SET status = 'missed' WHERE id IN (SELECT id FROM booking ORDER BY id LIMIT 700 OFFSET 300)"
    )
    for lesson_id, status in ((None, None), (lesson, None), (None, "missed")):
        seen: list[UUID] = []
        cursor = None
        while True:
            found = await bookings(scope, own=True, lesson_id=lesson_id, status=status, limit=90, cursor=cursor)  # type: ignore[arg-type]  # a status
            seen += [each.id for each in found.items]
            cursor = found.next
            if cursor is None:
                break
        wanted = await grown.owner.fetch(sql, guardian, lesson_id, [status] if status else ["attended", "missed"])
        assert seen == [row["id"] for row in wanted]
        assert len(seen) >= 10


MONTH = "now() - interval '31 days'"
OWNED = "(SELECT id FROM account WHERE community_id = $1 AND owner_id = '{heavy}' AND currency = 'point' LIMIT 1)"


@pytest.mark.parametrize(
    ("sql", "is_wrong"),
    [
        ("SELECT sum(amount) FROM transfer WHERE community_id = $1", True),
        ("SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'approved'", True),
        ("SELECT kind FROM transfer WHERE community_id = $1 GROUP BY kind", True),
        ("SELECT count(*) FROM (SELECT FROM transfer WHERE community_id = $1 LIMIT 100) AS few", False),
        ("SELECT count(*) FROM service_record WHERE community_id = $1 AND status = 'pending'", False),
        ("SELECT count(*) FROM person WHERE community_id = $1", False),
        # What is allowed for one person, for everybody.
        (
            (
                "SELECT p.id, (SELECT count(*) FROM message m WHERE m.community_id = $1 AND m.person_id = p.id "
                "AND m.read_at IS NULL) FROM person p WHERE p.community_id = $1"
            ),
            True,
        ),
        (
            "SELECT count(*) FROM message WHERE community_id = $1 AND read_at IS NULL AND person_id = '{heavy}'",
            False,
        ),
        # A condition on an account or a person without a time, and one on a time without an account or a person.
        (f"SELECT sum(amount) FROM transfer WHERE community_id = $1 AND credit_account = {OWNED}", True),
        (f"SELECT sum(amount) FROM transfer WHERE community_id = $1 AND posted_at >= {MONTH}", True),
        (
            (
                "SELECT sum(amount) FROM transfer WHERE community_id = $1 "
                f"AND credit_account = {OWNED} AND posted_at >= {MONTH}"
            ),
            False,
        ),
        ("SELECT sum(minutes) FROM service_record WHERE community_id = $1 AND person_id = '{heavy}'", True),
        (
            (
                "SELECT person_id, sum(minutes) FROM service_record WHERE community_id = $1 "
                f"AND started_at >= {MONTH} GROUP BY person_id"
            ),
            True,
        ),
        (
            (
                "SELECT sum(minutes) FROM service_record WHERE community_id = $1 AND person_id = '{heavy}' "
                f"AND started_at >= {MONTH}"
            ),
            False,
        ),
        # Statements inside a function, and those that lock or write.
        ("SELECT * FROM summed_by_sql($1)", True),
        ("SELECT summed_by_sql($1)", True),
        ("SELECT * FROM summed_by_plpgsql($1)", True),
        ("SELECT id FROM visit WHERE community_id = $1 AND out_at IS NOT NULL FOR NO KEY UPDATE", True),
        ("UPDATE message SET read_at = now() WHERE community_id = $1 AND kind = 'record_credited'", True),
    ],
)
async def test_a_sum_over_history_is_found(grown: Grown, sql: str, *, is_wrong: bool) -> None:
    await grown.owner.execute("ANALYZE")
    body = "SELECT sum(amount)::bigint FROM transfer WHERE community_id = p_community"
    await grown.owner.execute(
        "CREATE OR REPLACE FUNCTION summed_by_sql(p_community uuid) RETURNS bigint LANGUAGE sql STABLE "
        f"SET search_path = public AS $$ {body} $$; "
        "CREATE OR REPLACE FUNCTION summed_by_plpgsql(p_community uuid) RETURNS bigint LANGUAGE plpgsql STABLE "
        f"AS $$ BEGIN RETURN ({body}); END $$"
    )
    try:
        known = Grown(grown.town, grown.owner, grown.url, await functions_of(grown.owner))
        seen = await looked_at(known, sql.format(heavy=grown.town.people["张桂兰"]), (grown.town.community,))
        assert bool(seen.history_read()) is is_wrong, seen.history_read()
    finally:
        await grown.owner.execute("DROP FUNCTION summed_by_sql, summed_by_plpgsql")


def test_each_page_and_each_answer_of_the_api_is_looked_at_or_named_with_a_reason(app: Litestar) -> None:
    """Every GET route is in READERS or in UNREAD, which have no other path."""
    routes = {
        "/" + "/".join(part if isinstance(part, str) else "{}" for part in route.path_components)
        for route in app.routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods
    }
    read = {re.sub(r"\{[^}]*\}", "{}", path.partition("?")[0]) for paths in READERS.values() for path in paths}
    assert routes - read - UNREAD.keys() == set()
    assert (read | UNREAD.keys()) - routes == set()
    assert read & UNREAD.keys() == set()
