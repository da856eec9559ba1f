"""When somebody is usually free: parts of weekdays, set by the person alone."""

from datetime import datetime
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden
from timebank.core.scope import Scope
from timebank.teams.schemas import FreeTime, Part

NOON, EVENING = 12, 18
"""The hours at which the afternoon and the evening begin."""


def part_of(moment: datetime) -> FreeTime:
    """The part of the weekday in which a moment lies, in local time."""
    local = clock.local(moment)
    part: Part = "morning" if local.hour < NOON else "afternoon" if local.hour < EVENING else "evening"
    return FreeTime(local.isoweekday(), part)


async def free_times(scope: Scope, person_id: UUID) -> list[FreeTime]:
    """When a person is free, by weekday. The caller decides whether it may be read."""
    async with transaction(scope):
        found = await database.rows(
            FreeTime, "SELECT weekday, part FROM free_time WHERE community_id = $1 AND person_id = $2 LIMIT 21",
            scope.community_id, person_id,
        )  # fmt: skip
    order = ("morning", "afternoon", "evening")
    return sorted(found, key=lambda time: (time.weekday, order.index(time.part)))


@retried
async def set_free_times(scope: Scope, free: list[FreeTime]) -> list[FreeTime]:
    """Say anew when one is free; what is left out is not. Nobody else sees it but whoever looks for a helper."""
    scope.require_use("teams")
    own = scope.require_self()
    if not scope.stands_for(own):
        raise Forbidden
    async with transaction(scope):
        await database.execute(
            "SELECT FROM person WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, own
        )
        await database.execute(
            "DELETE FROM free_time WHERE community_id = $1 AND person_id = $2", scope.community_id, own
        )
        await database.insert_many(
            "free_time", ("community_id", "person_id", "weekday", "part"),
            [(scope.community_id, own, time.weekday, time.part) for time in sorted(set(free))],
        )  # fmt: skip
        return await free_times(scope, own)
