"""The residents that sheets of hours and deeds may mean, looked up at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

from timebank import clock, database, vault
from timebank.imports.candidates import Candidate, Candidates, Mentions
from timebank.imports.cells import Role
from timebank.scope import Scope

KNOWN_ROLES: Mapping[str, Role] = {
    "building_head": "building_head",
    "unit_head": "unit_head",
    "grid_worker": "grid_worker",
}


class Found(msgspec.Struct, frozen=True):
    """A resident of a mentioned name or phone. `heads` are the areas over which they hold an office today."""

    id: UUID
    name: str
    status: str
    household_id: UUID | None
    area_id: UUID | None
    heads: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Residents:
    """Those whom a file may mean: as candidates to match rows with, and as the book has them."""

    candidates: Candidates
    by_key: Mapping[str, Found]

    def of(self, candidate: Candidate) -> Found:
        return self.by_key[candidate.key]


_FOUND = """
SELECT p.id, p.name, p.status, p.phone_index, p.household_id, h.area_id,
       (SELECT name FROM area WHERE community_id = $1 AND id = ANY (home.path) AND kind = 'building') AS building,
       (SELECT name FROM area WHERE community_id = $1 AND id = ANY (home.path) AND kind = 'unit') AS unit,
       coalesce(g.roles, '{}') AS roles, coalesce(g.areas, '{}') AS areas
FROM person p
LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id
LEFT JOIN area home ON home.community_id = h.community_id AND home.id = h.area_id
LEFT JOIN LATERAL (
    SELECT array_agg(r.role) AS roles, array_agg(r.area_id) FILTER (WHERE r.area_id IS NOT NULL) AS areas
    FROM role_grant r WHERE r.community_id = $1 AND r.person_id = p.id AND r.ended_at IS NULL
    AND (r.ends_on IS NULL OR r.ends_on >= $4)) AS g ON true
WHERE p.community_id = $1 AND (p.name = ANY ($2) OR p.phone_index = ANY ($3)) ORDER BY p.id
"""


async def look_up(scope: Scope, mentioned: Mentions) -> Residents:
    """Who bears one of these names or phones. Those who left count only where nobody else is meant."""
    phones = {vault.blind_index(phone, "phone"): phone for phone in mentioned.phones}
    found = await database.fetch(
        _FOUND, scope.community_id, list(mentioned.names), list(phones), clock.local_day()
    )  # fmt: skip
    active = [row for row in found if row["status"] == "active"]
    names, owned = {row["name"] for row in active}, {row["phone_index"] for row in active}
    meant = active + [row for row in found if row["name"] not in names and row["phone_index"] not in owned]
    return Residents(
        Candidates.of(
            Candidate(
                key=str(row["id"]), name=row["name"], phone=phones.get(row["phone_index"]),
                household=str(row["household_id"]) if row["household_id"] else None, building=row["building"],
                unit=row["unit"], roles=frozenset(KNOWN_ROLES[role] for role in row["roles"] if role in KNOWN_ROLES),
            )
            for row in meant
        ),
        {
            str(row["id"]): Found(
                row["id"], row["name"], row["status"], row["household_id"], row["area_id"], frozenset(row["areas"])
            )
            for row in meant
        },
    )  # fmt: skip
