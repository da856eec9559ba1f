"""Sends HTTP requests over keep-alive connections, with little enough CPU time to share a machine with the service."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Load:
    """How many requests got the expected answer, in how many seconds, and the first answer that was another."""

    expected: re.Pattern[bytes]
    until: float
    answered: int = 0
    seconds: float = 0.0
    last: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


class _Visitor(asyncio.Protocol):
    """One connection that sends a request, waits for the whole response and sends the next."""

    def __init__(self, requests: Iterator[bytes], load: Load) -> None:
        self.requests, self.load = requests, load
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
        self.awaited = 0  # the length of the response, once its head is here
        self.is_waiting = False
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def _send(self) -> None:
        """Send the next request; without one, after the time is over or after a wrong answer, close."""
        assert self.transport is not None
        request = None if self.load.wrong or time.perf_counter() >= self.load.until else next(self.requests, None)
        if request is None:
            self.transport.close()
        else:
            self.is_waiting = True
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.awaited:
            head = self.buffer.find(b"\r\n\r\n")
            length = _LENGTH.search(self.buffer, 0, head) if head > 0 else None
            if length is None:
                return
            self.awaited = head + 4 + int(length[1])
        if len(self.buffer) < self.awaited:
            return
        if self.load.expected.match(self.buffer):
            self.load.answered += 1
            self.load.last = time.perf_counter()
        else:
            self.load.wrong.append(self.buffer.decode(errors="replace"))
        self.buffer.clear()
        self.awaited, self.is_waiting = 0, False
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_waiting:
            self.load.wrong.append(f"the connection was closed before the answer: {exc}")
        if not self.over.done():
            self.over.set_result(None)


async def drive(
    port: int, requests: Iterator[bytes], expected: re.Pattern[bytes], *, connections: int, seconds: float
) -> Load:
    """Send requests over this many connections in parallel for `seconds`, or until there are no more.

    Each response must match `expected` from its first byte on; the first that does not ends the run.
    """
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    load = Load(expected, began + seconds)
    visitors = [
        (await loop.create_connection(lambda: _Visitor(requests, load), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(visitor.over for visitor in visitors))
    load.seconds = (load.last or time.perf_counter()) - began
    return load
