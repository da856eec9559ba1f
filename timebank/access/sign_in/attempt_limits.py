"""Limits on attempts, counted in the database, so that a limit holds across processes. Sign-ins: `sign_in_delays`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

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


class Limit(msgspec.Struct, frozen=True):
    """How often something may be attempted in a window. An attempt with `counts` False is only refused after `most`."""

    key: str
    most: int
    counts: bool = True


async def count_attempt(key: str, *, most: int, window: timedelta) -> None:
    """Count one attempt under a key; see `count_attempts`."""
    await count_attempts([Limit(key, most)], window=window)


async def count_attempts(limits: Sequence[Limit], *, window: timedelta) -> None:
    """Count one attempt under the keys of several limits. Raises TooManyAttempts for those after `most` in a window.

    Counted on a connection of its own, so that the attempt stays counted when the verb around it fails. Attempts at
    the same moment are counted one after the other, so of them too no more than `most` are let through.
    """
    start = _window_start(window)
    counted = sorted(limits, key=lambda limit: limit.key)  # in one order, so that no two counts wait for each other
    rows = ", ".join(f"(${2 * row + 2}, $1, ${2 * row + 3})" for row in range(len(counted)))
    found = await database.fetch_aside(
        f"INSERT INTO throttle (key, window_start, attempts) VALUES {rows} "  # noqa: S608  # numbers of parameters
        "ON CONFLICT (key, window_start) DO UPDATE SET attempts = throttle.attempts + excluded.attempts "
        "RETURNING key, attempts",
        start, *(value for limit in counted for value in (limit.key, int(limit.counts))),
    )  # fmt: skip
    attempts = {row["key"]: row["attempts"] for row in found}
    if any(attempts[limit.key] + (not limit.counts) > limit.most for limit in limits):
        raise TooManyAttempts(start + window - clock.now())


@retried
async def purge_attempts() -> None:
    """Delete windows that ended more than a day ago."""
    async with transaction(None):
        await database.execute("DELETE FROM throttle WHERE window_start < $1", clock.now() - timedelta(days=1))


def _window_start(window: timedelta) -> datetime:
    now = clock.now()
    seconds = int(now.timestamp())
    return now - timedelta(seconds=seconds % int(window.total_seconds()), microseconds=now.microsecond)
