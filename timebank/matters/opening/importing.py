"""Taking over the matters of an old book, many at once; and taking them back as long as nobody has acted on them.

An imported matter earns nobody anything, and nobody is notified of it: it happened before the community used this.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.access.pickup import draw
from timebank.areas.workdays import Workdays, workdays_of
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Busy, TimebankError
from timebank.core.scope import Scope
from timebank.matters.opening.due import done_days, due_moment
from timebank.matters.opening.opening import ExternalNumberKnown
from timebank.matters.schemas import MatterKind, MatterLevel

IMPORT = "import"
"""The channel of an imported matter, the verb of its first step, and how its resident's answer came."""
_DRAWN_BESIDE = 20


class BookMatter(msgspec.Struct, frozen=True, kw_only=True):
    """A matter of an old book. With `done_at` it is closed, without it waits for a dispatcher.

    `due_days` and `due_counts` are its category's. `solved` and `stars` are what its resident said; `note` is what the
    book says besides, for staff and handlers.
    """

    id: UUID
    external_number: str | None
    kind: MatterKind
    category_code: str
    level: MatterLevel
    due_days: int
    due_counts: str
    area_id: UUID
    place: str
    said: str
    reporter_id: UUID | None
    unit_id: UUID | None
    received_at: datetime
    done_at: datetime | None
    result: str | None
    solved: bool | None
    stars: int | None
    note: str | None


async def known_external_numbers(scope: Scope, numbers: Iterable[str]) -> set[str]:
    """Those of these numbers of another system under which the community has a matter."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT external_number FROM matter WHERE community_id = $1 AND external_number = ANY ($2)",
            scope.community_id, list(numbers),
        )  # fmt: skip
    return {row["external_number"] for row in found}


@retried
async def import_matters(scope: Scope, booked: Sequence[BookMatter]) -> list[TimebankError | None]:
    """Write these matters with their first steps and answers, in a few statements for all; for administrators.

    The answers are in their order: None, or ExternalNumberKnown where somebody has entered it meanwhile.
    """
    scope.require_admin()
    async with transaction(scope):
        known = await known_external_numbers(scope, [one.external_number for one in booked if one.external_number])
        made = [one for one in booked if one.external_number is None or one.external_number not in known]
        if made:
            first = min(clock.local_day(one.received_at) for one in made)
            await _insert(scope, made, await workdays_of(scope, first))
    return [ExternalNumberKnown() if one.external_number in known else None for one in booked]


_COLUMNS = (
    "community_id", "id", "number", "kind", "category_code", "area_id", "place", "said", "reporter_id", "channel",
    "external_number", "status", "level", "unit_id", "received_at", "done_at", "closed_at", "due_at", "first_due_at",
    "result", "done_days", "told", "created_at",
)  # fmt: skip
_STEP_COLUMNS = (
    "community_id", "id", "matter_id", "at", "by_id", "by_kind", "verb", "to_status", "note", "public", "unit_id",
    "level", "due_at",
)  # fmt: skip
_RATING_COLUMNS = (
    "community_id", "id", "matter_id", "reopening", "by_kind", "by_id", "how", "solved", "stars", "at",
)  # fmt: skip


async def _insert(scope: Scope, made: Sequence[BookMatter], known: Workdays) -> None:
    now, numbers = clock.now(), await _free_numbers(scope, len(made))
    due = {one.id: due_moment(one.received_at, one.due_days, one.due_counts, known) for one in made}
    await database.insert_many(
        "matter", _COLUMNS,
        [
            (scope.community_id, one.id, number, one.kind, one.category_code, one.area_id, one.place, one.said,
             one.reporter_id, IMPORT, one.external_number, "closed" if one.done_at else "received", one.level,
             one.unit_id if one.done_at else None, one.received_at, one.done_at, one.done_at, due[one.id], due[one.id],
             one.result, done_days(one.received_at, one.done_at) if one.done_at else None,
             # Who dispatches sees all of them in the inbox; two hours later there is no message for each.
             ["waits"], now)
            for one, number in zip(made, numbers, strict=True)
        ],
    )  # fmt: skip
    await database.insert_many(
        "matter_step", _STEP_COLUMNS,
        [
            (scope.community_id, clock.new_id(), one.id, now, scope.actor_id, "worker", IMPORT,
             "closed" if one.done_at else "received", one.note, False, one.unit_id if one.done_at else None, one.level,
             due[one.id])
            for one in made
        ],
    )  # fmt: skip
    await database.insert_many(
        "rating", _RATING_COLUMNS,
        [
            (scope.community_id, clock.new_id(), one.id, 0, "resident", scope.actor_id, IMPORT, one.solved, one.stars,
             one.done_at)
            for one in made
            if one.done_at and one.solved is not None and one.reporter_id is not None
        ],
    )  # fmt: skip
    done = [
        (
            one.id,
            {"category": one.category_code, "area_id": one.area_id, "status": "closed" if one.done_at else "received"},
        )
        for one in made
    ]
    await audit.record_many(scope, "import_matter", "matter", done)


async def _free_numbers(scope: Scope, count: int) -> list[str]:
    """So many different numbers of eight random digits that no matter of the community has."""
    drawn = list(dict.fromkeys(draw(2 * count + _DRAWN_BESIDE)))
    found = await database.fetch(
        "SELECT number FROM matter WHERE community_id = $1 AND number = ANY ($2)", scope.community_id, drawn
    )
    taken = {row["number"] for row in found}
    free = [number for number in drawn if number not in taken][:count]
    if len(free) < count:
        raise Busy
    return free


async def received_days(scope: Scope, matter_ids: Collection[UUID]) -> list[date]:
    """The local days on which these matters were received."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT received_at FROM matter WHERE community_id = $1 AND id = ANY ($2)",
            scope.community_id, list(matter_ids),
        )  # fmt: skip
    return sorted({clock.local_day(row["received_at"]) for row in found})


async def used_matters(scope: Scope, matter_ids: Collection[UUID]) -> dict[UUID, str]:
    """The numbers of those of these imported matters on which somebody has acted since, by id."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT m.id, m.number FROM matter m JOIN imported_matters_used($1, $2) AS u (id) ON u.id = m.id "
            "WHERE m.community_id = $1 ORDER BY m.received_at, m.id",
            scope.community_id, list(matter_ids),
        )  # fmt: skip
    return {UUID(bytes=row["id"].bytes): row["number"] for row in found}


@retried
async def withdraw_imported(scope: Scope, import_id: UUID, matter_ids: Collection[UUID]) -> set[UUID]:
    """Remove the matters of an import that is being undone; return those that are gone. Used ones stay."""
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT * FROM forget_imported_matters($1, $2, $3)", scope.community_id, import_id, list(matter_ids)
        )
        gone = {UUID(bytes=row[0].bytes) for row in found}
        await audit.record(scope, "withdraw_matters", "matter", None, withdrawn=len(gone))
    return gone
