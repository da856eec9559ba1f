"""Auditing that staff have read a list with children in it."""

from collections.abc import Collection
from uuid import UUID

from timebank.core import audit
from timebank.core.locale import _
from timebank.core.scope import Scope

LISTS = {"people": _("居民名单"), "household": _("同户"), "bookings": _("约课名单"), "counter": _("柜台")}
"""The lists that show children's full names."""


async def note_children(scope: Scope, where: str, child_ids: Collection[UUID]) -> None:
    """Audit that the caller has read a list of `LISTS` with these children; nothing where there are none.

    One audit row per list with the number of children, not their ids. The system's own reads are not audited.
    """
    if child_ids and not scope.system:
        await audit.record(scope, "read_children", "person", None, list=where, children=len(set(child_ids)))
