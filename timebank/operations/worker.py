"""The worker runs the periodic jobs. Each job can be repeated, and run by two processes at the same time.

Every job runs for one community after another. Verbs take only what is due and write under natural ledger keys, so a
second worker finds nothing left to do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from traceback import extract_tb
from uuid import UUID

import asyncpg
import structlog

from timebank.core import database
from timebank.core.capability import capabilities, resolve
from timebank.core.database import connections, transaction
from timebank.core.errors import TimebankError, Unavailable
from timebank.core.scope import Scope
from timebank.operations import installation

log = structlog.get_logger()

ASK_AGAIN_SECONDS = 5
SIGN_EVERY_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Job:
    """A periodic job that runs in every community."""

    name: str
    every_seconds: int
    verb: Callable[[Scope], Awaitable[object]]
    capability: str = ""
    """The capability that a community must have switched on for it; "" for one without a switch."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A periodic job that belongs to no community."""

    name: str
    every_seconds: int
    verb: Callable[[], Awaitable[object]]


def jobs() -> tuple["Job | Sweep", ...]:
    """The jobs and sweeps of the capabilities, in their order, and the one that belongs to no capability."""
    manifests = capabilities()
    return (
        *(
            Job(job.name, job.every_seconds, resolve(job.verb), one.name if one.switch else "")
            for one in manifests
            for job in one.jobs
        ),
        *(Sweep(sweep.name, sweep.every_seconds, resolve(sweep.verb)) for one in manifests for sweep in one.sweeps),
        Sweep("statistics", 60, installation.analyze_new_tables),
    )


async def run_worker(stop: asyncio.Event) -> None:
    """Run every job when it is due, until `stop` is set. A job that has begun in a community is finished there.

    No job begins while the database does not answer; jobs that fall due meanwhile run once it answers again.
    """
    due: dict[Job | Sweep, float] = dict.fromkeys(jobs(), 0.0)
    last_sign = -float("inf")
    while not stop.is_set():
        for job, at in due.items():
            if at <= time.monotonic() and await _can_begin(stop):
                last_sign = await _give_sign(last_sign)
                was_done = await do(job, stop)
                due[job] = time.monotonic() + (job.every_seconds if was_done else ASK_AGAIN_SECONDS)
        await _sleep(stop, max(0.0, min(due.values()) - time.monotonic()))


async def _give_sign(last: float) -> float:
    """Record, at most every SIGN_EVERY_SECONDS, that this worker is running; return the time of the last record."""
    if time.monotonic() - last < SIGN_EVERY_SECONDS:
        return last
    await _attempt("give_sign", None, installation.note_worker())
    return time.monotonic()


async def _can_begin(stop: asyncio.Event) -> bool:
    """Wait until the database answers; False once `stop` is set."""
    while not stop.is_set():
        if await _answers():
            return True
        await _sleep(stop, ASK_AGAIN_SECONDS)
    return False


async def _answers() -> bool:
    try:
        await connections.require_reachable()
    except Unavailable as error:
        log.warning("waiting for the database", code=error.code)
        return False
    return True


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def run_all() -> None:
    """Run every job once."""
    await _give_sign(-float("inf"))
    for job in jobs():
        await do(job)


async def do(job: Job | Sweep, stop: asyncio.Event | None = None) -> bool:
    """Run one job in every community; a failure in one community does not stop it in the others.

    False if the database could not be used, so that the job should be retried soon.
    """
    if isinstance(job, Sweep):
        return await _attempt(job.name, None, job.verb())
    try:
        communities = await communities_with(job)
    except (TimebankError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _notify(job.name, None, error)
        return False
    was_done = True
    for community_id in communities:
        if stop is not None and stop.is_set():
            break
        was_done &= await _attempt(job.name, community_id, job.verb(Scope.of_system(community_id)))
    return was_done


async def communities_with(job: Job) -> list[UUID]:
    """The communities in which the job runs."""
    if not job.capability:
        return await all_communities()
    async with transaction(None):
        found = await database.fetch("SELECT communities_using($1) AS id", job.capability)
    return [UUID(bytes=row["id"].bytes) for row in found]


async def all_communities() -> list[UUID]:
    async with transaction(None):
        found = await database.fetch("SELECT id FROM region WHERE kind = 'community' ORDER BY id")
    return [UUID(bytes=row["id"].bytes) for row in found]


async def _attempt(job: str, community_id: UUID | None, work: Awaitable[object]) -> bool:
    """Await a job's work. Every Exception that it raises is logged and not raised further.

    False if the database could not be used.
    """
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, Exception):
        _notify(job, community_id, outcome)
    elif isinstance(outcome, BaseException):
        raise outcome
    elif isinstance(outcome, int) and outcome:
        log.info("job", job=job, community_id=community_id and str(community_id), count=outcome)
    return not isinstance(outcome, Unavailable)


def _notify(job: str, community_id: UUID | None, error: Exception) -> None:
    """Log a failed job by code and location, without the error's message, which may quote personal data."""
    code = error.code if isinstance(error, TimebankError) else type(error).__name__
    at = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-2:]]
    log.error("job failed", job=job, community_id=community_id and str(community_id), code=code, at=at)
