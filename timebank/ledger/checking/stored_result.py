"""The stored result of the ledger check: when a check is due or requested, and what the last one found."""

from datetime import datetime, time, timedelta

import msgspec
import structlog

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.ledger.checking.check import Books, Problem, check_ledger
from timebank.ledger.tables import BookCheck
from timebank.ledger.totals import totals

log = structlog.get_logger()

NIGHTLY = time(3, 30)  # local; by then the totals of the day before have been counted twice
ABANDONED_AFTER = timedelta(hours=6)  # a check that began longer ago counts as ended with its process
SMALL = 20_000  # a ledger with fewer transfers is checked within the request


class BooksNotChecked(TimebankError):
    code = "books_not_checked"
    status = 503
    sentence = "账目还没有核对过，已经排上，请过几分钟再看。如果一直这样，请管理员看看 timebank worker 在不在运行。"
    retry_after = 60


class _Kept(msgspec.Struct, frozen=True):
    asked_at: datetime | None
    begun_at: datetime | None
    checked_at: datetime | None
    problems: str


@retried
async def latest_books(scope: Scope) -> Books | None:
    """The result of the last check, with present totals. None: there was no check yet, and this call has requested one.

    The first check of a ledger with fewer than SMALL transfers is made at once.
    """
    scope.require_reader()
    async with transaction(scope):
        kept = await _kept(scope)
        if kept is not None and kept.checked_at is not None:
            return Books(kept.checked_at, await totals(scope), _problems(kept))
        small = await database.fetch_value(
            "SELECT count(*) < $2 FROM (SELECT FROM transfer WHERE community_id = $1 LIMIT $2) AS few",
            scope.community_id, SMALL,
        )  # fmt: skip
        if not small:
            await _ask(scope)
            return None
    return await check_and_keep(scope)


async def is_waiting(scope: Scope) -> bool:
    """Whether a requested check has not ended yet."""
    scope.require_reader()
    async with transaction(scope):
        kept = await _kept(scope)
    return kept is not None and kept.asked_at is not None


@retried
async def ask_for_check(scope: Scope) -> None:
    """Request a check by the worker. A second request before it has run has no effect."""
    scope.require_admin()
    async with transaction(scope):
        await _ask(scope)
        await audit.record(scope, "ask_for_check", "book_check", None)


@retried
async def check_if_due(scope: Scope) -> Books | None:
    """Check the ledger if a check is due: requested, never made, or not made since the last NIGHTLY; else None."""
    if not await _claimed(scope):
        return None
    try:
        return await check_and_keep(scope)
    finally:
        async with transaction(scope):
            await BookCheck.update({BookCheck.begun_at: None}).where(BookCheck.community_id == scope.community_id)


async def run_ledger_check_job(scope: Scope) -> None:
    """The worker's job: `check_if_due`, and a log line for the operator if the books do not balance."""
    books = await check_if_due(scope)
    if books is not None and not books.ok:
        codes = sorted({problem.code for problem in books.problems})
        log.error("books do not balance", community_id=str(scope.community_id), codes=codes)


@retried
async def check_and_keep(scope: Scope) -> Books:
    """Check the ledger and store the result. It fulfils every request from before its begin."""
    books = await check_ledger(scope)
    async with transaction(scope):
        await database.execute(
            "INSERT INTO book_check AS b (community_id, checked_at, problems) VALUES ($1, $2, $3::jsonb) "
            "ON CONFLICT (community_id) DO UPDATE SET checked_at = $2, problems = $3::jsonb, "
            "asked_at = CASE WHEN b.asked_at > $2 THEN b.asked_at END WHERE b.checked_at IS NULL OR b.checked_at <= $2",
            scope.community_id, books.checked_at, msgspec.json.encode(books.problems).decode(),
        )  # fmt: skip
    return books


@retried
async def _claimed(scope: Scope) -> bool:
    """Mark a due check as begun; False if none is due or another worker has begun it. No lock is kept."""
    now = clock.now()
    night = clock.at_local(clock.local_day(now), NIGHTLY)
    night = night if night <= now else clock.at_local(clock.local_day(now) - timedelta(days=1), NIGHTLY)
    async with transaction(scope):
        taken = await database.execute(
            "INSERT INTO book_check AS b (community_id, begun_at, problems) VALUES ($1, $2, '[]') "
            "ON CONFLICT (community_id) DO UPDATE SET begun_at = $2 "
            "WHERE (b.asked_at IS NOT NULL OR b.checked_at IS NULL OR b.checked_at < $3) "
            "AND (b.begun_at IS NULL OR b.begun_at < $4)",
            scope.community_id, now, night, now - ABANDONED_AFTER,
        )  # fmt: skip
    return taken == "INSERT 0 1"


async def _ask(scope: Scope) -> None:
    await database.execute(
        "INSERT INTO book_check AS b (community_id, asked_at, problems) VALUES ($1, $2, '[]') "
        "ON CONFLICT (community_id) DO UPDATE SET asked_at = $2 WHERE b.asked_at IS NULL",
        scope.community_id, clock.now(),
    )  # fmt: skip


async def _kept(scope: Scope) -> _Kept | None:
    return await database.row(
        _Kept,
        "SELECT asked_at, begun_at, checked_at, problems FROM book_check WHERE community_id = $1",
        scope.community_id,
    )


def _problems(kept: _Kept) -> list[Problem]:
    return msgspec.json.decode(kept.problems, type=list[Problem])
