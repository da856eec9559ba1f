"""What falls due: each job is safe to repeat and safe to run in two processes at once.

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

from timebank import connections, database, installation
from timebank.access import delays, once, sessions, throttle
from timebank.checkins.browsers import forget_addresses
from timebank.checkins.claims import forget_claims
from timebank.checkins.due import credit_due_records
from timebank.checkins.forgotten import close_forgotten
from timebank.classes.attendance import close_lessons
from timebank.classes.endings import expire_class_minutes, remind_of_class_ends, tell_of_last_days
from timebank.classes.seats import fill_seats
from timebank.classes.stopping import finish_stopped, refund_ended, tell_of_stops
from timebank.database import transaction
from timebank.deeds.credit import credit_due_deeds
from timebank.deeds.reminding import remind_of_objections
from timebank.errors import TimebankError, Unavailable
from timebank.expiry.due import close_days, expire_points
from timebank.expiry.reminders import remind_of_expiry
from timebank.imports import drafts, leftover
from timebank.ledger.checked import check_if_due
from timebank.overview.figures import count_figures
from timebank.overview.reminding import remind_deciders
from timebank.scope import Scope
from timebank.shop.collection import expire_redemptions
from timebank.stations.readings import forget_readings

log = structlog.get_logger()

ASK_AGAIN_SECONDS = 5
SIGN_EVERY_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Job:
    """Something that falls due in every community."""

    name: str
    every_seconds: int
    verb: Callable[[Scope], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Something old that belongs to no community."""

    name: str
    every_seconds: int
    verb: Callable[[], Awaitable[object]]


async def check_books(scope: Scope) -> None:
    """Check the books when it is due. Whoever runs the worker reads in its log that they do not balance."""
    books = await check_if_due(scope)
    if books is not None and not books.ok:
        codes = sorted({problem.code for problem in books.problems})
        log.error("books do not balance", community_id=str(scope.community_id), codes=codes)


JOBS: tuple[Job, ...] = (
    Job("credit_due_deeds", 60, credit_due_deeds),
    Job("credit_due_records", 60, credit_due_records),
    Job("remind_of_objections", 3600, remind_of_objections),
    Job("close_forgotten", 60, close_forgotten),
    Job("forget_claims", 600, forget_claims),
    Job("forget_readings", 3600, forget_readings),
    Job("forget_addresses", 3600, forget_addresses),
    Job("expire_redemptions", 60, expire_redemptions),
    Job("finish_stopped", 60, finish_stopped),
    Job("close_lessons", 60, close_lessons),
    Job("refund_ended", 60, refund_ended),
    Job("tell_of_stops", 60, tell_of_stops),
    Job("fill_seats", 60, fill_seats),
    Job("remind_of_expiry", 3600, remind_of_expiry),
    Job("remind_of_class_ends", 3600, remind_of_class_ends),
    Job("tell_of_last_days", 3600, tell_of_last_days),
    Job("expire_class_minutes", 3600, expire_class_minutes),
    Job("close_days", 3600, close_days),
    Job("expire_points", 600, expire_points),
    Job("remind_deciders", 60, remind_deciders),
    Job("forget_drafts", 600, drafts.forget_old),
    Job("check_books", 60, check_books),
    Job("count_figures", 600, count_figures),
)

SWEEPS: tuple[Sweep, ...] = (
    Sweep("carry_on_imports", 2, leftover.carry_on),
    Sweep("statistics", 60, installation.analyze_new_tables),
    Sweep("throttle", 3600, throttle.sweep),
    Sweep("sign_in_delays", 3600, delays.sweep),
    Sweep("idempotent_requests", 3600, once.forget_old),
    Sweep("sessions", 3600, sessions.forget_old),
)

ALL: tuple[Job | Sweep, ...] = (*JOBS, *SWEEPS)


async def run(stop: asyncio.Event) -> None:
    """Do every job whenever it is due, until told to stop. A job that has begun in a community is finished there.

    While the database is away nothing is begun, and what has fallen due meanwhile is done as soon as it is back.
    """
    due: dict[Job | Sweep, float] = dict.fromkeys(ALL, 0.0)
    last_sign = -float("inf")
    while not stop.is_set():
        for job, at in due.items():
            if at <= time.monotonic() and await _can_begin(stop):
                last_sign = await _give_sign(last_sign)
                was_done = await do(job, stop)
                due[job] = time.monotonic() + (job.every_seconds if was_done else ASK_AGAIN_SECONDS)
        await _sleep(stop, max(0.0, min(due.values()) - time.monotonic()))


async def _give_sign(last: float) -> float:
    """Note now and then that this worker is at work; when it did so last."""
    if time.monotonic() - last < SIGN_EVERY_SECONDS:
        return last
    await _attempt("give_sign", None, installation.note_worker())
    return time.monotonic()


async def _can_begin(stop: asyncio.Event) -> bool:
    """Wait until the database answers; False once we are told to stop."""
    while not stop.is_set():
        if await _answers():
            return True
        await _sleep(stop, ASK_AGAIN_SECONDS)
    return False


async def _answers() -> bool:
    try:
        await connections.reach()
    except Unavailable as error:
        log.warning("waiting for the database", code=error.code)
        return False
    return True


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def run_all() -> None:
    """Do every job once."""
    await _give_sign(-float("inf"))
    for job in ALL:
        await do(job)


async def do(job: Job | Sweep, stop: asyncio.Event | None = None) -> bool:
    """Do one job everywhere; what fails in one community does not keep it from the others.

    False when the database was away or full: the job is worth another try soon.
    """
    if isinstance(job, Sweep):
        return await _attempt(job.name, None, job.verb())
    try:
        communities = await all_communities()
    except (TimebankError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _tell(job.name, None, error)
        return False
    was_done = True
    for community_id in communities:
        if stop is not None and stop.is_set():
            break
        was_done &= await _attempt(job.name, community_id, job.verb(Scope.of_system(community_id)))
    return was_done


async def all_communities() -> list[UUID]:
    async with transaction(None):
        found = await database.fetch("SELECT id FROM region WHERE kind = 'community' ORDER BY id")
    return [UUID(bytes=row["id"].bytes) for row in found]


async def _attempt(job: str, community_id: UUID | None, work: Awaitable[object]) -> bool:
    """Await a job's work. Whatever it raises, a fault of ours too, is written down and ends here.

    False when the database could not be used.
    """
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, Exception):
        _tell(job, community_id, outcome)
    elif isinstance(outcome, BaseException):
        raise outcome
    elif isinstance(outcome, int) and outcome:
        log.info("job", job=job, community_id=community_id and str(community_id), count=outcome)
    return not isinstance(outcome, Unavailable)


def _tell(job: str, community_id: UUID | None, error: Exception) -> None:
    """One line without the error's own words: they may quote a name or a number."""
    code = error.code if isinstance(error, TimebankError) else type(error).__name__
    at = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-2:]]
    log.error("job failed", job=job, community_id=community_id and str(community_id), code=code, at=at)
