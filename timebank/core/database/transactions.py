"""Transactions and queries: one explicit transaction per verb; violated constraints become errors of their class."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import UUID

import asyncpg
import structlog

from timebank.core.database.connections import (
    ANSWER_SECONDS_MAX,
    borrowed,
    engine,
)
from timebank.core.database.gathering import Group
from timebank.core.database.refusals import is_lost
from timebank.core.database.writes import Write, changed_rows, together
from timebank.core.errors import Busy, Conflict, RanIntoAnother, TimebankError, Unexpected
from timebank.core.scope import Scope

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from timebank.core.database.shared_transaction import SharedTransaction


T = TypeVar("T")

log = structlog.get_logger()

LOCK_NOT_AVAILABLE = asyncpg.LockNotAvailableError
ROLLED_BACK = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
LOCK_TIMEOUT = "5s"
AT_ONCE = 20
"""How many queued writes one statement carries at most."""
NO_LIMIT = 7 * 86_400.0  # seconds; asyncpg reads None as the pool's default limit


@dataclass(slots=True, kw_only=True)
class Open:
    """The open transaction; or direct reads (`reading_directly`) or a verb's part of a shared transaction (`shared`),
    neither of which holds a connection.

    The communities whose rows it sees, the writes that are queued, the group of reads that run side by side; and in a
    shared transaction what the verbs have in common and the verb's key.
    """

    held: "PoolConnectionProxy | None"
    visible: frozenset[UUID]
    scope: Scope | None = None
    queued: list[Write] = field(default_factory=list)
    group: Group | None = None
    common: "SharedTransaction | None" = None
    key: UUID | None = None

    @property
    def connection(self) -> "PoolConnectionProxy":
        """The transaction's connection; Piccolo reads this attribute.

        Raises RuntimeError for direct reads. In a shared transaction raises RanIntoAnother: the verb needs its own.
        """
        if self.held is None:
            if self.common is not None:
                raise RanIntoAnother
            raise RuntimeError("this only reads: open a transaction")
        return self.held


def begin_sql(
    communities: frozenset[UUID], scope: Scope | None = None, *, sessions: Iterable[UUID | None] = (),
    lock_timeout: str | None = None,
) -> str:  # fmt: skip
    """The statements that begin a transaction.

    They pass session, device and import proof to the database, which accepts an actor's id only with a proof. A shared
    transaction passes the `sessions` of all its verbs.

    In a request, for which somebody waits, a connection keeps one plan of each statement for all values: making one
    takes longer than most statements. Lists are therefore made of the conditions that are asked for: see `Filters`.
    The worker and commands, which take many rows at once, get plans for their values.
    """
    visible = "{" + ",".join(str(c) for c in sorted(communities)) + "}" if communities else ""
    sql = (
        "BEGIN; SET LOCAL ROLE timebank_app; SET LOCAL timezone = 'UTC'; "
        f"SET LOCAL lock_timeout = '{lock_timeout or LOCK_TIMEOUT}'; SET LOCAL timebank.communities = '{visible}'"
    )
    if scope and (scope.session_id or scope.device_id):
        sql += "; SET LOCAL plan_cache_mode = force_generic_plan"
    if scope and scope.session_id:
        named = ",".join(str(session) for session in sessions or [scope.session_id])
        sql += f"; SET LOCAL timebank.sessions = '{{{named}}}'"
    if scope and scope.device_proof:
        sql += f"; SET LOCAL timebank.device = '{scope.device_proof.hex()}'"
    if scope and scope.import_proof:
        sql += f"; SET LOCAL timebank.import = '{scope.import_proof.hex()}'"
    return sql


def _visible(scope: Scope | None, communities: frozenset[UUID] | None) -> frozenset[UUID]:
    if scope is None:
        return frozenset()
    return frozenset({scope.community_id}) if communities is None else communities


@asynccontextmanager
async def transaction(
    scope: Scope | None, *, communities: frozenset[UUID] | None = None, alone: bool = False
) -> AsyncIterator[None]:
    """Run the block in one transaction that sees only the rows of the scope's community; a nested call joins it.

    `scope` None sees no tenant row (sign-in, reference tables). With `communities` it sees the rows of these instead;
    the caller must reach them. The connection is always released to the pool, also after a failed COMMIT. A nested call
    must see the same rows as on its own: see `_require_same_rows`. With `alone` it raises RuntimeError instead of
    joining: what it writes must stay even if an outer verb is rolled back.
    """
    visible = _visible(scope, communities)
    outer = engine.current_transaction.get()
    if outer is not None and alone:
        raise RuntimeError("this needs a transaction of its own: call it before one is open")
    if outer is not None:
        _require_same_rows(outer.visible, scope, visible)
        yield
        return
    async with connected() as connection:
        await connection.execute(begin_sql(visible, scope), timeout=ANSWER_SECONDS_MAX)
        token = engine.current_transaction.set(Open(held=connection, visible=visible, scope=scope))
        try:
            yield
            await flush()
        except BaseException:
            await asyncio.shield(rollback(connection))
            raise
        else:
            if await connection.execute("COMMIT") != "COMMIT":
                raise Busy
        finally:
            engine.current_transaction.reset(token)


def _require_same_rows(outer: frozenset[UUID], scope: Scope | None, inner: frozenset[UUID]) -> None:
    """Raise RuntimeError when joining a transaction that sees other communities than the joining call.

    With fewer a list would silently be incomplete; with more a verb could read another community's rows. A call with
    `scope` None reads no tenant rows and may join any transaction. Permissions are not checked here: each verb
    checks the scope that it is given.
    """
    if scope is not None and inner != outer:
        raise RuntimeError("a verb touches one community: finish the open transaction first")


@asynccontextmanager
async def connected(of: Literal["pool", "aside", "readers"] = "pool") -> AsyncIterator["PoolConnectionProxy"]:
    """A connection of a pool. Raises the error of a violated constraint, or Busy if PostgreSQL rolled back."""
    async with borrowed(of) as connection:
        try:
            yield connection
        except asyncpg.IntegrityConstraintViolationError as error:
            raise error_of(error) from error
        except ROLLED_BACK as error:
            raise Busy from error


async def rollback(connection: "PoolConnectionProxy") -> None:
    if is_lost(connection):
        return
    try:
        await connection.execute("ROLLBACK", timeout=ANSWER_SECONDS_MAX)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()  # A connection that cannot roll back is not usable any more.


def error_of(violation: asyncpg.IntegrityConstraintViolationError) -> TimebankError:
    """The error whose class names the violated constraint; without such a class, Conflict for a unique constraint.

    Any other constraint without a class is a fault of the program, because input is checked earlier: Unexpected. Only
    the names of constraint, table and column are logged; the database's message quotes the row.
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
    """The rows of one statement, run in its own transaction and without a scope.

    Use it only for a database function that checks the permissions itself.
    """
    async with connected() as connection:
        return await connection.fetch(sql, *values, timeout=ANSWER_SECONDS_MAX)


async def fetch_aside(sql: str, *values: object) -> list[asyncpg.Record]:
    """The rows of one statement on a connection of its own, without a scope: what it writes stays, also when the open
    transaction is rolled back.

    It must touch no row that a transaction may have locked: the transaction that waits for it would wait for ever.
    """
    async with connected("aside") as connection:
        return await connection.fetch(sql, *values, timeout=ANSWER_SECONDS_MAX)


@asynccontextmanager
async def reading(scope: Scope) -> AsyncIterator[None]:
    """A read-only transaction: the database refuses every write and every row lock."""
    async with transaction(scope, alone=True):
        await current().connection.execute("SET TRANSACTION READ ONLY")
        yield


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """A savepoint for the block: if the block raises, only its own writes are rolled back."""
    await flush()
    await current().connection.execute("SAVEPOINT part")
    try:
        yield
        await flush()
    except BaseException:
        current().queued.clear()
        # It must be released too: otherwise an outer savepoint of the same name would roll back to this one.
        await current().connection.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
        raise
    else:
        await current().connection.execute("RELEASE SAVEPOINT part")


async def plan_anew() -> None:
    """From now on, plan the statements of the open transaction for their values.

    For one that names a part of many rows by values that may be null, and whose time to plan does not matter.
    """
    async with statement_connection() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = auto")


def current() -> Open:
    """The open transaction. Raises RuntimeError outside of one."""
    opened: Open | None = engine.current_transaction.get()
    if opened is None:
        raise RuntimeError("outside a transaction: open one with transaction(scope)")
    return opened


@asynccontextmanager
async def statement_connection() -> AsyncIterator["PoolConnectionProxy"]:
    """The connection of the open transaction, which carries one statement at a time.

    Among direct reads it is that of a transaction of its own, in which the database refuses every write.
    """
    opened = current()
    if opened.held is None and opened.common is None:
        async with connected() as connection:
            read_only = f"{begin_sql(opened.visible, opened.scope)}; SET TRANSACTION READ ONLY"
            await connection.execute(read_only, timeout=ANSWER_SECONDS_MAX)
            try:
                yield connection
            finally:
                await asyncio.shield(rollback(connection))
        return
    if opened.group is None:
        yield opened.connection
        return
    async with opened.group.alone:
        yield opened.connection


def queue(*writes: Write) -> None:
    """Queue writes: the transaction sends them together, in one statement, before it commits.

    For rows that no later statement of the transaction reads or refers to, such as those of the audit; `flush` sends
    them earlier. Nothing is sent where the transaction is rolled back. No two of them may change the same row.
    """
    current().queued += writes


async def flush() -> None:
    """Send the queued writes. Raises RanIntoAnother if one of them has not changed as many rows as it should."""
    opened = current()
    while opened.queued:
        writes, opened.queued = opened.queued[:AT_ONCE], opened.queued[AT_ONCE:]
        sql, values = together(writes)
        changed_rows(writes, await opened.connection.fetchrow(sql, *values))
