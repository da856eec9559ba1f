"""Checks of the database: it has every migration of this version, and its data was encrypted with our secret key."""

import hmac
from datetime import timedelta

import asyncpg
import structlog

from timebank import migrate
from timebank.core import clock, connections, database, settings, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError, Unavailable, reason_of
from timebank.core.vault import WrongSecretKey

log = structlog.get_logger()

SAMPLE = 100
WORKER_SILENT_FOR = timedelta(minutes=3)
"""A worker that has not reported for this long counts as stopped; the longest job takes less time."""


class NotMigrated(Unavailable):
    code = "not_migrated"
    sentence = "数据库还不是这个版本的样子（缺 {missing}）。请先运行 timebank migrate。"


async def open_checked_pool(url: str, size: int) -> None:
    """Open a pool that checks every new connection with `require` before its first use, also after an outage."""
    await connections.create_pool(url, size, check=require)


async def require(connection: asyncpg.Connection) -> None:
    """Refuse a database that lacks a migration of this version, or whose data was encrypted with another secret key.

    The first process with a key records its fingerprint. Without a key nothing can be encrypted: nothing is compared.
    """
    missing = sorted(set(migrate.known()) - set(await migrate.applied(connection)))
    if missing:
        raise NotMigrated(missing="、".join(missing), names=missing)
    if settings.current().secret_key:
        await require_key(connection)


async def require_key(connection: asyncpg.Connection) -> None:
    """Raise WrongSecretKey unless ours is the recorded key. If none is recorded, record ours if it opens the data."""
    recorded = await _recorded(connection)
    if recorded is None:
        await _record(connection)
        recorded = await _recorded(connection)  # If two processes record at the same time, the first wins.
    if recorded is None or not hmac.compare_digest(recorded, vault.fingerprint()):
        raise WrongSecretKey


async def is_new(connection: asyncpg.Connection) -> bool:
    """Whether the database holds no encrypted value and no fingerprint yet, so that any key can be used."""
    if await connection.fetchval("SELECT to_regclass('login')") is None:
        return True
    has_table = await connection.fetchval("SELECT to_regclass('installation')") is not None
    if has_table and await _recorded(connection) is not None:
        return False
    async with connection.transaction():
        return not await _sealed(connection)


async def _recorded(connection: asyncpg.Connection) -> bytes | None:
    fingerprint: bytes | None = await connection.fetchval("SELECT key_fingerprint FROM installation")
    return fingerprint


async def _record(connection: asyncpg.Connection) -> None:
    """Record the fingerprint of our key. Raises WrongSecretKey if it decrypts half or less of a sample of the data.

    An old installation without a fingerprint may hold a few values that were encrypted with a wrong key by mistake, so
    the majority decides.
    """
    async with connection.transaction():
        sealed = await _sealed(connection)
        opened = sum(vault.opens(row["sealed"], row["purpose"]) for row in sealed)
        if sealed and opened * 2 <= len(sealed):
            raise WrongSecretKey
        await connection.execute(
            "INSERT INTO installation (id, key_fingerprint, recorded_at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
            vault.fingerprint(), clock.now(),
        )  # fmt: skip


async def _sealed(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """A random sample of encrypted values: up to SAMPLE phones of logins, phones of people and identity numbers."""
    await connection.execute("SET LOCAL ROLE timebank_app")
    await connection.execute(
        "SELECT set_config('timebank.communities', coalesce(array_agg(id), '{}')::text, true) FROM region "
        "WHERE kind = 'community'"
    )
    has_sample = await connection.fetchval("SELECT to_regprocedure('login_sample(bigint)')") is not None
    logins = (
        "SELECT 'phone' AS purpose, sealed FROM login_sample($1) sealed"
        if has_sample  # In an older database the serving role may read the column itself.
        else "SELECT 'phone' AS purpose, phone_sealed AS sealed FROM login ORDER BY random() LIMIT $1"
    )
    return await connection.fetch(
        f"({logins}) UNION ALL "  # noqa: S608  # one of the two above
        "(SELECT 'phone', phone_sealed FROM person WHERE phone_sealed IS NOT NULL ORDER BY random() LIMIT $1) "
        "UNION ALL (SELECT 'identity', identity_sealed FROM person WHERE identity_sealed IS NOT NULL "
        "ORDER BY random() LIMIT $1)",
        SAMPLE,
    )


@retried
async def analyze_new_tables() -> int:
    """ANALYZE the tables without statistics, as after a restore; returns how many they were.

    Until autovacuum reaches such a table, the planner has no data for it.
    """
    async with transaction(None):
        [made] = await database.fetch_unlimited("SELECT analyze_new_tables() AS tables")
    analysed: int = made["tables"]
    return analysed


async def try_to_analyze() -> None:
    """Like `analyze_new_tables`, but log a failure instead of raising; the worker's next round tries again.

    Without statistics the service is slower, but correct.
    """
    try:
        await analyze_new_tables()
    except (TimebankError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("no statistics made", why=reason_of(error))


@retried
async def note_worker() -> None:
    """Record that a worker is running, so that pages can warn if none is."""
    async with transaction(None):
        await database.execute("UPDATE installation SET worker_seen_at = $1", clock.now())


async def has_worker() -> bool:
    """Whether a worker has reported within WORKER_SILENT_FOR."""
    async with transaction(None):
        seen = await database.fetch_value("SELECT worker_seen_at FROM installation")
    return seen is not None and seen > clock.now() - WORKER_SILENT_FOR
