"""What could not be delivered, for the administrators: listed with what failed, tried again, or given up."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.capability import resolve
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.outbox.attempts import failure_in_words
from timebank.outbox.delivering import declared_deliveries

UNKNOWN_KIND = _("这个版本不认得的一种")


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A dead row: `word` names its kind, `failure` is the sentence of its last failure."""

    id: UUID
    word: str
    failure: str
    attempts: int
    created_at: datetime
    dead_at: datetime


class _Dead(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    last_error: str
    attempts: int
    created_at: datetime
    dead_at: datetime


class _Failure(msgspec.Struct, frozen=True):
    code: str
    values: dict[str, int]


_DEAD = (
    "SELECT id, kind, last_error, attempts, created_at, dead_at "
    "FROM outbox WHERE community_id = $1 AND dead_at IS NOT NULL AND given_up_at IS NULL"
)


async def undelivered(
    scope: Scope, *, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Undelivered]:
    """What was tried too often and is not given up, the latest first; for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_after("dead_at, id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    latest = f"{_DEAD}{asked.sql} ORDER BY dead_at DESC, id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(_Dead, latest, *asked.values)
    known = declared_deliveries()
    for how in known.values():
        resolve(how.verb)  # Makes the classes of its errors known.
    words = {kind: how.word for kind, how in known.items()}
    page = make_page(found, limit, lambda row: (row.dead_at, row.id))
    return Page([_shown(row, words.get(row.kind, UNKNOWN_KIND), language) for row in page.items], page.next)


def _shown(row: _Dead, word: str, language: str) -> Undelivered:
    failure = msgspec.json.decode(row.last_error, type=_Failure)
    return Undelivered(
        id=row.id, word=word, failure=failure_in_words(failure.code, failure.values, language),
        attempts=row.attempts, created_at=row.created_at, dead_at=row.dead_at,
    )  # fmt: skip


_AGAIN = (
    "UPDATE outbox SET dead_at = NULL, attempts = 0, due_at = $2 "
    "WHERE community_id = $1 AND dead_at IS NOT NULL AND given_up_at IS NULL"
)


@retried
async def deliver_again(scope: Scope, parcel_id: UUID) -> None:
    """Let the worker try a dead row again at once. Raises NotFound, also for one that is not dead any more."""
    scope.require_admin()
    async with transaction(scope):
        found: UUID | None = await database.fetch_value(
            f"{_AGAIN} AND id = $3 RETURNING id", scope.community_id, clock.now(), parcel_id
        )
        if found is None:
            raise NotFound
        await audit.record(scope, "deliver_again", "outbox", parcel_id)


@retried
async def deliver_all_again(scope: Scope) -> int:
    """Let the worker try every dead row again at once; return how many."""
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch(f"{_AGAIN} RETURNING id", scope.community_id, clock.now())
        if found:
            await audit.record(scope, "deliver_again", "outbox", None, rows=len(found))
    return len(found)


@retried
async def give_up_delivery(scope: Scope, parcel_id: UUID) -> None:
    """Take a dead row off the list without delivering it. Raises NotFound, also for one that is not dead any more."""
    scope.require_admin()
    async with transaction(scope):
        kind: str | None = await database.fetch_value(
            "UPDATE outbox SET given_up_at = $3 WHERE community_id = $1 AND id = $2 AND dead_at IS NOT NULL "
            "AND given_up_at IS NULL RETURNING kind",
            scope.community_id, parcel_id, clock.now(),
        )  # fmt: skip
        if kind is None:
            raise NotFound
        await audit.record(scope, "give_up_delivery", "outbox", parcel_id, kind=kind)


class Backlog(msgspec.Struct, frozen=True):
    """How many rows of the outbox are due and not delivered yet, and how many are dead and not given up."""

    due: int
    dead: int


async def backlog(communities: Sequence[UUID]) -> Backlog:
    """The backlog of these communities together; for the operator, without what is in the rows."""
    if not communities:
        return Backlog(0, 0)
    async with transaction(Scope.of_system(communities[0]), communities=frozenset(communities)):
        found = await database.row(
            Backlog,
            "SELECT count(*) FILTER (WHERE dead_at IS NULL) AS due, count(dead_at) AS dead "
            "FROM outbox WHERE community_id = ANY ($1) AND done_at IS NULL AND given_up_at IS NULL "
            "AND (dead_at IS NOT NULL OR due_at <= $2)",
            list(communities), clock.now(),
        )  # fmt: skip
    assert found is not None
    return found
