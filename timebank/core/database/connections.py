"""The connection pool: connections are opened on demand, checked before use, and discarded when they are lost.

A server that is down, hanging, read-only or out of disk space raises one of our errors; none ends the process.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from timebank.core import settings
from timebank.core.database.refusals import DATABASE_ERRORS, LOST, DiskFull, NotOpen, ReadOnly, refusal_of
from timebank.core.errors import Busy, TimebankError, Unavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Check = Callable[[asyncpg.Connection], Awaitable[None]]

ACQUIRE_SECONDS_MAX = 8
"""How long a request waits for a connection of the pool."""
ANSWER_SECONDS_MAX = 5
"""How long a server may take to accept a connection or to begin a transaction. A hanging server never does."""
ASK_AGAIN_SECONDS = 1
FULL_SECONDS = 30
"""How long a full disk is remembered, because the readiness check may test another disk than the full one."""
ASIDE_MAX = 2
"""Connections for `fetch_aside`. They are apart from the pool's, whose holders wait for them."""
READERS_MAX = 3
"""Connections for `reading_directly`. They are apart from the pool's, some of which wait for locks."""
AS_A_READER = "SET ROLE timebank_app; SET timezone = 'UTC'; SET plan_cache_mode = force_generic_plan"
"""What a transaction sets at its beginning, for a connection that carries none."""


def connecting() -> dict[str, Any]:
    """The arguments of every connection. A pooler accepts no server setting except application_name."""
    return {
        "command_timeout": 60,
        "statement_cache_size": settings.current().statement_cache_size,
        "server_settings": {"application_name": "timebank"},
    }


class Connection(asyncpg.Connection):
    """A pooled connection without a reset query: we use only SET LOCAL, which ends with its transaction."""

    def get_reset_query(self) -> str:
        return ""


@dataclass(slots=True)
class Door:
    """The known state of the database.

    `is_open`: it answers and passed its checks; `refusal` is raised again until `shut_until` (monotonic seconds);
    `full_at` is when its disk was last full; `asking` lets one task at a time test it.
    """

    is_open: bool = False
    refusal: Unavailable | None = None
    shut_until: float = 0.0
    full_at: float = -math.inf
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Engine(PostgresEngine):
    """Piccolo's engine on our pool. It does not connect when the module is imported."""

    # Holds a `database.Open`. Piccolo reads only its `connection`.
    current_transaction: ContextVar[Any]
    door = Door()
    aside: "asyncpg.Pool[asyncpg.Record] | None" = None
    readers: "asyncpg.Pool[asyncpg.Record] | None" = None
    keeps_settings = True  # whether a connection keeps what is set for it, also where it reads from other nodes

    async def prep_database(self) -> None:
        return None

    async def get_version(self) -> float:
        return 15.0


engine = Engine(config={})


async def create_pool(url: str, size: int = 10, *, check: Check | None = None) -> None:
    """Create the pools. They connect on first use, so no server needs to run yet. `close_pool` closes them.

    `check` is awaited with each new connection before its first use, and refuses it by raising.
    """
    engine.config, engine.keeps_settings = {"dsn": url}, True
    door = engine.door = Door()

    def lost(_: object) -> None:
        door.is_open = False

    async def begin(connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lost)
        if check is not None:
            await check(connection)

    async def begin_reader(connection: asyncpg.Connection) -> None:
        await begin(connection)
        await require_own_tables(connection)
        await connection.execute(AS_A_READER)

    engine.pool, engine.aside, engine.readers = [
        await asyncpg.create_pool(
            url, min_size=0, max_size=most, connection_class=Connection, timeout=ANSWER_SECONDS_MAX, init=first,
            **connecting(),
        )
        for most, first in ((size, begin), (ASIDE_MAX, begin), (READERS_MAX, begin_reader))
    ]  # fmt: skip


async def require_own_tables(connection: asyncpg.Connection) -> None:
    """Raise NotOpen where other servers hold the tables: only the settings of a transaction reach them."""
    if await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"):
        engine.keeps_settings = False
        raise NotOpen


async def close_pool() -> None:
    """Close every connection; terminate those that a hanging server does not close in time."""
    pools = (engine.pool, engine.aside, engine.readers)
    engine.pool = engine.aside = engine.readers = None
    for pool in pools:
        if pool is not None:
            await _close(pool)


async def _close(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await pool.close()
    except TimeoutError:
        pool.terminate()


@asynccontextmanager
async def connect_once(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection outside the pool. Raises NotOpen if the database does not answer or the connection is lost."""
    try:
        connection = await asyncpg.connect(url, timeout=ANSWER_SECONDS_MAX, **connecting())
    except DATABASE_ERRORS as error:
        raise NotOpen from error
    try:
        yield connection
    except (OSError, *LOST) as error:
        raise NotOpen from error
    finally:
        connection.terminate()


async def require_reachable() -> None:
    """Return at once if the database is known to answer and to have passed its checks; otherwise test it.

    Raises Unavailable or a subclass if the database cannot serve. Only one task tests at a time: while it does, and for
    ASK_AGAIN_SECONDS after a failure, other callers get the last refusal again.
    """
    door = engine.door
    if door.is_open:
        return
    if door.refusal is not None and (door.asking.locked() or time.monotonic() < door.shut_until):
        raise type(door.refusal)(**door.refusal.values)
    async with door.asking:
        if _is_open():  # Another task has tested it while this one waited for the lock.
            return
        try:
            async with borrowed() as connection:
                await connection.execute("SELECT 1", timeout=ANSWER_SECONDS_MAX)
        except Unavailable as error:
            door.refusal, door.shut_until = error, time.monotonic() + ASK_AGAIN_SECONDS
            raise
        door.is_open, door.refusal = True, None


def _is_open() -> bool:
    return engine.door.is_open


@asynccontextmanager
async def borrowed(of: Literal["pool", "aside", "readers"] = "pool") -> AsyncIterator["PoolConnectionProxy"]:
    """Acquire a connection of a pool for the block. Database errors in the block are raised as our errors.

    A constraint violation is raised unchanged: `database.retried` needs its class.
    """
    pool = getattr(engine, of)
    if pool is None:
        raise NotOpen
    connection = await _acquired(pool)
    try:
        yield connection
    except DATABASE_ERRORS as error:
        await asyncio.sleep(0)  # Lets the event loop report a lost connection to asyncpg first.
        refusal = refusal_of(error, connection)
        if refusal is None:
            raise
        if isinstance(error, TimeoutError):  # Nobody waits for the late answer of a hanging server.
            connection.terminate()
        await _note(refusal, pool)
        raise refusal from error
    finally:
        await pool.release(connection)


async def _note(refusal: TimebankError, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Update `Door` and the pool after a refusal."""
    if isinstance(refusal, NotOpen):
        engine.door.is_open = False
    elif isinstance(refusal, DiskFull):
        engine.door.full_at = time.monotonic()
    elif isinstance(refusal, ReadOnly):
        await pool.expire_connections()  # After a failover, new connections may reach the new primary.


async def _acquired(pool: "asyncpg.Pool[asyncpg.Record]") -> "PoolConnectionProxy":
    """Acquire a connection of the pool; if none is idle, a new one is opened and checked."""
    try:
        return await pool.acquire(timeout=ACQUIRE_SECONDS_MAX)
    except Unavailable:
        engine.door.is_open = False
        raise
    except DATABASE_ERRORS as error:
        if isinstance(error, TimeoutError) and pool.get_size() == pool.get_max_size() and pool.get_idle_size() == 0:
            raise Busy from error  # Every connection was in use for the whole time.
        engine.door.is_open = False
        raise NotOpen from error


def was_full() -> bool:
    """Whether a statement failed on a full disk in the last FULL_SECONDS."""
    return time.monotonic() - engine.door.full_at < FULL_SECONDS
