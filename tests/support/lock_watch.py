"""Who waits for whose locks, looked at in the database from beside while the waiting goes on."""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import NamedTuple

import asyncpg
import pytest

from timebank.core.database import transactions

DOING: ContextVar[str] = ContextVar("doing", default="test")
"""What the running task does: the transactions that it opens bear this name in the database."""

LOOK_AGAIN_SECONDS = 0.004

_WAITING = """
SELECT w.pid, w.application_name, w.xact_start, b.pid, b.application_name, b.xact_start
FROM pg_stat_activity w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS by (pid)
JOIN pg_stat_activity b ON b.pid = by.pid
WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
"""


class Transaction(NamedTuple):
    pid: int
    doing: str
    began: datetime


class LockWatch:
    """What a connection of its own sees, again and again, of who waits for whom."""

    def __init__(self, url: str) -> None:
        self.looks = 0
        self.seen_in: Counter[str] = Counter()
        self.waits: dict[Transaction, set[Transaction]] = defaultdict(set)
        self._url, self._ends = url, threading.Event()

    def look(self) -> None:
        """Look until it is told to end: in a thread, so that nothing of the tests keeps it from looking."""
        asyncio.run(self._look())

    async def _look(self) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            while not self._ends.is_set():
                for row in await connection.fetch(_WAITING):
                    self.waits[Transaction(*tuple(row)[:3])].add(Transaction(*tuple(row)[3:]))
                found = await connection.fetch(
                    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() "
                    "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
                )
                self.seen_in.update(row[0] for row in found)
                self.looks += 1
                time.sleep(LOOK_AGAIN_SECONDS)  # noqa: ASYNC251  # alone in its loop
        finally:
            await connection.close()

    def end(self) -> None:
        self._ends.set()

    def met(self, waiting: str, holding: str) -> list[set[Transaction]]:
        """For each transaction of the one name that waited for some of the other: which they were."""
        found = [
            {holder for holder in holders if holder.doing == holding}
            for waiter, holders in self.waits.items()
            if waiter.doing == waiting
        ]
        return [holders for holders in found if holders]


@contextmanager
def watching(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LockWatch]:
    """Watch the locks while the block runs; each transaction bears the name of what its task does.

    Those of a "trial" are read only: the database refuses whatever would write or lock a row.
    """
    opened = transactions._begin

    def named(*given: object, **more: object) -> str:
        begin = opened(*given, **more)  # type: ignore[arg-type]  # just what it is given
        begin += f"; SET LOCAL application_name = '{DOING.get()}'"
        return begin + "; SET TRANSACTION READ ONLY" * (DOING.get() == "trial")

    watch = LockWatch(url)
    thread = threading.Thread(target=watch.look)
    with monkeypatch.context() as patch:
        patch.setattr(transactions, "_begin", named)
        thread.start()
        try:
            yield watch
        finally:
            watch.end()
            thread.join()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Name what the block does."""
    token = DOING.set(what)
    try:
        yield
    finally:
        DOING.reset(token)
