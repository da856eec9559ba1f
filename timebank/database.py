"""One visible transaction per verb: scope in, commit or nothing, constraint names turned into sentences."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from timebank.connections import (
    ANSWER_SECONDS_MAX,
    BadValue,
    NotOpen,
    borrowed,
    close_pool,
    engine,
    is_lost,
    open_pool,
)
from timebank.errors import Busy, Conflict, TimebankError
from timebank.scope import Scope

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

__all__ = [
    "BadValue", "NotOpen", "Open", "ask", "close_pool", "engine", "error_of", "execute", "fetch", "fetch_one",
    "fetch_value", "open_pool", "retrying", "row", "rows", "savepoint", "transaction",
]  # fmt: skip

T = TypeVar("T")

LOCK_NOT_AVAILABLE = asyncpg.LockNotAvailableError
RAN_INTO_ANOTHER = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError)
LOCK_TIMEOUT = "5s"
TRIES = 4


@dataclass(slots=True)
class Open:
    """The running transaction, in the shape that Piccolo looks for."""

    connection: "PoolConnectionProxy"
    scope: Scope | None


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
        await connection.execute(_begin(_reach(scope, every_community)), timeout=ANSWER_SECONDS_MAX)
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
    """A borrowed connection; a violated constraint is told as its error."""
    async with borrowed() as connection:
        try:
            yield connection
        except asyncpg.IntegrityConstraintViolationError as error:
            raise error_of(error) from error


async def _rollback(connection: "PoolConnectionProxy") -> None:
    if is_lost(connection):
        return
    try:
        await connection.execute("ROLLBACK", timeout=ANSWER_SECONDS_MAX)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()  # A connection that does not even roll back is of no more use.


def error_of(violation: asyncpg.IntegrityConstraintViolationError) -> TimebankError:
    """The error class that names the violated constraint, else a plain conflict."""
    named = TimebankError.by_constraint.get(violation.constraint_name or "")
    return named.from_constraint() if named else Conflict()


async def ask(sql: str, *values: object) -> list[asyncpg.Record]:
    """The rows of one statement that is a transaction of its own, without a scope: it calls a function that checks."""
    async with borrowed() as connection:
        return await connection.fetch(sql, *values, timeout=ANSWER_SECONDS_MAX)


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
