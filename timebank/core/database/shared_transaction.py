"""A transaction that several verbs share, and the statements of theirs that are sent together; see `sharing`."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from timebank.core.errors import RanIntoAnother

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


class NeedsOwn(RanIntoAnother):
    """What the verb does cannot be done in a shared transaction, or that one was rolled back: it needs its own."""


class SharedTransaction:
    """The verbs that share a transaction. One of them that fails ends it for all, and nothing is written.

    A statement of theirs returns exactly one row, and a verb waits for one at a time. Those of one text are sent in one
    go, in the order of the keys, so that two shared transactions lock the same rows in the same order.
    """

    def __init__(self, connection: "PoolConnectionProxy", count: int) -> None:
        self.has_failed = False
        self.over = asyncio.Event()
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._running = count
        self._asking: set[UUID] = set()
        self._waiting: list[tuple[UUID, str, Sequence[object], asyncio.Future[asyncpg.Record]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, key: UUID, sql: str, values: Sequence[object]) -> asyncpg.Record:
        """The row that a verb's statement returns.

        Raises NeedsOwn if the transaction fails meanwhile, and for a second statement beside the first: the end of a
        verb would not be known.
        """
        if self.has_failed or key in self._asking:
            raise NeedsOwn
        self._asking.add(key)
        answer: asyncio.Future[asyncpg.Record] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, sql, values, answer))
        self._rest()
        try:
            return await answer
        except asyncio.CancelledError:
            self._running += 1  # it does not wait any more: `leave` counts it as one that was running
            raise
        finally:
            self._asking.discard(key)

    def leave(self, *, failed: bool = False) -> None:
        """A verb has come to its end, or raised."""
        self.has_failed = self.has_failed or failed
        self._rest()

    def _rest(self) -> None:
        """One verb less is running: it waits for the database, or it has left."""
        self._running -= 1
        if self._running:
            return
        if not self._waiting:
            self.over.set()
            return
        batch, self._waiting = sorted(self._waiting, key=lambda one: one[0]), []
        self._running = len(batch)
        self._sending = asyncio.create_task(self._answer(batch))

    async def _answer(
        self, batch: "Sequence[tuple[UUID, str, Sequence[object], asyncio.Future[asyncpg.Record]]]"
    ) -> None:
        found: Sequence[asyncpg.Record] = ()
        try:
            if not self.has_failed:
                found = await fetch_each(self._connection, [(sql, values) for _, sql, values, _ in batch])
        except Exception:  # noqa: BLE001  # each verb is run again by itself, and gets what it has caused
            self.has_failed = True
        for number, (*_, answer) in enumerate(batch):
            if answer.done():  # the verb was cancelled
                self._rest()
            elif self.has_failed:
                answer.set_exception(NeedsOwn())
            else:
                answer.set_result(found[number])


async def fetch_each(
    connection: "PoolConnectionProxy", asked: Sequence[tuple[str, Sequence[object]]]
) -> list[asyncpg.Record]:
    """The row of each statement, in their order; those of one text are sent in one go."""
    same: defaultdict[str, list[int]] = defaultdict(list)
    for number, (sql, _) in enumerate(asked):
        same[sql].append(number)
    found: dict[int, asyncpg.Record] = {}
    for sql, numbers in same.items():
        found |= zip(numbers, await connection.fetchmany(sql, [asked[n][1] for n in numbers]), strict=True)
    return [found[number] for number in range(len(asked))]
