"""Seats: how many of a row's places are taken. The row is of any table with `seats` and `seats_taken`."""

from uuid import UUID

from piccolo.table import Table

from timebank.core import database
from timebank.core.database import Write
from timebank.core.scope import Scope


async def take_seat(scope: Scope, table: type[Table], row_id: UUID) -> bool:
    """Take a seat of a row of the caller's own table; False where none is free. Runs in the caller's transaction."""
    taken = seat_taken(scope, table, row_id)
    return await database.execute(taken.sql, *taken.values) == "UPDATE 1"


def seat_taken(scope: Scope, table: type[Table], row_id: UUID) -> Write:
    """The same as a write to be queued, for a row that is known to have a free seat."""
    return database.change(
        f"UPDATE {_name(table)} SET seats_taken = seats_taken + 1 "  # noqa: S608  # the name of a table class
        "WHERE community_id = $1 AND id = $2 AND seats_taken < seats",
        scope.community_id, row_id,
    )  # fmt: skip


async def free_seats(scope: Scope, table: type[Table], row_id: UUID, count: int = 1) -> None:
    """Free seats that were taken of a row of the caller's own table. Runs in the caller's transaction."""
    await database.execute(
        f"UPDATE {_name(table)} SET seats_taken = seats_taken - $3 "  # noqa: S608  # the name of a table class
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, row_id, count,
    )  # fmt: skip


def _name(table: type[Table]) -> str:
    return table._meta.tablename  # noqa: SLF001  # Piccolo's documented place of it
