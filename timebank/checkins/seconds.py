"""Who may be the second person for what is asked at a counter: administrators, and for most the station's keepers."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank import clock, database
from timebank.agreements.deciders import AUDITOR, WITHIN, Bench, Officer, Party
from timebank.agreements.independence import is_independent, sides_of
from timebank.database import transaction
from timebank.scope import Scope


class Counter(msgspec.Struct, frozen=True):
    """What was asked, where and by whom; `for_own_household` is for administrators alone."""

    id: UUID
    station_id: UUID
    person_id: UUID
    asked_by: UUID | None
    asked_by_login: UUID | None
    for_own_household: bool

    @property
    def party(self) -> Party:
        return Party("another", WITHIN, self.asked_by, self.asked_by_login, [self.person_id])


class _Keeper(msgspec.Struct, frozen=True):
    person_id: UUID
    name: str
    station_id: UUID
    station: str

    def officer(self, scope: Scope) -> Officer:
        return Officer(self.person_id, scope.community_id, self.name, "station_keeper", WITHIN, self.station)


async def second_persons(scope: Scope, asked: Sequence[Counter]) -> dict[UUID, list[Officer]]:
    """Who may decide about each of these, those of the community first."""
    if not asked:
        return {}
    async with transaction(scope):
        bench = await Bench.of(scope, [each.party for each in asked])
        keepers = await database.rows(
            _Keeper, _KEEPERS, scope.community_id, list({each.station_id for each in asked}), clock.local_day()
        )
        sides = await sides_of(scope, [keeper.person_id for keeper in keepers])
    found = {}
    for each in asked:
        involved = bench.involved(each.party)
        free = [
            keeper.officer(scope)
            for keeper in keepers
            if keeper.station_id == each.station_id and not each.for_own_household
            and all(is_independent(sides[keeper.person_id], side) for side in involved)
        ]  # fmt: skip
        admins = [o for o in bench.deciders(each.party) if o.role != AUDITOR]
        found[each.id] = [*sorted(admins, key=lambda o: -o.depth), *free]
    return found


_KEEPERS = """
SELECT DISTINCT p.id AS person_id, p.name, s.id AS station_id, s.name AS station
FROM role_grant g JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active'
JOIN station s ON s.community_id = g.community_id AND s.id = g.station_id
WHERE g.community_id = $1 AND g.station_id = ANY ($2) AND g.role = 'station_keeper' AND g.ended_at IS NULL
  AND g.starts_on <= $3 AND (g.ends_on IS NULL OR g.ends_on >= $3) ORDER BY s.id, p.id
"""
