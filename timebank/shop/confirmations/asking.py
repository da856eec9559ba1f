"""What one member of staff asks for at the counter and a second one agrees to. `shop.agreed` carries it out."""

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


class Wanted(msgspec.Struct, frozen=True):
    """What is to be agreed to: a good taken now for a person's points, or a reservation handed to the own household."""

    kind: Kind
    person_id: UUID
    station_id: UUID
    good_id: UUID
    quantity: int
    redemption_id: UUID | None = None


class ConfirmationOut(msgspec.Struct, frozen=True):
    """What waits for a second member of staff, or was decided by one.

    `may_decide` is for the reader; `who` may decide while it waits, in words.
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
    """Write down what a second member of staff shall agree to; what waits today is not asked twice. Joins a verb."""
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
    (await SecondPerson.of(scope, [about])).require(about)
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
