"""The personal code on a phone: it changes every 30 seconds and only a counter accepts it."""

from uuid import UUID

from timebank.core import clock, codes, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.guardianship.guardians import require_guardian
from timebank.stations.schemas import CodeOut


async def personal_code(scope: Scope, person_id: UUID | None = None) -> CodeOut:
    """The personal code to show now: the caller's own, or that of a child for whom the caller's consent is in force.

    Raises NotGuardian, and NotFound for a person who is not active.
    """
    person = person_id or scope.require_self()
    async with transaction(scope):
        if not scope.is_own(person):
            await require_guardian(scope, scope.require_self(), person)
        epoch: int | None = await database.fetch_value(
            "SELECT code_epoch FROM person WHERE community_id = $1 AND id = $2 AND status = 'active'",
            scope.community_id, person,
        )  # fmt: skip
    if epoch is None:
        raise NotFound
    now, seconds = clock.now(), codes.PERSON_STEP_SECONDS
    payload = codes.person_code(scope.community_id, person, epoch, now)
    ends = codes.step_end(codes.step_of(now, seconds) + 1, seconds)
    return CodeOut(
        code=f"p/{payload}", url=codes.url("p", payload), step_seconds=seconds, expires_at=ends, server_time=now
    )
