"""A batcher: requests that wait at the same time are executed together by one statement."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Batcher(Generic[Q, A]):
    """Batcher: each caller passes one question and gets one answer; questions that wait are executed in one batch.

    `answer_all` gets up to `most` questions and returns the answers in the same order; an answer may be an exception.
    At most `at_once` batches run at the same time; later questions wait for the next batch. An idle batcher starts at
    once, without collecting.
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        *,
        most: int = 64,
        at_once: int = 2,
    ) -> None:
        self._answer_all = answer_all
        self._most = most
        self._free = at_once
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, question: Q) -> A:
        """The answer to one question; raises the exception that `answer_all` returned for it or raised."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                await self._answer(group)
        finally:
            self._free += 1

    async def _answer(self, group: list[tuple[Q, "asyncio.Future[A]"]]) -> None:
        try:
            answers = await self._answer_all([question for question, _ in group])
        except BaseException as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(group, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
