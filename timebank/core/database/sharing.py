"""One transaction for the verbs of several requests, for those that many people wait for at the same time.

Each statement of each verb costs the service and the server more for its way between them than for its work. Verbs that
share a transaction go on side by side: when all of them wait for the database, their statements are sent together, and
in the end their writes and one COMMIT.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import structlog

from timebank.core.database.connections import ANSWER_SECONDS_MAX, engine
from timebank.core.database.refusals import NotOpen
from timebank.core.database.shared_transaction import NeedsOwn, SharedTransaction, fetch_each
from timebank.core.database.transactions import ROLLED_BACK, Open, begin_sql, connected, rollback, transaction
from timebank.core.database.writes import Write, changed_rows, together
from timebank.core.scope import Scope

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

T = TypeVar("T")

log = structlog.get_logger()

TOGETHER_MAX = 8
"""How many verbs share a transaction at most."""
AT_ONCE = 1
"""How many transactions run at once before a verb waits for one to share."""
WAITS_SECONDS_MAX = 0.1
"""How long a verb waits to be admitted, before it begins a transaction of its own."""
LOCK_TIMEOUT = "200ms"
"""How long a shared transaction waits for a lock: a verb that has to wait longer does so in one of its own."""


@dataclass(eq=False, slots=True)
class _Member:
    """A verb that waits for a transaction. `admitted` gives the shared one, or None: it has its own.

    `locks` are the rows that it locks: the first by its reads, the others by its writes.
    """

    scope: Scope
    locks: Sequence[UUID]
    admitted: "asyncio.Future[SharedTransaction | None]"
    queued: Sequence[Write] = ()

    @property
    def key(self) -> UUID:
        return self.locks[0]


@dataclass(slots=True)
class _Gate:
    """Admits verbs: at once while few transactions run, else together with others that wait."""

    free: int = AT_ONCE
    waiting: deque[_Member] = field(default_factory=deque)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def release(self) -> None:
        """A transaction has ended: the next begins, for all that wait and can share it."""
        self.free += 1
        if not self.waiting:
            return
        self.free -= 1
        members = self._next()
        task = asyncio.create_task(self._run(members))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _next(self) -> list[_Member]:
        """The first that waits and those of the same community with other keys, in their order."""
        taken: dict[UUID, _Member] = {}
        first = self.waiting[0].scope.community_id
        for member in list(self.waiting):
            if member.scope.community_id == first and member.key not in taken and len(taken) < TOGETHER_MAX:
                taken[member.key] = member
                self.waiting.remove(member)
        return list(taken.values())

    async def _run(self, members: Sequence[_Member]) -> None:
        try:
            await _share(members)
        finally:
            self.release()


_gate = _Gate()


async def shared(scope: Scope, locks: Sequence[UUID], verb: Callable[[], Awaitable[T]]) -> T:
    """Run a verb in a transaction, which it shares with others while many wait at the same time.

    `locks` are the rows that the verb locks: first the one that it reads and decides about, such as the person's, then
    those that its writes change, such as a good's. Verbs that lock the same first row never share a transaction, nor do
    those of two communities. Without any the verb has a transaction of its own.

    A verb does not see what those beside it have queued: whatever their first locks do not protect must be guarded by
    the writes. The database takes the session of each of them as the proof of who acts in each of them.

    If one of them fails or does anything but `read`, `rows`, `row`, `read_value`, `fetch_only`, `write_now` and
    `queue`, nothing is written and each is run again in a transaction of its own.
    """
    if engine.current_transaction.get() is not None or not locks or not _may_share(scope):
        return await _alone(scope, verb)
    if _gate.free:
        _gate.free -= 1
        try:
            return await _alone(scope, verb)
        finally:
            _gate.release()
    member = _Member(scope, locks, asyncio.get_running_loop().create_future())
    _gate.waiting.append(member)
    common = await _admitted(member)
    if common is not None:
        with suppress(NeedsOwn):
            return await _in_shared(common, member, verb)
    return await _alone(scope, verb)


def _may_share(scope: Scope) -> bool:
    """Whether the caller shows the database nothing but a session: of devices and imports it knows one at a time."""
    return scope.session_id is not None and scope.device_proof is None and scope.import_proof is None


async def _alone(scope: Scope, verb: Callable[[], Awaitable[T]]) -> T:
    async with transaction(scope):
        return await verb()


async def _admitted(member: _Member) -> SharedTransaction | None:
    try:
        try:
            async with asyncio.timeout(WAITS_SECONDS_MAX):
                return await asyncio.shield(member.admitted)
        except TimeoutError:
            if member in _gate.waiting:
                _gate.waiting.remove(member)
                return None
            return await asyncio.shield(member.admitted)  # it was taken at the same moment
    except asyncio.CancelledError:
        if member in _gate.waiting:
            _gate.waiting.remove(member)
        else:
            member.admitted.add_done_callback(_leave_at_once)
        raise


def _leave_at_once(admitted: "asyncio.Future[SharedTransaction | None]") -> None:
    if (common := admitted.result()) is not None:
        common.leave(failed=True)


async def _in_shared(common: SharedTransaction, member: _Member, verb: Callable[[], Awaitable[T]]) -> T:
    """The verb's result once the shared transaction is committed. Raises NeedsOwn if it was rolled back."""
    opened = Open(
        held=None, visible=frozenset({member.scope.community_id}), scope=member.scope, common=common, key=member.key
    )
    token = engine.current_transaction.set(opened)
    try:
        result = await verb()
    except Exception as error:
        common.leave(failed=True)
        raise NeedsOwn from error
    except BaseException:
        common.leave(failed=True)
        raise
    finally:
        engine.current_transaction.reset(token)
    member.queued = opened.queued
    common.leave()
    await asyncio.shield(common.outcome)
    return result


async def _share(members: Sequence[_Member]) -> None:
    """Run the verbs in one transaction. Where it cannot begin, each gets one of its own."""
    try:
        async with connected() as connection:
            visible = frozenset({members[0].scope.community_id})
            sessions = [member.scope.session_id for member in members]
            sql = begin_sql(visible, members[0].scope, sessions=sessions, lock_timeout=LOCK_TIMEOUT)
            await connection.execute(sql, timeout=ANSWER_SECONDS_MAX)
            common = SharedTransaction(connection, len(members))
            for member in members:
                member.admitted.set_result(common)
            await _carry_out(common, connection, members)
    except Exception as error:  # noqa: BLE001  # each verb is run again by itself, and gets what it has caused
        log.info("not shared", cause=type(error).__name__)
    finally:
        for member in members:
            if not member.admitted.done():
                member.admitted.set_result(None)


async def _carry_out(common: SharedTransaction, connection: "PoolConnectionProxy", members: Sequence[_Member]) -> None:
    """Wait for the verbs, write what they have queued and commit. The outcome is set in any case."""
    outcome: Exception | None = NeedsOwn()
    try:
        try:
            await common.over.wait()
            await _write(common, connection, members)
        except BaseException:
            await asyncio.shield(rollback(connection))
            raise
        # From here on the changes may have been written, even if the answer is lost: then no verb is run again.
        outcome = NotOpen()
        await _commit(connection)
        outcome = None
    except (NeedsOwn, *ROLLED_BACK):
        outcome = NeedsOwn()
        raise
    finally:
        if outcome is None:
            common.outcome.set_result(None)
        else:
            common.outcome.set_exception(outcome)
            common.outcome.exception()  # read here, because every verb may have been cancelled


async def _commit(connection: "PoolConnectionProxy") -> None:
    """Raises NeedsOwn where the server has rolled the transaction back instead."""
    if await connection.execute("COMMIT") != "COMMIT":
        raise NeedsOwn


async def _write(common: SharedTransaction, connection: "PoolConnectionProxy", members: Sequence[_Member]) -> None:
    """Send what each verb has queued. Raises NeedsOwn, or RanIntoAnother if a write has not changed what it should."""
    if common.has_failed:
        raise NeedsOwn
    # The shared transactions of two processes change the same rows in the same order.
    writing = sorted((one for one in members if one.queued), key=lambda one: (*one.locks[1:], one.key))
    counts = await fetch_each(connection, [together(member.queued) for member in writing])
    for member, counted in zip(writing, counts, strict=True):
        changed_rows(member.queued, counted)
