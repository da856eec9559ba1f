"""Is it alive, is it ready, what does it do: for the machine that watches over the service."""

import asyncio

import asyncpg
from litestar import Response, get
from litestar.plugins.prometheus import PrometheusController

from timebank import connections, installation
from timebank.connections import DiskFull, NotOpen, ReadOnly
from timebank.errors import Unavailable

READY_SECONDS_MAX = 1.5
# A set that is larger than its working memory goes to the disk: the smallest write that needs free space, leaves no row
# behind, needs no privilege, and tells of a full disk while nobody else writes.
WRITES_TO_DISK = "BEGIN; SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 10000); ROLLBACK"
ONLY_READS = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"


class Stopping(Unavailable):
    code = "stopping"
    sentence = "服务正在停止，请稍候再试。"


class Readiness:
    """Whether this process can serve. Who asks while another does is given the same answer."""

    def __init__(self) -> None:
        self.is_stopping = False
        self._looking: asyncio.Task[Unavailable | None] | None = None

    async def refusal(self) -> Unavailable | None:
        """Why it is not ready; answered in time, whatever the database does."""
        if self.is_stopping:
            return Stopping()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(_look())
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                return await asyncio.shield(self._looking)
        except TimeoutError:
            return NotOpen()


readiness = Readiness()


async def _look() -> Unavailable | None:
    """Look by a connection of its own: one of the pool would have to wait its turn under load."""
    if connections.engine.pool is None:
        return NotOpen()
    try:
        async with connections.alone(connections.engine.config["dsn"]) as connection:
            await installation.require(connection)
            return await _refused_write(connection)
    except Unavailable as error:
        return error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return NotOpen()


async def _refused_write(connection: asyncpg.Connection) -> Unavailable | None:
    if await connection.fetchval(ONLY_READS):
        return ReadOnly()
    try:
        await connection.execute(WRITES_TO_DISK)
    except asyncpg.PostgresError as error:
        if connections.is_unwritable(error):
            return DiskFull()
        raise
    if connections.was_full():
        return DiskFull()
    connections.engine.door.refusal = None  # Whoever waits for the database need not wait any longer.
    return None


@get("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers. The database is not asked."""
    return {"status": "ok"}


@get("/readyz")
async def readyz() -> Response[dict[str, object]]:
    """The database answers, can be written, has every migration of this version and is sealed by our key."""
    refusal = await readiness.refusal()
    if refusal is None:
        return Response({"status": "ok", "missing": []})
    told = {"status": "unavailable", "reason": refusal.code, "missing": refusal.values.get("names", [])}
    return Response(told, status_code=503, headers={"Retry-After": str(refusal.retry_after)})


class Metrics(PrometheusController):
    """Requests and their durations by route and status, for Prometheus; nothing that names a person."""

    path = "/metrics"
    include_in_schema = False
