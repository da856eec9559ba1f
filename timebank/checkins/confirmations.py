"""What one member of staff asks for at the counter and a second one agrees to. `shop.agreed` carries it out."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.checkins.tables import CounterConfirmation
from timebank.database import transaction
from timebank.errors import Forbidden, NotFound, TimebankError
from timebank.scope import Scope

Kind = Literal["spend", "own_collection"]
Status = Literal["waiting", "agreed", "refused"]
WAITS_MAX = 50


class NotSecondPerson(TimebankError):
    code = "not_second_person"
    status = 403
    sentence = "这件事要由另一位工作人员来同意：不能是提出的人、居民本人或他们同户的家人。"


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
    """A confirmation under its row lock, with the households of both whom it concerns."""

    id: UUID
    kind: Kind
    status: Status
    person_id: UUID
    home_id: UUID | None
    station_id: UUID
    good_id: UUID
    quantity: int
    redemption_id: UUID | None
    asked_by: UUID | None
    asked_by_login: UUID | None
    asker_home_id: UUID | None
    asked_at: datetime

    @property
    def is_for_own_household(self) -> bool:
        """Whether the one who asked is, or lives with, the one whose points they are."""
        return self.asked_by is not None and (
            self.asked_by == self.person_id or (self.home_id is not None and self.home_id == self.asker_home_id)
        )


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
        "SELECT o.id, o.kind, o.status, o.person_id, p.household_id AS home_id, o.station_id, o.good_id, o.quantity, "
        "o.redemption_id, o.asked_by, o.asked_by_login, a.household_id AS asker_home_id, o.asked_at "
        "FROM counter_confirmation o JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id "
        "LEFT JOIN person a ON a.community_id = o.community_id AND a.id = o.asked_by "
        "WHERE o.community_id = $1 AND o.id = $2 FOR NO KEY UPDATE OF o",
        scope.community_id, confirmation_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    _require_second(scope, found)
    if found.status != "waiting":
        raise ConfirmationDecided
    if found.asked_at < _today():
        raise ConfirmationStale
    return found


def _today() -> datetime:
    """Since when what was asked still waits: whoever stood there yesterday stands there no more."""
    return clock.day_bounds(clock.local_day())[0]


def _require_second(scope: Scope, found: Asked) -> None:
    """The one who agrees is of the staff, is another than who asked, and lives with neither of the two.

    What a keeper asks for the own household is for an administrator to decide.
    """
    if not (scope.administers or (scope.kept_stations and not found.is_for_own_household)):
        raise Forbidden
    asked_oneself = found.asked_by_login is not None and found.asked_by_login == scope.login_id
    if (
        asked_oneself
        or scope.is_family(found.person_id, found.home_id)
        or (found.asked_by is not None and scope.is_family(found.asked_by, found.asker_home_id))
    ):
        raise NotSecondPerson


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
    """A confirmation with whom it concerns."""

    person_id: UUID
    home_id: UUID | None
    good_id: UUID
    asked_by_id: UUID | None
    asked_by_login: UUID | None
    asker_home_id: UUID | None


async def confirmations(scope: Scope, *, since: datetime | None = None) -> list[ConfirmationOut]:
    """What waits, and what was decided since a moment: for administrators all, for a keeper of the own stations."""
    if not (scope.reads_all or scope.kept_stations):
        raise Forbidden
    async with transaction(scope):
        found = await database.rows(
            _Line,
            "SELECT o.id, o.kind, o.status, p.name AS person, o.station_id, t.name AS station, g.name AS good, "
            "g.unit, o.quantity, o.redemption_id, a.name AS asked_by, o.asked_at, d.name AS decided_by, "
            "o.decided_at, o.person_id, p.household_id AS home_id, o.good_id, o.asked_by AS asked_by_id, "
            "o.asked_by_login, a.household_id AS asker_home_id FROM counter_confirmation o "
            "JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id "
            "JOIN station t ON t.community_id = o.community_id AND t.id = o.station_id "
            "JOIN good g ON g.community_id = o.community_id AND g.id = o.good_id "
            "LEFT JOIN person a ON a.community_id = o.community_id AND a.id = o.asked_by "
            "LEFT JOIN person d ON d.community_id = o.community_id AND d.id = o.decided_by "
            "WHERE o.community_id = $1 AND ($2 OR o.station_id = ANY ($3)) "
            "AND (o.status = 'waiting' AND o.asked_at >= $4 OR o.decided_at > $5) "
            "ORDER BY o.status <> 'waiting', o.asked_at DESC, o.id LIMIT $6",
            scope.community_id, scope.reads_all, list(scope.kept_stations), _today(), since or clock.now(), WAITS_MAX,
        )  # fmt: skip
    return [_told(scope, line) for line in found]


def _told(scope: Scope, line: _Line) -> ConfirmationOut:
    shown = {name: getattr(line, name) for name in ConfirmationOut.__struct_fields__}
    asked = Asked(
        line.id, line.kind, line.status, line.person_id, line.home_id, line.station_id, line.good_id, line.quantity,
        line.redemption_id, line.asked_by_id, line.asked_by_login, line.asker_home_id, line.asked_at,
    )  # fmt: skip
    try:
        _require_second(scope, asked)
    except (Forbidden, NotSecondPerson):
        return ConfirmationOut(**shown)
    return ConfirmationOut(**shown | {"may_decide": line.status == "waiting"})
