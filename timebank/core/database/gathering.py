"""A group of coroutines whose reads are sent together; `database.gathering` opens one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from timebank.core.database.questions import Question, asked_together

T = TypeVar("T")
Send = Callable[[str, list[object]], Awaitable[Sequence[str | None]]]
_Asked: TypeAlias = "tuple[Sequence[Question], asyncio.Future[list[str | None]]]"


class Group:
    """Coroutines of one transaction. When all of them wait for the database, one statement asks for all of them.

    `send` sends a statement and returns its columns. A statement that cannot be put together with others is sent under
    `alone`, since a connection carries one at a time.
    """

    def __init__(self, send: Send) -> None:
        self.alone = asyncio.Lock()
        self._send = send
        self._running = 1  # the coroutine that has opened the group
        self._waiting: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    def start(self, read: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine beside the others."""
        self._running += 1
        task = asyncio.create_task(read)
        task.add_done_callback(lambda _: self._rest())
        return task

    async def ask(self, questions: Sequence[Question]) -> list[str | None]:
        """The answers to a coroutine's questions, as JSON; they are sent when every coroutine of the group waits."""
        answers: asyncio.Future[list[str | None]] = asyncio.get_running_loop().create_future()
        self._waiting.append((questions, answers))
        self._rest()
        return await answers

    async def finish(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        """Wait for coroutines of the group. If one raises, the others are cancelled and its exception is raised."""
        self._rest()
        try:
            await asyncio.gather(*tasks)
        finally:
            self._running += 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._sending is not None:
                await asyncio.gather(self._sending, return_exceptions=True)

    def _rest(self) -> None:
        """One coroutine less is running: it waits, or it is done."""
        self._running -= 1
        if not self._running and self._waiting:
            batch, self._waiting = self._waiting, []
            self._running = len(batch)
            self._sending = asyncio.create_task(self._answer(batch))

    async def _answer(self, batch: Sequence[_Asked]) -> None:
        try:
            sql, values = asked_together([question for questions, _ in batch for question in questions])
            found = iter(await self._send(sql, values))
        except Exception as error:  # noqa: BLE001  # whoever waits for an answer gets it
            for _, answers in batch:
                if not answers.done():
                    answers.set_exception(error)
            return
        for questions, answers in batch:
            own = list(islice(found, len(questions)))
            if not answers.done():
                answers.set_result(own)
