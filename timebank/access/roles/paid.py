"""Roles of a past day: what somebody was then, and whether they were paid for it: paid duty earns nothing."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Question
from timebank.core.scope import Role, Scope

_PAID_ON = (
    "SELECT EXISTS (SELECT FROM role_grant WHERE community_id = $1 AND person_id = $2 AND paid AND starts_on <= $3 "
    "AND (ends_on IS NULL OR ends_on >= $3) AND (ended_at IS NULL OR ended_at >= $4))"
)


async def is_paid_on(scope: Scope, person_id: UUID, day: date) -> bool:
    """Whether the person held a paid role in the community on this local day, also one that has ended since."""
    found: bool = await database.fetch_value(
        _PAID_ON, scope.community_id, person_id, day, clock.day_bounds(day)[0]
    )  # fmt: skip
    return found


def paid_question(scope: Scope, person_id: UUID, day: date) -> Question:
    """The same as a question, to be asked with others."""
    return database.value(_PAID_ON, scope.community_id, person_id, day, clock.day_bounds(day)[0])


class Held(msgspec.Struct, frozen=True):
    """A role that somebody held, and for which area."""

    role: Role
    area_id: UUID | None


async def roles_held_on(scope: Scope, person_id: UUID, day: date) -> list[Held]:
    """The roles that the person held in the community on this local day, also those that have ended since."""
    return await database.rows(
        Held,
        "SELECT role, area_id FROM role_grant WHERE community_id = $1 AND person_id = $2 AND starts_on <= $3 "
        "AND (ends_on IS NULL OR ends_on >= $3) AND (ended_at IS NULL OR ended_at >= $4)",
        scope.community_id, person_id, day, clock.day_bounds(day)[0],
    )  # fmt: skip


def paid_between(scope: Scope, person_id: UUID, first: date, last: date) -> Question:
    """The question whether the person held a paid role on one of these days, as any record of the same login."""
    return database.value(
        "SELECT EXISTS (SELECT FROM role_grant WHERE community_id = $1 AND (person_id = $2 "
        "OR person_id IN (SELECT o.person_id FROM membership m JOIN membership o ON o.community_id = m.community_id "
        "AND o.login_id = m.login_id WHERE m.community_id = $1 AND m.person_id = $2)) AND paid AND starts_on <= $4 "
        "AND (ends_on IS NULL OR ends_on >= $3) AND (ended_at IS NULL OR ended_at >= $5))",
        scope.community_id, person_id, first, last, clock.day_bounds(first)[0],
    )  # fmt: skip
