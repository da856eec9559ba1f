"""Supervise several serving processes on one port: restart each that ends, and stop all when the parent ends."""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import structlog

from timebank.core.errors import TimebankError

FIRST_WAIT_SECONDS = 0.5
LAST_WAIT_SECONDS = 30.0
FAILED_STARTS_MAX = 5
"""Failed starts in a row after which the supervisor gives up."""

log = structlog.get_logger()

Work = Callable[["Lifeline"], None]


class WorkersFail(TimebankError):
    code = "workers_fail"
    status = 500
    sentence = "服务进程连续 {count} 次没有启动成功（最后一次退出码 {status}）。请看日志，改好后再启动。"


@dataclass(slots=True)
class Lifeline:
    """The child's end of the pipe to its parent: it reports the start, and notices the parent's end."""

    line: Connection

    def tell_started(self) -> None:
        with suppress(OSError):
            self.line.send_bytes(b"started")

    @asynccontextmanager
    async def ends(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Set `stop` when the parent ends for any reason: the system then closes the parent's end of the pipe."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.line.fileno(), stop.set)
        try:
            yield
        finally:
            loop.remove_reader(self.line.fileno())


@dataclass(kw_only=True)
class Supervisor:
    """Keeps `count` processes running until told to stop.

    `announce` is called once, when the first process serves; `forget` with the process id of each that has ended.
    """

    work: Work
    count: int
    stop_seconds_max: float
    announce: Callable[[], None]
    forget: Callable[[int], None]
    _failed_starts: int = 0
    _has_served: bool = False
    _failed: asyncio.Future[int] = field(init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then end all processes.

        Raises WorkersFail after `FAILED_STARTS_MAX` failed starts in a row.
        """
        self._failed = asyncio.get_running_loop().create_future()
        ended = asyncio.Event()
        keeping = [asyncio.create_task(self._keep(ended)) for _ in range(self.count)]
        stopping = asyncio.create_task(stop.wait())
        try:
            ends: list[asyncio.Future[Any]] = [stopping, self._failed, *keeping]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.set()
            stopping.cancel()
            await asyncio.gather(*keeping)
        if self._failed.done():
            raise WorkersFail(count=self._failed_starts, status=self._failed.result())

    async def _keep(self, ended: asyncio.Event) -> None:
        """Keep one process running: start a new one when it ends, after a wait that doubles with each failed start."""
        wait = FIRST_WAIT_SECONDS
        while not ended.is_set() and not self._failed.done():
            process, line = self._start()
            started = asyncio.Event()
            status = await self._until_it_ends(process, line, started, ended)
            if process.pid is not None:
                self.forget(process.pid)
            if ended.is_set():
                return
            log.error("serving process ended", pid=process.pid, status=status, had_started=started.is_set())
            if started.is_set():
                wait = FIRST_WAIT_SECONDS
            elif not self._count_failure(status):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), wait)
            wait = min(wait * 2, LAST_WAIT_SECONDS)

    def _count_failure(self, status: int) -> bool:
        """Count a failed start; False once `FAILED_STARTS_MAX` in a row have failed."""
        self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS_MAX and not self._failed.done():
            self._failed.set_result(status)
        return not self._failed.done()

    def _start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = multiprocessing.Pipe()
        # Ctrl-C reaches every process of a terminal; the children are stopped by us, so that each drains its requests.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = multiprocessing.get_context("spawn").Process(target=self.work, args=(Lifeline(theirs),))
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            theirs.close()
        return process, ours

    async def _until_it_ends(
        self, process: BaseProcess, line: Connection, started: asyncio.Event, ended: asyncio.Event
    ) -> int:
        """Wait until the process ends, end it when `ended` is set, and return its exit status (negative: a signal)."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()

        def told() -> None:
            loop.remove_reader(line.fileno())
            with suppress(EOFError, OSError):
                line.recv_bytes()
                started.set()
                self._tell_that_it_serves()

        def over() -> None:
            loop.remove_reader(process.sentinel)
            gone.set()

        loop.add_reader(line.fileno(), told)
        loop.add_reader(process.sentinel, over)
        ending = asyncio.create_task(self._end(process, ended))
        await gone.wait()
        ending.cancel()
        loop.remove_reader(line.fileno())
        line.close()
        process.join()
        assert process.exitcode is not None
        return process.exitcode

    def _tell_that_it_serves(self) -> None:
        self._failed_starts = 0
        if not self._has_served:
            self._has_served = True
            self.announce()

    async def _end(self, process: BaseProcess, ended: asyncio.Event) -> None:
        await ended.wait()
        process.terminate()
        await asyncio.sleep(self.stop_seconds_max)
        process.kill()
