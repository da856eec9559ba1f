"""What a later book says of the matters of an earlier one: those that were left open end as it says, and nobody earns.

A community hands over its book each month. Only a matter that stands as the import left it is ended: what somebody has
acted on here is theirs to end.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict, TimebankError
from timebank.core.scope import Scope
from timebank.matters.opening.due import done_days
from timebank.matters.opening.importing import IMPORT
from timebank.matters.schemas import OPEN, MatterLevel, MatterStatus

ENDED = "import_end"
"""The verb of the step by which a later book ended a matter."""
LaterStatus = Literal["closed", "refused", "withdrawn"]


class BookMatterHandled(Conflict):
    code = "book_matter_handled"
    sentence = "事项 {number} 导入以后有人在这里办过，没有按表改动。请到事项页核对。"


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A matter that a book may mean. `used`: somebody has acted on it; `answered`: its resident has said something."""

    id: UUID
    number: str
    external_number: str | None
    channel: str
    status: MatterStatus
    received_at: datetime
    area_id: UUID
    place: str
    said: str
    category_code: str
    reporter_id: UUID | None
    done_at: datetime | None
    refused_because: str | None
    result: str | None
    answered: bool
    used: bool = False

    @property
    def is_imported(self) -> bool:
        return self.channel == IMPORT

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def waits(self) -> bool:
        """Whether it stands as a book left it open, so that a later book may end it."""
        return self.is_imported and not self.used and self.status == "received"


_BOOKED = """
SELECT m.id, m.number, m.external_number, m.channel, m.status, m.received_at, m.area_id, m.place, m.said,
       m.category_code, m.reporter_id, m.done_at, m.refused_because, m.result,
       EXISTS (SELECT FROM rating r WHERE r.community_id = $1 AND r.matter_id = m.id AND r.by_kind = 'resident')
           AS answered
FROM matter m WHERE m.community_id = $1
"""


async def booked_matters(
    scope: Scope, ids: Collection[UUID], numbers: Collection[str], said_on: Sequence[tuple[date, str]]
) -> list[Booked]:
    """The matters of these ids or numbers of another system, and the imported ones of a day that said these words."""
    bounds = [clock.day_bounds(day) for day, _said in said_on]
    async with transaction(scope):
        found = await database.rows(
            Booked, f"{_BOOKED} AND (m.id = ANY ($2) OR m.external_number = ANY ($3))", scope.community_id, list(ids),
            list(numbers),
        )  # fmt: skip
        found += await database.rows(
            Booked,
            f"{_BOOKED} AND m.channel = 'import' AND EXISTS (SELECT FROM "
            "unnest($2::timestamptz[], $3::timestamptz[], $4::text[]) AS s (begins, ends, said) "
            "WHERE m.received_at >= s.begins AND m.received_at < s.ends AND m.said = s.said)",
            scope.community_id, [begins for begins, _ends in bounds], [ends for _begins, ends in bounds],
            [said for _day, said in said_on],
        )  # fmt: skip
        found = list({one.id: one for one in found}.values())
        used = await _used(scope, [one.id for one in found if one.is_imported])
    return [msgspec.structs.replace(one, used=one.id in used) for one in found]


async def _used(scope: Scope, matter_ids: Sequence[UUID]) -> set[UUID]:
    found = await database.fetch(
        "SELECT u.id FROM imported_matters_used($1, $2) AS u (id)", scope.community_id, list(matter_ids)
    )
    return {UUID(bytes=row["id"].bytes) for row in found}


class BookEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a matter ended that an earlier book had left open; `id` is that of the step.

    `ended_at` is None where the book gives no day of what was not done. `solved` and `stars` are what its resident
    said; `note` is what the book says besides, for staff and handlers.
    """

    id: UUID
    matter_id: UUID
    status: LaterStatus
    because: Literal["not_ours", "untrue"] | None = None
    ended_at: datetime | None
    unit_id: UUID | None
    result: str | None
    solved: bool | None
    stars: int | None
    note: str | None


class _Locked(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: str
    channel: str
    status: MatterStatus
    level: MatterLevel
    received_at: datetime
    due_at: datetime
    reporter_id: UUID | None


@retried
async def end_booked(scope: Scope, ends: Sequence[BookEnd]) -> list[TimebankError | None]:
    """End these matters as a later book says, with one step each; for administrators. Nobody is notified.

    The answers are in their order: None, or BookMatterHandled where somebody has acted on it meanwhile.
    """
    scope.require_admin()
    ids = [one.matter_id for one in ends]
    async with transaction(scope):
        locked = await database.rows(
            _Locked,
            "SELECT id, number, channel, status, level, received_at, due_at, reporter_id FROM matter "
            "WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE",
            scope.community_id, ids,
        )  # fmt: skip
        used = await _used(scope, ids)
        waiting = {
            one.id: one
            for one in locked
            if one.channel == IMPORT and one.status == "received" and one.id not in used
        }  # fmt: skip
        good = [one for one in ends if one.matter_id in waiting]
        if good:
            await _write(scope, [(one, waiting[one.matter_id]) for one in good])
    numbers = {one.id: one.number for one in locked}
    return [
        None if one.matter_id in waiting else BookMatterHandled(number=numbers.get(one.matter_id, "")) for one in ends
    ]


async def _write(scope: Scope, ends: Sequence[tuple[BookEnd, _Locked]]) -> None:
    now = clock.now()
    # A day alone may end at an hour before that of the receipt, which an earlier book gave.
    moments = [max(end.ended_at or now, matter.received_at) for end, matter in ends]
    done = [moment if end.status == "closed" else None for (end, _matter), moment in zip(ends, moments, strict=True)]
    await database.execute(
        "UPDATE matter m SET status = e.status, unit_id = e.unit_id, done_at = e.done_at, closed_at = e.closed_at, "
        "done_days = e.done_days, result = e.result, refused_because = e.because "
        "FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::smallint[], "
        "$8::text[], $9::text[]) AS e (id, status, unit_id, done_at, closed_at, done_days, result, because) "
        "WHERE m.community_id = $1 AND m.id = e.id",
        scope.community_id, [matter.id for _end, matter in ends], [end.status for end, _matter in ends],
        [end.unit_id for end, _matter in ends], done, moments,
        [done_days(matter.received_at, at) if at else None for (_end, matter), at in zip(ends, done, strict=True)],
        [end.result for end, _matter in ends], [end.because for end, _matter in ends],
    )  # fmt: skip
    await database.insert_many(
        "matter_step",
        ("community_id", "id", "matter_id", "at", "by_id", "by_kind", "verb", "from_status", "to_status", "note",
         "public", "unit_id", "level", "due_at"),
        [
            (scope.community_id, end.id, matter.id, now, scope.actor_id, "worker", ENDED, "received", end.status,
             end.note, False, end.unit_id, matter.level, matter.due_at)
            for end, matter in ends
        ],
    )  # fmt: skip
    await database.insert_many(
        "rating",
        ("community_id", "id", "matter_id", "reopening", "by_kind", "by_id", "how", "solved", "stars", "at"),
        [
            (scope.community_id, clock.new_id(), matter.id, 0, "resident", scope.actor_id, IMPORT, end.solved,
             end.stars, at)
            for (end, matter), at in zip(ends, done, strict=True)
            if at and end.solved is not None and matter.reporter_id is not None
        ],
    )  # fmt: skip
    ended = [(matter.id, {"status": end.status, "because": end.because}) for end, matter in ends]
    await audit.record_many(scope, "end_booked", "matter", ended)


async def matters_ended_by(scope: Scope, step_ids: Collection[UUID]) -> list[UUID]:
    """The matters that a book ended by these steps."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT matter_id FROM matter_step WHERE community_id = $1 AND id = ANY ($2) ORDER BY matter_id",
            scope.community_id, list(step_ids),
        )  # fmt: skip
    return [UUID(bytes=row["matter_id"].bytes) for row in found]


async def ended_by_later_books(scope: Scope, matter_ids: Collection[UUID]) -> dict[UUID, str]:
    """The numbers of those of these matters that a later book has ended, by id."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT m.id, m.number FROM matter m WHERE m.community_id = $1 AND m.id = ANY ($2) AND EXISTS ("
            "SELECT FROM matter_step s WHERE s.community_id = $1 AND s.matter_id = m.id AND s.verb = 'import_end') "
            "ORDER BY m.received_at, m.id",
            scope.community_id, list(matter_ids),
        )  # fmt: skip
    return {UUID(bytes=row["id"].bytes): row["number"] for row in found}


@retried
async def reopen_booked(scope: Scope, import_id: UUID, step_ids: Collection[UUID]) -> set[UUID]:
    """Let the matters wait again that an import has ended and that is being undone; return which. Used ones stay."""
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT * FROM reopen_imported_matters($1, $2, $3)", scope.community_id, import_id, list(step_ids)
        )
        waiting = {UUID(bytes=row[0].bytes) for row in found}
        await audit.record(scope, "reopen_booked", "matter", None, count=len(waiting))
    return waiting
