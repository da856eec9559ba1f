"""Seed a database once. The progress is noted in its audit table, so that it moves with the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import asyncpg
import structlog

from timebank.core import audit, clock, database
from timebank.core.database import NotOpen, retried, transaction
from timebank.core.errors import TimebankError
from timebank.demo.seeding import COUNTY_SCOPE, Told, seed

log = structlog.get_logger()

SEEDER_LOCK = 2_718_281_828
"""The advisory lock of a seeding: digits of e, which other programs are unlikely to use."""

State = Literal["empty", "begun", "finished", "others"]


class NotTheDemos(TimebankError):
    code = "not_a_demo_database"
    status = 409
    sentence = "这个数据库里已有社区自己的数据，演示不会动它。请用 --data 另选一个目录，或换一个空的数据库。"


async def state() -> State:
    """Whether the database is empty, or holds an interrupted seeding, a finished one, or a community's own data."""
    async with transaction(COUNTY_SCOPE):
        noted = await database.fetch(
            "SELECT verb FROM audit WHERE community_id = $1 AND noun = 'demo'", COUNTY_SCOPE.community_id
        )
        founded = await database.fetch_value("SELECT EXISTS (SELECT FROM region)")
    verbs = {row["verb"] for row in noted}
    if "finish_seeding" in verbs:
        return "finished"
    if "begin_seeding" in verbs:
        return "begun"
    return "others" if founded else "empty"


@retried
async def record_progress(verb: str) -> None:
    async with transaction(COUNTY_SCOPE):
        await audit.record(COUNTY_SCOPE, verb, "demo", None)


@asynccontextmanager
async def seeding_lock(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold the advisory lock for seeding this database: a second demo waits and then finds the county seeded.

    Yields a connection with the role of the tables' owner. Raises NotOpen.
    """
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise NotOpen from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", SEEDER_LOCK)
        await connection.execute("SET ROLE timebank_owner")
        yield connection
    finally:
        await connection.close()


async def empty(owner: asyncpg.Connection) -> None:
    """Truncate all tables after an interrupted seeding. Only for a database whose state is `begun`."""
    tables = await owner.fetchval(
        "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables "
        "WHERE schemaname = 'public' AND tablename NOT IN ('migration', 'installation')"
    )
    await owner.execute(f"TRUNCATE {tables}")


async def seed_once(url: str, told: Told) -> None:
    """Seed the county unless it is seeded; an interrupted seeding starts anew.

    The pool must be open on this database. Raises NotTheDemos if it holds a community's own data.
    """
    async with seeding_lock(url) as owner:
        found = await state()
        if found == "others":
            raise NotTheDemos
        if found == "finished":
            return
        if found == "begun":
            await empty(owner)
        await record_progress("begin_seeding")
        for refusal in await seed(clock.local_day(), owner, told):
            log.warning("demo step refused", refusal=refusal)
        await record_progress("finish_seeding")
