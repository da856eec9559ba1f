"""Limits on attempts, counted in the database, so that a limit holds across processes. Sign-ins: `sign_in_delays`."""

from datetime import datetime, timedelta

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError


class TooManyAttempts(TimebankError):
    code = "too_many_attempts"
    status = 429
    sentence = "试的次数太多了，请过 {minutes} 分钟再试。"

    def __init__(self, wait: timedelta) -> None:
        seconds = int(wait.total_seconds())
        super().__init__(minutes=max(1, -(-seconds // 60)))
        self.retry_after = seconds + 1


@retried
async def count_attempt(key: str, *, most: int, window: timedelta) -> None:
    """Count one attempt under a key. Raises TooManyAttempts for those after `most` in a window.

    Counted in a transaction of its own, so that the attempt stays counted when the verb fails.
    """
    if database.engine.current_transaction.get() is not None:
        raise RuntimeError("this is committed by itself: call it before a transaction is open")
    start = _window_start(window)
    (counted,) = await database.ask("SELECT throttle_count($1, $2) AS attempts", key, start)
    if counted["attempts"] > most:
        wait = start + window - clock.now()
        raise TooManyAttempts(wait)


@retried
async def subtract_attempts(key: str, attempts: int, *, window: timedelta) -> None:
    """Subtract attempts that were right from the count; earlier ones stay counted."""
    async with transaction(None):
        await database.execute(
            "UPDATE throttle SET attempts = greatest(0, attempts - $3) WHERE key = $1 AND window_start = $2",
            key, _window_start(window), attempts,
        )  # fmt: skip


@retried
async def purge_attempts() -> None:
    """Delete windows that ended more than a day ago."""
    async with transaction(None):
        await database.execute("DELETE FROM throttle WHERE window_start < $1", clock.now() - timedelta(days=1))


def _window_start(window: timedelta) -> datetime:
    now = clock.now()
    seconds = int(now.timestamp())
    return now - timedelta(seconds=seconds % int(window.total_seconds()), microseconds=now.microsecond)
