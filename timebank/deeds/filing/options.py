"""The choices in the form that files a deed: rules, places, people and witnesses within the caller's reach."""

from functools import partial
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.areas.addresses import place_in_words
from timebank.areas.places import areas_of
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.paging import all_pages
from timebank.core.scope import HEADS, Role, Scope
from timebank.deeds.parties import readable_deeds
from timebank.people.identity.ages import ADULT_FROM, is_younger
from timebank.rules.catalogue import rules
from timebank.rules.schemas import RuleOut


class FilingChoice(msgspec.Struct, frozen=True):
    """One place or person to choose, with a hint that distinguishes equal names."""

    id: UUID
    name: str
    hint: str


class Options(msgspec.Struct, frozen=True):
    """The choices in the form: rules, places, people and witnesses. All are empty where the caller may not file."""

    rules: list[RuleOut]
    places: list[FilingChoice]
    people: list[FilingChoice]
    witnesses: list[FilingChoice]


async def filing_options(scope: Scope) -> Options:
    """The choices that the caller has when filing a deed."""
    _, areas, own = readable_deeds(scope)
    held = [] if scope.administers else areas
    if not (scope.administers or held):
        return Options([], [], [], [])
    async with transaction(scope):
        catalogue = await all_pages(partial(rules, scope, kind="deed", active=True))
        return Options(
            catalogue,
            await _places(scope, held),
            await _people(scope, held, own),
            await _witnesses(scope, held),
        )


async def _places(scope: Scope, held: list[UUID]) -> list[FilingChoice]:
    """The buildings and units in the caller's areas, each with the names of the areas above it, without the grid."""
    areas = {area.id: area for area in await areas_of(scope)}

    def upwards(area_id: UUID | None) -> list[UUID]:
        path = []
        while area_id is not None:
            path.append(area_id)
            area_id = areas[area_id].parent_id
        return path

    return [
        FilingChoice(area.id, place_in_words(area.id, areas), "")
        for area in areas.values()
        if area.kind != "grid" and (scope.administers or set(held) & set(upwards(area.id)))
    ]


async def _people(scope: Scope, held: list[UUID], own: list[UUID]) -> list[FilingChoice]:
    """The caller's own records, then the heads of the buildings and units within reach."""
    return await database.rows(
        FilingChoice,
        "SELECT p.id, p.name, coalesce(string_agg(a.name, '、' ORDER BY a.pinyin), '') AS hint FROM person p "  # noqa: S608
        "LEFT JOIN role_grant g ON g.community_id = p.community_id AND g.person_id = p.id AND g.role = ANY ($2) "
        f"  AND {is_in_force('$3')} "
        "LEFT JOIN area a ON a.community_id = g.community_id AND a.id = g.area_id "
        "WHERE p.community_id = $1 AND p.status = 'active' AND (p.id = ANY ($4) OR $5 AND a.id IS NOT NULL "
        "  OR a.path && $6::uuid[]) GROUP BY p.id, p.name, p.pinyin ORDER BY p.id <> ALL ($4), p.pinyin, p.id",
        scope.community_id, [role.value for role in HEADS], clock.local_day(), own, scope.administers, held,
    )  # fmt: skip


async def _witnesses(scope: Scope, held: list[UUID]) -> list[FilingChoice]:
    """Grid workers of the areas, then adult neighbours of other households. Administrators get only grid workers."""
    return await database.rows(
        FilingChoice,
        "SELECT p.id, p.name, coalesce(max(w.word), max(home.name), '') AS hint FROM person p "  # noqa: S608
        "LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
        "LEFT JOIN area home ON home.community_id = h.community_id AND home.id = h.area_id "
        "LEFT JOIN LATERAL (SELECT '网格员' AS word FROM role_grant g JOIN area a ON a.community_id = $1 "
        "    AND (a.id = ANY ($4) OR $5) AND g.area_id = ANY (a.path) "
        "  WHERE g.community_id = $1 AND g.person_id = p.id AND g.role = $2 "
        f"  AND {is_in_force('$3')} LIMIT 1) w ON true "
        "WHERE p.community_id = $1 AND p.status = 'active' "
        f"  AND {is_younger(ADULT_FROM, 'p.born_on', '$3')} IS NOT TRUE "
        "  AND (w.word IS NOT NULL OR NOT $5 AND home.path && $4::uuid[]) AND p.id <> ALL ($6) "
        "  AND (p.household_id IS NULL OR p.household_id <> ALL ($7)) "
        "GROUP BY p.id, p.name, p.pinyin ORDER BY max(w.word) NULLS LAST, p.pinyin, p.id",
        scope.community_id, Role.grid_worker.value, clock.local_day(), held, scope.administers,
        scope.own_ids,
        [p.household_id for p in scope.persons if p.household_id and not scope.administers],
    )  # fmt: skip
