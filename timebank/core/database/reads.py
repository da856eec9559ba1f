"""Read many things at once.

A verb that people wait for reads its facts by `read`: one statement asks several questions and gives one typed answer.
Each capability writes the questions about its own tables, and a verb puts those that it needs together.

A page puts together what several capabilities show. It runs their reads side by side in `gathering`: each goes on until
it needs the database, and when all of them wait, one statement asks for all of them.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from timebank.core.database.gathering import Group
from timebank.core.database.questions import Question, asked_together
from timebank.core.database.statements import fetch_only
from timebank.core.database.transactions import current

T = TypeVar("T")


async def read(shape: type[T], **questions: Question) -> T:
    """Answer the questions by one statement; the fields of `shape` are their names and give the types. In a `gathering`
    it is the statement of all that wait.

    Values come as JSON: a time with its zone, a binary string as `encode(..., 'base64')` makes it. All questions see
    the database as of the start of the statement. A question that has waited for a row lock sees the locked row as it
    is now and everything else as it was before: what must be true under a lock is read by the next statement.
    """
    group = current().group
    if group is None:
        sql, values = asked_together(list(questions.values()), list(questions))
        return msgspec.json.decode((await fetch_only(sql, *values))[0], type=shape)
    answers = zip(questions, await group.ask(list(questions.values())), strict=True)
    return msgspec.json.decode(
        "{" + ",".join([f'"{name}":{found or "null"}' for name, found in answers]) + "}", type=shape
    )


class Reads:
    """Reads that run side by side; see `gathering`."""

    def __init__(self, group: Group) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self._group = group

    def start(self, read: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a read beside the others. Its `result()` is there when the block has ended."""
        task = self._group.start(read)
        self.tasks.append(task)
        return task


@asynccontextmanager
async def gathering() -> AsyncIterator[Reads]:
    """Run the reads that are started in the block side by side, in the open transaction, until all are done.

    `database.rows`, `row`, `read_value` and `read` are put together into one statement when every one of them waits;
    any other statement is sent by itself. If a read raises, the others are cancelled. A block in a block joins it.
    """
    opened = current()
    outermost = opened.group is None
    group = opened.group or Group(_send)
    opened.group, reads = group, Reads(group)
    try:
        try:
            yield reads
        finally:
            await group.finish(reads.tasks)
    finally:
        if outermost:
            opened.group = None


async def _send(sql: str, values: list[object]) -> list[str | None]:
    return list(await fetch_only(sql, *values))
