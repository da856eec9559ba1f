"""Undo the registration of people who were entered by mistake."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from timebank.core import audit, database
from timebank.core.capability import referred_to
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def undo_enrolments(scope: Scope, person_ids: Sequence[UUID]) -> list[UUID]:
    """Delete people who were registered by mistake, and every household of the community that has no people.

    Returns those who stay because other rows refer to them by now.
    """
    scope.require_admin()
    async with transaction(scope):
        linked = await _linked(scope, person_ids)
        left = [person_id for person_id in person_ids if person_id not in linked]
        used: list[UUID] = []
        try:
            async with database.savepoint():
                await _delete(scope, left)
        except asyncpg.ForeignKeyViolationError:
            used = [person_id for person_id in left if not await _could_delete(scope, person_id)]
        stay = [person_id for person_id in person_ids if person_id in linked or person_id in used]
        await database.execute(
            "DELETE FROM household h WHERE h.community_id = $1 AND NOT EXISTS (SELECT FROM person p "
            "WHERE p.community_id = $1 AND p.household_id = h.id)",
            scope.community_id,
        )
        await audit.record(scope, "withdraw_many", "person", None, withdrawn=len(person_ids) - len(stay))
    return stay


async def _linked(scope: Scope, person_ids: Sequence[UUID]) -> set[UUID]:
    """Those to whom a row refers without a foreign key; locks them all, so that nothing new can refer to them."""
    values = (scope.community_id, list(person_ids))
    await database.execute(
        "SELECT FROM person WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE", *values
    )
    found = await database.fetch(
        f"SELECT p.id FROM person p WHERE p.community_id = $1 AND p.id = ANY ($2) AND {referred_to('person', 'p.id')}",  # noqa: S608  # of the manifests
        *values,
    )
    return {UUID(bytes=row["id"].bytes) for row in found}


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
