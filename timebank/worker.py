"""What falls due: each job is safe to repeat and safe to run in two processes at once.

Every job runs for one community after another. Verbs take only what is due and write under natural ledger keys, so a
second worker finds nothing left to do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from traceback import extract_tb
from uuid import UUID

import asyncpg
import msgspec
import structlog

from timebank import clock, database, settings
from timebank.access import logins, once, sessions, throttle
from timebank.checkins.claims import forget_claims
from timebank.checkins.due import credit_due_records
from timebank.checkins.forgotten import close_forgotten
from timebank.classes.attendance import close_lessons
from timebank.classes.seats import fill_seats
from timebank.database import transaction
from timebank.deeds.credit import credit_due_deeds
from timebank.errors import TimebankError
from timebank.imports import drafts
from timebank.ledger import posting
from timebank.ledger.checked import check_if_due
from timebank.people.messages import tell
from timebank.scope import Scope
from timebank.shop.collection import expire_redemptions

log = structlog.get_logger()

REMINDER_DAYS = (7, 30, 60)
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
BATCH = 500


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


async def expire_points(scope: Scope) -> int:
    """Take points past their last day out of the accounts, until none is left."""
    moved = 0
    while count := await posting.expire(scope, BATCH):
        moved += count
    return moved


_DAYS = """
SELECT DISTINCT (moved.posted_at AT TIME ZONE $4)::date AS day FROM account a CROSS JOIN LATERAL (
    SELECT t.posted_at FROM transfer t WHERE t.community_id = $1 AND t.debit_account = a.id
        AND t.posted_at >= $2 AND t.posted_at < $3
    UNION ALL
    SELECT t.posted_at FROM transfer t WHERE t.community_id = $1 AND t.credit_account = a.id
        AND t.posted_at >= $2 AND t.posted_at < $3
) AS moved WHERE a.community_id = $1 AND a.owner_kind = 'system' ORDER BY 1
"""


async def close_days(scope: Scope) -> int:
    """Count every whole day on which something was posted and which is not counted yet; how many were new.

    The last counted day is counted again: a posting may have been under way when it was.
    """
    async with transaction(scope):
        last: date | None = await database.fetch_value(
            "SELECT max(day) FROM day_total WHERE community_id = $1", scope.community_id
        )
        since = clock.day_bounds(last)[0] if last else FIRST_MOMENT
        until = clock.day_bounds(clock.local_day())[0]
        found = await database.fetch(_DAYS, scope.community_id, since, until, settings.current().time_zone.key)
    for row in found:
        await posting.close_day(scope, row["day"])
    return sum(row["day"] != last for row in found)


class _Expiring(msgspec.Struct, frozen=True):
    person_id: UUID
    expires_on: date
    amount: int


async def remind_of_expiry(scope: Scope) -> int:
    """Tell each person once 60, 30 and 7 days before points run out how many and when; how many were told."""
    told, today = 0, clock.local_day()
    until = today
    for days in REMINDER_DAYS:
        since, until = until, today + timedelta(days=days)
        async with transaction(scope):
            found = await database.rows(
                _Expiring,
                "SELECT a.owner_id AS person_id, a.expires_on, sum(a.balance)::bigint AS amount FROM account a "
                "JOIN person p ON p.community_id = a.community_id AND p.id = a.owner_id AND p.status = 'active' "
                "WHERE a.community_id = $1 AND a.owner_kind = 'person' AND a.currency = 'point' "
                "AND a.bucket = 'available' AND a.balance > 0 AND a.expires_on >= $2 AND a.expires_on <= $3 "
                "AND NOT EXISTS (SELECT FROM message m WHERE m.community_id = a.community_id "
                "AND m.person_id = a.owner_id AND m.key = 'points-expire:' || a.expires_on || ':' || $4) "
                "GROUP BY a.owner_id, a.expires_on ORDER BY a.owner_id",
                scope.community_id, since, until, str(days),
            )  # fmt: skip
        for expiring in found:
            day = f"{expiring.expires_on.month}月{expiring.expires_on.day}日"
            await tell(
                scope, expiring.person_id, "points_expiring",
                f"您有 {expiring.amount} 积分{day}到期，请在当天结束前使用。",
                f"points-expire:{expiring.expires_on}:{days}",
            )  # fmt: skip
        told += len(found)
        until += timedelta(days=1)
    return told


async def check_books(scope: Scope) -> None:
    """Check the books when it is due. Whoever runs the worker reads in its log that they do not balance."""
    books = await check_if_due(scope)
    if books is not None and not books.ok:
        codes = sorted({problem.code for problem in books.problems})
        log.error("books do not balance", community_id=str(scope.community_id), codes=codes)


JOBS: tuple[Job, ...] = (
    Job("credit_due_deeds", 60, credit_due_deeds),
    Job("credit_due_records", 60, credit_due_records),
    Job("close_forgotten", 60, close_forgotten),
    Job("forget_claims", 600, forget_claims),
    Job("expire_redemptions", 60, expire_redemptions),
    Job("close_lessons", 60, close_lessons),
    Job("fill_seats", 60, fill_seats),
    Job("expire_points", 600, expire_points),
    Job("remind_of_expiry", 3600, remind_of_expiry),
    Job("close_days", 3600, close_days),
    Job("forget_drafts", 600, drafts.forget_old),
    Job("check_books", 60, check_books),
)

SWEEPS: tuple[Sweep, ...] = (
    Sweep("throttle", 3600, throttle.sweep),
    Sweep("idempotent_requests", 3600, once.forget_old),
    Sweep("sessions", 3600, sessions.forget_old),
    Sweep("one_time_codes", 3600, logins.forget_old_codes),
)

ALL: tuple[Job | Sweep, ...] = (*JOBS, *SWEEPS)


async def run(stop: asyncio.Event) -> None:
    """Do every job whenever it is due, until told to stop. A job that has begun in a community is finished there."""
    due: dict[Job | Sweep, float] = dict.fromkeys(ALL, 0.0)
    while not stop.is_set():
        for job, at in due.items():
            if at <= time.monotonic() and not stop.is_set():
                await do(job, stop)
                due[job] = time.monotonic() + job.every_seconds
        try:
            await asyncio.wait_for(stop.wait(), max(0.0, min(due.values()) - time.monotonic()))
        except TimeoutError:
            continue


async def run_all() -> None:
    """Do every job once."""
    for job in ALL:
        await do(job)


async def do(job: Job | Sweep, stop: asyncio.Event | None = None) -> None:
    """Do one job everywhere; what fails in one community does not keep it from the others."""
    if isinstance(job, Sweep):
        await _attempt(job.name, None, job.verb())
        return
    try:
        communities = await all_communities()
    except (TimebankError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _tell(job.name, None, error)
        return
    for community_id in communities:
        if stop is not None and stop.is_set():
            return
        await _attempt(job.name, community_id, job.verb(Scope.of_system(community_id)))


async def all_communities() -> list[UUID]:
    async with transaction(None):
        found = await database.fetch("SELECT id FROM region WHERE kind = 'community' ORDER BY id")
    return [UUID(bytes=row["id"].bytes) for row in found]


async def _attempt(job: str, community_id: UUID | None, work: Awaitable[object]) -> None:
    """Await a job's work. Whatever it raises, a fault of ours too, is written down and ends here."""
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, Exception):
        _tell(job, community_id, outcome)
    elif isinstance(outcome, BaseException):
        raise outcome
    elif isinstance(outcome, int) and outcome:
        log.info("job", job=job, community_id=community_id and str(community_id), count=outcome)


def _tell(job: str, community_id: UUID | None, error: Exception) -> None:
    """One line without the error's own words: they may quote a name or a number."""
    code = error.code if isinstance(error, TimebankError) else type(error).__name__
    at = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-2:]]
    log.error("job failed", job=job, community_id=community_id and str(community_id), code=code, at=at)
