"""Sends HTTP requests over keep-alive connections, with little enough CPU time to share a machine with the service."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class Load:
    """The number of responses by status, and the duration in seconds."""

    statuses: Counter[int]
    seconds: float

    def per_second(self, status: int) -> float:
        return self.statuses[status] / self.seconds


class _Visitor(asyncio.Protocol):
    """One connection that sends a request, waits for the whole response and sends the next."""

    def __init__(self, requests: Iterator[bytes], statuses: Counter[int], until: float) -> None:
        self.requests, self.statuses, self.until = requests, statuses, until
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        at = head.lower().index(b"content-length:") + 15
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self.statuses[int(head[9:12])] += 1
        self.buffer = body[length:]
        assert self.transport is not None
        if time.perf_counter() < self.until:
            self.transport.write(next(self.requests))
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the name is asyncio's
        if not self.over.done():
            self.over.set_result(None)


async def drive(host: str, port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Load:
    """Send requests over this many connections in parallel for `seconds`, and count the responses by status."""
    loop, statuses = asyncio.get_running_loop(), Counter[int]()
    began = time.perf_counter()
    visitors = [
        (await loop.create_connection(lambda: _Visitor(requests, statuses, began + seconds), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(visitor.over for visitor in visitors))
    return Load(statuses, time.perf_counter() - began)
