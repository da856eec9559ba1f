"""Undo the registration of people who were entered by mistake."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from timebank.core import audit, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def undo_enrolments(scope: Scope, person_ids: Sequence[UUID]) -> list[UUID]:
    """Delete people who were registered by mistake, and every household of the community that has no people.

    Returns those who stay because other rows refer to them by now.
    """
    scope.require_admin()
    stay: list[UUID] = []
    async with transaction(scope):
        try:
            async with database.savepoint():
                await _delete(scope, person_ids)
        except asyncpg.ForeignKeyViolationError:
            stay = [person_id for person_id in person_ids if not await _could_delete(scope, person_id)]
        await database.execute(
            "DELETE FROM household h WHERE h.community_id = $1 AND NOT EXISTS (SELECT FROM person p "
            "WHERE p.community_id = $1 AND p.household_id = h.id)",
            scope.community_id,
        )
        await audit.record(scope, "withdraw_many", "person", None, withdrawn=len(person_ids) - len(stay))
    return stay


async def _could_delete(scope: Scope, person_id: UUID) -> bool:
    try:
        async with database.savepoint():
            await _delete(scope, [person_id])
    except asyncpg.ForeignKeyViolationError:
        return False
    return True


async def _delete(scope: Scope, person_ids: Sequence[UUID]) -> None:
    await database.execute(
        "DELETE FROM person WHERE community_id = $1 AND id = ANY ($2)", scope.community_id, list(person_ids)
    )
