"""Auditing that staff have read a list with children in it."""

from collections.abc import Collection
from uuid import UUID

from timebank.core import audit
from timebank.core.scope import Scope


async def note_children(scope: Scope, where: str, child_ids: Collection[UUID]) -> None:
    """Audit that the caller has read a list with these children; nothing where there are none.

    `where` is one of the manifests' `child_lists`. One audit row per list with the number of children, not their ids.
    The system's own reads are not audited.
    """
    if child_ids and not scope.system:
        await audit.record(scope, "read_children", "person", None, list=where, children=len(set(child_ids)))
