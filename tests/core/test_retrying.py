"""`retried` is the only retry after a deadlock or serialization failure, and every writing verb has it."""

import ast
import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from tests.support import callgraph
from tests.support.shop import API, browser, points_of
from tests.support.town import Town
from timebank.core import database
from timebank.core.database import NotOpen, RanIntoAnother, retried, transaction, transactions
from timebank.core.errors import Busy, Conflict

HANDLERS = ("admin.", "timebank.web.")


def name_of(name: callgraph.Name) -> str:
    return ":".join(name)


def test_every_verb_that_writes_in_a_transaction_of_its_own_is_run_again_when_it_ran_into_another() -> None:
    verbs = callgraph.writing_verbs()
    assert len(verbs) > 100
    assert [name_of(v) for v in sorted(verbs) if "retried" not in callgraph.decorators(v)] == []


def test_a_verb_that_only_reads_is_not_marked_as_one_that_is_run_again() -> None:
    marked = {
        (module.name, function)
        for module in callgraph.modules().values()
        for function in module.functions
        if "retried" in callgraph.decorators((module.name, function))
    }
    assert sorted(map(name_of, marked - callgraph.writing_verbs())) == []


def test_nobody_else_tries_again() -> None:
    """Code that catches a deadlock or serialization failure itself would lack the limits of `retried`."""
    wrong = []
    for module in callgraph.modules().values():
        if module.name.startswith("timebank.core.database.") or module.name == "timebank.operations.embedded":
            continue
        for function, node in module.functions.items():
            for part in ast.walk(node):
                if isinstance(part, ast.ExceptHandler) and part.type is not None:
                    caught = ast.unparse(part.type)
                    if any(word in caught for word in ("Deadlock", "Serialization", "RanIntoAnother", "ROLLED_BACK")):
                        wrong.append(f"{module.name}:{function} catches {caught}")
    assert wrong == []
    handlers = [m for m in callgraph.modules().values() if m.name.startswith(HANDLERS) or m.name.endswith(".api")]
    calls = [
        f"{module.name}:{function}"
        for module in handlers
        for function, node in module.functions.items()
        for part in ast.walk(node)
        if isinstance(part, ast.Call) and ast.unparse(part.func) in ("retried", "database.retried")
    ]
    assert calls == []


@pytest.fixture
async def scratch(owner: asyncpg.Connection) -> AsyncIterator[str]:
    await owner.execute(
        "CREATE TABLE scratch (number integer CONSTRAINT scratch_number UNIQUE); "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON scratch TO timebank_app"
    )
    yield "scratch"
    await owner.execute("DROP TABLE scratch")


async def test_four_runs_are_enough_and_then_the_caller_is_told_to_come_back(pool: str) -> None:
    runs = 0

    @retried
    async def unlucky() -> None:
        nonlocal runs
        async with transaction(None):
            runs += 1
            raise RanIntoAnother

    with capture_logs() as logs, pytest.raises(Busy):
        await unlucky()
    assert runs == database.TRIES == 4
    assert [(line["event"], line["cause"]) for line in logs] == [("run again", "RanIntoAnother")] * 3


async def test_a_verb_inside_a_verb_leaves_running_again_to_the_outermost(pool: str, scratch: str) -> None:
    outer_runs, inner_runs = 0, 0

    @retried
    async def inner() -> None:
        nonlocal inner_runs
        async with transaction(None):
            inner_runs += 1
            if inner_runs == 1:
                raise RanIntoAnother

    @retried
    async def outer() -> None:
        nonlocal outer_runs
        async with transaction(None):
            outer_runs += 1
            await database.execute("INSERT INTO scratch VALUES ($1)", outer_runs)
            await inner()

    await outer()
    assert (outer_runs, inner_runs) == (2, 2)
    async with transaction(None):
        assert [row["number"] for row in await database.fetch("SELECT number FROM scratch")] == [2]


async def test_who_looked_before_another_wrote_the_same_key_finds_it_in_the_next_run(pool: str, scratch: str) -> None:
    both_looked = asyncio.Barrier(2)
    runs = 0

    @retried
    async def write_once() -> str:
        nonlocal runs
        async with transaction(None):
            runs += 1
            known = await database.fetch_value("SELECT EXISTS (SELECT FROM scratch WHERE number = 1)")
            if runs <= 2:
                await both_looked.wait()
            if known:
                return "known"
            await database.execute("INSERT INTO scratch VALUES (1)")
        return "written"

    assert sorted(await asyncio.gather(write_once(), write_once())) == ["known", "written"]
    assert runs == 3


async def test_a_key_that_is_simply_taken_is_a_conflict_in_the_end(pool: str, scratch: str) -> None:
    @retried
    async def write() -> None:
        async with transaction(None):
            await database.execute("INSERT INTO scratch VALUES (1)")

    await write()
    with pytest.raises(Conflict):
        await write()


async def test_a_commit_whose_outcome_is_unknown_is_not_run_again(
    pool: str, scratch: str, owner: asyncpg.Connection
) -> None:
    """The connection ends before COMMIT is answered: the change may be committed, and a retry would repeat it."""
    runs = 0

    @retried
    async def write() -> None:
        nonlocal runs
        async with transaction(None):
            runs += 1
            await database.execute("INSERT INTO scratch VALUES ($1)", runs)
            backend = await database.fetch_value("SELECT pg_backend_pid()")
            await owner.execute("SELECT pg_terminate_backend($1)", backend)

    with pytest.raises(NotOpen):
        await write()
    assert runs == 1


async def hold(owner: asyncpg.Connection, town: Town, good: str) -> None:
    await owner.execute("BEGIN")
    await owner.execute("SELECT FROM stock WHERE good_id = $1 FOR NO KEY UPDATE", town.goods[good])


async def test_who_waits_too_long_is_told_when_to_come_back_by_api_and_page(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "50ms")
    await town.give_points("张桂兰", 100)
    reader, headers = await browser(client, town, "张桂兰"), await town.sign_in("张桂兰")
    wish = {
        "person_id": str(town.people["张桂兰"]), "good_id": str(town.goods["香皂"]),
        "station_id": str(town.stations["暖蜂驿站"]), "quantity": 1,
    }  # fmt: skip
    await hold(owner, town, "香皂")
    try:
        by_api = await client.post(f"{API}/redemptions", json=wish, headers=headers | {"Idempotency-Key": "k1"})
        fields = {"station_id": wish["station_id"], "quantity": 1}
        by_page = await reader.send(f"/goods/{wish['good_id']}/reservation", **fields)
    finally:
        await owner.execute("ROLLBACK")
    assert (by_api.status_code, by_api.json()["code"], by_api.headers["Retry-After"]) == (503, "busy", "2")
    assert (by_page.status_code, by_page.headers["Retry-After"]) == (503, "2")
    assert "请过几秒再试一次" in by_page.text
    again = await client.post(f"{API}/redemptions", json=wish, headers=headers | {"Idempotency-Key": "k1"})
    assert again.status_code == 201, "nothing was stored under the key of the refused request"
    assert await points_of(town, "张桂兰") == (92, 8)
