"""Looking at children: that staff have read a list with children in it is written down."""

from collections.abc import Collection
from uuid import UUID

from timebank.core import audit
from timebank.core.scope import Scope


async def note_children(scope: Scope, where: str, child_ids: Collection[UUID]) -> None:
    """Write down that the caller has read a list with these children, who are not in the caller's care.

    `where` is one of the manifests' `child_lists`. One row a list, with how many they were: whom a list shows follows
    from its filters. Nothing for an empty one.
    """
    if child_ids and not scope.system:
        await audit.record(scope, "read_children", "person", None, list=where, children=len(set(child_ids)))
