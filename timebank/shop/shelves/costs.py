"""What goods cost the community, and what those on the shelves are worth beside the points that people hold."""

from uuid import UUID

import msgspec

from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.shop.tables import Good

FEN_MAX = 100_000_000


class ShelfValue(msgspec.Struct, frozen=True):
    """What is on the shelves and not reserved, of goods that are still offered.

    `points`: for how many points it can be had; of that, `priced_points` is of goods whose cost is known, and `fen` is
    what these cost.
    """

    points: int
    priced_points: int
    fen: int

    def fen_of(self, points: int) -> int | None:
        """What goods for so many points cost, at the average of the shelves; None where no cost is known."""
        return round(points * self.fen / self.priced_points) if self.priced_points else None


async def shelf_value(scope: Scope) -> ShelfValue:
    """The value of the shelves; for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(
            ShelfValue,
            "SELECT coalesce(sum(s.quantity::bigint * g.points), 0)::bigint AS points, "
            "coalesce(sum(s.quantity::bigint * g.points) FILTER (WHERE g.cost_fen IS NOT NULL), 0)::bigint "
            "AS priced_points, coalesce(sum(s.quantity::bigint * g.cost_fen), 0)::bigint AS fen "
            "FROM stock s JOIN good g ON g.community_id = s.community_id AND g.id = s.good_id "
            "WHERE s.community_id = $1 AND g.active",
            scope.community_id,
        )
    assert found is not None  # an aggregate has one row
    return found


async def cost_of(scope: Scope, good_id: UUID) -> int | None:
    """What one piece costs the community, in fen; None where nobody has said it. For administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        row = await database.fetch_one(
            "SELECT cost_fen FROM good WHERE community_id = $1 AND id = $2", scope.community_id, good_id
        )
    if row is None:
        raise NotFound
    cost: int | None = row["cost_fen"]
    return cost


@retried
async def set_cost(scope: Scope, good_id: UUID, cost_fen: int | None) -> None:
    """Set what one piece costs the community. It is shown to administrators alone and changes no exchange."""
    scope.require_admin()
    async with transaction(scope):
        before = await database.fetch_one(
            "SELECT cost_fen FROM good WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id, good_id,
        )  # fmt: skip
        if before is None:
            raise NotFound
        if before["cost_fen"] == cost_fen:
            return
        await Good.update({Good.cost_fen: cost_fen}).where(
            (Good.community_id == scope.community_id) & (Good.id == good_id)
        )
        await audit.record(scope, "set_good_cost", "good", good_id, before=before["cost_fen"], cost_fen=cost_fen)
