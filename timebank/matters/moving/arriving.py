"""A report that another community has refused as ours arrives: opened once, with the clock of its first receipt."""

from uuid import UUID

import msgspec

from timebank.access.pickup import draw
from timebank.areas.workdays import workdays_of
from timebank.core import audit, clock, database
from timebank.core.errors import Busy, NotUsedHere
from timebank.core.scope import Scope
from timebank.matters.checks.signs import Signs, signs_question
from timebank.matters.loop.acting import add_step
from timebank.matters.loop.notices import notify_dispatchers, notify_reporter
from timebank.matters.moving.coming_back import Moved, come_back
from timebank.matters.moving.leaving import ARRIVED
from timebank.matters.opening.due import due_moment
from timebank.matters.opening.openers import CategoryNotForThis
from timebank.matters.reading.rows import matter_row
from timebank.matters.schemas import LEVELS, MatterLevel
from timebank.outbox.putting import Parcel, put
from timebank.policies.values import policies

PLACE_MAX = 120


class _Category(msgspec.Struct, frozen=True):
    code: str
    level: MatterLevel
    due_days: int
    due_counts: str


async def open_moved(scope: Scope, parcel: Parcel) -> None:
    """Open the report in this community, in the transaction that ends the parcel. Delivered again, it changes nothing.

    It waits for the administrators, who know the place; its pictures come along. What has been here before, or was
    received here first, is opened again instead: one receipt is one matter in a community.
    """
    assert parcel.from_community is not None
    origin = UUID(str(parcel.payload["matter"]))
    found = await database.fetch_value(
        "SELECT moved_matter($1, $2, $3)", scope.community_id, parcel.from_community, origin
    )
    if found is None:
        return
    if not (await policies(scope)).uses_matters:
        raise NotUsedHere
    moved = msgspec.json.decode(found, type=Moved)
    if moved.here_id is not None:
        number = await come_back(scope, moved.here_id, moved)
    else:
        number = await _open(scope, parcel.from_community, origin, moved)
    if number is not None:
        await _say_where(scope, parcel, origin, moved, number)


async def _open(scope: Scope, came_from: UUID, origin: UUID, moved: Moved) -> str | None:
    """Open it with its pictures, and notify who dispatches; its number, or None where it is here already."""
    matter_id = await _insert(scope, came_from, origin, moved)
    if matter_id is None:
        return None
    await database.fetch_value(
        "SELECT moved_pictures($1, $2, $3, $4, $5)", scope.community_id, came_from, origin, matter_id, clock.now()
    )
    row = await matter_row(scope, matter_id)
    add_step(
        scope, row, "open", "received", by="system", level=row.level, due_at=row.due_at, opening=True,
        note=f"{moved.from_name} {moved.number}",
    )  # fmt: skip
    await audit.record(scope, "open_matter", "matter", row.id, about_id=row.reporter_id, origin="moved")
    if row.reporter_id is not None:
        await notify_reporter(scope, row, "matter_received", "open", due=row.due_at)
    notify_dispatchers(scope, row, row.level, "matter_to_dispatch", "open", due=row.due_at)
    return row.number


async def _say_where(scope: Scope, parcel: Parcel, origin: UUID, moved: Moved, number: str) -> None:
    """Leave the number here for whoever has sent it, and for the community where it was received first."""
    assert parcel.from_community is not None
    told = {parcel.from_community: origin, moved.first_from: moved.first_id}
    for there, matter in told.items():
        if there != scope.community_id:
            payload = {"matter": str(matter), "number": number}
            await put(scope, ARRIVED, f"matter:{matter}:{parcel.id}", payload, to=there)


async def _insert(scope: Scope, came_from: UUID, origin: UUID, moved: Moved) -> UUID | None:
    """Insert the matter with a number of its own; None where it is here already.

    Nobody has said in which grid it is, so it stands in the first one, with the place in words. Raises Busy, to be
    tried again, where no number is free or the community has no grid yet.
    """
    category = await _category(scope, moved)
    days = await workdays_of(scope, clock.local_day(moved.received_at))
    due_at = due_moment(moved.received_at, category.due_days, category.due_counts, days)
    level = LEVELS[max(LEVELS.index(category.level), LEVELS.index("community"))]
    flags = await _flags(scope, moved.reporter_id)
    place = await _free_place(scope)
    inserted = await database.fetch_value(
        "INSERT INTO matter (community_id, id, number, kind, category_code, area_id, place, said, "
        "reporter_id, channel, origin_kind, origin_id, moved_from, status, level, received_at, due_at, first_due_at, "
        "hides_reporter, may_be_contacted, flags, created_at, first_from, first_id, moves) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'moved', $11, $12, 'received', $13, $14, $15, $15, $16, $17, "
        "$18, $19, $20, $21, $22) "
        "ON CONFLICT (community_id, first_from, first_id) WHERE first_from IS NOT NULL DO NOTHING RETURNING id",
        scope.community_id, clock.new_id(), place.number, moved.kind, category.code, place.grid_id,
        moved.place[:PLACE_MAX], moved.said, moved.reporter_id, moved.channel, origin, came_from,
        level, moved.received_at, due_at, moved.hides_reporter, moved.may_be_contacted, flags, clock.now(),
        moved.first_from, moved.first_id, moved.moves,
    )  # fmt: skip
    return UUID(bytes=inserted.bytes) if inserted is not None else None


class _Signed(msgspec.Struct, frozen=True):
    signs: list[Signs]


async def _flags(scope: Scope, reporter_id: UUID | None) -> list[str]:
    """The flags of the reporter here; none where they have no record."""
    if reporter_id is None:
        return []
    found = await database.read(_Signed, signs=signs_question(scope, [reporter_id], None))
    return [flag for one in found.signs for flag in one.flags()]


class _Place(msgspec.Struct, frozen=True):
    number: str
    grid_id: UUID


async def _free_place(scope: Scope) -> _Place:
    """A number that no matter here has, and the first grid. Raises Busy where there is none."""
    found = await database.row(
        _Place,
        "SELECT d.number, g.id AS grid_id FROM unnest($2::text[]) AS d (number) "
        "JOIN area g ON g.community_id = $1 AND g.kind = 'grid' WHERE NOT EXISTS (SELECT FROM matter m "
        "WHERE m.community_id = $1 AND m.number = d.number) ORDER BY g.name, g.id LIMIT 1",
        scope.community_id, draw(),
    )  # fmt: skip
    if found is None:
        raise Busy
    return found


async def _category(scope: Scope, moved: Moved) -> _Category:
    """The category of the same code here, else 其他, else the first one of the kind. Raises CategoryNotForThis."""
    found = await database.row(
        _Category,
        "SELECT code, level, due_days, due_counts FROM matter_category WHERE community_id = $1 AND active "
        "AND $2 = ANY (kinds) ORDER BY (code = $3) DESC, (code = 'other') DESC, place, code LIMIT 1",
        scope.community_id, moved.kind, moved.category,
    )  # fmt: skip
    if found is None:
        raise CategoryNotForThis
    return found
