"""Lending an umbrella, and taking back what is overdue."""

from datetime import timedelta
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.ledger import posting
from timebank.ledger.posting import Posting

POINTS = 5
LENT_FOR = timedelta(days=3)


@retried
async def lend(scope: Scope, person_id: UUID) -> UUID:
    """Set points aside for an umbrella until it is back; the loan's id."""
    loan_id, now = clock.new_id(), clock.now()
    async with transaction(scope):
        note = Posting(
            kind="hold", key=f"umbrella:{loan_id}:hold", source_kind="umbrella_loan", source_id=loan_id, memo=""
        )
        held = await posting.hold(scope, person_id, POINTS, note)
        await database.execute(
            "INSERT INTO umbrella_loan (community_id, id, person_id, points, entry_id, due_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            scope.community_id, loan_id, person_id, POINTS, held.entry_id, now + LENT_FOR,
        )  # fmt: skip
        await audit.record(scope, "lend_umbrella", "umbrella_loan", loan_id, person_id=person_id)
    return loan_id


@retried
async def take_back_overdue(scope: Scope) -> int:
    """Give the points of overdue umbrellas back; how many there were."""
    async with transaction(scope):
        overdue = await database.fetch(
            "UPDATE umbrella_loan SET returned_at = $2 WHERE community_id = $1 AND returned_at IS NULL AND due_at < $2 "
            "RETURNING id, entry_id",
            scope.community_id, clock.now(),
        )  # fmt: skip
        for loan in overdue:
            note = Posting(
                kind="void",
                key=f"umbrella:{loan['id']}:void",
                source_kind="umbrella_loan",
                source_id=loan["id"],
                memo="",
            )
            await posting.void(scope, loan["entry_id"], note)
    return len(overdue)


async def count_lent(scope: Scope) -> int:
    """How many umbrellas are out."""
    async with transaction(scope):
        counted = await database.fetch_value(
            "SELECT count(*) FROM umbrella_loan WHERE community_id = $1 AND returned_at IS NULL", scope.community_id
        )
    return int(counted)
