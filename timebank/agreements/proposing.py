"""Propose a change that a second person must agree to. It is stored in the table `waiting_change`."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.deciders import Bench, Party, who_in_words
from timebank.agreements.kinds import Kind
from timebank.agreements.schemas import Status, Waiting
from timebank.agreements.tables import WaitingChange
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict
from timebank.core.scope import Role, Scope

COMMUNITY_DEPTH = 3


class AlreadyWaiting(Conflict):
    code = "change_already_waiting"
    sentence = "同一件事已经有一项改动在等人决定。请等它决定，或由提出的人撤回之后再提。"


def is_above(scope: Scope) -> bool:
    """Whether the caller is an administrator of the street or county, or the operator."""
    return scope.system or scope.has(Role.street_admin, Role.county_admin)


@retried
async def propose(
    scope: Scope, kind: Kind, subject: str, do: object, says: dict[str, Any], *, person_id: UUID | None = None,
    involved: Iterable[UUID | None] = (), before: object = None, depth: int = COMMUNITY_DEPTH,
) -> Waiting:  # fmt: skip
    """Store a change that waits for a second person. The same change proposed again by the same login is stored once.

    `do` is the data for the kind's verb, `says` the values of its sentence, `before` the value at present. Raises
    AlreadyWaiting while another change of this kind and subject waits.
    """
    change, stood = _encoded({"do": do, "says": says}), _encoded(before)
    others = [person for person in involved if person is not None]
    people = [*others, person_id] if person_id else others
    about = Party(
        needs=kind.needs, depth=depth, proposed_by=scope.actor_id, proposed_by_login=scope.login_id, people=people
    )
    async with transaction(scope):
        made: UUID | None = await database.fetch_value(
            "INSERT INTO waiting_change (community_id, id, kind, subject, person_id, change, before, needs, depth, "
            "proposed_by, proposed_by_login, proposed_at, status, involved) "
            "VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9, $10, $11, $12, 'waiting', $13) "
            "ON CONFLICT (community_id, kind, subject) WHERE status = 'waiting' DO NOTHING RETURNING id",
            scope.community_id, clock.new_id(), kind.name, subject, person_id, change, stood, kind.needs, depth,
            scope.actor_id, scope.login_id, clock.now(), others,
        )  # fmt: skip
        if made is None:
            made = await _same(scope, kind, subject, says)
        else:
            await audit.record(
                scope, "propose", "waiting_change", made, about_id=person_id, kind=kind.name, subject=subject
            )
        who = who_in_words((await Bench.of(scope, [about])).deciders(about))
    return Waiting(waiting=UUID(bytes=made.bytes), who=who)


async def _same(scope: Scope, kind: Kind, subject: str, says: dict[str, Any]) -> UUID:
    """The id of the waiting change, if it has the same values and login. Raises AlreadyWaiting otherwise."""
    found: UUID | None = await database.fetch_value(
        "SELECT id FROM waiting_change WHERE community_id = $1 AND kind = $2 AND subject = $3 AND status = 'waiting' "
        "AND change -> 'says' = $4::jsonb AND proposed_by_login IS NOT DISTINCT FROM $5",
        scope.community_id, kind.name, subject, _encoded(says), scope.login_id,
    )  # fmt: skip
    if found is None:
        raise AlreadyWaiting
    return found


async def done_alone(
    scope: Scope, kind: Kind, subject: str, says: dict[str, Any], *, person_id: UUID | None = None,
    depth: int = COMMUNITY_DEPTH,
) -> None:  # fmt: skip
    """List a change that was made without a second person, while the community is set up, so that one sees it later.

    If an earlier change of the same subject has not been seen yet, its proposer stays involved.
    """
    await database.execute(
        "SELECT agreement_done_alone($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11)",
        scope.community_id, clock.new_id(), kind.name, subject, person_id, _encoded(says), kind.needs, depth,
        scope.actor_id, scope.login_id, clock.now(),
    )  # fmt: skip


async def record_decision(scope: Scope, change_id: UUID, status: Status, note: str | None) -> None:
    """Store the decision about a change. The caller must hold its row lock."""
    await WaitingChange.update(
        {
            WaitingChange.status: status, WaitingChange.decided_by: scope.actor_id,
            WaitingChange.decided_by_login: scope.login_id, WaitingChange.decided_at: clock.now(),
            WaitingChange.note: note,
        }
    ).where((WaitingChange.community_id == scope.community_id) & (WaitingChange.id == change_id))  # fmt: skip


@retried
async def end_waiting_change(scope: Scope, kind: Kind, subject: str) -> None:
    """End the waiting change of a subject that has been decided in another way; its status becomes "withdrawn"."""
    async with transaction(scope):
        await database.execute(
            "UPDATE waiting_change SET status = 'withdrawn', decided_by = $4, decided_by_login = $5, decided_at = $6 "
            "WHERE community_id = $1 AND kind = $2 AND subject = $3 AND status = 'waiting'",
            scope.community_id, kind.name, subject, scope.actor_id, scope.login_id, clock.now(),
        )  # fmt: skip


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
