"""transaction(): whatever happens inside, every connection returns to the pool and no partial change is left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from timebank.access.sign_in import attempt_limits
from timebank.core import database
from timebank.core.database import NotOpen, retried, savepoint, transaction, transactions
from timebank.core.errors import Busy, Conflict, TimebankError
from timebank.core.scope import ResidentRecord, Scope


@pytest.fixture
async def scratch(owner: asyncpg.Connection) -> AsyncIterator[str]:
    """A table with a deferred unique constraint, so that a COMMIT can fail."""
    await owner.execute(
        "CREATE TABLE scratch (number integer UNIQUE DEFERRABLE INITIALLY DEFERRED, note text NOT NULL DEFAULT ''); "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON scratch TO timebank_app"
    )
    yield "scratch"
    await owner.execute("DROP TABLE scratch")


def pool_of() -> "asyncpg.Pool[asyncpg.Record]":
    pool = database.engine.pool
    assert pool is not None
    return pool


async def fill_pool() -> tuple[int, int]:
    """Open as many connections as the pool may have and release them; return the number of all and of idle ones."""
    pool = pool_of()
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in held:
        await pool.release(connection)
    return pool.get_size(), pool.get_idle_size()


async def use_every_connection() -> list[int]:
    """Run as many transactions at once as the pool may have connections; times out when one is missing."""

    async def one() -> int:
        async with transaction(None):
            await database.execute("SELECT pg_sleep(0.05)")
            return int(await database.fetch_value("SELECT 1"))

    return list(await asyncio.wait_for(asyncio.gather(*[one() for _ in range(pool_of().get_max_size())]), 20))


async def test_failed_commits_leave_the_pool_whole(pool: str, scratch: str) -> None:
    before = await fill_pool()
    assert before[0] == before[1] == pool_of().get_max_size()
    for _ in range(2 * pool_of().get_max_size()):
        with pytest.raises(Conflict):
            async with transaction(None):
                await database.execute("INSERT INTO scratch VALUES (1), (1)")
    assert (pool_of().get_size(), pool_of().get_idle_size()) == before
    assert set(await use_every_connection()) == {1}
    async with transaction(None):
        assert await database.fetch_value("SELECT count(*) FROM scratch") == 0


async def test_connections_that_the_server_ends_at_commit_are_replaced(
    pool: str, scratch: str, owner: asyncpg.Connection
) -> None:
    await fill_pool()

    async def cut_off(number: int) -> None:
        async with transaction(None):
            await database.execute("INSERT INTO scratch VALUES ($1)", number)
            backend = await database.fetch_value("SELECT pg_backend_pid()")
            await owner.execute("SELECT pg_terminate_backend($1)", backend)

    for number in range(2 * pool_of().get_max_size()):
        with pytest.raises(NotOpen):
            await cut_off(number)
    assert set(await use_every_connection()) == {1}
    assert pool_of().get_idle_size() == pool_of().get_size()
    async with transaction(None):
        assert await database.fetch_value("SELECT count(*) FROM scratch") == 0


async def test_verbs_that_are_cancelled_in_the_middle_leave_the_pool_whole(pool: str, scratch: str) -> None:
    await fill_pool()

    async def slow(number: int) -> None:
        async with transaction(None):
            await database.execute("INSERT INTO scratch VALUES ($1)", number)
            await database.execute("SELECT pg_sleep(30)")

    tasks = [asyncio.create_task(slow(number)) for number in range(2 * pool_of().get_max_size())]
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
    assert set(await use_every_connection()) == {1}
    async with transaction(None):
        assert await database.fetch_value("SELECT count(*) FROM scratch") == 0


async def test_an_error_of_the_database_that_was_swallowed_is_no_success(pool: str, scratch: str) -> None:
    async def careless() -> None:
        async with transaction(None):
            await database.execute("INSERT INTO scratch VALUES (1)")
            with suppress(asyncpg.UndefinedTableError):
                await database.execute("SELECT * FROM nowhere")

    with pytest.raises(Busy):
        await careless()
    async with transaction(None):
        assert await database.fetch_value("SELECT count(*) FROM scratch") == 0


async def test_a_verb_inside_a_verb_joins_its_transaction(pool: str, scratch: str) -> None:
    async def inner(scope: Scope) -> None:
        async with transaction(scope):
            await database.execute("INSERT INTO scratch VALUES (2)")

    async def outer(scope: Scope) -> None:
        async with transaction(scope):
            await database.execute("INSERT INTO scratch VALUES (1)")
            await inner(scope)
            raise TimebankError

    with pytest.raises(TimebankError):
        await outer(Scope(community_id=uuid4()))
    async with transaction(None):
        assert await database.fetch_value("SELECT count(*) FROM scratch") == 0


async def test_a_part_may_fail_alone(pool: str, scratch: str) -> None:
    async def fails() -> None:
        async with savepoint():
            await database.execute("INSERT INTO scratch VALUES (2)")
            await database.execute("SELECT * FROM nowhere")

    async with transaction(None):
        await database.execute("INSERT INTO scratch VALUES (1)")
        with pytest.raises(asyncpg.UndefinedTableError):
            await fails()
        await database.execute("INSERT INTO scratch VALUES (3)")
    async with transaction(None):
        assert [row["number"] for row in await database.fetch("SELECT number FROM scratch ORDER BY 1")] == [1, 3]


async def test_a_transaction_stays_in_the_community_it_was_opened_for(pool: str) -> None:
    async with transaction(Scope(community_id=UUID(int=1))):
        with pytest.raises(RuntimeError, match="one community"):
            async with transaction(Scope(community_id=UUID(int=2))):
                pass
    async with transaction(None):
        with pytest.raises(RuntimeError, match="one community"):
            async with transaction(Scope(community_id=UUID(int=1))):
                pass


def of_two_communities(here: int = 1) -> Scope:
    mine = tuple(
        ResidentRecord(community_id=UUID(int=n), person_id=UUID(int=10 + n), name="张桂兰", community_name=f"社区{n}")
        for n in (1, 2)
    )
    return Scope(community_id=UUID(int=here), persons=mine)


async def test_a_list_of_every_community_inside_a_verb_of_one_is_refused_instead_of_being_short(pool: str) -> None:
    scope = of_two_communities()
    async with transaction(scope):
        with pytest.raises(RuntimeError, match="one community"):
            async with transaction(scope, communities=scope.home_ids):
                pass
    async with transaction(None):
        with pytest.raises(RuntimeError, match="one community"):
            async with transaction(scope, communities=scope.home_ids):
                pass


async def test_a_verb_of_one_community_inside_a_list_of_every_community_is_refused_instead_of_seeing_more(
    pool: str,
) -> None:
    async with transaction(of_two_communities(), communities=of_two_communities().home_ids):
        with pytest.raises(RuntimeError, match="one community"):
            async with transaction(of_two_communities()):
                pass


async def test_who_sees_the_same_communities_joins_whatever_else_they_may_do(pool: str) -> None:
    """The database knows only the caller's communities; permissions are checked on the scope that a verb gets."""
    async with transaction(of_two_communities()):
        async with transaction(Scope.of_system(UUID(int=1))):
            assert await database.fetch_value("SHOW timebank.communities") == f"{{{UUID(int=1)}}}"
        async with transaction(None):
            assert await database.fetch_value("SHOW timebank.communities") == f"{{{UUID(int=1)}}}"
    async with (
        transaction(of_two_communities(), communities=of_two_communities().home_ids),
        transaction(of_two_communities(2), communities=of_two_communities().home_ids),
    ):
        assert await database.fetch_value("SELECT cardinality(visible_communities())") == 2


async def test_what_is_counted_against_guessing_inside_a_verb_stays_counted_when_the_verb_is_refused(pool: str) -> None:
    key = f"guess:{uuid4()}"

    async def guess() -> None:
        async with transaction(None):
            await attempt_limits.count_attempt(key, most=2, window=timedelta(days=1))
            raise Conflict

    for refusal in (Conflict, Conflict, attempt_limits.TooManyAttempts):
        with pytest.raises(refusal):
            await guess()
    assert pool_of().get_idle_size() == pool_of().get_size()


async def test_limits_that_are_counted_together_do_not_wait_for_each_other_crosswise(pool: str) -> None:
    one, other = (attempt_limits.Limit(f"{name}:{uuid4()}", 100) for name in ("one", "other"))
    for both in [[one, other], [other, one]] * 10:
        await attempt_limits.count_attempts(both, window=timedelta(days=1))
    counts = [
        attempt_limits.count_attempts(both, window=timedelta(days=1)) for both in [[one, other], [other, one]] * 39
    ]
    await asyncio.wait_for(asyncio.gather(*counts), 60)
    for limit in (one, other):
        seen = attempt_limits.Limit(limit.key, 98, counts=False)
        with pytest.raises(attempt_limits.TooManyAttempts):
            await attempt_limits.count_attempts([seen], window=timedelta(days=1))
        await attempt_limits.count_attempts([attempt_limits.Limit(limit.key, 99)], window=timedelta(days=1))


async def test_settings_of_a_transaction_end_with_it(pool: str) -> None:
    """Connections return to the pool without a reset: the next verb may not see the communities or role of the last."""
    await fill_pool()
    for _ in range(pool_of().get_max_size()):
        async with transaction(Scope(community_id=UUID(int=1))):
            assert await database.fetch_value("SELECT current_user") == "timebank_app"
    for _ in range(pool_of().get_max_size()):
        connection = await pool_of().acquire()
        told = await connection.fetchrow(
            "SELECT current_user <> 'timebank_app', coalesce(current_setting('timebank.communities', true), ''), "
            "current_setting('lock_timeout')"
        )
        assert told is not None
        assert tuple(told) == (True, "", "0")
        await pool_of().release(connection)


async def test_who_waits_too_long_for_a_lock_is_told_to_come_back(
    pool: str, scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "50ms")
    async with transaction(None):
        await database.execute("INSERT INTO scratch VALUES (1)")
    locked, done = asyncio.Event(), asyncio.Event()

    async def holds() -> None:
        async with transaction(None):
            await database.execute("UPDATE scratch SET note = 'held'")
            locked.set()
            await done.wait()

    holding = asyncio.create_task(holds())
    await locked.wait()
    with pytest.raises(Busy):
        async with transaction(None):
            await database.execute("UPDATE scratch SET note = 'wanted'")
    done.set()
    await holding


async def test_of_two_verbs_in_a_deadlock_both_are_done_in_the_end(pool: str, scratch: str) -> None:
    async with transaction(None):
        await database.execute("INSERT INTO scratch VALUES (1), (2)")
    both_hold_one = asyncio.Barrier(2)
    attempts = 0

    @retried
    async def touch(first: int, second: int) -> None:
        nonlocal attempts
        attempts += 1
        async with transaction(None):
            await database.execute("UPDATE scratch SET note = note || 'x' WHERE number = $1", first)
            if attempts <= 2:
                await both_hold_one.wait()
            await database.execute("UPDATE scratch SET note = note || 'x' WHERE number = $1", second)

    await asyncio.gather(touch(1, 2), touch(2, 1))
    assert attempts == 3
    async with transaction(None):
        assert [row["note"] for row in await database.fetch("SELECT note FROM scratch")] == ["xx", "xx"]


async def test_without_a_pool_the_refusal_says_what_to_check(pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.engine, "pool", None)
    with pytest.raises(NotOpen, match="TIMEBANK_DATABASE_URL"):
        async with transaction(None):
            pass
