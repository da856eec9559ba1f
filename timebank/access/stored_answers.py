"""Stored answers to requests with an Idempotency-Key: `http.idempotency` writes and repeats them."""

from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction

KEPT_FOR = timedelta(hours=24)


async def claim_key(community_id: UUID, caller: UUID, key: str, request_hash: bytes) -> bool:
    """Note that the caller uses the key in the community now; False where it was used before.

    Waits for a request that is using it.
    """
    claim = database.change(
        "INSERT INTO idempotent_request (community_id, caller_id, key, request_hash, created_at) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        community_id, caller, key, request_hash, clock.now(), rows=None,
    )  # fmt: skip
    return await database.write_now(claim) == 1


def store_answer(community_id: UUID, caller: UUID, key: str, status: int, sealed: bytes) -> None:
    """Queue the answer, sealed, to be kept beside its key."""
    database.queue(
        database.change(
            "UPDATE idempotent_request SET status = $4, body = $5 "
            "WHERE community_id = $1 AND caller_id = $2 AND key = $3",
            community_id, caller, key, status, sealed,
        )
    )  # fmt: skip


class StoredAnswer(msgspec.Struct, frozen=True):
    request_hash: bytes
    status: int
    body: bytes


async def stored_answer(community_id: UUID, caller: UUID, key: str) -> StoredAnswer | None:
    """The answer that was given to the caller in the community under the key."""
    return await database.row(
        StoredAnswer,
        "SELECT request_hash, status, body FROM idempotent_request "
        "WHERE community_id = $1 AND caller_id = $2 AND key = $3",
        community_id, caller, key,
    )  # fmt: skip


@retried
async def purge_answers() -> None:
    """Purge answers older than a day; no client retries after that."""
    async with transaction(None):
        await database.execute("SELECT answers_sweep($1)", clock.now() - KEPT_FOR)
