"""To whom a matter may be dispatched: units of the county, teams, and people on duty; for a field to choose from."""

from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import HEADS, Role, Scope
from timebank.units.units import unit_options

DUTIES = (Role.grid_worker, Role.grid_head, *sorted(HEADS))
PEOPLE_MAX = 200


class Receivers(msgspec.Struct, frozen=True, kw_only=True):
    """The choices by kind, each an id with its name."""

    units: list[tuple[UUID, str]]
    teams: list[tuple[UUID, str]]
    people: list[tuple[UUID, str]]


async def receivers(scope: Scope) -> Receivers:
    """The units and teams in use, and who is on duty in the community: grid workers, grid heads, heads of buildings."""
    async with transaction(scope):
        teams = await database.fetch(
            "SELECT id, name FROM team WHERE community_id = $1 AND active ORDER BY pinyin, id LIMIT 200",
            scope.community_id,
        )
        people = await database.fetch(
            "SELECT DISTINCT p.pinyin, p.id, p.name FROM role_grant g JOIN person p "  # noqa: S608  # a number
            "ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active' "
            f"WHERE g.community_id = $1 AND g.role = ANY ($2) AND {is_in_force('$3')} "
            f"ORDER BY p.pinyin, p.id LIMIT {PEOPLE_MAX}",
            scope.community_id, [role.value for role in DUTIES], clock.local_day(),
        )  # fmt: skip
        units = await unit_options(scope)
    return Receivers(
        units=units, teams=[(UUID(bytes=row["id"].bytes), row["name"]) for row in teams],
        people=[(UUID(bytes=row["id"].bytes), row["name"]) for row in people],
    )  # fmt: skip
