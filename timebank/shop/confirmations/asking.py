"""Rows of counter confirmations: requested by one member of staff, decided by another. `deciding` carries them out."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.shop.confirmations.second_person import Parties, SecondPerson
from timebank.shop.tables import CounterConfirmation

Kind = Literal["spend", "own_collection"]
Status = Literal["waiting", "agreed", "refused"]


class ConfirmationDecided(TimebankError):
    code = "confirmation_decided"
    status = 409
    sentence = "这件事已经有人决定过了。请刷新看结果。"


class ConfirmationStale(TimebankError):
    code = "confirmation_stale"
    status = 409
    sentence = "这是以前提出的，当天没有人同意。居民还在的话，请站长重新提出。"


class ConfirmationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is requested: a good now for a person's points, or the hand-over of a reservation to the own household."""

    kind: Kind
    person_id: UUID
    station_id: UUID
    good_id: UUID
    quantity: int
    redemption_id: UUID | None = None


class ConfirmationOut(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits for a second member of staff, or was decided by one.

    `may_decide` is whether the reader may decide it; `who` lists in words who may, while it waits.
    """

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
    who: list[str] = []


class LockedConfirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A request under its row lock: what was requested, for whom and by whom."""

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


async def request_confirmation(scope: Scope, wanted: ConfirmationRequest) -> UUID:
    """Record a request to a second member of staff; return its id. Runs in the caller's transaction.

    An equal request of the same login that waits today is returned instead.
    """
    waiting = await database.fetch_value(
        "SELECT id FROM counter_confirmation WHERE community_id = $1 AND status = 'waiting' AND kind = $2 "
        "AND person_id = $3 AND station_id = $4 AND good_id = $5 AND quantity = $6 "
        "AND redemption_id IS NOT DISTINCT FROM $7 AND asked_by_login IS NOT DISTINCT FROM $8 AND asked_at >= $9",
        scope.community_id, wanted.kind, wanted.person_id, wanted.station_id, wanted.good_id, wanted.quantity,
        wanted.redemption_id, scope.login_id, waits_since(),
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


async def person_concerned(scope: Scope, confirmation_id: UUID) -> UUID:
    """The id of the person whose points a request is about; it never changes. Raises NotFound."""
    found = await database.fetch_value(
        "SELECT person_id FROM counter_confirmation WHERE community_id = $1 AND id = $2",
        scope.community_id, confirmation_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return UUID(bytes=found.bytes)


async def lock_confirmation(scope: Scope, confirmation_id: UUID) -> LockedConfirmation:
    """Lock and return a request that the caller may decide. Lock its person first.

    Raises NotFound, Forbidden, NotSecondPerson, ConfirmationDecided, ConfirmationStale.
    """
    found = await database.row(
        LockedConfirmation,
        "SELECT id, kind, status, person_id, station_id, good_id, quantity, redemption_id, asked_by, asked_by_login, "
        "asked_at FROM counter_confirmation WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, confirmation_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    about = Parties(found.person_id, found.asked_by, found.asked_by_login)
    (await SecondPerson.of(scope, [about])).require(about)
    if found.status != "waiting":
        raise ConfirmationDecided
    if found.asked_at < waits_since():
        raise ConfirmationStale
    return found


def waits_since() -> datetime:
    """The start of today. Older requests do not wait any more, because the person has left the counter."""
    return clock.day_bounds(clock.local_day())[0]


async def record_confirmation_decision(
    scope: Scope, found: LockedConfirmation, status: Status, redemption_id: UUID | None
) -> None:
    """Record the second person's decision and the redemption that it led to."""
    await CounterConfirmation.update(
        {
            CounterConfirmation.status: status,
            CounterConfirmation.redemption_id: redemption_id or found.redemption_id,
            CounterConfirmation.decided_by: scope.actor_id, CounterConfirmation.decided_by_login: scope.login_id,
            CounterConfirmation.decided_at: clock.now(),
        }
    ).where(
        (CounterConfirmation.community_id == scope.community_id) & (CounterConfirmation.id == found.id)
    )  # fmt: skip
    if status == "agreed":
        await audit.record(
            scope, "agree_confirmation", "counter_confirmation", found.id, person_id=found.person_id
        )  # fmt: skip
    else:
        await audit.record(
            scope, "refuse_confirmation", "counter_confirmation", found.id, person_id=found.person_id
        )  # fmt: skip
