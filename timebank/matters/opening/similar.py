"""Similar matters nearby, shown before a report is sent, so that one hole is reported once."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.areas.addresses import grid_in_words
from timebank.areas.places import area
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden
from timebank.core.locale import translate
from timebank.core.scope import Role, Scope
from timebank.matters.schemas import MatterStatus
from timebank.matters.words import STATUSES
from timebank.policies.values import policies

SIMILAR_MAX = 5
OF_THE_PLACE = frozenset(Role) - {Role.unit_contact}


class SimilarOut(msgspec.Struct, frozen=True, kw_only=True):
    """A matter of the same category at the same place that is not closed yet; `photo_url` is a published picture."""

    id: UUID
    number: str
    category: str
    grid: str
    received_at: datetime
    status: MatterStatus
    in_words: str
    public_text: str | None
    followers: int
    photo_url: str | None


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: str
    category: str
    grid: str
    received_at: datetime
    status: MatterStatus
    public_text: str | None
    followers: int
    photo_id: UUID | None


_SIMILAR = (
    f"SELECT m.id, m.number, c.name AS category, coalesce({grid_in_words('a')}, '') AS grid, m.received_at, "  # noqa: S608  # constants of the program
    "m.status, m.public_text, m.followers, (SELECT p.photo_id FROM attachment p "
    "WHERE p.community_id = m.community_id AND p.noun = 'matter' AND p.noun_id = m.id AND p.published_at IS NOT NULL "
    "ORDER BY p.added_at, p.id LIMIT 1) AS photo_id FROM matter m "
    "JOIN area a ON a.community_id = m.community_id AND a.id = m.area_id "
    "JOIN matter_category c ON c.community_id = m.community_id AND c.code = m.category_code "
    "WHERE m.community_id = $1 AND m.area_id = ANY ($2::text[]::uuid[]) AND m.category_code = $3 "
    "AND m.received_at > $4 AND m.status IN ('received', 'dispatched', 'accepted', 'done') "
    "AND m.kind IN ('report', 'event', 'pledge') AND c.public AND NOT c.staff_only "
    f"ORDER BY m.received_at DESC, m.id LIMIT {SIMILAR_MAX}"
)


async def similar_matters(scope: Scope, category: str, area_id: UUID, language: str = "zh") -> list[SimilarOut]:
    """Open matters of the category at the place, in what lies in it and above it up to its building. Newest first.

    Only of public categories, without words or names of others, and for who may open one here: a unit's contact, who
    serves the unit in a whole county, does not read what is reported there. Raises Forbidden, NotFound.
    """
    scope.require_use("matters")
    if scope.person is None and scope.counter_station_id is None and not (scope.system or scope.has(*OF_THE_PLACE)):
        raise Forbidden
    async with transaction(scope):
        place = await area(scope, area_id)
        around = await database.fetch(
            "SELECT id FROM area WHERE community_id = $1 AND (path @> ARRAY[$2::uuid] "
            "OR (id = ANY ($3::text[]::uuid[]) AND kind <> 'grid'))",
            scope.community_id, area_id, database.as_texts(place.path),
        )  # fmt: skip
        since = clock.now() - timedelta(days=(await policies(scope)).similar_days)
        found = await database.rows(
            _Row, _SIMILAR, scope.community_id, database.as_texts(UUID(bytes=each["id"].bytes) for each in around),
            category, since,
        )  # fmt: skip
    return [
        SimilarOut(
            id=row.id, number=row.number, category=translate(row.category, language), grid=row.grid,
            received_at=row.received_at, status=row.status, in_words=translate(STATUSES[row.status], language),
            public_text=row.public_text, followers=row.followers,
            photo_url=f"/api/v1/photos/{row.photo_id}" if row.photo_id else None,
        )
        for row in found
    ]  # fmt: skip
