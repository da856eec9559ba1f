"""The lists of goods and redemptions as rows of a workbook; goods have the headings that the goods import reads."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from timebank.core.filters import read_filters
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.shop.goods import list_goods
from timebank.shop.reading import list_redemptions
from timebank.shop.schemas import RedemptionStatus


class RedemptionsAsked(msgspec.Struct):
    """The filters of the list of redemptions, as its form sends them."""

    status: RedemptionStatus | None = None
    station: UUID | None = None
    person_id: UUID | None = None


async def good_rows(scope: Scope, filters: Mapping[str, str], limit: int, cursor: str | None) -> Page[object]:
    """A page of the goods, also of those no longer offered: one row for each station that has had it."""
    scope.require_reader()
    found = await list_goods(scope, with_ended=True, search=filters.get("q", ""), limit=limit, cursor=cursor)
    rows: list[object] = []
    for good in found.items:
        held: list[tuple[object, ...]] = [(place.station, place.quantity) for place in good.stock]
        offer = (good.name, good.unit, good.points, good.monthly_limit)
        rows += [(*offer, *place) for place in held or [(None, None)]]
    return Page(rows, found.next)


async def redemption_rows(scope: Scope, filters: Mapping[str, str], limit: int, cursor: str | None) -> Page[object]:
    """A page of the redemptions of this status, station and person."""
    scope.require_reader()
    asked = read_filters(filters, RedemptionsAsked)
    found = await list_redemptions(
        scope, status=asked.status, station_id=asked.station, person_id=asked.person_id, limit=limit, cursor=cursor
    )
    return Page(
        [
            (r.reserved_at, r.person, r.good, r.quantity, r.unit, r.points, r.station, r.status, r.ended_at)
            for r in found.items
        ],
        found.next,
    )
