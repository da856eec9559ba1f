"""Migrations: SQL files run in order, all in one transaction, one runner at a time."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import asyncpg
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from timebank.database import NotOpen, engine
from timebank.errors import TimebankError, reason_of

# Any number that nobody else on the server is likely to lock: the first digits of pi.
RUNNER_LOCK = 3_141_592_653


class MigrationFailed(TimebankError):
    code = "migration_failed"
    status = 500
    sentence = "数据库升级没有成功，什么都没有改动：{why}"


def migration(file: str) -> MigrationManager:
    """The migration of a `NNNN_name.py`: it runs the `NNNN_name.sql` beside it."""
    sql = Path(file).with_suffix(".sql")
    manager = MigrationManager(migration_id=sql.stem, app_name="timebank", description=sql.stem)

    async def run() -> None:
        current = engine.current_transaction.get()
        await current.connection.execute("RESET ROLE")
        await current.connection.execute(sql.read_text(encoding="utf-8"))
        await current.connection.execute("RESET ROLE")

    manager.add_raw(run)
    return manager


async def migrate(url: str) -> list[str]:
    """Bring the database up to date and answer the migrations that were run; a second runner waits for the first.

    The login must be a superuser, or own the database and be allowed to create roles.
    """
    engine.config = {"dsn": url}
    try:
        async with engine.transaction():
            connection = engine.current_transaction.get().connection
            await connection.execute("SET LOCAL client_min_messages = warning")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", RUNNER_LOCK)
            before = set(await applied(connection))
            with redirect_stdout(io.StringIO()):
                await ForwardsMigrationManager(app_name="timebank").run()
            await connection.execute("GRANT SELECT ON migration TO timebank_app")
            run = sorted(set(await applied(connection)) - before)
    except (OSError, asyncpg.InvalidPasswordError, asyncpg.InvalidCatalogNameError) as error:
        raise NotOpen from error
    except asyncpg.PostgresError as error:
        raise MigrationFailed(why=reason_of(error)) from error
    return run


async def applied(connection: asyncpg.Connection) -> list[str]:
    """The migrations that a database says were run."""
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return []
    return [row["name"] for row in await connection.fetch("SELECT name FROM migration ORDER BY name")]


def known() -> list[str]:
    """The migrations that this version of the program has."""
    folder = Path(__file__).parent.parent / "migrations"
    return sorted(path.stem for path in folder.glob("[0-9]*.sql"))
