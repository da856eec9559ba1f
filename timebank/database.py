"""One visible transaction per verb: scope in, commit or nothing, constraint names turned into sentences."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from piccolo.engine.postgres import PostgresEngine

from timebank.errors import Busy, Conflict, TimebankError
from timebank.scope import Scope

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

T = TypeVar("T")

LOCK_NOT_AVAILABLE = asyncpg.LockNotAvailableError
RAN_INTO_ANOTHER = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError)
LOCK_TIMEOUT = "5s"
TRIES = 4
NO_LIMIT = 7 * 86_400.0  # seconds; asyncpg takes None for the pool's own limit
# The connection was ended under a verb; the last is asyncpg's word for an end that arrives between two statements.
LOST = (
    asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, asyncpg.InternalClientError,
)  # fmt: skip


class Connection(asyncpg.Connection):
    """A pooled connection that needs no reset: every setting is made with SET LOCAL and ends with its transaction."""

    def get_reset_query(self) -> str:
        return ""


class Engine(PostgresEngine):
    """Piccolo's engine on our pool. It connects when `open_pool` says so, not when a module is imported."""

    # Piccolo asks of the running transaction only its connection; ours is an `Open`.
    current_transaction: ContextVar[Any]

    async def prep_database(self) -> None:
        return None

    async def get_version(self) -> float:
        return 15.0


engine = Engine(config={})


class NotOpen(TimebankError):
    code = "database_not_open"
    status = 503
    sentence = "数据库没有连上。请检查 TIMEBANK_DATABASE_URL，或稍候再试。"


class BadValue(TimebankError):
    """What no column can hold: the last line of defence behind the bounds of the schemas."""

    code = "bad_value"
    status = 422
    sentence = "有一项内容不能保存：文字里有不可用的字符，或数字太大。请改后再试。"


@dataclass(slots=True)
class Open:
    """The running transaction, in the shape that Piccolo looks for."""

    connection: "PoolConnectionProxy"
    scope: Scope | None


async def open_pool(url: str, size: int = 10) -> None:
    """Connect to the server; the pool stays until `close_pool`."""
    engine.config = {"dsn": url}
    try:
        engine.pool = await asyncpg.create_pool(
            url, min_size=1, max_size=size, connection_class=Connection, command_timeout=60,
            server_settings={"application_name": "timebank"},
        )  # fmt: skip
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotOpen from error


async def close_pool() -> None:
    pool, engine.pool = engine.pool, None
    if pool is not None:
        await pool.close()


def _begin(communities: frozenset[UUID]) -> str:
    visible = "{" + ",".join(str(c) for c in sorted(communities)) + "}" if communities else ""
    return (
        "BEGIN; SET LOCAL ROLE timebank_app; "
        f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL timebank.communities = '{visible}'"
    )


def _reach(scope: Scope | None, every_community: bool) -> frozenset[UUID]:
    if scope is None:
        return frozenset()
    return scope.communities if every_community else frozenset({scope.community_id})


@asynccontextmanager
async def transaction(scope: Scope | None, *, every_community: bool = False) -> AsyncIterator[None]:
    """Run the block in one transaction that sees the scope's community alone; a verb inside a verb joins it.

    `scope` None sees no tenant row (sign-in, reference tables). `every_community` lets a reader list all the
    communities in reach. The connection goes back to the pool whatever happens, a failed COMMIT included.
    """
    current = engine.current_transaction.get()
    if current is not None:
        if scope is not None and (current.scope is None or current.scope.community_id != scope.community_id):
            raise RuntimeError("a verb touches one community: finish the open transaction first")
        yield
        return
    async with _connected() as connection:
        await connection.execute(_begin(_reach(scope, every_community)))
        token = engine.current_transaction.set(Open(connection, scope))
        try:
            yield
        except BaseException:
            await asyncio.shield(_rollback(connection))
            raise
        else:
            if await connection.execute("COMMIT") != "COMMIT":
                raise Busy
        finally:
            engine.current_transaction.reset(token)


@asynccontextmanager
async def _connected() -> AsyncIterator["PoolConnectionProxy"]:
    """A connection out of the pool and back into it. What the database refuses on it is told as one of our errors."""
    async with _borrowed() as connection:
        try:
            yield connection
        except asyncpg.IntegrityConstraintViolationError as error:
            raise error_of(error) from error


@asynccontextmanager
async def _borrowed() -> AsyncIterator["PoolConnectionProxy"]:
    """The same, but a violated constraint comes as it is: who runs a statement again decides by it."""
    pool = engine.pool
    if pool is None:
        raise NotOpen
    try:
        connection = await pool.acquire()
    except (OSError, *LOST) as error:
        raise NotOpen from error
    try:
        yield connection
    except asyncpg.LockNotAvailableError as error:
        raise Busy from error
    except LOST as error:
        raise NotOpen from error
    except asyncpg.DataError as error:
        raise BadValue from error
    except (OSError, asyncpg.InterfaceError) as error:
        if isinstance(error, ValueError):  # asyncpg's word for a value that it cannot write as the column's type
            raise BadValue from error
        if not _is_lost(connection):
            raise
        raise NotOpen from error
    finally:
        await pool.release(connection)


def _is_lost(connection: "PoolConnectionProxy") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # The pool takes a broken connection back by itself.
        return True


async def _rollback(connection: "PoolConnectionProxy") -> None:
    if not _is_lost(connection):
        await connection.execute("ROLLBACK")


def error_of(violation: asyncpg.IntegrityConstraintViolationError) -> TimebankError:
    """The error class that names the violated constraint, else a plain conflict."""
    named = TimebankError.by_constraint.get(violation.constraint_name or "")
    return named.from_constraint() if named else Conflict()


async def ask(sql: str, *values: object) -> list[asyncpg.Record]:
    """The rows of one statement that is a transaction of its own, without a scope: it calls a function that checks."""
    async with _borrowed() as connection:
        return await connection.fetch(sql, *values)


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """A part of the transaction that may fail alone: its writes go, those before it stay."""
    await execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        # Released too: left standing, it would be what an outer part of the same name goes back to.
        await execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
        raise
    else:
        await execute("RELEASE SAVEPOINT part")


async def retrying(verb: Callable[[], Awaitable[T]]) -> T:
    """Run a verb again, at most four times, when it ran into another: serialization failure, deadlock, the same key."""
    for attempt in range(1, TRIES + 1):
        try:
            return await verb()
        except RAN_INTO_ANOTHER as error:
            if attempt == TRIES:
                raise Busy from error
            await asyncio.sleep(0.01 * 2**attempt)
    raise AssertionError("unreachable")


def _connection() -> "PoolConnectionProxy":
    current: Open | None = engine.current_transaction.get()
    if current is None:
        raise RuntimeError("outside a transaction: open one with transaction(scope)")
    return current.connection


async def fetch(sql: str, *values: object) -> list[asyncpg.Record]:
    return await _connection().fetch(sql, *values)


async def fetch_unlimited(sql: str, *values: object) -> list[asyncpg.Record]:
    """The rows of a statement that may take as long as it takes: it reads a community's whole history."""
    return await _connection().fetch(sql, *values, timeout=NO_LIMIT)


async def fetch_one(sql: str, *values: object) -> asyncpg.Record | None:
    return await _connection().fetchrow(sql, *values)


async def fetch_value(sql: str, *values: object) -> Any:
    """The first column of the first row, or None. Its type is the query's."""
    return await _connection().fetchval(sql, *values)


async def execute(sql: str, *values: object) -> str:
    """Run a statement and answer its command tag, such as `UPDATE 1`."""
    return await _connection().execute(sql, *values)


async def rows(shape: type[T], sql: str, *values: object) -> list[T]:
    """Every row of a query as `shape`: its columns are named as the shape's fields."""
    return [_shaped(row, shape) for row in await fetch(sql, *values)]


async def row(shape: type[T], sql: str, *values: object) -> T | None:
    """The first row of a query as `shape`, or None."""
    found = await fetch_one(sql, *values)
    return None if found is None else _shaped(found, shape)


def _shaped(record: asyncpg.Record, shape: type[T]) -> T:
    values = {name: UUID(bytes=value.bytes) if isinstance(value, UUID) else value for name, value in record.items()}
    return msgspec.convert(values, shape)
