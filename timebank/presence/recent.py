"""What was done last at a counter, of every kind that a capability declares."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.capability import CounterDone, capabilities
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.opening import day_began
from timebank.core.scope import Scope
from timebank.presence.undoing.acts import seconds_to_undo
from timebank.stations.stations import station_row


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One action at a counter. `name` is masked, and empty where nobody here is concerned; `undo_seconds` is what
    is left to undo it, 0 where it cannot be."""

    name: str
    at: str
    word: str
    what: str
    undo: str
    undo_seconds: int


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    place: int
    id: UUID
    at: datetime
    name: str | None
    what: str | None
    by: UUID | None
    received_at: datetime | None


async def recent_at(scope: Scope, station_id: UUID, *, most: int = 8) -> list[Done]:
    """The last actions of today at a station, newest first, each with its undo where the caller may undo it."""
    scope.require_keeper(station_id)
    kinds = [kind for one in capabilities() for kind in one.done]
    async with transaction(scope):
        station = await station_row(scope, station_id)
        if station is None:
            raise NotFound
        begin = day_began(station.opens_at, station.closes_at, clock.now())
        found = await database.rows(_Row, _newest(kinds, most), scope.community_id, station_id, begin)
    return [_in_words(scope, kinds[row.place], row) for row in found]


def _newest(kinds: list[CounterDone], most: int) -> str:
    parts = [
        f"(SELECT {place} AS place, one.* FROM ({kind.select}) "  # noqa: S608  # the manifests' own statements
        "AS one (id, at, person_id, what, by, received_at) "
        f"ORDER BY one.at DESC, one.id DESC LIMIT {int(most)})"
        for place, kind in enumerate(kinds)
    ]
    return (
        "SELECT d.place, d.id, d.at, p.name, d.what, d.by, d.received_at "  # noqa: S608  # the manifests' own statements
        f"FROM ({' UNION ALL '.join(parts)}) AS d "
        "LEFT JOIN person p ON p.community_id = $1 AND p.id = d.person_id "
        f"ORDER BY d.at DESC, d.id DESC LIMIT {int(most)}"
    )


def _in_words(scope: Scope, kind: CounterDone, row: _Row) -> Done:
    mine = row.by is not None and row.by == scope.login_id
    return Done(
        name=names.masked(row.name) if row.name else "", at=f"{clock.local(row.at):%H:%M}", word=kind.word,
        what=row.what or "",
        undo=kind.undo.format(id=row.id), undo_seconds=seconds_to_undo(row.received_at) if kind.undo and mine else 0,
    )  # fmt: skip
