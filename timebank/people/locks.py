"""The lock order of every verb: person, account, the rest.

A verb that locks more than one row locks the residents whose accounts it moves first, in the order of their ids. The
ledger locks an account only inside such a verb (or alone: a donation, the expiry), so accounts wait for nobody else.
`FOR NO KEY UPDATE` leaves others free to write rows that refer to a locked one.
"""

from collections.abc import Iterable
from uuid import UUID

from timebank.core import database
from timebank.core.scope import Scope


async def lock_people(scope: Scope, person_ids: Iterable[UUID]) -> None:
    """Lock residents' rows until the transaction ends; what they hold moves in this transaction alone."""
    await database.execute(
        "SELECT FROM person WHERE community_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE",
        scope.community_id, list(person_ids),
    )  # fmt: skip
