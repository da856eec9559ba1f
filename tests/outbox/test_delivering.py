"""What a verb has left is delivered once, whoever fails, stops or works at the same time."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.outbox.parcels import WALKS, left
from tests.support.town import SPRING, Town
from timebank.core import clock, database
from timebank.core.capability import also
from timebank.core.database import transaction
from timebank.outbox.attempts import ATTEMPTS_MAX, next_attempt
from timebank.outbox.delivering import deliver_due, purge_delivered
from timebank.outbox.putting import put

ROOT = Path(__file__).parents[2]
EFFECTS = "SELECT count(*) FROM audit WHERE verb = 'delivered'"
NINE = datetime(2026, 10, 20, 1, 0, tzinfo=UTC)


@pytest.fixture
def walks() -> Iterator[None]:
    with also(WALKS):
        yield


async def test_what_is_left_by_a_verb_is_delivered_once_however_often_it_is_left(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    await left(town.system(), "a", "a", "b")
    await left(town.system(), "a")
    assert await deliver_due(town.system()) == 2
    assert await deliver_due(town.system()) == 0
    await left(town.system(), "a")
    assert await deliver_due(town.system()) == 0, "delivered is delivered"
    assert await owner.fetchval(EFFECTS) == 2


async def test_nothing_is_delivered_of_a_verb_that_was_rolled_back(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    async def fails_after_putting() -> None:
        async with transaction(town.system()):
            await put(town.system(), "walk", "a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_after_putting()
    assert await deliver_due(town.system()) == 0
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 0


async def test_nothing_is_left_outside_of_a_transaction(town: Town) -> None:
    with pytest.raises(RuntimeError):
        await put(town.system(), "walk", "a", {})


async def test_ten_workers_at_once_deliver_each_row_once(town: Town, owner: asyncpg.Connection, walks: None) -> None:
    await left(town.system(), *map(str, range(40)))
    delivered = await asyncio.gather(*[deliver_due(town.system()) for _ in range(10)])
    assert sum(delivered) == 40
    assert await owner.fetchval(EFFECTS) == 40
    assert await owner.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL AND attempts = 1") == 40


async def test_another_communitys_rows_are_delivered_by_its_own_run(town: Town, walks: None) -> None:
    await left(town.system(SPRING), "a")
    assert await deliver_due(town.system()) == 0
    assert await deliver_due(town.system(SPRING)) == 1


async def test_nothing_is_delivered_before_it_is_due(town: Town, walks: None) -> None:
    with clock.at(NINE):
        async with transaction(town.system()):
            await put(town.system(), "walk", "a", {}, due_at=NINE + timedelta(hours=1))
        assert await deliver_due(town.system()) == 0
    with clock.at(NINE + timedelta(hours=1)):
        assert await deliver_due(town.system()) == 1


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60)])
def test_pauses_grow_up_to_an_hour(attempts: int, minutes: int) -> None:
    assert next_attempt(attempts, NINE) == NINE + timedelta(minutes=minutes)


async def test_what_fails_leaves_nothing_is_tried_eight_times_and_then_no_more(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    now = NINE
    with clock.at(now):
        await left(town.system(), "a", fails="always")
        await left(town.system(), "b")
    for attempt in range(1, ATTEMPTS_MAX + 1):
        with clock.at(now), capture_logs() as lines:
            await deliver_due(town.system())
            assert await deliver_due(town.system()) == 0
        assert [line["attempts"] for line in lines if line["event"] == "not delivered"] == [attempt]
        assert "张桂兰" not in str(lines), "the error's own words may quote a person"
        now = next_attempt(attempt, now)
    assert await owner.fetchval(EFFECTS) == 1, "only the other one's"
    row = await owner.fetchrow("SELECT attempts, dead_at, last_error::text FROM outbox WHERE key = 'a'")
    assert row is not None
    assert (row["attempts"], row["dead_at"] is not None) == (8, True)
    assert row["last_error"] == '{"code": "delivery_failed", "values": {}}'
    with clock.at(now + timedelta(days=9)):
        assert await deliver_due(town.system()) == 0


async def test_a_row_of_a_kind_that_nobody_delivers_yet_waits_and_does_not_die(
    town: Town, owner: asyncpg.Connection
) -> None:
    with clock.at(NINE):
        await left(town.system(), "a")
    with clock.at(NINE + timedelta(days=40)):
        assert await deliver_due(town.system()) == 0
        await purge_delivered(town.system())
        assert await owner.fetchval("SELECT attempts FROM outbox") == 0
        with also(WALKS):
            assert await deliver_due(town.system()) == 1


async def test_a_killed_worker_has_delivered_nothing_and_the_next_one_delivers_once(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    await left(town.system(), "a", hangs="once")
    environment = os.environ | {"TIMEBANK_DATABASE_URL": database.engine.config["dsn"], "TEST_HANGS": "1"}
    command = [sys.executable, "-m", "tests.outbox.parcels", str(town.community)]
    worker = await asyncio.create_subprocess_exec(*command, env=environment, cwd=ROOT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"delivering\n"
    assert await deliver_due(town.system()) == 0, "it is in another worker's hands"
    worker.kill()
    await worker.wait()
    # The server notices a lost client a moment later: until it has rolled back, the row counts as taken.
    await owner.fetchval("SELECT id FROM outbox WHERE key = 'a' FOR UPDATE")
    assert await owner.fetchval(EFFECTS) == 0
    assert await deliver_due(town.system()) == 0, "the next attempt has its time"
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await deliver_due(town.system()) == 1
    assert await owner.fetchval(EFFECTS) == 1
    assert await owner.fetchval("SELECT attempts FROM outbox") == 2


async def test_a_row_that_kills_its_worker_each_time_is_not_tried_for_ever(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    await left(town.system(), "a")
    await owner.execute("UPDATE outbox SET attempts = 8")  # each begun, none ended
    await left(town.system(), "b")
    assert await deliver_due(town.system()) == 1, "the one behind it"
    row = await owner.fetchrow("SELECT dead_at, last_error ->> 'code' AS code FROM outbox WHERE key = 'a'")
    assert row is not None
    assert row["dead_at"] is not None
    assert row["code"] == "delivery_interrupted"


async def test_a_slow_worker_whose_row_another_one_has_delivered_delivers_nothing(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    """Its attempt lasted longer than the pause: the row is locked again, and looked at, before its effect."""
    await left(town.system(), "a")
    runs = [deliver_due(town.system())]
    with clock.at(clock.now() + timedelta(minutes=2)):
        runs += [deliver_due(town.system()) for _ in range(4)]
        await asyncio.gather(*runs)
    assert await owner.fetchval(EFFECTS) == 1


async def test_what_was_delivered_is_forgotten_after_thirty_days_and_nothing_else_is(
    town: Town, owner: asyncpg.Connection, walks: None
) -> None:
    with clock.at(NINE):
        await left(town.system(), "a", "b")
        await left(town.system(), "later", kind="unknown")
        await left(town.system(), "dead", "gone", fails="always")
        await owner.execute("UPDATE outbox SET attempts = 8, dead_at = $1 WHERE key IN ('dead', 'gone')", NINE)
        await owner.execute("UPDATE outbox SET given_up_at = $1 WHERE key = 'gone'", NINE)
        await deliver_due(town.system())
    for days, keys in ((30, {"a", "b", "later", "dead", "gone"}), (31, {"later", "dead"})):
        with clock.at(NINE + timedelta(days=days)):
            await purge_delivered(town.system())
        assert {row["key"] for row in await owner.fetch("SELECT key FROM outbox")} == keys


async def test_the_serving_login_deletes_nothing_that_is_to_be_delivered_and_changes_no_payload(
    town: Town, serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await left(town.system(), "a")
    async with serving.transaction():
        await serving.execute("SET LOCAL ROLE timebank_app")
        await serving.execute(f"SET LOCAL timebank.communities = '{{{town.community}}}'")
        assert await serving.execute("DELETE FROM outbox") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with serving.transaction():
                await serving.execute("UPDATE outbox SET payload = '{}'")
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 1
