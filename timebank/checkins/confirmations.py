"""What one member of staff asks for at the counter and a second one agrees to. `shop.agreed` carries it out."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.checkins.second_person import Parties, Seconds
from timebank.checkins.tables import CounterConfirmation
from timebank.database import transaction
from timebank.errors import Forbidden, NotFound, TimebankError
from timebank.scope import Scope

Kind = Literal["spend", "own_collection"]
Status = Literal["waiting", "agreed", "refused"]
WAITS_MAX = 50


class ConfirmationDecided(TimebankError):
    code = "confirmation_decided"
    status = 409
    sentence = "这件事已经有人决定过了。请刷新看结果。"


class ConfirmationStale(TimebankError):
    code = "confirmation_stale"
    status = 409
    sentence = "这是以前提出的，当天没有人同意。居民还在的话，请站长重新提出。"


class Wanted(msgspec.Struct, frozen=True):
    """What is to be agreed to: a good taken now for a person's points, or a reservation handed to the own household."""

    kind: Kind
    person_id: UUID
    station_id: UUID
    good_id: UUID
    quantity: int
    redemption_id: UUID | None = None


class ConfirmationOut(msgspec.Struct, frozen=True):
    """What waits for a second member of staff, or was decided by one; `may_decide` is for the reader."""

    id: UUID
    kind: Kind
    status: Status
    person: str
    station_id: UUID
    station: str
    good: str
    unit: str
    quantity: int
    redemption_id: UUID | None
    asked_by: str | None
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    may_decide: bool = False


class Asked(msgspec.Struct, frozen=True):
    """A confirmation under its row lock: what was asked, for whom and by whom."""

    id: UUID
    kind: Kind
    status: Status
    person_id: UUID
    station_id: UUID
    good_id: UUID
    quantity: int
    redemption_id: UUID | None
    asked_by: UUID | None
    asked_by_login: UUID | None
    asked_at: datetime


async def ask(scope: Scope, wanted: Wanted) -> UUID:
    """Write down what a second member of staff shall agree to; what waits already is not asked twice. Joins a verb."""
    waiting = await database.fetch_value(
        "SELECT id FROM counter_confirmation WHERE community_id = $1 AND status = 'waiting' AND kind = $2 "
        "AND person_id = $3 AND station_id = $4 AND good_id = $5 AND quantity = $6 "
        "AND redemption_id IS NOT DISTINCT FROM $7 AND asked_by_login IS NOT DISTINCT FROM $8",
        scope.community_id, wanted.kind, wanted.person_id, wanted.station_id, wanted.good_id, wanted.quantity,
        wanted.redemption_id, scope.login_id,
    )  # fmt: skip
    if waiting is not None:
        return UUID(bytes=waiting.bytes)
    confirmation_id = clock.new_id()
    await CounterConfirmation.insert(
        CounterConfirmation(
            community_id=scope.community_id, id=confirmation_id, kind=wanted.kind, person_id=wanted.person_id,
            station_id=wanted.station_id, good_id=wanted.good_id, quantity=wanted.quantity,
            redemption_id=wanted.redemption_id, asked_by=scope.person_id, asked_by_login=scope.login_id,
            asked_at=clock.now(), status="waiting", decided_by=None, decided_by_login=None, decided_at=None,
        )
    )  # fmt: skip
    await audit.record(
        scope, "ask_confirmation", "counter_confirmation", confirmation_id, kind=wanted.kind,
        person_id=wanted.person_id, station_id=wanted.station_id,
    )  # fmt: skip
    return confirmation_id


async def concerned(scope: Scope, confirmation_id: UUID) -> UUID:
    """Whose points a confirmation is about; that never changes."""
    found = await database.fetch_value(
        "SELECT person_id FROM counter_confirmation WHERE community_id = $1 AND id = $2",
        scope.community_id, confirmation_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return UUID(bytes=found.bytes)


async def locked(scope: Scope, confirmation_id: UUID) -> Asked:
    """A confirmation under its row lock, for somebody who may decide it. Lock the person first."""
    found = await database.row(
        Asked,
        "SELECT id, kind, status, person_id, station_id, good_id, quantity, redemption_id, asked_by, asked_by_login, "
        "asked_at FROM counter_confirmation WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, confirmation_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    about = Parties(found.person_id, found.asked_by, found.asked_by_login)
    (await Seconds.of(scope, [about])).require(about)
    if found.status != "waiting":
        raise ConfirmationDecided
    if found.asked_at < waits_since():
        raise ConfirmationStale
    return found


def waits_since() -> datetime:
    """Since when what was asked still waits: whoever stood there yesterday stands there no more."""
    return clock.day_bounds(clock.local_day())[0]


async def decided(scope: Scope, found: Asked, status: Status, redemption_id: UUID | None) -> None:
    """Note what the second person said, and what came of it."""
    await database.execute(
        "UPDATE counter_confirmation SET status = $3, redemption_id = $4, decided_by = $5, decided_by_login = $6, "
        "decided_at = $7 WHERE community_id = $1 AND id = $2",
        scope.community_id, found.id, status, redemption_id or found.redemption_id, scope.actor_id, scope.login_id,
        clock.now(),
    )  # fmt: skip
    if status == "agreed":
        await audit.record(
            scope, "agree_confirmation", "counter_confirmation", found.id, person_id=found.person_id
        )  # fmt: skip
    else:
        await audit.record(
            scope, "refuse_confirmation", "counter_confirmation", found.id, person_id=found.person_id
        )  # fmt: skip


class _Line(ConfirmationOut, frozen=True, kw_only=True):
    """A confirmation with the ids of whom it concerns."""

    person_id: UUID
    asked_by_id: UUID | None
    asked_by_login: UUID | None


async def confirmations(scope: Scope, *, since: datetime | None = None) -> list[ConfirmationOut]:
    """What waits, and what was decided since a moment: for administrators all, for a keeper of the own stations."""
    if not (scope.reads_all or scope.kept_stations):
        raise Forbidden
    async with transaction(scope):
        found = await database.rows(
            _Line,
            "SELECT o.id, o.kind, o.status, p.name AS person, o.station_id, t.name AS station, g.name AS good, "
            "g.unit, o.quantity, o.redemption_id, a.name AS asked_by, o.asked_at, d.name AS decided_by, "
            "o.decided_at, o.person_id, o.asked_by AS asked_by_id, o.asked_by_login FROM counter_confirmation o "
            "JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id "
            "JOIN station t ON t.community_id = o.community_id AND t.id = o.station_id "
            "JOIN good g ON g.community_id = o.community_id AND g.id = o.good_id "
            "LEFT JOIN person a ON a.community_id = o.community_id AND a.id = o.asked_by "
            "LEFT JOIN person d ON d.community_id = o.community_id AND d.id = o.decided_by "
            "WHERE o.community_id = $1 AND ($2 OR o.station_id = ANY ($3)) "
            "AND (o.status = 'waiting' AND o.asked_at >= $4 OR o.decided_at > $5) "
            "ORDER BY o.status <> 'waiting', o.asked_at DESC, o.id LIMIT $6",
            scope.community_id, scope.reads_all, list(scope.kept_stations), waits_since(), since or clock.now(),
            WAITS_MAX,
        )  # fmt: skip
        concerned = [Parties(line.person_id, line.asked_by_id, line.asked_by_login) for line in found]
        seconds = await Seconds.of(scope, concerned)
    return [
        _told(line, may_decide=line.status == "waiting" and seconds.may_decide(about))
        for line, about in zip(found, concerned, strict=True)
    ]


def _told(line: _Line, *, may_decide: bool) -> ConfirmationOut:
    shown = {name: getattr(line, name) for name in ConfirmationOut.__struct_fields__}
    return ConfirmationOut(**shown | {"may_decide": may_decide})
