"""The service's verbs on another database than the tests' own, for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from timebank.core import database, settings
from timebank.core.database import engine
from timebank.core.settings import Settings


@asynccontextmanager
async def elsewhere(chosen: Settings, size: int) -> AsyncIterator[None]:
    """These settings in force with a pool on their database; afterwards everything is as it was."""
    kept, before = settings.current(), (engine.pool, engine.config, engine.door)
    settings.use(chosen)
    engine.pool = None
    try:
        await database.create_pool(chosen.database_url or "", size)
        yield
    finally:
        await database.close_pool()
        engine.pool, engine.config, engine.door = before
        settings.use(kept)
