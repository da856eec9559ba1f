"""Run the service's verbs on another database than the worker's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from timebank.core import database, settings
from timebank.core.database import engine
from timebank.core.settings import Settings


@asynccontextmanager
async def elsewhere(chosen: Settings, size: int) -> AsyncIterator[None]:
    """Use these settings and a pool on their database; restore the previous settings and pool afterwards."""
    kept, before = settings.current(), (engine.pool, engine.aside, engine.readers, engine.config, engine.door)
    settings.use(chosen)
    engine.pool = engine.aside = engine.readers = None
    try:
        await database.create_pool(chosen.database_url or "", size)
        yield
    finally:
        await database.close_pool()
        engine.pool, engine.aside, engine.readers, engine.config, engine.door = before
        settings.use(kept)
