"""Reading the merges of a community."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.residents import require_resident

UNDONE_WITHIN = timedelta(days=1)


class MergeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A merge; it can be undone until `undo_until`."""

    id: UUID
    kept_id: UUID
    merged_id: UUID
    merged_name: str
    reason: str
    merged_at: datetime
    undone_at: datetime | None
    undo_until: datetime


_MERGES = """
SELECT j.id, j.kept_id, j.merged_id, m.name AS merged_name, j.reason, j.merged_at, j.undone_at,
    j.merged_at + $2 AS undo_until
FROM person_merge j JOIN person m ON m.community_id = j.community_id AND m.id = j.merged_id
WHERE j.community_id = $1
"""


async def merge_of(scope: Scope, merge_id: UUID) -> MergeOut:
    """One merge of the community. Raises NotFound."""
    found = await database.row(MergeOut, f"{_MERGES} AND j.id = $3", scope.community_id, UNDONE_WITHIN, merge_id)
    if found is None:
        raise NotFound
    return found


async def merges_of(scope: Scope, person_id: UUID) -> list[MergeOut]:
    """The merges into a record of the community, newest first."""
    scope.require_reader()
    async with transaction(scope):
        await require_resident(scope, person_id)
        return await database.rows(
            MergeOut, f"{_MERGES} AND j.kept_id = $3 ORDER BY j.merged_at DESC, j.id",
            scope.community_id, UNDONE_WITHIN, person_id,
        )  # fmt: skip
