"""Undone acts: the rule of the minute, the note that each leaves, and their list for administrators and auditors."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.capability import CounterDone, capabilities
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.presence.tables import UndoneAct

UNDO_WITHIN = timedelta(minutes=1)
LATELY = timedelta(days=30)


def is_within_the_minute(done_at: datetime | None) -> bool:
    """Whether what was done at this moment may still be undone."""
    return done_at is not None and clock.now() - done_at <= UNDO_WITHIN


def seconds_to_undo(done_at: datetime | None) -> int:
    """How many whole seconds are left to undo what was done at this moment; 0 where it cannot be undone."""
    return max(0, int((done_at + UNDO_WITHIN - clock.now()).total_seconds())) if done_at is not None else 0


async def note_undone(
    scope: Scope, kind: str, noun_id: UUID, station_id: UUID, person_id: UUID, *, what: str = "", points: int = 0
) -> UUID:
    """Note that the caller has undone their own act; return the id of the note. It is queued.

    `kind` is the name of a `CounterDone`.
    """
    noted = clock.new_id()
    database.queue(
        database.insert(
            UndoneAct(
                community_id=scope.community_id, id=noted, kind=kind, noun_id=noun_id, station_id=station_id,
                person_id=person_id, keeper_id=scope.person_id, login_id=scope.login_id, what=what[:200], points=points,
                undone_at=clock.now(),
            )
        )
    )  # fmt: skip
    return noted


async def has_undone(scope: Scope, kind: str, noun_id: UUID) -> bool:
    """Whether the caller has undone this act before, so that a repeated call changes nothing."""
    return await database.read_value(
        bool,
        "SELECT EXISTS (SELECT FROM undone_act WHERE community_id = $1 AND noun_id = $2 AND kind = $3 "
        "AND login_id = $4)",
        scope.community_id, noun_id, kind, scope.login_id,
    )  # fmt: skip


class UndoneOut(msgspec.Struct, frozen=True, kw_only=True):
    """An act at a counter that was undone: by which keeper, and for whom (masked) what had been done."""

    id: UUID
    kind: str
    noun_id: UUID
    at: datetime
    keeper: str
    person: str
    what: str
    station: str
    points: int

    @property
    def word(self) -> str:
        """The kind in words, as its capability declares it."""
        return _kind(self.kind).word

    @property
    def href(self) -> str:
        """The page of what was undone, if it has one in the panel."""
        return _kind(self.kind).panel.format(id=self.noun_id)


def _kind(name: str) -> CounterDone:
    return next(each for one in capabilities() for each in one.done if each.name == name)


class UndoneBy(msgspec.Struct, frozen=True):
    """How many acts a keeper has undone in the last 30 days."""

    keeper: str
    undone: int


_UNDONE = (
    "SELECT u.id, u.kind, u.noun_id, u.undone_at AS at, coalesce(k.name, '') AS keeper, p.name AS person, u.what, "
    "t.name AS station, u.points FROM undone_act u "
    "JOIN person p ON p.community_id = u.community_id AND p.id = u.person_id "
    "JOIN station t ON t.community_id = u.community_id AND t.id = u.station_id "
    "LEFT JOIN person k ON k.community_id = u.community_id AND k.id = u.keeper_id "
    "WHERE u.community_id = $1"
)


async def list_undone(scope: Scope, *, limit: int = 50, cursor: str | None = None) -> Page[UndoneOut]:
    """What was undone at the counters, newest first. For administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add_after("u.undone_at, u.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    newest = f"{_UNDONE}{asked.sql} ORDER BY u.undone_at DESC, u.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(UndoneOut, newest, *asked.values)
    masked = [msgspec.structs.replace(row, person=names.masked(row.person)) for row in found]
    return make_page(masked, limit, lambda row: (row.at, row.id))


async def undone_by_keeper(scope: Scope) -> list[UndoneBy]:
    """The keepers who have undone acts in the last 30 days, those with the most first."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            UndoneBy,
            "SELECT coalesce(k.name, '') AS keeper, count(*) AS undone FROM undone_act u "
            "LEFT JOIN person k ON k.community_id = u.community_id AND k.id = u.keeper_id "
            "WHERE u.community_id = $1 AND u.undone_at > $2 "
            "GROUP BY u.keeper_id, k.name ORDER BY count(*) DESC, k.name",
            scope.community_id, clock.now() - LATELY,
        )  # fmt: skip
