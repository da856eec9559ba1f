"""What the shop always shows at a counter: what is low on its shelf."""

from uuid import UUID

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.shop.shelves.low import low_stock_at
from timebank.web.offers import CounterLineShown


async def low_stock(caller: Scope, station_id: UUID) -> CounterLineShown | None:
    """The goods that are low at this station, with what is left of each."""
    low = await low_stock_at(caller, station_id)
    if not low:
        return None
    return CounterLineShown(
        text=said(_("低库存 {kinds} 种"), kinds=len(low)),
        rows=[(each.good, f"{each.quantity} {each.unit}") for each in low],
        link=(f"/desk/shelf?station={station_id}", said(_("库存、入库"))), warns=True,
    )  # fmt: skip
