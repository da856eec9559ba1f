"""What a resident chooses from: places with their own first, and for whom they may order or wish."""

from uuid import UUID

import msgspec

from timebank.areas.addresses import place_in_words
from timebank.areas.places import areas_of
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.guardianship.care import is_in_care
from timebank.people.identity.ages import GUARDED_UNDER, is_younger


class PlaceChoice(msgspec.Struct, frozen=True):
    """An area with its name in words, such as 3栋1单元."""

    id: UUID
    name: str


class PlaceChoices(msgspec.Struct, frozen=True):
    """`own` leads from a resident's unit up to their grid; `every` are all areas of the community in natural order."""

    own: list[PlaceChoice]
    every: list[PlaceChoice]

    def named(self, area_id: UUID | None) -> PlaceChoice:
        """The place of this id. Raises NotFound."""
        found = next((place for place in self.every if place.id == area_id), None)
        if found is None:
            raise NotFound
        return found


async def place_choices(scope: Scope, person_id: UUID | None = None) -> PlaceChoices:
    """The places of the community; `own` are those where this person lives, or else the caller."""
    whose = person_id or scope.person_id
    async with transaction(scope):
        areas = {area.id: area for area in await areas_of(scope)}
        home = await database.fetch_value(
            "SELECT h.area_id FROM person p JOIN household h ON h.community_id = p.community_id "
            "AND h.id = p.household_id WHERE p.community_id = $1 AND p.id = $2",
            scope.community_id, whose,
        )  # fmt: skip
    own, step = [], UUID(bytes=home.bytes) if home else None
    while step is not None and step in areas:
        own.append(PlaceChoice(step, place_in_words(step, areas)))
        step = areas[step].parent_id
    return PlaceChoices(own, [PlaceChoice(id_, place_in_words(id_, areas)) for id_ in areas])


class Helped(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a resident may order for: of their household, or a child in their care."""

    id: UUID
    name: str


_IN_CARE = is_in_care("$1", "p.id", "$2::text[]::uuid[]", "$4")
_HELPED = (
    "SELECT p.id, p.name FROM person p WHERE p.community_id = $1 AND p.status = 'active' "  # noqa: S608  # no input
    "AND p.id <> ALL ($2::text[]::uuid[]) AND (p.household_id = ANY ($3::text[]::uuid[]) "
    f"AND {is_younger(GUARDED_UNDER, 'p.born_on', '$4')} IS NOT TRUE OR {_IN_CARE}) ORDER BY p.born_on, p.pinyin, p.id"
)


async def helped_by(scope: Scope) -> list[Helped]:
    """For whom the caller may order or wish besides for themselves, the oldest first."""
    households = {own.household_id for own in scope.persons if own.community_id == scope.community_id}
    async with transaction(scope):
        return await database.rows(
            Helped, _HELPED, scope.community_id, database.as_texts(scope.own_ids),
            database.as_texts(one for one in households if one), clock.local_day(),
        )  # fmt: skip
