"""The list of deeds as rows of a workbook, with the headings by which the deeds import reads them again."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from timebank.core.filters import read_filters
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.deeds.reading import list_deeds
from timebank.deeds.schemas import DeedStatus
from timebank.deeds.words import STATUS


class DeedsAsked(msgspec.Struct):
    """The filters of the list of deeds, as its form sends them."""

    status: DeedStatus | None = None
    person_id: UUID | None = None


async def deed_rows(scope: Scope, filters: Mapping[str, str], limit: int, cursor: str | None) -> Page[object]:
    """A page of the deeds of this status and person, for those who read the whole community."""
    scope.require_reader()
    asked = read_filters(filters, DeedsAsked)
    found = await list_deeds(scope, status=asked.status, person_id=asked.person_id, limit=limit, cursor=cursor)
    rows: list[object] = [
        (d.occurred_on, d.person, d.area, d.rule, d.points, d.witness, d.words(), STATUS[d.status][0])
        for d in found.items
    ]
    return Page(rows, found.next)
