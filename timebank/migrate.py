"""Migrations: SQL files that one runner runs in order, each in its own transaction. A file must not change once run.

The runner stores the SHA-256 of each file with its name (`migration.checksum`) and refuses a file that was changed
afterwards. A file with `-- outside a transaction` in its head comment is run statement by statement (CREATE INDEX
CONCURRENTLY); its statements can be run again after a failure.
"""

import asyncio
import hashlib
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, redirect_stdout, suppress
from functools import partial
from pathlib import Path

import asyncpg
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration

from timebank.core.database import NotOpen, Open, engine
from timebank.core.errors import TimebankError, reason_of
from timebank.operations import first_schema

FOLDER = Path(__file__).parent.parent / "migrations"

# Key of the advisory lock: the first digits of pi, which no other program is likely to use.
RUNNER_LOCK = 3_141_592_653
RUNNER_PAUSE_SECONDS = 0.2

# A statement that waits for a lock blocks every later one, so it waits only briefly and is retried after a pause.
LOCK_TIMEOUT = "2s"
PAUSES_SECONDS = (1, 2, 4, 8, 16, 30, 30, 30, 30)
IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

HAS_CHECKSUMS = (
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'migration'::regclass AND attname = 'checksum')"
)

OUTSIDE = "-- outside a transaction"
REPEATABLE = re.compile(
    r"CREATE (UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (?P<made>\w+) ON |DROP INDEX CONCURRENTLY IF EXISTS \w+$|"
    r"ALTER TABLE \w+ VALIDATE CONSTRAINT \w+$|ANALYZE|SET ROLE timebank_owner$"
)


class MigrationFailed(TimebankError):
    code = "migration_failed"
    status = 500
    sentence = "数据库升级停在 {name}：{why}。它之前的都已完成；排除原因后再运行 timebank migrate，会从这里继续。"


class MigrationBlocked(TimebankError):
    code = "migration_blocked"
    status = 503
    sentence = (
        "{name} 要改的表一直被别的连接占着，等了几次都没有轮到；它之前的都已完成。"
        "请等备份或长时间的查询结束（pg_stat_activity 里能看到），再运行 timebank migrate。"
    )


class MigrationChanged(TimebankError):
    code = "migration_changed"
    status = 500
    sentence = (
        "{names} 在这个数据库上运行之后又被改过，什么都没有运行。"
        "请换回原来的文件（重新安装这个版本），再运行 timebank migrate。"
    )


class MigrationUnknown(TimebankError):
    code = "migration_unknown"
    status = 500
    sentence = (
        "数据库里记着 {names} 已经运行，却没有校验和，不能证明运行的是哪个文件。"
        "请从升级之前的备份恢复，再运行 timebank migrate。"
    )


Filling = Callable[[asyncpg.Connection], Awaitable[None]]


def migration(file: str, then: Filling | None = None) -> MigrationManager:
    """The migration of a `NNNN_name.py`: it runs the `NNNN_name.sql` beside it, and leaves a transaction open.

    The caller writes the migration's row in that transaction and commits it. `then` runs as the tables' owner and
    fills in data that SQL cannot compute; it must not use code or tables that a later version may change.
    """
    sql = Path(file).with_suffix(".sql")
    manager = MigrationManager(migration_id=sql.stem, app_name="timebank", description=sql.stem)

    async def run() -> None:
        connection = engine.current_transaction.get().connection
        text = sql.read_text(encoding="utf-8")
        await connection.execute("RESET ROLE")
        if is_outside(text):
            await _run_outside(connection, text)
            await connection.execute("RESET ROLE; BEGIN")
            return
        await connection.execute(f"BEGIN; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(text)
        if then is not None:
            await then(connection)
        await connection.execute("RESET ROLE")

    manager.add_raw(run)
    return manager


def is_outside(sql: str) -> bool:
    """Whether the comment at the head of a file asks to run it outside a transaction."""
    head = sql.split("\n\n", 1)[0]
    return OUTSIDE in [line.strip() for line in head.splitlines()]


def statements(sql: str) -> list[str]:
    """The statements of a file that runs outside a transaction. Raises ValueError for one that is not repeatable."""
    bare = re.sub(r"--.*", "", sql)
    found = [" ".join(part.split()) for part in bare.split(";") if part.strip()]
    for statement in found:
        if not REPEATABLE.match(statement):
            raise ValueError(f"not known to be safe to run again: {statement}")
    return found


async def _run_outside(connection: asyncpg.Connection, sql: str) -> None:
    for statement in statements(sql):
        known_form = REPEATABLE.match(statement)
        name = known_form and known_form["made"]
        if name and await connection.fetchval(
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", f"public.{name}"
        ):
            await connection.execute(f"DROP INDEX CONCURRENTLY public.{name}")  # an invalid index of a failed run
        await connection.execute(statement)


async def migrate(url: str) -> list[str]:
    """Run the missing migrations and return their names; a second runner waits for the first.

    The login must be a superuser, or own the database and be allowed to create roles. `url` must be that of the server:
    a pooler in transaction mode cannot keep the runner's advisory lock. Raises NotOpen and the errors above.
    """
    async with one_runner(url) as connection:
        token = engine.current_transaction.set(Open(held=connection, visible=frozenset()))  # type: ignore[arg-type]  # not from a pool
        try:
            return await _run_all(connection)
        finally:
            engine.current_transaction.reset(token)


@asynccontextmanager
async def one_runner(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection without a time limit that nobody else changes the schema beside. Raises NotOpen."""
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotOpen from error
    try:
        await _wait_for_turn(connection)
        yield connection
    finally:
        await connection.close()


async def _wait_for_turn(connection: asyncpg.Connection) -> None:
    """Take the runner's advisory lock, which lasts until the connection ends. It is polled, because a statement that
    waits for it would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot.
    """
    await connection.execute("SET client_min_messages = warning; SET statement_timeout = 0")
    # If the platform supports it, the server ends the statement of a runner that died.
    with suppress(asyncpg.PostgresError):
        await connection.execute("SET client_connection_check_interval = '2s'")
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RUNNER_LOCK):  # noqa: ASYNC110
        await asyncio.sleep(RUNNER_PAUSE_SECONDS)


async def _stay_on_this_server(connection: asyncpg.Connection) -> None:
    """On a Citus coordinator, keep the schema here until `timebank distribute` lays it out; later changes go to every
    server. Settings of a transaction do not: a change of the schema names roles that act here alone.
    """
    if await connection.fetchval("SELECT to_regclass('pg_dist_partition')") is None:
        return
    await connection.execute("SET citus.propagate_set_commands = 'none'")
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_dist_partition)"):
        await connection.execute("SET citus.enable_ddl_propagation = off")


async def _run_all(connection: asyncpg.Connection) -> list[str]:
    ran: list[str] = []
    await _stay_on_this_server(connection)
    with redirect_stdout(io.StringIO()):
        async with _announced_as("migration"):
            await _insisting(connection, partial(_keep_checksums, connection))
        for name in await _missing(connection):
            async with _announced_as(name):
                await _insisting(connection, partial(_run_one, connection, name))
            ran.append(name)
    await connection.execute("GRANT SELECT ON migration TO timebank_app")
    return ran


@asynccontextmanager
async def _announced_as(name: str) -> AsyncIterator[None]:
    try:
        yield
    except IN_THE_WAY as error:
        raise MigrationBlocked(name=name) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationFailed(name=name, why=reason_of(error)) from error


async def _missing(connection: asyncpg.Connection) -> list[str]:
    before = set(await applied(connection))
    return [name for name in known() if name not in before]


async def _insisting(connection: asyncpg.Connection, run: Callable[[], Awaitable[None]]) -> None:
    """Run a step, and retry it after a pause while other connections hold its locks; they can work in the pauses."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            return await run()
        except IN_THE_WAY:
            await connection.execute("ROLLBACK; RESET ROLE")
            if pause is None:
                raise
            await asyncio.sleep(pause)
        except BaseException:
            if not connection.is_closed():
                await asyncio.shield(connection.execute("ROLLBACK"))
            raise
    raise AssertionError("unreachable")


async def _run_one(connection: asyncpg.Connection, name: str) -> None:
    """Run one file and write its name and checksum in the same transaction."""
    await ForwardsMigrationManager(app_name="timebank", migration_id=name).run()
    await connection.execute("UPDATE migration SET checksum = $2 WHERE name = $1", name, checksum(name))
    await connection.execute("COMMIT")


async def _keep_checksums(connection: asyncpg.Connection) -> None:
    """Refuse a file that was changed after it had run. Of a database without checksums, compare the schema first, then
    store them."""
    await connection.execute(f"BEGIN; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        await Migration.create_table().run()  # type: ignore[no-untyped-call]
    if not await connection.fetchval(HAS_CHECKSUMS):
        await connection.execute("ALTER TABLE migration ADD COLUMN checksum varchar(64)")
    kept = {row["name"]: row["checksum"] for row in await connection.fetch("SELECT name, checksum FROM migration")}
    changed = [name for name in known() if kept.get(name) not in {None, checksum(name)}]
    if changed:
        raise MigrationChanged(names="、".join(changed))
    without = sorted(name for name in kept if kept[name] is None)
    if without:
        if tuple(sorted(kept)) != first_schema.MADE_BY:
            raise MigrationUnknown(names="、".join(without))
        await first_schema.compare(connection)
        for name in without:
            await connection.execute("UPDATE migration SET checksum = $2 WHERE name = $1", name, checksum(name))
    await connection.execute("COMMIT")


async def applied(connection: asyncpg.Connection) -> list[str]:
    """The names of the migrations that were run on a database, in order."""
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return []
    return [row["name"] for row in await connection.fetch("SELECT name FROM migration ORDER BY name")]


def known() -> list[str]:
    """The names of the migrations of this version, in order."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.sql"))


def checksum(name: str) -> str:
    """The SHA-256 of a migration's text, in hex, independent of line endings."""
    return hashlib.sha256((FOLDER / f"{name}.sql").read_text(encoding="utf-8").encode()).hexdigest()
