"""Looks up the residents whom a sheet of hours or deeds may mean, all in one query."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

from timebank.areas.places import areas_of
from timebank.core import database, names, vault
from timebank.core.scope import Scope
from timebank.imports.cells.cell_values import Role
from timebank.imports.sheets.candidates import Candidate, Candidates, Mentions
from timebank.imports.words.area_index import AreaIndex, role_grants_of
from timebank.people.guardianship.care import consent_in_force
from timebank.people.identity.ages import is_guarded

ROLES: Mapping[str, Role] = {"building_head": "building_head", "unit_head": "unit_head", "grid_worker": "grid_worker"}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A resident of a mentioned name or phone. `heads` are the areas whose head they are today.

    `merged` are the records of the same person that were merged into this one.
    """

    id: UUID
    status: str
    lacks_consent: bool  # a child without a guardian's recorded consent
    area_id: UUID | None
    heads: frozenset[UUID]
    merged: tuple[UUID, ...] = ()

    @property
    def records(self) -> tuple[UUID, ...]:
        """Every record of the person, this one first; earlier imports may refer to a merged one."""
        return (self.id, *self.merged)


@dataclass(frozen=True, slots=True)
class Residents:
    """The residents whom a file may mean, as candidates for matching rows and as registered, by candidate key."""

    candidates: Candidates
    by_key: Mapping[str, Found]

    def of(self, candidate: Candidate) -> Found:
        return self.by_key[candidate.key]


async def look_up(scope: Scope, mentioned: Mentions) -> Residents:
    """The residents with one of these names or phones. An inactive one is found only if no active one has either."""
    phones = {vault.blind_index(phone, "phone"): phone for phone in mentioned.phones}
    found = await database.fetch(
        "SELECT p.id, p.name, p.name_key, p.status, p.born_on, p.phone_index, p.household_id, h.area_id, "  # noqa: S608
        f"{consent_in_force('p.community_id', 'p.id')} AS consented, "
        "ARRAY(SELECT m.id FROM person m WHERE m.community_id = $1 AND m.merged_into = p.id ORDER BY m.id) AS merged "
        "FROM person p LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
        "WHERE p.community_id = $1 AND (p.name_key = ANY ($2) OR p.phone_index = ANY ($3)) AND p.merged_into IS NULL "
        "ORDER BY p.id",
        scope.community_id, list({names.key(name) for name in mentioned.names}), list(phones),
    )  # fmt: skip
    active = [row for row in found if row["status"] == "active"]
    known, owned = {row["name_key"] for row in active}, {row["phone_index"] for row in active}
    meant = active + [row for row in found if row["name_key"] not in known and row["phone_index"] not in owned]
    places, offices = AreaIndex(await areas_of(scope)), await role_grants_of(scope, [row["id"] for row in meant])
    candidates, by_key = [], {}
    for row in meant:
        home = {area.kind: area.name for area in places.upwards(row["area_id"])}
        held = offices.get(row["id"], [])
        candidates.append(
            Candidate(
                key=str(row["id"]), name=row["name"], phone=phones.get(row["phone_index"]),
                household=str(row["household_id"]) if row["household_id"] else None, building=home.get("building"),
                unit=home.get("unit"), roles=frozenset(ROLES[one.role] for one in held if one.role in ROLES),
            )
        )  # fmt: skip
        by_key[str(row["id"])] = Found(
            id=UUID(bytes=row["id"].bytes), status=row["status"],
            lacks_consent=is_guarded(row["born_on"]) and not row["consented"],
            area_id=row["area_id"],
            heads=frozenset(one.area_id for one in held if one.area_id), merged=tuple(row["merged"]),
        )  # fmt: skip
    return Residents(Candidates.of(candidates), by_key)
