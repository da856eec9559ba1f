"""The units of a county: departments, firms and schools that communities work with."""

from uuid import UUID

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Scope


async def unit_options(scope: Scope) -> list[tuple[UUID, str]]:
    """The units in use of the community's county by name, for a field where one is chosen."""
    async with transaction(scope):
        found = await database.fetch_unlimited(
            "SELECT id, name FROM unit WHERE active AND county_id = (SELECT path[1] FROM region WHERE id = $1) "
            "ORDER BY pinyin, id",
            scope.community_id,
        )
    return [(UUID(bytes=row["id"].bytes), row["name"]) for row in found]


async def is_unit_of_county(scope: Scope, unit_id: UUID | None) -> bool:
    """Whether it is a unit in use of the county that the scope's community lies in."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM unit WHERE id = $1 AND active AND county_id = ("
        "SELECT path[1] FROM region WHERE id = $2))",
        unit_id, scope.community_id,
    )  # fmt: skip
    return found
