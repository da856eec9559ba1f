"""Direct reads: statements without a transaction, of which those that wait at the same time are sent together.

A read in a transaction of its own waits for the server three times: for BEGIN, for the statement and for COMMIT. A
direct read waits once, together with other requests that ask the same of other rows.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from timebank.core import settings
from timebank.core.batcher import Batcher
from timebank.core.database.connections import READERS_MAX, engine
from timebank.core.database.gathering import Group
from timebank.core.database.refusals import NotOpen
from timebank.core.database.statements import fetch_only
from timebank.core.database.transactions import Open, connected, transaction
from timebank.core.scope import Scope

TOGETHER_MAX = 16
"""How many are sent together at most: all of them wait for the last answer."""

Columns: TypeAlias = Sequence[str | None]

# The first thing that the statement does is to read this row, which makes the rows of the scope's community visible
# until the next one does. Without it none is visible.
_AS = (
    "{sql} FROM (SELECT set_config('timebank.communities', ${0}, true), set_config('timebank.sessions', ${1}, true), "
    "set_config('timebank.device', ${2}, true) OFFSET 0) AS reader"
)


@dataclass(frozen=True, slots=True)
class _DirectRead:
    scope: Scope
    sql: str
    values: list[object]

    def whole(self) -> tuple[str, list[object]]:
        """The statement that first sets what `transaction` sets for the scope, and its values."""
        count, scope = len(self.values), self.scope
        session = f"{{{scope.session_id}}}" if scope.session_id else ""
        device = scope.device_proof.hex() if scope.device_proof else ""
        sql = _AS.format(count + 1, count + 2, count + 3, sql=self.sql)
        return sql, [*self.values, f"{{{scope.community_id}}}", session, device]


@asynccontextmanager
async def reading_directly(scope: Scope) -> AsyncIterator[None]:
    """The reads of the block see the scope's community, each as of the start of its own statement.

    So do those of a transaction, at the default isolation. Those of `rows`, `row`, `read_value` and `read` are
    sent with others, any other has a read-only transaction of its own. In a transaction or another block it joins that
    one.
    """
    if engine.current_transaction.get() is not None:
        async with transaction(scope):
            yield
        return
    opened = Open(held=None, visible=frozenset({scope.community_id}), scope=scope, group=Group(partial(_answer, scope)))
    token = engine.current_transaction.set(opened)
    try:
        yield
        if opened.queued:
            raise RuntimeError("this only reads: open a transaction to write")
    finally:
        engine.current_transaction.reset(token)


async def _answer(scope: Scope, sql: str, values: list[object]) -> Columns:
    asked = _DirectRead(scope, sql, values)
    needs_transaction = settings.current().database_pooler or not engine.keeps_settings or scope.import_proof
    return await (_alone(asked) if needs_transaction else _together(asked))


async def _answers(reads: Sequence[_DirectRead]) -> list[Columns | Exception]:
    """The answers in the order of the reads; those of one statement are sent in one go."""
    engine.current_transaction.set(None)  # of the request that has started this task
    same: defaultdict[str, dict[int, list[object]]] = defaultdict(dict)
    for number, one in enumerate(reads):
        sql, values = one.whole()
        same[sql][number] = values
    answers: dict[int, Columns | Exception] = {}
    for sql, asked in same.items():
        try:
            async with connected("readers") as connection:
                found = await connection.fetchmany(sql, asked.values())
                answers |= {number: list(row) for number, row in zip(asked, found, strict=True)}
        except Exception as error:  # noqa: BLE001  # each of them is asked again, and whoever has caused it gets it
            if isinstance(error, NotOpen) and engine.keeps_settings:
                answers |= dict.fromkeys(asked, error)
            else:
                answers |= {number: await _alone_or_error(reads[number]) for number in asked}
    return [answers[number] for number in range(len(reads))]


_together: Batcher[_DirectRead, Columns] = Batcher(_answers, most=TOGETHER_MAX, at_once=READERS_MAX)


async def _alone_or_error(read: _DirectRead) -> Columns | Exception:
    try:
        return await _alone(read)
    except Exception as error:  # noqa: BLE001  # whoever has asked gets it
        return error


async def _alone(read: _DirectRead) -> Columns:
    """The answer by a transaction: where a connection does not keep what is set for it, and after an error."""
    token = engine.current_transaction.set(None)
    try:
        async with transaction(read.scope):
            return list(await fetch_only(read.sql, *read.values))
    finally:
        engine.current_transaction.reset(token)
