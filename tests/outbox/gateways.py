"""A push gateway of the tests' own on this machine, which keeps what it is sent and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg

from timebank.core import clock, settings

SECRET = b"a push secret that only the tests know, 32+"


@dataclass
class Gateway:
    url: str = ""
    answers: list[int | None] = field(default_factory=list)
    """The statuses of the next answers; None for none at all. Then 204."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def keys(self) -> list[str]:
        return [headers["idempotency-key"] for headers, _ in self.requests]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        pairs = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in pairs}
        self.requests.append((headers, await reader.readexactly(int(headers["content-length"]))))
        self.was_asked.set()
        status = self.answers.pop(0) if self.answers else 204
        if status is not None:
            more = f"Location: {self.url}/other\r\n" if status == 302 else ""
            writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that is named in the settings until the block ends."""
    made = Gateway()
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/push"
    before = settings.current()
    settings.use(replace(before, push_url=made.url, push_secret=SECRET))
    try:
        yield made
    finally:
        settings.use(before)
        server.close()


async def switch_on(owner: asyncpg.Connection, *communities: object) -> None:
    for community in communities:
        await owner.execute(
            "INSERT INTO policy (community_id, name, value, changed_at) VALUES ($1, 'pushes_messages', 1, $2)",
            community, clock.now(),
        )  # fmt: skip
