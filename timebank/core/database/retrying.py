"""Run a verb again when another request got in between."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import asyncpg
import structlog

from timebank.core.database.connections import engine
from timebank.core.database.transactions import ROLLED_BACK
from timebank.core.errors import Busy, Conflict, RanIntoAnother, TimebankError, Unexpected

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()

TRIES = 4
FIRST_PAUSE_SECONDS = 0.02


def retried(verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Decorator: retry the verb after a conflict with a concurrent request; it is run at most TRIES times.

    A conflict is a deadlock, a serialization failure, `RanIntoAnother`, or a violated unique or foreign key that no
    error class names: the verb had checked first, so another request has written or deleted in between, and the next
    run will see that. A violated key that an error class names raises that error at once.

    Only the outermost verb is retried: inside an open transaction the error is passed on, because the work of the outer
    verb is rolled back too. After the last try the error of that try is raised (`RanIntoAnother` as Busy, 503 with
    Retry-After). A lock that was not free within `LOCK_TIMEOUT` is not retried, so nobody waits longer than that.

    After each of these conflicts nothing has been written. After a connection lost at COMMIT the changes may have been
    written, so the verb is not retried and the caller gets 503. The client can safely repeat the request: the
    Idempotency-Key, the scan's nonce or the natural key of the ledger entry prevents a second effect.
    """

    @wraps(verb)
    async def outermost(*args: P.args, **kwargs: P.kwargs) -> T:
        if engine.current_transaction.get() is not None:
            return await verb(*args, **kwargs)
        for attempt in range(1, TRIES):
            try:
                return await verb(*args, **kwargs)
            except (TimebankError, RanIntoAnother) as error:
                if not _ran_into_another(error):
                    raise
                log.info("run again", verb=verb.__qualname__, cause=type(error.__cause__ or error).__name__)
            # The pause is random, so that two conflicting requests do not meet again.
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311  # no secret
        try:
            return await verb(*args, **kwargs)
        except RanIntoAnother as error:
            raise Busy from error

    return outermost


def _ran_into_another(error: Exception) -> bool:
    cause = error.__cause__
    return (
        isinstance(error, RanIntoAnother)
        or isinstance(cause, ROLLED_BACK)
        or (type(error) is Conflict and isinstance(cause, asyncpg.UniqueViolationError))
        or (type(error) is Unexpected and isinstance(cause, asyncpg.ForeignKeyViolationError))
    )
