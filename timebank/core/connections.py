"""The connections to the database: made when they are needed, checked before use, let go when they are lost.

A server that is away, frozen, full or read-only is told as one of our errors; none of them ends the process.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from timebank.core import settings
from timebank.core.errors import Busy, TimebankError, Unavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Check = Callable[[asyncpg.Connection], Awaitable[None]]

ACQUIRE_SECONDS_MAX = 8
"""How long a request waits for its turn at a connection."""
ANSWER_SECONDS_MAX = 5
"""How long a server may take to accept a connection or to begin: one that is frozen never does."""
ASK_AGAIN_SECONDS = 1
FULL_SECONDS = 30
"""How long a full disk is remembered: it may be another disk than the one that readiness tries."""

# The connection was ended under a verb; the last is asyncpg's word for an end that arrives between two statements.
LOST = (
    asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, asyncpg.InternalClientError,
)  # fmt: skip


def connecting() -> dict[str, Any]:
    """What every connection is made with. A pooler takes no server setting but the name."""
    return {
        "command_timeout": 60,
        "statement_cache_size": settings.current().statement_cache_size,
        "server_settings": {"application_name": "timebank"},
    }


class Connection(asyncpg.Connection):
    """A pooled connection that needs no reset: every setting is made with SET LOCAL and ends with its transaction."""

    def get_reset_query(self) -> str:
        return ""


@dataclass(slots=True)
class Door:
    """What is known of the database: whether it answered, and since when not, and when its disk was last full."""

    is_open: bool = False
    refusal: Unavailable | None = None
    shut_until: float = 0.0
    full_at: float = -math.inf
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Engine(PostgresEngine):
    """Piccolo's engine on our pool. It connects when `open_pool` says so, not when a module is imported."""

    # Piccolo asks of the running transaction only its connection; ours is an `Open`.
    current_transaction: ContextVar[Any]
    door = Door()

    async def prep_database(self) -> None:
        return None

    async def get_version(self) -> float:
        return 15.0


engine = Engine(config={})


class NotOpen(Unavailable):
    code = "database_not_open"
    sentence = "数据库没有连上。请检查 TIMEBANK_DATABASE_URL，或稍候再试。"


class DiskFull(Unavailable):
    code = "disk_full"
    sentence = "数据库写不进磁盘：磁盘满了或坏了，这一步没有保存。请在数据库服务器上腾出空间，服务会自己恢复。"


class ReadOnly(Unavailable):
    code = "database_read_only"
    sentence = "这台数据库只能读（备用机，或设成了只读），这一步没有保存。请让 TIMEBANK_DATABASE_URL 指向主库。"


class BadValue(TimebankError):
    """What no column can hold: the last line of defence behind the bounds of the schemas."""

    code = "bad_value"
    status = 422
    sentence = "有一项内容不能保存：文字里有不可用的字符，或数字太大。请改后再试。"


async def open_pool(url: str, size: int = 10, *, check: Check | None = None) -> None:
    """Make the pool; it stays until `close_pool`, and connects when it is first used, whether or not a server is there.

    `check` sees each new connection before anything else does, and refuses it by raising.
    """
    engine.config = {"dsn": url}
    door = engine.door = Door()

    def lost(_: object) -> None:
        door.is_open = False

    async def begin(connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lost)
        if check is not None:
            await check(connection)

    engine.pool = await asyncpg.create_pool(
        url, min_size=0, max_size=size, connection_class=Connection, timeout=ANSWER_SECONDS_MAX,
        init=begin,
        **connecting(),
    )  # fmt: skip


async def close_pool() -> None:
    """Close every connection; those that a frozen server does not let go are cut."""
    pool, engine.pool = engine.pool, None
    if pool is None:
        return
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await pool.close()
    except TimeoutError:
        pool.terminate()


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection without a pool. Raises NotOpen when the database does not answer, or no longer."""
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


async def reach() -> None:
    """Return at once while the database answers and was found right; after a loss ask it anew, one for all who wait.

    Raises what keeps the database from serving. While one asks, the others are told what was found before.
    """
    door = engine.door
    if door.is_open:
        return
    if door.refusal is not None and (door.asking.locked() or time.monotonic() < door.shut_until):
        raise type(door.refusal)(**door.refusal.values)
    async with door.asking:
        if _is_open():  # Somebody before us found it open.
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
async def borrowed() -> AsyncIterator["PoolConnectionProxy"]:
    """A connection out of the pool and back into it. What the database refuses on it is told as one of our errors.

    A violated constraint comes as it is: who runs a statement again decides by it.
    """
    pool = engine.pool
    if pool is None:
        raise NotOpen
    connection = await _acquired(pool)
    try:
        yield connection
    except DATABASE_ERRORS as error:
        await asyncio.sleep(0)  # The loop may just be about to tell asyncpg that the connection is gone.
        refusal = _refusal_of(error, connection)
        if refusal is None:
            raise
        if isinstance(error, TimeoutError):  # Nothing waits any longer for what a frozen server may still answer.
            connection.terminate()
        await _note(refusal, pool)
        raise refusal from error
    finally:
        await pool.release(connection)


# The last is uvloop's word for writing to a connection that has just been closed.
DATABASE_ERRORS = (
    OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, RuntimeError,
)  # fmt: skip

REFUSALS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[TimebankError]], ...] = (
    (asyncpg.LockNotAvailableError, Busy),
    (LOST, NotOpen),
    ((ConnectionError, TimeoutError), NotOpen),
    (asyncpg.ReadOnlySQLTransactionError, ReadOnly),
    ((asyncpg.DataError, ValueError), BadValue),  # The latter: what asyncpg cannot write as the column's type.
)


def _refusal_of(error: Exception, connection: "PoolConnectionProxy") -> TimebankError | None:
    """What an error of the database means to who asked, None where it is a fault of ours."""
    for kind, refusal in REFUSALS:
        if isinstance(error, kind):
            return refusal()
    if is_unwritable(error):
        return DiskFull()
    if isinstance(error, OSError | asyncpg.InterfaceError | RuntimeError) and is_lost(connection):
        return NotOpen()
    return None


async def _note(refusal: TimebankError, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Remember what a refusal tells of the database."""
    if isinstance(refusal, NotOpen):
        engine.door.is_open = False
    elif isinstance(refusal, DiskFull):
        engine.door.full_at = time.monotonic()
    elif isinstance(refusal, ReadOnly):
        await pool.expire_connections()  # After a failover the primary is elsewhere.


async def _acquired(pool: "asyncpg.Pool[asyncpg.Record]") -> "PoolConnectionProxy":
    """A connection out of the pool, made and checked where none is idle."""
    try:
        return await pool.acquire(timeout=ACQUIRE_SECONDS_MAX)
    except Unavailable:
        engine.door.is_open = False
        raise
    except DATABASE_ERRORS as error:
        if isinstance(error, TimeoutError) and pool.get_size() == pool.get_max_size() and pool.get_idle_size() == 0:
            raise Busy from error  # Others had every connection all the time.
        engine.door.is_open = False
        raise NotOpen from error


def is_unwritable(error: Exception) -> bool:
    """Whether the server could not write a file: its disk is full or failing, or a quota or size limit is reached.

    The last two come as internal errors, told apart by the part of the server that reports them.
    """
    if isinstance(error, asyncpg.InternalServerError):
        return error.server_source_filename in ("md.c", "buffile.c", "fd.c")
    return isinstance(error, asyncpg.DiskFullError | asyncpg.PostgresIOError)


def was_full() -> bool:
    """Whether a statement found the disk full a short while ago."""
    return time.monotonic() - engine.door.full_at < FULL_SECONDS


def is_lost(connection: "PoolConnectionProxy") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # The pool takes a broken connection back by itself.
        return True
