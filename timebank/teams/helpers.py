"""Finding somebody who helps: by skill, time and place, only among those who agreed to be found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.capability import hook
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.teams.free_times import part_of
from timebank.teams.schemas import HelperOut

HELPERS_MAX = 50
LOOKED_AT_MAX = 500


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody findable with the skill. `proof`: needed and valid, or not needed."""

    person_id: UUID
    name: str
    skill: str
    proof: bool
    free: bool
    near: bool


def ordered(found: Sequence[Found], orders: Mapping[UUID, int]) -> list[HelperOut]:
    """Those with a proof where needed first, then those who are free, who helped least this month, who live near."""
    shown = [
        HelperOut(
            person_id=one.person_id, name=one.name, skill=one.skill, proof=one.proof, free=one.free, near=one.near,
            orders_this_month=orders.get(one.person_id, 0),
        )
        for one in found
    ]  # fmt: skip
    return sorted(shown, key=lambda h: (not h.proof, not h.free, h.orders_this_month, not h.near, str(h.person_id)))


_FINDABLE = """
SELECT o.person_id, p.name, s.name AS skill, coalesce($5::uuid = ANY (home.path), false) AS near,
       NOT s.needs_proof OR (o.proof_seen_at IS NOT NULL AND (o.proof_until IS NULL OR o.proof_until >= $6)) AS proof,
       EXISTS (SELECT FROM free_time f WHERE f.community_id = o.community_id AND f.person_id = o.person_id
               AND f.weekday = $3 AND f.part = $4) AS free
FROM person_skill o JOIN skill s ON s.community_id = o.community_id AND s.id = o.skill_id AND s.active
JOIN person p ON p.community_id = o.community_id AND p.id = o.person_id AND p.status = 'active'
LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id
LEFT JOIN area home ON home.community_id = h.community_id AND home.id = h.area_id
WHERE o.community_id = $1 AND o.skill_id = $2 AND o.findable AND o.withdrawn_at IS NULL
"""
_OF_LED_TEAMS = """
 AND EXISTS (SELECT FROM team_member m JOIN team_member l ON l.community_id = m.community_id AND l.team_id = m.team_id
             AND l.leads AND l.left_on IS NULL AND l.person_id = ANY ($7::text[]::uuid[])
             WHERE m.community_id = o.community_id AND m.person_id = o.person_id AND m.joined_on IS NOT NULL
             AND m.left_on IS NULL)
"""


async def find_helpers(
    scope: Scope, skill_id: UUID, *, area_id: UUID | None = None, at: datetime | None = None
) -> list[HelperOut]:
    """At most HELPERS_MAX who agreed to be found by this skill, the fittest first.

    For administrators and, within their grid, grid heads; a team's leader finds members of the own teams. Nobody else
    may look, and nobody who has not agreed is ever shown.
    """
    scope.require_use("teams")
    now = at or clock.now()
    then = part_of(now)
    async with transaction(scope):
        path, grid = await _place(scope, area_id)
        everybody = scope.leads(path)
        led = [] if everybody else scope.stood_for
        if not everybody and not await _leads_any(scope):
            raise Forbidden
        found = await database.rows(
            Found, f"{_FINDABLE}{'' if everybody else _OF_LED_TEAMS} ORDER BY o.offered_at, o.id LIMIT {LOOKED_AT_MAX}",
            scope.community_id, skill_id, then.weekday, then.part, grid, clock.local_day(),
            *([] if everybody else [database.as_texts(led)]),
        )  # fmt: skip
        orders = await hook("orders_in_month")(scope, [one.person_id for one in found])
    return ordered(found, orders)[:HELPERS_MAX]


async def _place(scope: Scope, area_id: UUID | None) -> tuple[list[UUID], UUID | None]:
    """The path of the area and its grid. Raises NotFound for an area of another community."""
    if area_id is None:
        return [], None
    path = await database.fetch_value(
        "SELECT path FROM area WHERE community_id = $1 AND id = $2", scope.community_id, area_id
    )
    if path is None:
        raise NotFound
    steps = [UUID(bytes=step.bytes) for step in path]
    return steps, steps[0]


async def _leads_any(scope: Scope) -> bool:
    held: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM team_member WHERE community_id = $1 AND leads AND left_on IS NULL "
        "AND person_id = ANY ($2::text[]::uuid[]))",
        scope.community_id, database.as_texts(scope.stood_for),
    )  # fmt: skip
    return held
