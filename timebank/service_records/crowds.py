"""People who checked in within a minute from one network address: a hint for reviewers, not a flag."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Filters, most, transaction
from timebank.core.scope import Scope
from timebank.presence.evidence.browsers import ADDRESS_KEPT_FOR

TOGETHER = timedelta(minutes=1)
CROWD = 3  # so many people by one address within a minute are worth a look


class Crowd(msgspec.Struct, frozen=True):
    """One of several who came within a minute by one network address."""

    visit_id: UUID
    record_id: UUID | None
    name: str
    station: str
    in_at: datetime


_CROWDS = (
    "SELECT v.id AS visit_id, r.id AS record_id, p.name, s.name AS station, v.in_at FROM visit v "
    "JOIN person p ON p.community_id = v.community_id AND p.id = v.person_id "
    "JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id "
    "LEFT JOIN service_record r ON r.community_id = v.community_id AND r.visit_id = v.id "
    "AND r.status <> 'withdrawn' "
    "WHERE v.community_id = $1 AND v.in_at > $2 AND v.in_address IS NOT NULL AND v.status <> 'void' "
    "AND (SELECT count(DISTINCT o.person_id) FROM visit o "
    "     WHERE o.community_id = $1 AND o.station_id = v.station_id AND o.in_address = v.in_address "
    "     AND o.status <> 'void' AND o.in_at > v.in_at - $3::interval AND o.in_at < v.in_at + $3::interval) >= $4"
)


async def crowds(scope: Scope, visit_id: UUID | None = None, *, limit: int = 100) -> list[Crowd]:
    """The people of the last days who checked in within a minute of two others from one network address."""
    scope.require_reader()
    asked = Filters(scope.community_id, clock.now() - ADDRESS_KEPT_FOR, TOGETHER, CROWD)
    asked.add_given("v.id = {}", visit_id)
    newest = f"{_CROWDS}{asked.sql} ORDER BY v.in_at DESC, v.id DESC LIMIT {most(limit)}"
    async with transaction(scope):
        return await database.rows(Crowd, newest, *asked.values)
