"""The processes of the service: none outlives its parent, takes another along, or leaves anything behind."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from tests.support.outside import (
    PASSWORD,
    PHONE,
    Outside,
    Process,
    is_alive,
    is_ready,
    lines,
    outside,
    reason,
    serving_children,
    sign_in,
    until,
)
from timebank.commands import supervising
from timebank.commands.supervising import Lifeline, Supervisor, WorkersFail


@pytest.fixture(scope="module")
def place() -> Iterator[Outside]:
    with outside() as there:
        there.found_town()
        yield there


@pytest.fixture
def serving(place: Outside) -> Process:
    """Two serving processes that are ready."""
    process = place.begin("serve", "--port", "0", "--workers", "2")
    until(lambda: is_ready(place.address(process)))
    until(lambda: len(serving_children(process)) == 2)
    return process


def metrics(place: Outside) -> list[Path]:
    return list(place.folder.glob("timebank-metrics-*"))


def is_replaced(serving: Process, killed: int) -> bool:
    children = serving_children(serving)
    return killed not in children and len(children) == 2


def test_a_serving_process_that_is_killed_is_started_again(place: Outside, serving: Process) -> None:
    address = place.address(serving)
    for _ in range(3):
        killed, other = until(lambda: both if len(both := serving_children(serving)) == 2 else None)
        os.kill(killed, signal.SIGKILL)
        until(partial(is_replaced, serving, killed))
        assert other in serving_children(serving)
        until(lambda: is_ready(address))
    sign_in(address)
    assert serving.poll() is None
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(60) == 0
    ended = [line for line in lines(place.said(serving)) if line["event"] == "serving process ended"]
    assert [line["status"] for line in ended] == [-signal.SIGKILL] * 3
    assert metrics(place) == [], "the folder of the metrics ends with the service"


def test_serving_processes_end_when_their_parent_is_killed_and_free_the_port(place: Outside, serving: Process) -> None:
    port = urlsplit(place.address(serving)).port
    assert port is not None
    children = serving_children(serving)
    serving.kill()
    serving.wait()
    until(lambda: not any(is_alive(child) for child in children))
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
    assert len(metrics(place)) == 1, "what was killed cleans up nothing"
    after = place.begin("serve", "--port", "0", "--workers", "2")
    until(lambda: is_ready(place.address(after)))
    assert len(metrics(place)) == 1, "the next service removes it, and has its own"
    other = place.begin("serve", "--port", "0", "--workers", "2")
    until(lambda: is_ready(place.address(other)))
    assert len(metrics(place)) == 2, "that of a service that runs is left alone"
    for process in (after, other):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert metrics(place) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_told_to_stop_it_is_unready_first_then_ends_what_it_began(place: Outside, workers: str) -> None:
    process = place.begin("serve", "--port", "0", "--workers", workers, TIMEBANK_LEAVE_SECONDS="3")
    address = place.address(process)
    until(lambda: is_ready(address))
    if workers == "2":
        until(lambda: len(serving_children(process)) == 2)
    begun, answers = threading.Event(), list[int]()
    slow = threading.Thread(target=_sign_in_slowly, args=(address, begun, answers))
    slow.start()
    begun.wait()
    process.send_signal(signal.SIGTERM)
    until(lambda: reason(address) == "stopping")
    assert httpx.get(f"{address}/sign-in").status_code == 200, "requests are still answered"
    slow.join()
    assert answers == [201], "what had begun is finished"
    assert process.wait(60) == 0


def _sign_in_slowly(address: str, begun: threading.Event, answers: list[int]) -> None:
    """A request whose last bytes arrive after the stop signal."""

    def body() -> Iterator[bytes]:
        yield f'{{"phone": "{PHONE}", '.encode()
        begun.set()
        time.sleep(2)
        yield f'"password": "{PASSWORD}"}}'.encode()

    headers = {"Content-Type": "application/json"}
    answers.append(httpx.post(f"{address}/api/v1/sessions", content=body(), headers=headers, timeout=30).status_code)


def ends_at_once(_: Lifeline) -> None:
    sys.exit(3)


async def test_what_fails_at_every_start_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "FIRST_WAIT_SECONDS", 0.01)
    supervisor = Supervisor(
        work=ends_at_once,
        count=1,
        stop_seconds_max=5,
        announce=lambda: pytest.fail("nothing serves"),
        forget=lambda _: None,
    )
    with pytest.raises(WorkersFail) as failed:
        await asyncio.wait_for(supervisor.run(asyncio.Event()), 120)
    assert failed.value.values == {"count": supervising.FAILED_STARTS_MAX, "status": 3}


def run_sql(place: Outside, *statements: str) -> object:
    """The value that the last of some statements answers; the superuser asks."""

    async def ask() -> object:
        connection = await asyncpg.connect(place.url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(ask())


UNCOUNTED = "UPDATE pg_class SET reltuples = -1 WHERE relname = 'region'"
COUNTED = "SELECT reltuples >= 0 FROM pg_class WHERE relname = 'region'"


def test_a_restored_database_has_statistics_after_migrating(place: Outside) -> None:
    assert run_sql(place, UNCOUNTED, COUNTED) is False
    ran = place.run("migrate")
    assert ran.returncode == 0, ran.stderr
    assert run_sql(place, COUNTED) is True


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_restored_database_gets_statistics_when_it_is_served(place: Outside, workers: str) -> None:
    assert run_sql(place, UNCOUNTED, COUNTED) is False
    process = place.begin("serve", "--port", "0", "--workers", workers)
    until(lambda: is_ready(place.address(process)))
    until(lambda: run_sql(place, COUNTED))
    process.terminate()
    assert process.wait(60) == 0


def test_where_no_statistics_can_be_made_it_migrates_and_serves_all_the_same(place: Outside) -> None:
    refused = "REVOKE EXECUTE ON FUNCTION analyze_new_tables FROM timebank_app"
    try:
        assert run_sql(place, refused, UNCOUNTED, COUNTED) is False
        ran = place.run("migrate")
        assert ran.returncode == 0, ran.stderr
        process = place.begin("serve", "--port", "0")
        until(lambda: is_ready(place.address(process)))
        until(lambda: "no statistics made" in place.said(process))
        assert is_ready(place.address(process))
        assert run_sql(place, COUNTED) is False
        process.terminate()
        assert process.wait(60) == 0
    finally:
        run_sql(place, "GRANT EXECUTE ON FUNCTION analyze_new_tables TO timebank_app", "SELECT 1")


def test_a_second_demo_in_a_folder_is_refused_and_the_first_goes_on(place: Outside) -> None:
    data = ("--data", str(place.folder / "demo"))
    alone: dict[str, str | None] = {"TIMEBANK_DATABASE_URL": None, "TIMEBANK_SECRET_KEY": None}
    first = place.begin("demo", "--port", "0", *data, **alone)
    until(lambda: (place.folder / "demo" / "secret.key").exists())
    key = (place.folder / "demo" / "secret.key").read_text()
    second = place.run("demo", "--port", "0", *data, TIMEBANK_DATABASE_URL=None, TIMEBANK_SECRET_KEY=None)
    assert (second.returncode, second.stderr.count("\n")) == (1, 1)
    assert "里的演示正在运行" in second.stderr
    assert first.poll() is None
    first.kill()
    first.wait()
    heir = place.begin("demo", "--port", "0", *data, **alone)
    until(lambda: _is_held(place.folder / "demo" / "owner.lock"))
    assert (place.folder / "demo" / "secret.key").read_text() == key
    heir.send_signal(signal.SIGTERM)
    assert heir.wait(120) == 130, "broken off in the middle of its seeding"
    until(lambda: not (place.folder / "demo" / "pgdata" / "postmaster.pid").exists())


def _is_held(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
