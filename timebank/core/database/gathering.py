"""A group of coroutines whose reads are sent together; `database.gathering` opens one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from timebank.core.database.questions import Question, asked_together

T = TypeVar("T")
Send = Callable[[str, list[object]], Awaitable[Sequence[str | None]]]


class Group:
    """Coroutines of one transaction. When all of them wait for the database, one statement asks for all of them.

    `send` sends a statement and returns its columns. A statement that cannot be put together with others is sent under
    `alone`, since a connection carries one at a time.
    """

    def __init__(self, send: Send) -> None:
        self.alone = asyncio.Lock()
        self._send = send
        self._running = 1  # the coroutine that has opened the group
        self._waiting: list[tuple[Question, asyncio.Future[str | None]]] = []
        self._sending: asyncio.Task[None] | None = None

    def start(self, read: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine beside the others."""
        self._running += 1
        task = asyncio.create_task(read)
        task.add_done_callback(lambda _: self._rest())
        return task

    async def ask(self, question: Question) -> str | None:
        """The answer to one question, as JSON; it is sent when every coroutine of the group waits."""
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        self._rest()
        return await answer

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

    async def _answer(self, batch: Sequence[tuple[Question, "asyncio.Future[str | None]"]]) -> None:
        sql, values = asked_together([question for question, _ in batch])
        try:
            answers = await self._send(sql, values)
        except Exception as error:  # noqa: BLE001  # whoever waits for an answer gets it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
