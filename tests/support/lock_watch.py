"""Records which transaction waits for which, by polling the database's lock waits from a separate thread."""

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

from timebank.core.database import sharing, transactions

DOING: ContextVar[str] = ContextVar("doing", default="test")
"""The name of what the running task does; its transactions have this `application_name`."""

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
    """Polls on its own connection which transactions wait for which others."""

    def __init__(self, url: str) -> None:
        self.looks = 0
        self.seen_in: Counter[str] = Counter()
        self.waits: dict[Transaction, set[Transaction]] = defaultdict(set)
        self._url, self._ends = url, threading.Event()

    def look(self) -> None:
        """Poll until `end()`. It runs in a thread, so that a busy event loop does not delay it."""
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
                time.sleep(LOOK_AGAIN_SECONDS)  # noqa: ASYNC251  # no other task is in this loop
        finally:
            await connection.close()

    def end(self) -> None:
        self._ends.set()

    def met(self, waiting: str, holding: str) -> list[set[Transaction]]:
        """For each transaction named `waiting` that waited for some named `holding`: the set of those it waited for."""
        found = [
            {holder for holder in holders if holder.doing == holding}
            for waiter, holders in self.waits.items()
            if waiter.doing == waiting
        ]
        return [holders for holders in found if holders]


@contextmanager
def watching(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LockWatch]:
    """Watch the locks while the block runs; each transaction has the name that its task set with `doing`.

    Transactions named "trial" are read only, so the database refuses to write or lock a row in them.
    """
    opened = transactions.begin_sql

    def named(*given: object, **more: object) -> str:
        begin = opened(*given, **more)  # type: ignore[arg-type]  # just what it is given
        begin += f"; SET LOCAL application_name = '{DOING.get()}'"
        return begin + "; SET TRANSACTION READ ONLY" * (DOING.get() == "trial")

    watch = LockWatch(url)
    thread = threading.Thread(target=watch.look)
    with monkeypatch.context() as patch:
        patch.setattr(transactions, "begin_sql", named)
        patch.setattr(sharing, "begin_sql", named)
        thread.start()
        try:
            yield watch
        finally:
            watch.end()
            thread.join()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Name the transactions of the block."""
    token = DOING.set(what)
    try:
        yield
    finally:
        DOING.reset(token)
