"""Stored answers to requests with an Idempotency-Key: `http.idempotency` writes and repeats them."""

from datetime import timedelta

from timebank.core import clock, database
from timebank.core.database import retried, transaction

KEPT_FOR = timedelta(hours=24)


@retried
async def forget_old() -> None:
    """Drop answers older than a day: nobody retries after that."""
    async with transaction(None):
        await database.execute("SELECT answers_sweep($1)", clock.now() - KEPT_FOR)
