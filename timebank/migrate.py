"""Migrations: SQL files run in order by one runner, each in a transaction of its own, never changed once they have run.

The runner keeps the SHA-256 of each file beside its name (`migration.checksum`) and refuses a file that was changed
afterwards. A file whose first lines hold `-- outside a transaction` is run statement by statement (CREATE INDEX
CONCURRENTLY); its statements may be run again after a failure.
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

# Any number that nobody else on the server is likely to lock: the first digits of pi.
RUNNER_LOCK = 3_141_592_653
RUNNER_PAUSE_SECONDS = 0.2

# A statement that waits for a lock makes everybody after it wait too, so it waits briefly, lets go and comes again.
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

    The row that says so is written in that transaction; who runs the migration commits it. `then` fills, as the
    tables' owner, what SQL alone cannot say; it must not need what a later version may have changed.
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
    """Whether a file asks, in the comment at its head, to be run outside a transaction."""
    head = sql.split("\n\n", 1)[0]
    return OUTSIDE in [line.strip() for line in head.splitlines()]


def statements(sql: str) -> list[str]:
    """The statements of a file that runs outside a transaction. Raises ValueError for one that may not run twice."""
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
            await connection.execute(f"DROP INDEX CONCURRENTLY public.{name}")  # what a broken run has left half built
        await connection.execute(statement)


async def migrate(url: str) -> list[str]:
    """Bring the database up to date and answer the migrations that were run; a second runner waits for the first.

    The login must be a superuser, or own the database and be allowed to create roles. The address is the server's own:
    a pooler that shares connections between transactions cannot keep the runner's lock.
    """
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotOpen from error
    token = engine.current_transaction.set(Open(connection, frozenset()))  # type: ignore[arg-type]  # not from a pool
    try:
        await _wait_for_turn(connection)
        return await _run_all(connection)
    finally:
        engine.current_transaction.reset(token)
        await connection.close()


async def _wait_for_turn(connection: asyncpg.Connection) -> None:
    """Become the only runner until the connection ends. Asked again and again, because who waits inside a statement
    holds a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot.
    """
    await connection.execute("SET client_min_messages = warning; SET statement_timeout = 0")
    # Where the platform knows it, the server ends the statement of a runner that died.
    with suppress(asyncpg.PostgresError):
        await connection.execute("SET client_connection_check_interval = '2s'")
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RUNNER_LOCK):  # noqa: ASYNC110
        await asyncio.sleep(RUNNER_PAUSE_SECONDS)


async def _run_all(connection: asyncpg.Connection) -> list[str]:
    ran: list[str] = []
    with redirect_stdout(io.StringIO()):
        async with _told_as("migration"):
            await _insisting(connection, partial(_keep_checksums, connection))
        for name in await _missing(connection):
            async with _told_as(name):
                await _insisting(connection, partial(_run_one, connection, name))
            ran.append(name)
    await connection.execute("GRANT SELECT ON migration TO timebank_app")
    return ran


@asynccontextmanager
async def _told_as(name: str) -> AsyncIterator[None]:
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
    """Run a step again after a pause while others hold what it needs: they go on working between the tries."""
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
    """Run one file; its name and its checksum are written in its own transaction."""
    await ForwardsMigrationManager(app_name="timebank", migration_id=name).run()
    await connection.execute("UPDATE migration SET checksum = $2 WHERE name = $1", name, checksum(name))
    await connection.execute("COMMIT")


async def _keep_checksums(connection: asyncpg.Connection) -> None:
    """Refuse a file that was changed after it had run. A database of before checksums is compared first, then noted."""
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
    """The migrations that a database says were run."""
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return []
    return [row["name"] for row in await connection.fetch("SELECT name FROM migration ORDER BY name")]


def known() -> list[str]:
    """The migrations that this version of the program has."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.sql"))


def checksum(name: str) -> str:
    """The SHA-256 of a migration's text, the same however its lines end."""
    return hashlib.sha256((FOLDER / f"{name}.sql").read_text(encoding="utf-8").encode()).hexdigest()
