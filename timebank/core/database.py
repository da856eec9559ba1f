"""One visible transaction per verb: scope in, commit or nothing, constraint names turned into sentences."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog

from timebank.core.connections import (
    ANSWER_SECONDS_MAX,
    BadValue,
    NotOpen,
    borrowed,
    close_pool,
    engine,
    is_lost,
    open_pool,
)
from timebank.core.errors import Busy, Conflict, TimebankError, Unexpected
from timebank.core.scope import Scope

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

__all__ = [
    "BadValue", "NotOpen", "Open", "RanIntoAnother", "ask", "close_pool", "engine", "error_of", "execute", "fetch",
    "fetch_one", "fetch_value", "insert_many", "open_pool", "reading", "retried", "row", "rows", "savepoint",
    "transaction",
]  # fmt: skip

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()

LOCK_NOT_AVAILABLE = asyncpg.LockNotAvailableError
ROLLED_BACK = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
LOCK_TIMEOUT = "5s"
TRIES = 4
FIRST_PAUSE_SECONDS = 0.02
NO_LIMIT = 7 * 86_400.0  # seconds; asyncpg takes None for the pool's own limit


class RanIntoAnother(Exception):
    """A verb noticed that another request got in between: its transaction is rolled back and it is run again."""


@dataclass(slots=True)
class Open:
    """The running transaction, in the shape that Piccolo looks for, and the communities whose rows it sees."""

    connection: "PoolConnectionProxy"
    visible: frozenset[UUID]


def _begin(communities: frozenset[UUID], scope: Scope | None = None) -> str:
    """What opens a transaction. Session and device prove who acts: without them the database believes no name."""
    visible = "{" + ",".join(str(c) for c in sorted(communities)) + "}" if communities else ""
    begin = (
        "BEGIN; SET LOCAL ROLE timebank_app; "
        f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL timebank.communities = '{visible}'"
    )
    if scope and scope.session_id:
        begin += f"; SET LOCAL timebank.sessions = '{{{scope.session_id}}}'"
    if scope and scope.device_proof:
        begin += f"; SET LOCAL timebank.device = '{scope.device_proof.hex()}'"
    if scope and scope.import_proof:
        begin += f"; SET LOCAL timebank.import = '{scope.import_proof.hex()}'"
    return begin


def _reach(scope: Scope | None, every_community: bool) -> frozenset[UUID]:
    if scope is None:
        return frozenset()
    return scope.communities if every_community else frozenset({scope.community_id})


@asynccontextmanager
async def transaction(
    scope: Scope | None, *, every_community: bool = False, alone: bool = False
) -> AsyncIterator[None]:
    """Run the block in one transaction that sees the scope's community alone; a verb inside a verb joins it.

    `scope` None sees no tenant row (sign-in, reference tables). `every_community` lets a reader list all the
    communities in reach. The connection goes back to the pool whatever happens, a failed COMMIT included.
    Who joins must see just the rows that it would see alone: see `_require_same_reach`. `alone` refuses to join: what
    is written must stay, whatever becomes of the verb around it.
    """
    reach = _reach(scope, every_community)
    current = engine.current_transaction.get()
    if current is not None and alone:
        raise RuntimeError("this needs a transaction of its own: call it before one is open")
    if current is not None:
        _require_same_reach(current.visible, scope, reach)
        yield
        return
    async with _connected() as connection:
        await connection.execute(_begin(reach, scope), timeout=ANSWER_SECONDS_MAX)
        token = engine.current_transaction.set(Open(connection, reach))
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


def _require_same_reach(visible: frozenset[UUID], scope: Scope | None, reach: frozenset[UUID]) -> None:
    """Refuse to join a transaction that sees fewer communities than asked for, or more.

    Fewer would make a list silently short; more would let a verb of one community read another. Whoever asks for no
    tenant row at all reads tables that belong to no community and may join any transaction. What the caller may do is
    not part of this: verbs ask the scope that they are given, and the database sees only communities.
    """
    if scope is not None and reach != visible:
        raise RuntimeError("a verb touches one community: finish the open transaction first")


@asynccontextmanager
async def _connected() -> AsyncIterator["PoolConnectionProxy"]:
    """A borrowed connection; a violated constraint is told as its error."""
    async with borrowed() as connection:
        try:
            yield connection
        except asyncpg.IntegrityConstraintViolationError as error:
            raise error_of(error) from error
        except ROLLED_BACK as error:
            raise Busy from error


async def _rollback(connection: "PoolConnectionProxy") -> None:
    if is_lost(connection):
        return
    try:
        await connection.execute("ROLLBACK", timeout=ANSWER_SECONDS_MAX)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()  # A connection that does not even roll back is of no more use.


def error_of(violation: asyncpg.IntegrityConstraintViolationError) -> TimebankError:
    """The error class that names the violated constraint. Of those without a class, a unique key is a conflict.

    A foreign key, a check or a missing value without a class is a fault of ours: no input may come so far. It is
    logged by the constraint's name alone; the database's own words quote the row.
    """
    named = TimebankError.by_constraint.get(violation.constraint_name or "")
    if named is not None:
        return named.from_constraint()
    if isinstance(violation, asyncpg.UniqueViolationError):
        return Conflict()
    log.error(
        "constraint", constraint=violation.constraint_name, table=violation.table_name, column=violation.column_name,
        violation=type(violation).__name__,
    )  # fmt: skip
    return Unexpected()


async def ask(sql: str, *values: object) -> list[asyncpg.Record]:
    """The rows of one statement that is a transaction of its own, without a scope: it calls a function that checks."""
    async with _connected() as connection:
        return await connection.fetch(sql, *values, timeout=ANSWER_SECONDS_MAX)


@asynccontextmanager
async def reading(scope: Scope) -> AsyncIterator[None]:
    """A transaction in which the database refuses every write and every lock of a row."""
    async with transaction(scope, alone=True):
        await execute("SET TRANSACTION READ ONLY")
        yield


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


def retried(verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Run the verb again when it ran into another request and the database rolled it back: at most four times.

    That is a deadlock, a serialization failure, `RanIntoAnother`, and a unique or foreign key that no error class
    names: the verb looked before it wrote, so another has written or deleted in between, and the next run finds it so.
    A key that an error class names is answered by that class at once.

    Only the outermost verb is run again: inside an open transaction the verb joins and its fault goes up, since what
    was done before it is rolled back too. What remains is 503 `busy` with Retry-After. A lock
    that was not free within `LOCK_TIMEOUT` is not waited for again, so that nobody waits longer than that.

    Every fault above says that nothing was written. A connection lost at COMMIT does not: it may have been written.
    The verb is not run again then; the caller hears 503, and a repetition is harmless by the request's
    Idempotency-Key, the scan's nonce or the natural key of the ledger.
    """

    @wraps(verb)
    async def outermost(*args: P.args, **kwargs: P.kwargs) -> T:
        if engine.current_transaction.get() is not None:
            return await verb(*args, **kwargs)
        for attempt in range(1, TRIES):
            try:
                return await verb(*args, **kwargs)
            except (TimebankError, RanIntoAnother) as error:
                if not _ran_into_another(error):
                    raise
                log.info("run again", verb=verb.__qualname__, cause=type(error.__cause__ or error).__name__)
            # Two that ran into each other wait differently long, or they would do so again.
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311  # no secret
        try:
            return await verb(*args, **kwargs)
        except RanIntoAnother as error:
            raise Busy from error

    return outermost


def _ran_into_another(error: Exception) -> bool:
    cause = error.__cause__
    return (
        isinstance(error, RanIntoAnother)
        or isinstance(cause, ROLLED_BACK)
        or (type(error) is Conflict and isinstance(cause, asyncpg.UniqueViolationError))
        or (type(error) is Unexpected and isinstance(cause, asyncpg.ForeignKeyViolationError))
    )


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


PARAMETERS_MAX = 30_000  # the protocol counts them in 16 bits


async def insert_many(table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Insert rows by one statement of VALUES, or by a few where they are very many; names are the caller's own text."""
    at_once = PARAMETERS_MAX // len(columns)
    for first in range(0, len(rows), at_once):
        part = rows[first : first + at_once]
        marks = ", ".join(
            "(" + ", ".join(f"${row * len(columns) + column + 1}" for column in range(len(columns))) + ")"
            for row in range(len(part))
        )
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks}"  # noqa: S608  # names of the caller
        await execute(sql, *(value for row in part for value in row))


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
