"""Liveness, readiness and metrics, for monitoring."""

import asyncio
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from litestar import Response, get
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.plugins.prometheus import PrometheusController
from prometheus_client import Gauge

from timebank.core import settings
from timebank.core.database import connections
from timebank.core.database.refusals import DiskFull, NotOpen, ReadOnly, is_unwritable
from timebank.core.errors import NotFound, TimebankError, Unavailable
from timebank.http.callers import AnyRequest
from timebank.operations import installation, serving_login, worker
from timebank.outbox.undelivered import backlog

READY_SECONDS_MAX = 1.5
# A result larger than work_mem is written to a temporary file. This tests for free disk space without writing a row,
# without a privilege, and also while nobody else writes.
WRITES_TO_DISK = "BEGIN; SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 10000); ROLLBACK"
ONLY_READS = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"


class Stopping(Unavailable):
    code = "stopping"
    sentence = "服务正在停止，请稍候再试。"


class Readiness:
    """Whether this process can serve. Concurrent calls share one check."""

    def __init__(self) -> None:
        self.is_stopping = False
        self.may_do_everything = False
        self._looking: asyncio.Task[Unavailable | None] | None = None

    async def refusal(self) -> Unavailable | None:
        """The reason why it is not ready, or None. Returns within READY_SECONDS_MAX even if the database hangs."""
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
    """Check the database over a separate connection, because a connection of the pool may not be free under load."""
    if connections.engine.pool is None:
        return NotOpen()
    try:
        async with connections.connect_once(connections.engine.config["dsn"]) as connection:
            await installation.require(connection)
            readiness.may_do_everything = await serving_login.is_operator(connection)
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
        if is_unwritable(error):
            return DiskFull()
        raise
    if connections.was_full():
        return DiskFull()
    connections.engine.door.refusal = None  # Let the next request test the database at once.
    return None


@get("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """Liveness: the process answers. The database is not queried."""
    return {"status": "ok"}


@get("/readyz")
async def readyz() -> Response[dict[str, object]]:
    """Readiness: the database answers, is writable, has every migration and was encrypted with our secret key."""
    refusal = await readiness.refusal()
    if refusal is None:
        ready: dict[str, object] = {"status": "ok", "missing": []}
        if readiness.may_do_everything:
            ready["warnings"] = ["serving_login_may_do_everything"]
        return Response(ready)
    told = {"status": "unavailable", "reason": refusal.code, "missing": refusal.values.get("names", [])}
    return Response(told, status_code=503, headers={"Retry-After": str(refusal.retry_after)})


AnyConnection = ASGIConnection[Any, Any, Any, Any]
# Headers that proxies add to a forwarded request.
PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def is_inside(connection: AnyConnection) -> bool:
    """Whether a request comes from this machine or a private network and not through a proxy.

    A proxy that adds no header is detected by the Host header: it is the public host name of an https service.
    """
    if connection.client is None or any(name in connection.headers for name in PASSED_ON):
        return False
    try:
        address = ip_address(connection.client.host)
        asked = urlsplit(f"//{connection.headers.get('Host', '')}").hostname
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    chosen = settings.current()
    is_public_name = chosen.secure and asked == urlsplit(chosen.base_url).hostname
    return (address.is_loopback or address.is_private) and not is_public_name


def only_inside(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Guard: 404 for requests from outside, in case a variant of the path passes the proxy's rules."""
    if not is_inside(connection):
        raise NotFound


BACKLOG = {
    "due": Gauge("timebank_outbox_due", "Rows of the outbox that wait for delivery", multiprocess_mode="mostrecent"),
    "dead": Gauge("timebank_outbox_dead", "Rows of the outbox that were given up on", multiprocess_mode="mostrecent"),
}


async def count_backlog(_: AnyRequest) -> None:
    """Before the metrics are shown: count what the outbox holds. Without a database the last counts stay."""
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            found = await backlog(await worker.all_communities())
    except (TimebankError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return
    BACKLOG["due"].set(found.due)
    BACKLOG["dead"].set(found.dead)


class Metrics(PrometheusController):
    """Requests and their durations by route and status, and the outbox's backlog, for Prometheus; no personal data."""

    path = "/metrics"
    guards = [only_inside]  # noqa: RUF012  # Litestar reads it from the class
    include_in_schema = False
    before_request = count_backlog  # type: ignore[assignment]  # Litestar reads it from the class
