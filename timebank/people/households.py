"""Households: the people behind one door. Found by area, room and head of household, and created where missing."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import Conflict
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_guarded
from timebank.people.reads import note_children


class HouseholdKnown(Conflict):
    code = "household_known"
    sentence = "这一户刚刚已由别人登记。请再试一次。"
    constraint = "household_room_unique"


class Member(msgspec.Struct):
    """A household member as staff see them."""

    id: UUID
    name: str
    relation: str | None
    status: str
    born_on: date | None


class _Household(msgspec.Struct):
    id: UUID
    area_id: UUID
    room: str
    head_name: str


class Doors:
    """The households of some areas in memory, to place many people in; `save` writes the new ones."""

    def __init__(self, known: list[_Household]) -> None:
        self._rooms: dict[tuple[UUID, str], list[_Household]] = {}
        self._new: list[_Household] = []
        for household in known:
            self._rooms.setdefault((household.area_id, household.room), []).append(household)

    @classmethod
    async def of(cls, scope: Scope, area_ids: set[UUID]) -> "Doors":
        """Load the present households of these areas."""
        async with transaction(scope):
            return cls(
                await database.rows(
                    _Household,
                    "SELECT id, area_id, room, head_name FROM household "
                    "WHERE community_id = $1 AND area_id = ANY ($2) ORDER BY id",
                    scope.community_id, list(area_ids),
                )
            )  # fmt: skip

    def place(self, area_id: UUID | None, room: str, head_name: str | None, name: str) -> UUID | None:
        """Find or create the household of a person of this name; None without an area.

        Without a head the room's only household, else one with the person as head.
        """
        if area_id is None:
            return None
        there = self._rooms.setdefault((area_id, room), [])
        found = next((h for h in there if names.key(h.head_name) == names.key(head_name or name)), None)
        if found is None and head_name is None and room and len(there) == 1:
            found = there[0]
        if found is None:
            found = _Household(clock.new_id(), area_id, room, head_name or name)
            there.append(found)
            self._new.append(found)
        return found.id

    def count_new(self, wanted: set[UUID | None]) -> int:
        """How many of these households `place` has created."""
        return sum(household.id in wanted for household in self._new)

    @retried
    async def save(self, scope: Scope, wanted: set[UUID | None]) -> None:
        """Insert those of the wanted households that `place` has created."""
        new = [household for household in self._new if household.id in wanted]
        if not new:
            return
        async with transaction(scope):
            await database.insert_many(
                "household",
                ("community_id", "id", "area_id", "room", "head_name", "created_at"),
                [(scope.community_id, h.id, h.area_id, h.room, h.head_name, clock.now()) for h in new],
            )


@retried
async def members(scope: Scope, household_id: UUID) -> list[Member]:
    """The people of a household, earliest registered first; for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.rows(
            Member,
            "SELECT id, name, relation, status, born_on FROM person "
            "WHERE community_id = $1 AND household_id = $2 ORDER BY id",
            scope.community_id, household_id,
        )  # fmt: skip
        await note_children(scope, "household", [member.id for member in found if is_guarded(member.born_on)])
    return found


async def people_in_areas(scope: Scope) -> dict[UUID, int]:
    """How many active people live in each grid, building and unit, the areas inside it included."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT step.id, count(*) AS people FROM person p "
            "JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
            "JOIN area place ON place.community_id = h.community_id AND place.id = h.area_id "
            "CROSS JOIN LATERAL unnest(place.path) AS step (id) "
            "WHERE p.community_id = $1 AND p.status = 'active' GROUP BY step.id",
            scope.community_id,
        )
    return {UUID(bytes=record["id"].bytes): record["people"] for record in found}
