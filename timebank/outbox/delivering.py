"""The worker's part: take what is due out of the outbox, deliver it, and try again later what could not be delivered.

Any number of workers may run this at the same time: each locks the row that it takes, and skips the rows of others.
"""

import asyncio
from collections.abc import Awaitable, Collection
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from timebank.core import clock, database
from timebank.core.capability import Delivery, capabilities, resolve
from timebank.core.database import retried, transaction
from timebank.core.errors import Unavailable
from timebank.core.scope import Scope
from timebank.outbox.attempts import DeliveryInterrupted, ReceiverAway, failure_of, is_last, next_attempt
from timebank.outbox.putting import Parcel, put
from timebank.outbox.tables import Outbox

AT_ONCE_MAX = 200
"""Rows of one community in one run: the others have their turn before the rest."""
KEPT_FOR = timedelta(days=30)

log = structlog.get_logger()


def declared_deliveries() -> dict[str, Delivery]:
    """How each kind is delivered. A row of another kind, which a later version has put, waits."""
    return {delivery.kind: delivery for one in capabilities() for delivery in one.deliveries}


async def deliver_due(scope: Scope) -> int:
    """Deliver what is due, at most AT_ONCE_MAX rows; return how many were delivered.

    A kind whose receiver is away is left alone for the rest of the run. Raises Unavailable without a database.
    """
    known, delivered = declared_deliveries(), 0
    waiting = set(known)
    for _ in range(AT_ONCE_MAX):
        parcel = await _take(scope, waiting)
        if parcel is None:
            break
        error = await _deliver(scope, known[parcel.kind], parcel)
        delivered += error is None
        if isinstance(error, ReceiverAway):
            waiting.discard(parcel.kind)
    return delivered


async def _deliver(scope: Scope, how: Delivery, parcel: Parcel) -> Exception | None:
    """One attempt: None when it is delivered, else the failure, which is kept with the row."""
    error = await _outcome(_attempt(scope, how, parcel))
    if error is not None:
        code, row = failure_of(error)["code"], str(parcel.id)
        log.warning("not delivered", kind=parcel.kind, id=row, attempts=parcel.attempts, code=code)
        await _keep_failure(scope, parcel, error)
    return error


def _attempt(scope: Scope, how: Delivery, parcel: Parcel) -> Awaitable[None]:
    if parcel.to_community is not None:
        return _hand_over(scope, parcel, Scope.of_system(parcel.to_community))
    return (_deliver_outside if how.leaves else _deliver_inside)(scope, how, parcel)


async def _outcome(work: Awaitable[None]) -> Exception | None:
    """The Exception that a deliverer raises. Raises Unavailable: without a database there is nothing to keep it in."""
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, BaseException) and (not isinstance(outcome, Exception) or isinstance(outcome, Unavailable)):
        raise outcome
    return outcome


@retried
async def _take(scope: Scope, kinds: Collection[str]) -> Parcel | None:
    """The row that has been due for longest, its attempt counted and the next one set; None when nothing is due.

    A row whose last attempt never ended, because its worker was killed, is dead. The attempt is committed before it
    begins: a row that kills its worker each time is not tried for ever.
    """
    async with transaction(scope):
        while (found := await _first_due(scope, kinds)) is not None:
            if not is_last(found.attempts):
                begun, due_at = found.attempts + 1, next_attempt(found.attempts + 1, clock.now())
                await Outbox.update({Outbox.attempts: begun, Outbox.due_at: due_at}).where(
                    (Outbox.community_id == scope.community_id) & (Outbox.id == found.id)
                )
                return msgspec.structs.replace(found, attempts=begun)
            failure = msgspec.json.encode(failure_of(DeliveryInterrupted())).decode()
            await Outbox.update({Outbox.dead_at: clock.now(), Outbox.last_error: failure}).where(
                (Outbox.community_id == scope.community_id) & (Outbox.id == found.id)
            )
    return None


async def _first_due(scope: Scope, kinds: Collection[str]) -> Parcel | None:
    row = await database.fetch_one(
        "SELECT id, kind, key, payload, attempts, created_at, to_community, from_community FROM outbox "
        "WHERE community_id = $1 AND due_at <= $2 AND kind = ANY ($3) AND done_at IS NULL AND dead_at IS NULL "
        "ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
        scope.community_id, clock.now(), sorted(kinds),
    )  # fmt: skip
    return None if row is None else msgspec.convert({**row, "payload": msgspec.json.decode(row["payload"])}, Parcel)


@retried
async def _deliver_inside(scope: Scope, how: Delivery, parcel: Parcel) -> None:
    """Deliver in the transaction that ends the row: both are there or neither, so the effect is there once."""
    async with transaction(scope):
        if not await _is_open(scope, parcel):
            return
        await resolve(how.verb)(scope, parcel)
        await _end(scope, parcel)


async def _deliver_outside(scope: Scope, how: Delivery, parcel: Parcel) -> None:
    """Deliver to another service, without an open transaction, then end the row.

    At least once: when this process ends in between, the next attempt sends the same key again.
    """
    await resolve(how.verb)(scope, parcel)
    await _end_alone(scope, parcel)


async def _hand_over(scope: Scope, parcel: Parcel, there: Scope) -> None:
    """Put the row into the other community's outbox, from which it is delivered there, then end it here.

    Two transactions, because each touches one community. When this process ends in between, the row is handed over
    again, and the other outbox has it already.
    """
    await _put_there(there, scope.community_id, parcel)
    await _end_alone(scope, parcel)


@retried
async def _put_there(there: Scope, came_from: UUID, parcel: Parcel) -> None:
    async with transaction(there):
        await put(there, parcel.kind, parcel.key, parcel.payload, came_from=came_from)


@retried
async def _end_alone(scope: Scope, parcel: Parcel) -> None:
    async with transaction(scope):
        await _end(scope, parcel)


async def _is_open(scope: Scope, parcel: Parcel) -> bool:
    """Lock the row; False if it has ended.

    It waits for another's lock instead of skipping the row: a worker that looks for a due row may have locked this
    one for a moment, because it saw the row as it was before this attempt was counted.
    """
    found = await database.fetch_value(
        "SELECT id FROM outbox WHERE community_id = $1 AND id = $2 AND done_at IS NULL AND dead_at IS NULL "
        "FOR NO KEY UPDATE",
        scope.community_id, parcel.id,
    )  # fmt: skip
    return found is not None


async def _end(scope: Scope, parcel: Parcel) -> None:
    """Done, also where an earlier attempt was thought to be the last: it has been delivered."""
    await database.execute(
        "UPDATE outbox SET done_at = $3, dead_at = NULL, given_up_at = NULL "
        "WHERE community_id = $1 AND id = $2 AND done_at IS NULL",
        scope.community_id, parcel.id, clock.now(),
    )  # fmt: skip


@retried
async def _keep_failure(scope: Scope, parcel: Parcel, error: Exception) -> None:
    """Keep why it was not delivered; after the last attempt it is dead. An absent receiver is not asked by others."""
    now = clock.now()
    async with transaction(scope):
        await database.execute(
            "UPDATE outbox SET last_error = $3::jsonb, dead_at = $4 "
            "WHERE community_id = $1 AND id = $2 AND done_at IS NULL AND dead_at IS NULL",
            scope.community_id, parcel.id, msgspec.json.encode(failure_of(error)).decode(),
            now if is_last(parcel.attempts) else None,
        )  # fmt: skip
        if isinstance(error, ReceiverAway):
            await database.execute(
                "UPDATE outbox SET due_at = $3 WHERE community_id = $1 AND kind = $2 AND due_at < $3 "
                "AND done_at IS NULL AND dead_at IS NULL",
                scope.community_id, parcel.kind, next_attempt(parcel.attempts, now),
            )  # fmt: skip


@retried
async def purge_delivered(scope: Scope) -> None:
    """Delete what was delivered or given up more than 30 days ago."""
    async with transaction(scope):
        await database.execute(
            "DELETE FROM outbox WHERE community_id = $1 AND coalesce(done_at, given_up_at) < $2 "
            "AND (done_at IS NOT NULL OR given_up_at IS NOT NULL)",
            scope.community_id, clock.now() - KEPT_FOR,
        )  # fmt: skip
