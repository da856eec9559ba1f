"""Counts the statements that the service sends to the database, by reading the messages on their way to the server."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from timebank.core import database
from timebank.core.database import connections


@dataclass
class Wire:
    """The statements sent since `renew`, in order: each simple query and each execution of a prepared one."""

    statements: list[str] = field(default_factory=list)

    async def renew(self) -> None:
        """Count from here on, with a database that was just found and new connections: what those look up counts."""
        pool = database.engine.pool
        assert pool is not None
        await pool.expire_connections()
        await connections.require_reachable()
        self.statements.clear()

    def __len__(self) -> int:
        return len(self.statements)

    def listed(self) -> str:
        """The statements, numbered, one line each: what a failing budget shows."""
        return "\n".join(f"{n}. {' '.join(sql.split())[:160]}" for n, sql in enumerate(self.statements, 1))


class _Reader:
    """Reads what one connection sends. The first message has no type; every later one has a letter and a length."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.buffer = b""
        self.began = False
        self.prepared: dict[bytes, str] = {}
        self.portals: dict[bytes, bytes] = {}

    def feed(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head = 1 if self.began else 0
            if len(self.buffer) < head + 4:
                return
            (length,) = struct.unpack_from("!I", self.buffer, head)
            if len(self.buffer) < head + length:
                return
            kind, body = self.buffer[:head], self.buffer[head + 4 : head + length]
            self.buffer = self.buffer[head + length :]
            self.began = True
            self._message(kind, body)

    def _message(self, kind: bytes, body: bytes) -> None:
        parts = body.split(b"\0")
        if kind == b"Q":
            self.wire.statements.append(parts[0].decode())
        elif kind == b"P":
            self.prepared[parts[0]] = parts[1].decode()
        elif kind == b"B":
            self.portals[parts[0]] = parts[1]
        elif kind == b"E":
            self.wire.statements.append(self.prepared[self.portals[parts[0]]])


def _socket_path(url: str) -> str:
    place = urlsplit(url)
    given = parse_qs(place.query)
    (folder,) = given["host"]
    return f"{folder}/.s.PGSQL.{given.get('port', ['5432'])[0]}"


@asynccontextmanager
async def counted(folder: Path, *, size: int = 4) -> AsyncIterator[Wire]:
    """A new pool, as of a process that has just started, through a socket that counts the statements sent."""
    url, wire, tasks = database.engine.config["dsn"], Wire(), set[asyncio.Task[None]]()
    target = _socket_path(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(target)
        sent = _Reader(wire)

        async def pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter, *, read: bool) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    if read:
                        sent.feed(data)
                    to.write(data)
                    await to.drain()
            to.close()

        both = (pass_on(reader, server_writer, read=True), pass_on(server_reader, writer, read=False))
        tasks.update(asyncio.ensure_future(one) for one in both)

    engine = database.engine
    before = engine.pool, engine.aside, engine.readers, engine.door, engine.config
    server = await asyncio.start_unix_server(serve, folder / ".s.PGSQL.5432")
    place = urlsplit(url)
    await database.create_pool(f"{place.scheme}://{place.netloc}{place.path}?host={folder}&port=5432", size)
    try:
        yield wire
    finally:
        await database.close_pool()
        engine.pool, engine.aside, engine.readers, engine.door, engine.config = before
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
