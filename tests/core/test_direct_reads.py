"""Direct reads: without a transaction, and those that wait at the same time are sent together."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from tests.support.town import PHOENIX, Town
from tests.support.wire import counted
from timebank.core import database, settings
from timebank.core.database import BadValue, queue, reading_directly, transaction
from timebank.core.database.connections import AS_A_READER
from timebank.core.database.refusals import ReadOnly
from timebank.core.scope import Scope
from timebank.presence.tables import Visit

# None of these names a community: row-level security alone decides what is read.
COMMUNITIES = "SELECT DISTINCT community_id AS id FROM person ORDER BY 1"
SESSION = "SELECT current_setting('timebank.sessions', true) || '/' || $1::text"


class Found(msgspec.Struct):
    id: UUID


async def communities_seen(scope: Scope) -> list[UUID]:
    async with reading_directly(scope):
        return [row.id for row in await database.rows(Found, COMMUNITIES)]


async def test_reads_at_once_each_see_their_own_community_alone(town: Town) -> None:
    scopes = [Scope.of_system(community) for community in town.communities.values()] * 20
    assert len({scope.community_id for scope in scopes}) > 1
    seen = await asyncio.gather(*(communities_seen(scope) for scope in scopes))
    assert seen == [[scope.community_id] for scope in scopes]


async def test_reads_at_once_each_show_their_own_session(town: Town) -> None:
    scopes = [await town.scope(name) for name in ("刘洋", "张桂兰", "王建国")] * 10

    async def session_of(scope: Scope, number: int) -> str:
        async with reading_directly(scope):
            return await database.read_value(str, SESSION, str(number))

    seen = await asyncio.gather(*(session_of(scope, number) for number, scope in enumerate(scopes)))
    assert seen == [f"{{{scope.session_id}}}/{number}" for number, scope in enumerate(scopes)]


async def test_a_direct_read_is_one_statement_and_nothing_of_it_stays(town: Town, tmp_path: Path) -> None:
    scope = town.system()
    async with counted(tmp_path) as wire:
        await communities_seen(scope)
        wire.statements.clear()
        assert await communities_seen(scope) == [town.community]
        assert len(wire) == 1, wire.listed()
        readers = database.engine.readers
        assert readers is not None
        async with readers.acquire() as connection:
            assert await connection.fetchval("SELECT current_user") == "timebank_app"
            assert await connection.fetch(COMMUNITIES) == []


async def test_reads_side_by_side_are_put_together_and_a_transaction_joins(town: Town, tmp_path: Path) -> None:
    scope = town.system()

    async def joined() -> int:
        async with transaction(scope):
            return await database.read_value(int, "SELECT count(*) FROM region WHERE id = $1", town.community)

    async with counted(tmp_path) as wire:
        await communities_seen(scope)
        wire.statements.clear()
        async with reading_directly(scope), database.gathering() as reads:
            seen, one = reads.start(database.rows(Found, COMMUNITIES)), reads.start(joined())
        assert len(wire) == 1, wire.listed()
    assert ([row.id for row in seen.result()], one.result()) == ([town.community], 1)


async def test_those_of_another_community_do_not_join(town: Town) -> None:
    other = next(community for name, community in town.communities.items() if name != PHOENIX)
    async with reading_directly(town.system()):
        with pytest.raises(RuntimeError, match="one community"):
            await communities_seen(Scope.of_system(other))


async def test_a_read_that_fails_fails_alone(town: Town) -> None:
    async def divided(by: int) -> int:
        async with reading_directly(town.system()):
            return await database.read_value(int, "SELECT 100 / $1::integer", by)

    async def told(text: str) -> str:
        async with reading_directly(town.system()):
            return await database.read_value(str, "SELECT $1::text", text)

    divisors = [5, 0, 4, 5, 4, 5, 4]
    asked: Sequence[int | str | BaseException] = await asyncio.gather(
        *(divided(by) for by in divisors), *(told(text) for text in ("春", "\ud800", "秋")), return_exceptions=True
    )
    assert [20 if by == 5 else 25 for by in divisors if by] == [a for a in asked[:7] if isinstance(a, int)]
    assert isinstance(asked[1], BadValue)
    assert (asked[7], asked[9]) == ("春", "秋")
    assert isinstance(asked[8], BadValue)


async def test_a_statement_that_is_no_question_has_a_transaction_of_its_own(town: Town, tmp_path: Path) -> None:
    async with counted(tmp_path) as wire, reading_directly(town.system()):
        found = await asyncio.gather(*(database.fetch(COMMUNITIES) for _ in range(3)))
        assert [[row["id"] for row in each] for each in found] == [[town.community]] * 3
        assert sum("READ ONLY" in sql for sql in wire.statements) == 3


async def test_nothing_can_be_written(town: Town) -> None:
    scope = town.system()
    with pytest.raises(ReadOnly):
        async with reading_directly(scope):
            await database.execute("UPDATE person SET name = name")
    with pytest.raises(RuntimeError, match="only reads"):
        async with reading_directly(scope):
            await Visit.delete(force=True)
    with pytest.raises(RuntimeError, match="only reads"):
        async with reading_directly(scope):
            queue(database.change("UPDATE person SET name = name"))


@pytest.mark.parametrize("why", ["a pooler", "other nodes"])
async def test_where_a_connection_keeps_no_settings_each_has_a_transaction(
    town: Town, tmp_path: Path, why: str
) -> None:
    kept = settings.current()
    try:
        async with counted(tmp_path) as wire:
            if why == "a pooler":
                settings.use(replace(kept, database_pooler="transaction"))
            else:
                database.engine.keeps_settings = False
            assert await communities_seen(town.system()) == [town.community]
            assert [sql.split(";")[0].split()[0] for sql in wire.statements] == ["BEGIN", "SELECT", "COMMIT"]
            assert not any(AS_A_READER in sql for sql in wire.statements)
    finally:
        settings.use(kept)
        database.engine.keeps_settings = True
