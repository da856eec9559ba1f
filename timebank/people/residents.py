"""Whether a person is registered in the community."""

from uuid import UUID

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope


async def require_resident(scope: Scope, person_id: UUID) -> None:
    """Raise NotFound for a person of another community or none, for whom a list would otherwise come back empty."""
    async with transaction(scope):
        found: bool = await database.fetch_value(
            "SELECT EXISTS (SELECT FROM person WHERE community_id = $1 AND id = $2)", scope.community_id, person_id
        )
    if not found:
        raise NotFound
