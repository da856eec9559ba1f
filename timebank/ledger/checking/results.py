"""The stored result of the check: made by the worker, asked for by an administrator, shown with its time."""

from datetime import datetime, time, timedelta

import msgspec
import structlog

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.ledger.checking.check import Books, Problem, check_ledger
from timebank.ledger.totals import totals

log = structlog.get_logger()

NIGHTLY = time(3, 30)  # when the day before has been counted twice
ABANDONED_AFTER = timedelta(hours=6)  # a check that began so long ago has died with its process
SMALL = 20_000  # transfers that are checked while somebody waits


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
    """What the last check found, with the totals of this moment. None: there was none yet, and one has been asked for.

    Few transfers are checked at once when nobody has done so before.
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
    """Whether somebody has asked for a check that has not ended yet."""
    scope.require_reader()
    async with transaction(scope):
        kept = await _kept(scope)
    return kept is not None and kept.asked_at is not None


@retried
async def ask_for_check(scope: Scope) -> None:
    """Let the worker check the books as soon as it can; asked twice, it checks once."""
    scope.require_admin()
    async with transaction(scope):
        await _ask(scope)
        await audit.record(scope, "ask_for_check", "book_check", None)


@retried
async def check_if_due(scope: Scope) -> Books | None:
    """Check the books when somebody has asked for it, when they never were, and every night; None: it is not due."""
    if not await _claimed(scope):
        return None
    try:
        return await check_and_keep(scope)
    finally:
        async with transaction(scope):
            await database.execute("UPDATE book_check SET begun_at = NULL WHERE community_id = $1", scope.community_id)


async def check_books(scope: Scope) -> None:
    """Check the books when it is due. Whoever runs the worker reads in its log that they do not balance."""
    books = await check_if_due(scope)
    if books is not None and not books.ok:
        codes = sorted({problem.code for problem in books.problems})
        log.error("books do not balance", community_id=str(scope.community_id), codes=codes)


@retried
async def check_and_keep(scope: Scope) -> Books:
    """Check the books and store what was found. Who asked before it began is answered by it."""
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
    """Whether a check is due that no other worker has begun. No lock is held while it runs."""
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
