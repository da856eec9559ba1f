"""One transaction for the verbs of several requests, for those that many people wait for at the same time.

Each statement of each verb costs the service and the server more for its way between them than for its work. Verbs that
share a transaction go on side by side: when all of them wait for the database, their statements are sent together, and
in the end their writes and one COMMIT.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import asyncpg
import structlog

from timebank.core.database.connections import ANSWER_SECONDS_MAX, NotOpen, engine
from timebank.core.database.transactions import ROLLED_BACK, Open, begin, connected, rollback, transaction
from timebank.core.database.writes import Write, changed_rows, together
from timebank.core.errors import Busy, RanIntoAnother
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
LOCK_TIMEOUT = "200ms"
"""How long a shared transaction waits for a lock: a verb that has to wait longer does so in one of its own."""


class NeedsOwn(RanIntoAnother):
    """What the verb does cannot be done in a shared transaction, or that one was rolled back: it needs its own."""


@dataclass(eq=False, slots=True)
class _Member:
    """A verb that waits for a transaction. `admitted` gives the company, or None where it has one of its own."""

    scope: Scope
    key: UUID
    admitted: "asyncio.Future[Company | None]"
    queued: Sequence[Write] = ()


class Company:
    """The verbs that share a transaction. One of them that fails ends it for all, and nothing is written.

    A statement of theirs returns exactly one row. Those of one text are sent in one go, in the order of the keys, so
    that two companies lock the same rows in the same order.
    """

    def __init__(self, connection: "PoolConnectionProxy", members: Sequence[_Member]) -> None:
        self.has_failed = False
        self.over = asyncio.Event()
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._running = len(members)
        self._waiting: list[tuple[UUID, str, Sequence[object], asyncio.Future[asyncpg.Record]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, key: UUID, sql: str, values: Sequence[object]) -> asyncpg.Record:
        """The row that a verb's statement returns. Raises NeedsOwn if the transaction fails meanwhile."""
        if self.has_failed:
            raise NeedsOwn
        answer: asyncio.Future[asyncpg.Record] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, sql, values, answer))
        self._rest()
        try:
            return await answer
        except asyncio.CancelledError:
            self._running += 1  # it does not wait any more: `leave` counts it as one that was running
            raise

    def leave(self, *, failed: bool = False) -> None:
        """A verb has come to its end, or raised."""
        self.has_failed = self.has_failed or failed
        self._rest()

    def _rest(self) -> None:
        """One verb less is running: it waits for the database, or it has left."""
        self._running -= 1
        if self._running:
            return
        if not self._waiting:
            self.over.set()
            return
        batch, self._waiting = sorted(self._waiting, key=lambda one: one[0]), []
        self._running = len(batch)
        self._sending = asyncio.create_task(self._answer(batch))

    async def _answer(
        self, batch: "Sequence[tuple[UUID, str, Sequence[object], asyncio.Future[asyncpg.Record]]]"
    ) -> None:
        found: Sequence[asyncpg.Record] = ()
        try:
            if not self.has_failed:
                found = await fetch_each(self._connection, [(sql, values) for _, sql, values, _ in batch])
        except Exception:  # noqa: BLE001  # each verb is run again by itself, and gets what it has caused
            self.has_failed = True
        for number, (*_, answer) in enumerate(batch):
            if answer.done():  # the verb was cancelled
                self._rest()
            elif self.has_failed:
                answer.set_exception(NeedsOwn())
            else:
                answer.set_result(found[number])


async def fetch_each(
    connection: "PoolConnectionProxy", asked: Sequence[tuple[str, Sequence[object]]]
) -> list[asyncpg.Record]:
    """The row of each statement, in their order; those of one text are sent in one go."""
    same: defaultdict[str, list[int]] = defaultdict(list)
    for number, (sql, _) in enumerate(asked):
        same[sql].append(number)
    found: dict[int, asyncpg.Record] = {}
    for sql, numbers in same.items():
        found |= zip(numbers, await connection.fetchmany(sql, [asked[n][1] for n in numbers]), strict=True)
    return [found[number] for number in range(len(asked))]


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


async def shared(scope: Scope, key: UUID | None, verb: Callable[[], Awaitable[T]]) -> T:
    """Run a verb in a transaction, which it shares with others while many wait at the same time.

    `key` is the row that the verb locks first, such as the person's: verbs of one key never share a transaction, nor do
    those of two communities. None: the verb has a transaction of its own. What a verb does must be such that two at
    once, of two keys, would not wait for each other: it does not see what those beside it have queued.

    If one of them fails or does anything but `read`, `rows`, `row`, `read_value`, `fetch_only` and `queue`, nothing is
    written and each is run again in a transaction of its own.
    """
    if engine.current_transaction.get() is not None or key is None or not _may_share(scope):
        return await _alone(scope, verb)
    if _gate.free:
        _gate.free -= 1
        try:
            return await _alone(scope, verb)
        finally:
            _gate.release()
    member = _Member(scope, key, asyncio.get_running_loop().create_future())
    _gate.waiting.append(member)
    company = await _admitted(member)
    if company is not None:
        with suppress(NeedsOwn):
            return await _in_company(company, member, verb)
    return await _alone(scope, verb)


def _may_share(scope: Scope) -> bool:
    """Whether the caller shows the database nothing but a session: of devices and imports it knows one at a time."""
    return scope.session_id is not None and scope.device_proof is None and scope.import_proof is None


async def _alone(scope: Scope, verb: Callable[[], Awaitable[T]]) -> T:
    async with transaction(scope):
        return await verb()


async def _admitted(member: _Member) -> Company | None:
    try:
        async with asyncio.timeout(WAITS_SECONDS_MAX):
            return await asyncio.shield(member.admitted)
    except TimeoutError:
        if member in _gate.waiting:
            _gate.waiting.remove(member)
            return None
    except asyncio.CancelledError:
        if member in _gate.waiting:
            _gate.waiting.remove(member)
        else:
            member.admitted.add_done_callback(_leave_at_once)
        raise
    return await member.admitted


def _leave_at_once(admitted: "asyncio.Future[Company | None]") -> None:
    if (company := admitted.result()) is not None:
        company.leave(failed=True)


async def _in_company(company: Company, member: _Member, verb: Callable[[], Awaitable[T]]) -> T:
    """The verb's result once the shared transaction is committed. Raises NeedsOwn if it was rolled back."""
    opened = Open(None, frozenset({member.scope.community_id}), company=company, key=member.key)
    token = engine.current_transaction.set(opened)
    try:
        result = await verb()
    except Exception as error:
        company.leave(failed=True)
        raise NeedsOwn from error
    except BaseException:
        company.leave(failed=True)
        raise
    finally:
        engine.current_transaction.reset(token)
    member.queued = opened.queued
    company.leave()
    await asyncio.shield(company.outcome)
    return result


async def _share(members: Sequence[_Member]) -> None:
    """Run the verbs in one transaction. Where it cannot begin, each gets one of its own."""
    try:
        async with connected() as connection:
            visible = frozenset({members[0].scope.community_id})
            sessions = [member.scope.session_id for member in members]
            sql = begin(visible, members[0].scope, sessions=sessions, lock_timeout=LOCK_TIMEOUT)
            await connection.execute(sql, timeout=ANSWER_SECONDS_MAX)
            company = Company(connection, members)
            for member in members:
                member.admitted.set_result(company)
            await _carry_out(company, connection, members)
    except Exception as error:  # noqa: BLE001  # each verb is run again by itself, and gets what it has caused
        log.info("not shared", cause=type(error).__name__)
    finally:
        for member in members:
            if not member.admitted.done():
                member.admitted.set_result(None)


async def _carry_out(company: Company, connection: "PoolConnectionProxy", members: Sequence[_Member]) -> None:
    """Wait for the verbs, write what they have queued and commit. The company's outcome is set in any case."""
    outcome: Exception | None = NeedsOwn()
    try:
        try:
            await company.over.wait()
            await _write(company, connection, members)
        except BaseException:
            await asyncio.shield(rollback(connection))
            raise
        # From here on the changes may have been written, even if the answer is lost: then no verb is run again.
        outcome = NotOpen()
        await _commit(connection)
        outcome = None
    except ROLLED_BACK:
        outcome = NeedsOwn()
        raise
    finally:
        if outcome is None:
            company.outcome.set_result(None)
        else:
            company.outcome.set_exception(outcome)
            company.outcome.exception()  # read here, because every verb may have been cancelled


async def _commit(connection: "PoolConnectionProxy") -> None:
    if await connection.execute("COMMIT") != "COMMIT":
        raise Busy


async def _write(company: Company, connection: "PoolConnectionProxy", members: Sequence[_Member]) -> None:
    """Send what each verb has queued. Raises NeedsOwn, or RanIntoAnother if a write has not changed what it should."""
    if company.has_failed:
        raise NeedsOwn
    writing = sorted((member for member in members if member.queued), key=lambda member: member.key)
    counts = await fetch_each(connection, [together(member.queued) for member in writing])
    for member, counted in zip(writing, counts, strict=True):
        changed_rows(member.queued, counted)
