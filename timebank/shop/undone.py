"""Hand-overs that keepers have undone: a list for administrators, and how many each keeper has."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope

LATELY = timedelta(days=30)


class UndoneOut(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-over that was undone: by which keeper, and what had been handed to whom (masked)."""

    id: UUID
    redemption_id: UUID
    at: datetime
    keeper: str
    person: str
    what: str
    station: str
    points: int


class UndoneBy(msgspec.Struct, frozen=True):
    """How many hand-overs a keeper has undone in the last 30 days."""

    keeper: str
    undone: int


_UNDONE = (
    "SELECT a.id, r.id AS redemption_id, a.at, coalesce(k.name, '') AS keeper, p.name AS person, "
    "concat_ws(' ', g.name, r.quantity, g.unit) AS what, t.name AS station, r.points FROM audit a "
    "JOIN redemption r ON r.community_id = a.community_id AND r.id = a.noun_id "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id "
    "JOIN station t ON t.community_id = r.community_id AND t.id = r.station_id "
    "LEFT JOIN person k ON k.community_id = a.community_id AND k.id = a.person_id "
    "WHERE a.community_id = $1 AND a.verb = 'undo_hand_over'"
)


async def list_undone(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[UndoneOut]:
    """The hand-overs that were undone, newest first. For administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_after("a.id", "<", read_cursor(cursor, tuple[UUID]))
    newest = f"{_UNDONE}{asked.sql} ORDER BY a.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(UndoneOut, newest, *asked.values)
    masked = [msgspec.structs.replace(row, person=names.masked(row.person)) for row in found]
    return make_page(masked, limit, lambda row: (row.id,))


async def undone_by_keeper(scope: Scope) -> list[UndoneBy]:
    """The keepers who have undone hand-overs in the last 30 days, those with the most first."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            UndoneBy,
            "SELECT coalesce(k.name, '') AS keeper, count(*) AS undone FROM audit a "
            "LEFT JOIN person k ON k.community_id = a.community_id AND k.id = a.person_id "
            "WHERE a.community_id = $1 AND a.verb = 'undo_hand_over' AND a.at > $2 "
            "GROUP BY a.person_id, k.name ORDER BY count(*) DESC, k.name",
            scope.community_id, clock.now() - LATELY,
        )  # fmt: skip
