"""PgBouncer in transaction mode: many people share one server connection, on which no verb leaves any state."""

import ast
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.conftest import SECRET
from tests.source.test_architecture import modules, strings
from tests.support.elsewhere import elsewhere
from tests.support.pgbouncer import pooled, program
from tests.support.presence import body, station_code
from tests.support.service import served
from tests.support.shop import API, books_balance, key, points_of, wish
from tests.support.town import Town, set_password
from timebank.core import database, settings
from timebank.core.database import transaction
from timebank.core.database.connections import AS_A_READER
from timebank.core.scope import Scope
from timebank.operations import worker
from timebank.shop import collection, redemption
from timebank.shop.schemas import RedemptionIn

ROOT = Path(__file__).parents[2]
AT_ONCE = 8
PEOPLE = ("张桂兰", "张国庆", "王建国", "李秀英")
PASSWORD = "凤凰社区的密码-2026"
# Commands that use these modules refuse a pooler; the last one connects only to the bundled server.
DIRECT = {
    "timebank/migrate.py", "timebank/operations/first_schema.py", "timebank/demo/settling.py",
    "timebank/operations/embedded.py", "timebank/operations/distributing.py",
}  # fmt: skip
T = TypeVar("T")

needs_pgbouncer = pytest.mark.skipif(program() is None, reason="no pgbouncer here (Debian: apt install pgbouncer)")


@pytest.fixture
def pooler_url(pool: str) -> Iterator[str]:
    with pooled(pool) as url:
        yield url


@asynccontextmanager
async def through(url: str) -> AsyncIterator[None]:
    """Run verbs with the service's own pool on this address."""
    async with elsewhere(replace(settings.current(), database_url=url, database_pooler="transaction"), AT_ONCE):
        yield


def timebank(url: str, *arguments: str, pooler: str = "transaction") -> "subprocess.CompletedProcess[str]":
    """Run a command in its own process, with this database address."""
    environment = {
        "PATH": os.environ.get("PATH", ""), "TIMEBANK_SECRET_KEY": SECRET.decode(),
        "TIMEBANK_DATABASE_URL": url, "TIMEBANK_DATABASE_POOLER": pooler,
    }  # fmt: skip
    command = [sys.executable, "-m", "timebank", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@needs_pgbouncer
async def test_without_the_setting_a_second_process_collides_with_the_first(town: Town, pooler_url: str) -> None:
    """The fault without the setting: both processes name their first prepared statement alike on one connection."""
    assert timebank(pooler_url, "check", pooler="").returncode == 0
    second = timebank(pooler_url, "check", pooler="")
    assert (second.returncode, "prepared statement" in second.stderr) == (1, True)
    assert timebank(pooler_url, "check").returncode == 0, "with the setting it asks for no name"


@needs_pgbouncer
async def test_two_processes_and_a_worker_serve_many_people_on_one_server_connection(
    town: Town, owner: asyncpg.Connection, pooler_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.give_points("张桂兰", 100)
    for name in PEOPLE:
        await set_password(town.logins[name], town.phones[name], PASSWORD)
    monkeypatch.setenv("TIMEBANK_DATABASE_POOLER", "transaction")
    folders = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as stack:
        services = []
        for folder in folders:
            folder.mkdir()
            services.append(stack.enter_context(served(pooler_url, folder, secret_key=SECRET.decode())))
        async with httpx.AsyncClient(timeout=60) as client:
            await a_morning(client, [service.base_url for service in services], town, pooler_url)
    await nothing_is_left(pooler_url)
    assert await owner.fetchval("SELECT count(*) FROM visit WHERE out_at IS NULL") == len(PEOPLE)
    available, held = await points_of(town, "张桂兰")
    assert (available + held, held > 0) == (100, True)
    await books_balance(owner)
    for folder in folders:
        assert [line for line in (folder / "service.log").read_text().splitlines() if '"status": 5' in line] == []


async def a_morning(client: httpx.AsyncClient, bases: list[str], town: Town, pooler_url: str) -> None:
    """Everybody signs in and checks in at once at two processes; one reserves three times while the worker runs."""
    desks = [base + API for base in bases]
    asked = [sign_in(client, desks[n % 2], town, name) for n, name in enumerate(PEOPLE * 2)]
    signed_in = dict(zip(PEOPLE * 2, await at_once(*asked), strict=True))

    def scan(desk: str, name: str) -> Awaitable[httpx.Response]:
        code = station_code(town).replace("http://test", desk.removesuffix(API))
        return client.post(f"{desk}/checkins", json=body(code), headers=signed_in[name])

    verdicts = await at_once(*[scan(desk, name) for name in PEOPLE for desk in desks])
    assert [answer.status_code for answer in verdicts] == [200] * len(verdicts)
    her, wanted = signed_in["张桂兰"], wish(town, "张桂兰", "香皂")
    tries = [client.post(f"{desks[n % 2]}/redemptions", json=wanted, headers=her | key()) for n in range(3)]
    working = asyncio.create_task(asyncio.to_thread(timebank, pooler_url, "worker", "--once"))
    assert [answer.status_code for answer in await at_once(*tries)] == [201] * 3
    worked = await working
    assert (worked.returncode, "job failed" in worked.stdout + worked.stderr) == (0, False)
    whose = {"person_id": str(town.people["张桂兰"])}
    reads = [client.get(f"{desks[n % 2]}/me/statement", params=whose, headers=her) for n in range(AT_ONCE)]
    assert {answer.status_code for answer in await at_once(*reads)} == {200}


async def at_once(*requests: Awaitable[T]) -> list[T]:
    return list(await asyncio.gather(*requests))


async def sign_in(client: httpx.AsyncClient, desk: str, town: Town, name: str) -> dict[str, str]:
    answer = await client.post(f"{desk}/sessions", json={"phone": town.phones[name], "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def nothing_is_left(url: str) -> None:
    """Assert that the server connection keeps no role, communities, lock timeout or prepared statement of a verb."""
    connection = await asyncpg.connect(url, statement_cache_size=0)
    left = await connection.fetchrow(
        "SELECT current_user = session_user AS itself, current_setting('timebank.communities', true) AS communities, "
        "current_setting('lock_timeout') AS lock_timeout, (SELECT count(*) FROM pg_prepared_statements) AS prepared"
    )
    await connection.close()
    assert left is not None
    assert (left["itself"], left["communities"] or "", left["lock_timeout"], left["prepared"]) == (True, "", "0", 0)


@needs_pgbouncer
async def test_a_refused_verb_leaves_nothing_on_the_shared_connection(town: Town, pooler_url: str) -> None:
    """Neither a verb whose statement the database refused, nor one cancelled during a statement."""
    async with through(pooler_url):
        with pytest.raises(asyncpg.UndefinedTableError):
            await asking(town.system(), "SELECT * FROM nothing_of_this_name")
        await nothing_is_left(pooler_url)
        slow = asyncio.create_task(asking(town.system(), "SELECT pg_sleep(30)"))
        await asyncio.sleep(0.3)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        await nothing_is_left(pooler_url)
        assert len(await worker.all_communities()) == len(town.communities)


async def asking(scope: Scope, sql: str) -> None:
    async with transaction(scope):
        await database.fetch(sql)


@needs_pgbouncer
async def test_each_sees_their_own_community_although_the_connection_is_shared(town: Town, pooler_url: str) -> None:
    async def seen(community: UUID) -> set[UUID]:
        async with transaction(Scope.of_system(community)):
            return {UUID(bytes=row["c"].bytes) for row in await database.fetch("SELECT community_id AS c FROM person")}

    async with through(pooler_url):
        communities = [*town.communities.values()] * AT_ONCE
        assert await at_once(*[seen(community) for community in communities]) == [{c} for c in communities]


@needs_pgbouncer
async def test_a_hand_over_counts_its_try_beside_its_own_transaction(
    town: Town, pool: str, owner: asyncpg.Connection
) -> None:
    """A counter's hand-over needs two server connections at a moment: docs/operating.md says how many there must be."""
    await town.give_points("张桂兰", 50)
    want = RedemptionIn(
        person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
    )
    mine, keeper = await town.scope("张桂兰"), await town.scope("周敏")
    made = await redemption.redeem(mine, want)
    with pooled(pool, server_connections=2) as url:
        async with through(url):
            with pytest.raises(collection.WrongCollectionCode):
                await collection.collect(keeper, made.id, f"{(int(made.code or 0) + 1) % 10**8:08}")
            assert (await collection.collect(keeper, made.id, made.code)).status == "collected"
        await nothing_is_left(url)
    assert await owner.fetchval("SELECT attempts FROM throttle WHERE key LIKE 'redemption:%'") == 2


@needs_pgbouncer
async def test_commands_work_through_it_and_those_say_so_that_cannot(
    town: Town, pooler_url: str, tmp_path: Path
) -> None:
    checked = timebank(pooler_url, "check")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "账目相符。")
    assert timebank(pooler_url, "worker", "--once").returncode == 0
    for direct in (("migrate",), ("demo", "--port", "0", "--data", str(tmp_path))):
        refused = timebank(pooler_url, *direct)
        assert (refused.returncode, "TIMEBANK_DATABASE_POOLER" in refused.stderr) == (1, True)
    await nothing_is_left(pooler_url)


def test_the_setting_knows_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEBANK_DATABASE_POOLER", "transaction")
    assert settings.from_environment().statement_cache_size == 0
    monkeypatch.setenv("TIMEBANK_DATABASE_POOLER", "statement")
    with pytest.raises(settings.BadSetting, match="transaction"):
        settings.from_environment()
    monkeypatch.delenv("TIMEBANK_DATABASE_POOLER")
    assert settings.from_environment().statement_cache_size > 0


def test_every_connection_of_the_program_is_made_in_that_way() -> None:
    """Every connection uses the arguments of `connecting()`, which a pooler needs, except where a pooler is refused."""
    made = {"asyncpg.connect", "asyncpg.create_pool"}
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}": "connecting()" in ast.unparse(node)
        for path in sorted((ROOT / "timebank").rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in DIRECT
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in made
    }
    assert found
    assert [place for place, told in found.items() if not told] == []


def test_no_statement_of_the_service_outlives_its_transaction() -> None:
    """No session-level setting, role, lock or temporary table: the next transaction may be of another client.

    Direct reads prepare connections of their own, which they do not open behind a pooler (test_direct_reads).
    """
    of_a_session = re.compile(
        r"(?:^|;)\s*(?:SET\s+(?:ROLE|SESSION|[a-z_.]+\s*(?:=|TO)\s*')|LISTEN\s|PREPARE\s|CREATE\s+TEMP)"
        r"|WITH\s+HOLD|pg_(?:try_)?advisory_lock\(|set_config\([^()]*,\s*false\)"
    )
    found = [
        f"{name}:{line} {text[:60]!r}"
        for name, (path, tree) in modules().items()
        if name.startswith("timebank") and path.relative_to(ROOT).as_posix() not in DIRECT
        for text, line in strings(tree)
        if of_a_session.search(text) and text != AS_A_READER
    ]
    assert found == []
