"""Role grants as administrators and auditors list them."""

from datetime import datetime
from uuid import UUID

from timebank.access.roles.in_force import is_not_over
from timebank.access.schemas import GrantOut
from timebank.areas.addresses import area_in_words
from timebank.core import clock, database
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Role, Scope

_GRANTS = f"""
SELECT g.id, g.person_id, p.name AS person_name, g.role, g.region_id, g.area_id, g.station_id,
       concat_ws(' · ', coalesce(r.name, s.name, {area_in_words("a")}), u.name) AS place_name,
       g.starts_on, g.ends_on, g.granted_by, g.granted_at, g.paid, g.unit_id
FROM role_grant g JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id
LEFT JOIN region r ON r.id = g.region_id
LEFT JOIN unit u ON u.id = g.unit_id
LEFT JOIN area a ON a.community_id = g.community_id AND a.id = g.area_id
LEFT JOIN station s ON s.community_id = g.community_id AND s.id = g.station_id
WHERE g.community_id = $1 AND {is_not_over("$2")}
"""  # noqa: S608  # no input


async def read_grants(
    scope: Scope, *, grant_id: UUID | None = None, person_id: UUID | None = None, role: Role | None = None,
    before: tuple[datetime, UUID] | None = None, limit: int = 1000,
) -> list[GrantOut]:  # fmt: skip
    asked = Filters(scope.community_id, clock.local_day())
    asked.add_given("g.id = {}", grant_id)
    asked.add_given("g.person_id = {}", person_id)
    asked.add_given("g.role = {}", role.value if role else None)
    asked.add_after("g.granted_at, g.id", "<", before)
    newest = f"{_GRANTS}{asked.sql} ORDER BY g.granted_at DESC, g.id DESC LIMIT {most(limit)}"
    return await database.rows(GrantOut, newest, *asked.values)


async def grants(
    scope: Scope, *, person_id: UUID | None = None, role: Role | None = None, limit: int = 50, cursor: str | None = None
) -> Page[GrantOut]:
    """The present and future role grants of the community's people, newest first.

    For administrators and auditors; everybody may read their own.
    """
    if not (person_id is not None and scope.is_own(person_id)):
        scope.require_reader()
    before = read_cursor(cursor, tuple[datetime, UUID])
    async with transaction(scope):
        found = await read_grants(scope, person_id=person_id, role=role, before=before, limit=limit + 1)
    return make_page(found, limit, lambda g: (g.granted_at, g.id))
