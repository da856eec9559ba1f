"""Low stock: the one rule for it, and what is low on one station's shelf."""

from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import most, transaction
from timebank.core.scope import Scope

LOW_STOCK = 3
IS_LOW = f"g.active AND s.quantity <= {LOW_STOCK}"
"""SQL: the stock `s` of the good `g` is low."""
SHOWN = 50


class LowStock(msgspec.Struct, frozen=True):
    """A good of which few are left on a shelf."""

    good: str
    quantity: int
    unit: str


async def low_stock_at(scope: Scope, station_id: UUID) -> list[LowStock]:
    """What is low on this station's shelf, the least first. For its keepers."""
    scope.require_keeper(station_id)
    async with transaction(scope):
        return await database.rows(
            LowStock,
            "SELECT g.name AS good, s.quantity, g.unit FROM stock s "  # noqa: S608  # constants and conditions of the program, which hold no values
            "JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id "
            f"WHERE s.community_id = $1 AND s.station_id = $2 AND {IS_LOW} "
            f"ORDER BY s.quantity, g.name LIMIT {most(SHOWN)}",
            scope.community_id, station_id,
        )  # fmt: skip
