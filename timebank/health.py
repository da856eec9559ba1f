"""Is it alive, is it ready, what does it do: for the machine that watches over the service."""

import asyncpg
from litestar import Response, get
from litestar.plugins.prometheus import PrometheusController

from timebank import database, migrate
from timebank.database import transaction
from timebank.errors import TimebankError


@get("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers. The database is not asked."""
    return {"status": "ok"}


@get("/readyz")
async def readyz() -> Response[dict[str, object]]:
    """The database answers and has every migration that this version knows."""
    try:
        async with transaction(None):
            applied = [row["name"] for row in await database.fetch("SELECT name FROM migration")]
    except (TimebankError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return Response({"status": "unavailable", "missing": []}, status_code=503)
    missing = sorted(set(migrate.known()) - set(applied))
    return Response(
        {"status": "unavailable" if missing else "ok", "missing": missing}, status_code=503 if missing else 200
    )


class Metrics(PrometheusController):
    """Requests and their durations by route and status, for Prometheus; nothing that names a person."""

    path = "/metrics"
    include_in_schema = False
