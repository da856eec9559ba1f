"""Looking at children: that staff have read a list with children in it is written down."""

from collections.abc import Collection
from uuid import UUID

from timebank.core import audit
from timebank.core.locale import _
from timebank.core.scope import Scope

LISTS = {"people": _("居民名单"), "household": _("同户"), "bookings": _("约课名单"), "counter": _("柜台")}
"""The lists that name children in full."""


async def note_children(scope: Scope, where: str, child_ids: Collection[UUID]) -> None:
    """Write down that the caller has read a list of `LISTS` with these children, who are not in the caller's care.

    One row a list, with how many they were: whom a list shows follows from its filters. Nothing for an empty one.
    """
    if child_ids and not scope.system:
        await audit.record(scope, "read_children", "person", None, list=where, children=len(set(child_ids)))
