"""The lock order of every verb: person, account, everything else.

A verb that locks more than one row first locks the residents whose balances it changes, in the order of their ids. The
ledger locks an account only inside such a verb, or as the only lock (a donation, the expiry), so that account locks
cannot deadlock. `FOR NO KEY UPDATE` still lets others insert rows that refer to a locked one.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from timebank.core import database
from timebank.core.database import RanIntoAnother
from timebank.core.scope import Scope


async def lock_people(scope: Scope, person_ids: Iterable[UUID]) -> None:
    """Lock these residents' rows until the transaction ends, so that no other verb changes their balances meanwhile."""
    await database.execute(
        "SELECT FROM person WHERE community_id = $1 AND id = ANY ($2::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE",
        scope.community_id, database.as_texts(person_ids),
    )  # fmt: skip


def require_locked(person_id: UUID, locked: Collection[UUID]) -> None:
    """Raise RanIntoAnother where a row, read again under the locks of these people, belongs to somebody else.

    Whose row it is is read first, then that person is locked, then the row: a merge of two records that commits in
    between has moved the row to the kept record, which is not locked.
    """
    if person_id not in locked:
        raise RanIntoAnother
